import type { Sql } from '#platform/database/sql.ts';
import { requireProvedAnew, type Asking } from '../access/rights.ts';
import { passwordsRefused } from '../federation/standing.ts';
import { mail } from '../mail/mail.ts';
import { toReader, type Reader } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import type { Person } from '../users/person.ts';
import type { Work } from '../work.ts';

/**
 * Break-glass administrators: when the identity provider of a company is down, or says what it should
 * not, somebody has to come in without it (security.md 3.4). Up to three Account Administrators of an
 * account may sign in with the password they have here and a second factor, though their domain is
 * federated. No directory and no file sets or takes it, and each use is told to all of them.
 */
export const breakGlassLimit = 3;

/**
 * Whether somebody may sign in here though their company signs its people in, as an SQL condition on
 * `users u`. The mark counts only while its bearer is an Account Administrator, and has what proves
 * them without their company.
 */
export const bypassesSso = `
  u.break_glass and u.affiliation = 'member' and u.identity = 'ready'
  and u.second_factor_at is not null
  and exists (select from passwords p where p.user_id = u.id and p.disabled_at is null)
  and exists (select from role_assignments r where r.user_id = u.id and r.account_id = u.account_id
              and r.role = 'account_administrator')`;

/** Asked before a password is looked at, and again when a session begins. */
export async function mayBypassSso(sql: Sql, userId: string): Promise<boolean> {
  return (
    (await sql.query(`select 1 from users u where u.id = $1 and ${bypassesSso}`, [userId])).length >
    0
  );
}

/**
 * Whether somebody may come in by what they have here alone, such as a passkey: not while their
 * company lets nobody in but by its own provider, unless they are a break-glass administrator, who
 * then `bypass` it. The password asks the same, see `checkPassword`.
 */
export async function comesInHere(
  sql: Sql,
  userId: string,
  now: Date,
): Promise<'yes' | 'bypass' | 'no'> {
  const [row] = await sql.query<{ upstream: boolean; bypass: boolean }>(
    `select ${passwordsRefused("split_part(u.email, '@', 2)", '$2::timestamptz')} as upstream,
            ${bypassesSso} as bypass
     from users u where u.id = $1`,
    [userId, now],
  );
  if (!row?.upstream) return 'yes';
  return row.bypass ? 'bypass' : 'no';
}

/** Who could come in if the company's identity provider did not answer now. None of them is locked. */
export function breakGlassOf(
  sql: Sql,
  accountId: string,
): Promise<{ id: string; email: string }[]> {
  return sql.query(
    `select u.id, u.email_display as email from users u
     where u.account_id = $1 and ${bypassesSso}
       and not exists (select from user_locks l where l.user_id = u.id and l.released_at is null)
     order by u.id`,
    [accountId],
  );
}

/**
 * Marks an Account Administrator as one who may come in without the company's identity provider, or
 * takes the mark away. Marked is only who has a password and a second factor already: the day it is
 * needed is too late to set them up.
 *
 * The caller holds the account's row.
 *
 * @throws {Refusal} `invalid_value` for who is no Account Administrator, `second_factor_missing`,
 *   `limit_reached`, `step_up_required`
 */
export async function setBreakGlass(
  work: Work,
  asking: Asking,
  person: Pick<Person, 'id' | 'roles'>,
  accountId: string,
  on: boolean,
): Promise<void> {
  requireProvedAnew(asking);
  if (on) {
    if (!person.roles.includes('account_administrator'))
      throw new Refusal('invalid_value', { why: 'Only an Account Administrator can be one.' });
    const [has] = await work.query<{ factor: boolean; password: boolean }>(
      `select u.second_factor_at is not null as factor,
              exists (select from passwords p where p.user_id = u.id) as password
       from users u where u.id = $1`,
      [person.id],
    );
    if (!has?.factor || !has.password)
      throw new Refusal('second_factor_missing', {
        why: 'They need a password and a second factor here before.',
      });
    const [others] = await work.query<{ count: number }>(
      `select count(*)::int as count from users
       where account_id = $1 and break_glass and id <> $2`,
      [accountId, person.id],
    );
    if (others!.count >= breakGlassLimit) throw new Refusal('limit_reached');
  }
  const changed = await work.query(
    `update users set break_glass = $2, updated_at = $3, version = version + 1
     where id = $1 and break_glass <> $2 returning 1`,
    [person.id, on, work.now],
  );
  if (changed.length > 0)
    work.record(
      on ? 'security.break_glass_set' : 'security.break_glass_removed',
      { type: 'user', id: person.id },
      {},
      accountId,
    );
}

/** Somebody came in past the company's identity provider: it is written down, and all administrators hear. */
export async function breakGlassUsed(work: Work, person: Person): Promise<void> {
  const { account } = person;
  if (!account) return;
  work.record('security.break_glass_used', { type: 'user', id: person.id }, {}, account.id);
  // All of them, not the ten that a person is shown.
  const administrators = await work.query<Reader>(
    `select u.id, u.email_display as email, u.given_name as name, u.language
     from users u join role_assignments r on r.user_id = u.id
     where r.account_id = $1 and r.role = 'account_administrator' and u.email is not null`,
    [account.id],
  );
  for (const reader of administrators)
    mail(work, toReader(reader), {
      kind: 'break_glass_used',
      account: account.name,
      user: person.email ?? person.id,
      at: work.now,
      origin: work.origin.ip ?? null,
    });
}
