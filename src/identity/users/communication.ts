import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { liftSuppression } from '../mail/suppression.ts';
import { Refusal } from '../refusal.ts';
import { claimAttributes } from '../scim/authority.ts';
import type { Work } from '../work.ts';
import { canonicalEmail } from './email.ts';
import { findPerson, type Person } from './person.ts';

/**
 * WHERE A PERSON IS WRITTEN TO (behaviour.md F26, section 8)
 *
 * Mail goes to another address than the one of the sign-in, where one is set and its reader has said
 * yes. Whoever sets it: a person, an administrator, a file, a company's provider. Until then, and
 * where mails to it come back, it goes to the address of the sign-in.
 *
 * What proves a mailbox, or lets somebody in, goes to the address that it is about, always: see
 * `LetterRules.mailbox`. Else whoever could set the one could take over the other.
 */
const life = 7 * 24 * 3600_000;

/**
 * Asks the reader of the address that is set, where there is one that is not proved yet. Returns
 * whether it did.
 */
export async function askToConfirm(work: Work, userId: string): Promise<boolean> {
  const [row] = await work.query<{
    email: string | null;
    address: string | null;
    name: string;
    language: string | null;
    waits: boolean;
  }>(
    `select email_display as email, communication_email as address, given_name as name, language,
       communication_email is distinct from communication_proved and communication_email <> email
         and affiliation <> 'provisional' as waits
     from users where id = $1`,
    [userId],
  );
  await work.query(
    `update one_time_tokens set used_at = $2
     where user_id = $1 and purpose = 'communication_email' and used_at is null`,
    [userId, work.now],
  );
  if (!row?.waits) return false;
  const { email, address, name, language } = row;
  const secret = newSecret();
  const expiresAt = new Date(work.now.getTime() + life);
  await work.query(
    `insert into one_time_tokens (id, purpose, user_id, subject, secret_hash, created_at, expires_at)
     values ($1, 'communication_email', $2, $3, $4, $5, $6)`,
    [newId(work.now.getTime()), userId, address, secretHash(secret), work.now, expiresAt],
  );
  mail(
    work,
    { userId, email: address!, name, locale: language },
    {
      kind: 'communication_email',
      email: email!,
      link: work.link(`/profile/mail/confirm?token=${secret}`),
      expiresAt,
    },
  );
  return true;
}

/**
 * A person says where they want to be written to; empty, or the address they sign in with, for there.
 *
 * Returns whether that has to be confirmed first.
 *
 * @throws {Refusal} `invalid_email`
 */
export async function changeCommunicationEmail(
  work: Work,
  person: Person,
  typed: string,
): Promise<boolean> {
  const address = typed === '' ? null : canonicalEmail(typed);
  if (typed !== '' && address === null) throw new Refusal('invalid_email');
  const wanted = address === canonicalEmail(person.email) ? null : address;
  const rows = await work.query(
    `update users set communication_email = $2, updated_at = $3, version = version + 1
     where id = $1 and communication_email is distinct from $2
     returning 1`,
    [person.id, wanted, work.now],
  );
  if (rows.length > 0) {
    await claimAttributes(work, person.id, ['communicationEmail']);
    work.record(
      'user.changed',
      { type: 'user', id: person.id },
      { changed: ['communicationEmail'] },
      person.account?.id,
    );
  }
  return askToConfirm(work, person.id);
}

/** Whose mail would go where by this link, while it is good. Looking does not use it up. */
export async function openCommunicationLink(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<{ person: Person; address: string } | null> {
  const [row] = await sql.query<{ userId: string; address: string }>(
    `select t.user_id as "userId", t.subject as address from one_time_tokens t
     join users u on u.id = t.user_id and u.communication_email = t.subject
     where t.secret_hash = $1 and t.purpose = 'communication_email' and t.used_at is null
       and t.expires_at > $2`,
    [secretHash(secret), now],
  );
  const person = row && (await findPerson(sql, row.userId, now));
  return person?.email ? { person, address: row!.address } : null;
}

/**
 * The reader of the address says yes. The address of the sign-in is told: whoever did this without its
 * owner is found out.
 *
 * @throws {Refusal} `not_found` for a link that is no good
 */
export async function confirmCommunicationEmail(work: Work, secret: string): Promise<string> {
  const found = await openCommunicationLink(work, secret, work.now);
  const spent = await work.query(
    `update one_time_tokens set used_at = $2
     where secret_hash = $1 and purpose = 'communication_email' and used_at is null returning 1`,
    [secretHash(secret), work.now],
  );
  if (!found || spent.length === 0) throw new Refusal('not_found');
  const { person, address } = found;
  await work.query(
    `update users set communication_proved = $2, updated_at = $3, version = version + 1
     where id = $1`,
    [person.id, address, work.now],
  );
  await liftSuppression(work, address, 'mailbox_proved');
  tellChanged(work, toPerson(person), 'communication_email', { link: '/profile' });
  work.record(
    'user.changed',
    { type: 'user', id: person.id },
    { changed: ['communicationEmail'], confirmed: true },
    person.account?.id,
  );
  return address;
}
