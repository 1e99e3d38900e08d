import type { Letter, QueuedMail } from '#identity/mail/letter.ts';
import { translator } from '#messages/translate.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { negotiateLocale } from '#platform/i18n.ts';
import { type MailAddress, MailRefused, type MailTransport } from '#platform/mail/transport.ts';
import { keyedHash, type Vault } from '#platform/secrets.ts';
import { type Delivery, type Handler, Undeliverable } from '../worker.ts';
import { renderMail } from './render.ts';

export interface MailDependencies {
  database: Database;
  vault: Vault;
  clock: Clock;
  transport: MailTransport;
  from: MailAddress;
  /** The name of this service, as people know it. */
  product: string;
}

/** What one address is sent at most. Behind it somebody may be flooding a stranger's mailbox. */
const limits = { ofOneKindPerHour: 5, perDay: 20 };

const hour = 3_600_000;

/** Writes the mails of the outbox. */
export function mailHandler({
  database,
  vault,
  clock,
  transport,
  from,
  product,
}: MailDependencies): Handler {
  const key = vault.derive('message-id')[0]!;

  async function refuseSurplus({ id }: Delivery, { kept }: QueuedMail): Promise<void> {
    const now = clock().getTime();
    const [sent] = await database.query<{ of_kind: number; of_day: number }>(countSent, [
      id,
      kept.address,
      kept.letter,
      new Date(now),
      new Date(now - hour),
      new Date(now - 24 * hour),
    ]);
    if (sent!.of_kind >= limits.ofOneKindPerHour)
      throw new Undeliverable(`limit: ${limits.ofOneKindPerHour} of a kind in an hour`);
    if (sent!.of_day >= limits.perDay)
      throw new Undeliverable(`limit: ${limits.perDay} mails in a day`);
  }

  return async (delivery) => {
    const queued = delivery.payload as unknown as QueuedMail;
    await refuseSurplus(delivery, queued);

    const letter = letterOf(queued, delivery.secret);
    const { email, name, locale } = queued.to;
    const t = translator(negotiateLocale({ profile: locale }));
    const rendered = renderMail(letter, { name, reference: queued.reference, product }, t);
    try {
      await transport.send({
        ...rendered,
        kind: letter.kind,
        from,
        // Without the name: what a stranger typed has no business in a header.
        to: { address: email },
        messageId: `${keyedHash(key, String(delivery.id)).slice(0, 32)}@${domainOf(from)}`,
        reference: queued.reference,
      });
    } catch (error) {
      if (error instanceof MailRefused) throw new Undeliverable(error.message, { cause: error });
      throw error;
    }
  };
}

/**
 * Counts what was sent, and what came first and is still to be sent, by whomever: of two that leave
 * at once the later one gives way, whichever is looked at first.
 */
const countSent = `
  select count(*) filter (where payload #>> '{kept,letter}' = $3
                          and coalesce(delivered_at, $4) > $5) as of_kind,
         count(*) as of_day
  from outbox
  where kind = 'mail' and id <> $1 and payload #>> '{kept,address}' = $2
    and (delivered_at > $6 or (delivered_at is null and failed_at is null and id < $1))`;

/** The letter as it was queued: its secrets back in place, its moments `Date` again. */
export function letterOf(queued: QueuedMail, secret: Record<string, unknown>): Letter {
  return Object.fromEntries(
    Object.entries({ ...queued.letter, ...secret }).map(([name, value]) => [
      name,
      typeof value === 'string' && /^at$|(?:At|Until)$/.test(name) ? new Date(value) : value,
    ]),
  ) as unknown as Letter;
}

function domainOf({ address }: MailAddress): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
