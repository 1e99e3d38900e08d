import type { Param, Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import { comparedEmail } from '../users/email.ts';
import type { Foundation, Work } from '../work.ts';
import { addressMark } from './mail.ts';

/**
 * ADDRESSES WHOSE MAILS COME BACK (behaviour.md section 8: "bounces mark the address")
 *
 *     refused      a mail server says, while it is handed a mail, that there is no such mailbox
 *     bounced      the mail came back later: the operator's mail system reports it
 *     complained   its reader called it spam: reported likewise
 *
 * Nothing is sent there any more, but for what somebody asks for themselves just now, such as a new
 * password, and that once an hour: the way back must not need an administrator. Whoever then proves
 * the mailbox lifts it; so does a server that takes a mail where one was refused, and so does an
 * administrator. Another address of the person has nothing to do with it.
 */
export interface Suppression {
  reason: SuppressionReason;
  /** What the server said: `550 5.1.1`. */
  code: string | null;
  since: Date;
  lastAt: Date;
}

export const suppressionReasons = ['refused', 'bounced', 'complained'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** What is kept of an address that is nobody's here. */
const keptFor = 180 * 24 * 3600_000;

/** Marks an address. One that is marked already keeps its first moment. */
export async function suppressAddress(
  work: Work,
  email: string,
  { reason, code = null }: { reason: SuppressionReason; code?: string | null | undefined },
): Promise<Suppression> {
  const [row] = await work.query<Suppression & { known: boolean }>(
    `insert into suppressed_addresses as s (email, reason, code, since, last_at)
     values ($1, $2, $3, $4, $4)
     on conflict (email) do update set reason = excluded.reason,
       code = coalesce(excluded.code, s.code), last_at = excluded.last_at
     returning reason, code, since, last_at as "lastAt", since <> last_at as known`,
    [comparedEmail(email), reason, code, work.now],
  );
  const { known, ...suppression } = row!;
  if (!known) await record(work, 'address.suppressed', email, { reason, code });
  return suppression;
}

export async function suppressionOf(sql: Sql, email: string | null): Promise<Suppression | null> {
  if (email === null) return null;
  const [row] = await sql.query<Suppression>(
    `select reason, code, since, last_at as "lastAt" from suppressed_addresses where email = $1`,
    [comparedEmail(email)],
  );
  return row ?? null;
}

/** Sends to an address again. Says whether it was marked. */
export async function liftSuppression(
  work: Work,
  email: string,
  because: 'administrator' | 'mailbox_proved' | 'mail_taken',
): Promise<boolean> {
  const gone = await work.query('delete from suppressed_addresses where email = $1 returning 1', [
    comparedEmail(email),
  ]);
  if (gone.length > 0) await record(work, 'address.suppression_lifted', email, { because });
  return gone.length > 0;
}

/** @throws {Refusal} `not_found` for an address that is not marked */
export async function allowMail(work: Work, email: string | null): Promise<void> {
  if (email === null || !(await liftSuppression(work, email, 'administrator')))
    throw new Refusal('not_found');
}

/** In the order of the alphabet. */
export function suppressedAddresses(
  sql: Sql,
  { q, after, limit }: { q?: string | undefined; after?: string | undefined; limit: number },
): Promise<(Suppression & { email: string })[]> {
  const params: Param[] = [limit, q?.toLowerCase() ?? null, after ?? null];
  return sql.query(
    `select email, reason, code, since, last_at as "lastAt" from suppressed_addresses
     where ($2::text is null or position($2 in email) > 0) and ($3::text is null or email > $3)
     order by email limit $1`,
    params,
  );
}

/** Addresses that belong to nobody here are not kept for ever. */
export async function forgetSuppressed({ database, clock }: Foundation): Promise<void> {
  await database.query(
    `delete from suppressed_addresses s
     where s.last_at < $1 and not exists (select from users u where u.email = s.email)`,
    [new Date(clock().getTime() - keptFor)],
  );
}

/** With whose address it is, where it is somebody's. The address itself is not written down. */
async function record(
  work: Work,
  action: 'address.suppressed' | 'address.suppression_lifted',
  email: string,
  details: Record<string, unknown>,
): Promise<void> {
  const [user] = await work.query<{ id: string; account_id: string | null }>(
    'select id, account_id from users where email = $1',
    [comparedEmail(email)],
  );
  if (user) work.record(action, { type: 'user', id: user.id }, details, user.account_id);
  else work.record(action, { type: 'address', id: addressMark(email) }, details);
}
