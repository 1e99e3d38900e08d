import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';

const day = 24 * 3600_000;
const unsubscribeLife = 90 * day;

/**
 * Tells the administrators of an account that somebody waits: each once a day at most, and not who
 * asked not to be told (behaviour.md F04).
 */
export async function remind(work: Work, accountId: string): Promise<void> {
  const waiting = await work.query<{ account: string; name: string; status: string }>(
    `select a.name as account, a.status,
       coalesce(nullif(trim(u.given_name || ' ' || u.family_name), ''), u.email_display)
         || ' (' || u.email_display || ')' as name
     from approval_requests q
     join users u on u.id = q.user_id
     join accounts a on a.id = q.account_id
     where q.account_id = $1 and q.state = 'open'
     order by q.id`,
    [accountId],
  );
  if (waiting.length === 0) return;
  const { account } = waiting[0]!;
  const keyOf = (id: string): string =>
    `approvals:${accountId}:${id}:${work.now.toISOString().slice(0, 10)}`;
  const administrators = await administratorsOf(work, accountId);
  // No link is made for a letter that would not leave.
  const spared = await work.query<{ id: string }>(
    `select r.id from unnest($1::uuid[], $2::text[]) as r(id, key)
     where exists (select from mail_optouts o
         where o.user_id = r.id and o.letter = 'approval_reminder')
       or exists (select from outbox s where s.dedup_key = r.key)`,
    [administrators.map(({ id }) => id), administrators.map(({ id }) => keyOf(id))],
  );
  for (const reader of administrators) {
    if (spared.some(({ id }) => id === reader.id)) continue;
    const secret = newSecret();
    await work.query(
      `insert into one_time_tokens (id, purpose, user_id, secret_hash, details, created_at, expires_at)
       values ($1, 'unsubscribe', $2, $3, $4, $5, $6)`,
      [
        newId(work.now.getTime()),
        reader.id,
        secretHash(secret),
        JSON.stringify({ letter: 'approval_reminder' }),
        work.now,
        new Date(work.now.getTime() + unsubscribeLife),
      ],
    );
    mail(
      work,
      toReader(reader),
      {
        kind: 'approval_reminder',
        account,
        count: waiting.length,
        names: waiting.slice(0, 10).map((one) => one.name),
        queueLink: work.link('/console/approvals'),
        unsubscribeLink: work.link(`/unsubscribe/${secret}`),
      },
      { dedupKey: keyOf(reader.id) },
    );
  }
}

/** Reminds every account with somebody waiting. For once a day, or more often: see `remind`. */
export async function remindAll(foundation: Foundation): Promise<number> {
  const accounts = await foundation.database.query<{ account_id: string }>(
    `select distinct q.account_id from approval_requests q join accounts a on a.id = q.account_id
     where q.state = 'open' and a.status = 'active'`,
  );
  for (const { account_id: accountId } of accounts)
    await unitOfWork(foundation, { actor: { type: 'system', id: 'reminder' } }, (work) =>
      remind(work, accountId),
    );
  return accounts.length;
}

/** Whose reminders a link ends; null when it is no good. */
export async function openUnsubscribe(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<{ userId: string; language: string | null } | null> {
  const [row] = await sql.query<{ userId: string; language: string | null }>(
    `select t.user_id as "userId", u.language from one_time_tokens t join users u on u.id = t.user_id
     where t.secret_hash = $1 and t.purpose = 'unsubscribe' and t.expires_at > $2`,
    [secretHash(secret), now],
  );
  return row ?? null;
}

/** No more reminders to this person. Doing it twice is doing it once. */
export async function unsubscribe(work: Work, userId: string): Promise<void> {
  const rows = await work.query(
    `insert into mail_optouts (user_id, letter, at) values ($1, 'approval_reminder', $2)
     on conflict do nothing returning 1`,
    [userId, work.now],
  );
  if (rows.length > 0)
    work.record('mail.unsubscribed', { type: 'user', id: userId }, { letter: 'approval_reminder' });
}
