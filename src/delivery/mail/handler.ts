import { isId } from '#platform/ids.ts';
import { isAskedFor, isForMailbox } from '#identity/mail/letter-rules.ts';
import type { Letter } from '#identity/mail/letter.ts';
import { addressMark, type QueuedMail } from '#identity/mail/mail.ts';
import {
  liftSuppression,
  suppressAddress,
  type SuppressionReason,
} from '#identity/mail/suppression.ts';
import { comparedEmail } from '#identity/users/email.ts';
import { unitOfWork, type Foundation } from '#identity/work.ts';
import { translator } from '#messages/translate.ts';
import { negotiateLocale } from '#platform/i18n.ts';
import { type MailAddress, MailRefused, type MailTransport } from '#platform/mail/transport.ts';
import { keyedHash } from '#platform/secrets.ts';
import { type Delivery, type Handler, Undeliverable } from '../worker.ts';
import { renderMail } from './render.ts';

export interface MailDependencies {
  foundation: Foundation;
  transport: MailTransport;
  from: MailAddress;
  /** The name of this service, as people know it. */
  product: string;
}

/** What one address is sent at most. Behind it somebody may be flooding a stranger's mailbox. */
const limits = { ofOneKindPerHour: 5, perDay: 20 };

const hour = 3_600_000;

/** Writes the mails of the outbox. */
export function mailHandler({ foundation, transport, from, product }: MailDependencies): Handler {
  const { database, vault, clock } = foundation;
  const key = vault.derive('message-id')[0]!;
  const actor = { type: 'system', id: 'mail' } as const;

  /**
   * Where it goes: to the address, or to the one where the person wants to be written to.
   *
   * @returns why mails to it came back before, where it is tried all the same
   */
  async function refuseSurplus(
    { id, subject }: Delivery,
    { kept, to }: Pick<QueuedMail, 'kept' | 'to'>,
    letter: Letter,
  ): Promise<{ email: string; suppressed: SuppressionReason | null }> {
    const now = clock().getTime();
    const userId = !isForMailbox(letter) && isId(subject) ? subject : null;
    const [sent] = await database.query<Sent>(countSent, [
      id,
      kept.address,
      kept.letter,
      new Date(now),
      new Date(now - hour),
      new Date(now - 24 * hour),
      comparedEmail(to.email),
      userId,
    ]);
    const { instead } = sent!;
    if (instead !== null) {
      const there = { letter: kept.letter, address: addressMark(instead) };
      await database.query(
        `update outbox set payload = jsonb_set(payload, '{kept}', $2::jsonb) where id = $1`,
        [id, JSON.stringify(there)],
      );
      return refuseSurplus(
        { id, subject: '' } as Delivery,
        { kept: there, to: { ...to, email: instead } },
        letter,
      );
    }
    if (sent!.of_kind >= limits.ofOneKindPerHour)
      throw new Undeliverable(`limit: ${limits.ofOneKindPerHour} of a kind in an hour`);
    if (sent!.of_day >= limits.perDay)
      throw new Undeliverable(`limit: ${limits.perDay} mails in a day`);
    const { suppressed } = sent!;
    const { email } = to;
    if (suppressed === null) return { email, suppressed };
    if (!isAskedFor(letter)) throw new Undeliverable(`suppressed: ${suppressed}`);
    const tried = await database.query(tryOnce, [
      comparedEmail(to.email),
      new Date(now),
      new Date(now - hour),
    ]);
    if (tried.length === 0) throw new Undeliverable(`suppressed: ${suppressed}, and tried lately`);
    return { email, suppressed };
  }

  return async (delivery) => {
    const queued = delivery.payload as unknown as QueuedMail;
    const letter = letterOf(queued, delivery.secret);
    const { email, suppressed } = await refuseSurplus(delivery, queued, letter);

    const { name, locale } = queued.to;
    const t = translator(negotiateLocale({ profile: locale }));
    const rendered = renderMail(letter, { name, reference: queued.reference, product }, t);
    try {
      await transport.send({
        ...rendered,
        kind: letter.kind,
        from,
        // Without the name: what a stranger typed has no business in a header.
        to: { address: asMailed(email) },
        messageId: `${keyedHash(key, String(delivery.id)).slice(0, 32)}@${domainOf(from)}`,
        reference: queued.reference,
      });
    } catch (error) {
      if (!(error instanceof MailRefused)) throw error;
      const { noMailbox: code } = error;
      if (code !== null)
        await unitOfWork(foundation, { actor }, (work) =>
          suppressAddress(work, email, { reason: 'refused', code }),
        );
      throw new Undeliverable(error.message, { cause: error });
    }
    // It is taken where it was refused. A mail that came back later says nothing at the door.
    if (suppressed === 'refused')
      await unitOfWork(foundation, { actor }, (work) => liftSuppression(work, email, 'mail_taken'));
  };
}

/**
 * Counts what was sent, and what came first and is still to be sent, by whomever: of two that leave
 * at once the later one gives way, whichever is looked at first.
 */
const countSent = `
  select count(*) filter (where payload #>> '{kept,letter}' = $3
                          and coalesce(delivered_at, $4) > $5) as of_kind,
         count(*) as of_day,
         (select reason from suppressed_addresses where email = $7) as suppressed,
         (select u.communication_email from users u
          where u.id = $8::uuid and u.email = $7
            and u.communication_email = u.communication_proved and u.communication_email <> $7
            and not exists (select from suppressed_addresses s
              where s.email = u.communication_email)) as instead
  from outbox
  where kind = 'mail' and id <> $1 and payload #>> '{kept,address}' = $2
    and (delivered_at > $6 or (delivered_at is null and failed_at is null and id < $1))`;

interface Sent {
  of_kind: number;
  of_day: number;
  suppressed: SuppressionReason | null;
  /** Where the person wants to be written to. */
  instead: string | null;
}

const tryOnce = `
  update suppressed_addresses set tried_at = $2
  where email = $1 and (tried_at is null or tried_at <= $3) returning 1`;

/** The letter as it was queued: its secrets back in place, its moments `Date` again. */
export function letterOf(queued: QueuedMail, secret: Record<string, unknown>): Letter {
  return Object.fromEntries(
    Object.entries({ ...queued.letter, ...secret }).map(([name, value]) => [
      name,
      typeof value === 'string' && /^at$|(?:At|Until)$/.test(name) ? new Date(value) : value,
    ]),
  ) as unknown as Letter;
}

/** As servers know it: `ann@bücher.example` is shown so, and mailed to `ann@xn--bcher-kva.example`. */
function asMailed(email: string): string {
  return /^[\x21-\x7e]*$/.test(email) ? email : comparedEmail(email);
}

function domainOf({ address }: MailAddress): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
