import type { Sql } from '#platform/database/sql.ts';
import type { Letter } from '../mail/letter.ts';
import { mail, type MailOptions } from '../mail/mail.ts';
import { toReader, type Reader } from '../mail/recipient.ts';
import { domainForPeople } from '../users/email.ts';
import type { Work } from '../work.ts';

/** Who decides about the domains of an account: its Account Administrators, while they can sign in. */
export function domainAdministrators(sql: Sql, accountId: string): Promise<Reader[]> {
  return sql.query<Reader>(
    `select u.id, u.email_display as email, u.given_name as name, u.language
     from users u join role_assignments r on r.user_id = u.id
     where r.account_id = $1 and r.role = 'account_administrator' and u.account_id = $1
       and u.affiliation = 'member' and u.identity in ('ready', 'invited')
       and not exists (select from user_locks l where l.user_id = u.id and l.released_at is null
         and l.reason <> 'too_many_attempts')
     order by r.granted_at, u.id limit 50`,
    [accountId],
  );
}

/** Writes the same letter to each of them. */
export async function tellAdministrators(
  work: Work,
  accountId: string,
  letter: Letter,
  { dedupKey, ...options }: MailOptions = {},
): Promise<void> {
  for (const reader of await domainAdministrators(work, accountId))
    mail(work, toReader(reader), letter, {
      ...options,
      dedupKey: dedupKey && `${dedupKey}:${reader.id}`,
    });
}

export async function accountName(sql: Sql, accountId: string): Promise<string> {
  const [account] = await sql.query<{ name: string }>('select name from accounts where id = $1', [
    accountId,
  ]);
  return account?.name ?? '';
}

/**
 * How the owner of a domain reaches who wants it: the person who asks, else the first administrator.
 * One way only: the owner is not told of to anybody (behaviour.md M17).
 */
export async function contactOf(work: Work, accountId: string): Promise<string> {
  const { actor } = work;
  const asking = actor.type === 'user' ? actor.id : null;
  const [person] = await work.query<{ name: string; email: string }>(
    `select trim(given_name || ' ' || family_name) as name, email_display as email
     from users where id = $1 and account_id = $2 and email is not null`,
    [asking, accountId],
  );
  const { name, email } = person ??
    (await domainAdministrators(work, accountId))[0] ?? { name: '', email: '' };
  return name && email ? `${name} (${email})` : email || name;
}

export function domainLink(work: Work, name: string): string {
  return work.link(`/console/domains/${name}`);
}

export function shownDomain(name: string): string {
  return domainForPeople(name);
}
