import { newId } from '#platform/ids.ts';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Sql } from '#platform/database/sql.ts';
import { enterDoor } from '../belonging/door.ts';
import { checkPassword, type PasswordDependencies } from '../credentials/check-password.ts';
import { hasPassword, storePassword } from '../credentials/password.ts';
import type { PasswordProblem } from '../credentials/password-rules.ts';
import { passwordProblems } from '../credentials/password-rules.ts';
import { passwordRulesFor } from '../credentials/policy.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { liftSuppression } from '../mail/suppression.ts';
import { Refusal } from '../refusal.ts';
import { claims, requireUnmanaged } from '../scim/authority.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict, type Facts, type Verdict } from '../verdict/verdict.ts';
import { unitOfWork, type Origin, type Work } from '../work.ts';
import { comparedEmail } from './email.ts';
import { lockUser } from './lock.ts';
import { findPerson, type Person } from './person.ts';
import { revokeAccess } from './revoke.ts';

export { managedAttributes } from '../scim/authority.ts';

/** What people may say about themselves (behaviour.md F26). */
export interface ProfileDetails {
  givenName: string;
  familyName: string;
  /** ISO 3166-1, two letters. */
  country: string | null;
  language: string | null;
  phone: string | null;
  jobTitle: string | null;
}

/**
 * Changes what a person says about themselves.
 *
 * @throws {Refusal} `managed_by_directory` for what is decided elsewhere
 */
export async function changeDetails(
  work: Work,
  person: Person,
  details: ProfileDetails,
): Promise<void> {
  const [before] = await work.query<Record<keyof ProfileDetails, string | null>>(
    `select given_name as "givenName", family_name as "familyName", country, language, phone,
       job_title as "jobTitle"
     from users where id = $1 for update`,
    [person.id],
  );
  const changed = (Object.keys(details) as (keyof ProfileDetails)[]).filter(
    (key) => details[key] !== before![key],
  );
  if (changed.length === 0) return;
  await requireUnmanaged(work, person.id, changed);
  await work.query(
    `update users set given_name = $2, family_name = $3, country = $4, language = $5, phone = $6,
       job_title = $7, attribute_sources = attribute_sources || $8::jsonb, updated_at = $9,
       version = version + 1
     where id = $1`,
    [
      person.id,
      details.givenName,
      details.familyName,
      details.country,
      details.language,
      details.phone,
      details.jobTitle,
      claims(changed, 'person', null, work.now),
      work.now,
    ],
  );
  work.record('user.changed', { type: 'user', id: person.id }, { changed }, person.account?.id);
}

const changeLife = 24 * 3600_000;
const revertLife = 7 * 24 * 3600_000;

/**
 * A person asks for another address. It is proved first, by a mail to it; who has it already is told
 * to its holder alone, and the page says the same either way.
 *
 * @throws {Refusal} `invalid_email`, `domain_owned_by_other`, `managed_by_directory`
 */
export async function requestEmailChange(
  work: Work,
  person: Person,
  typed: string,
): Promise<Verdict> {
  await requireUnmanaged(work, person.id, ['email']);
  const { facts, decided } = await changeTo(work, person, typed);
  if (decided.outcome !== 'change_email') return decided;

  const secret = newSecret();
  const expiresAt = new Date(work.now.getTime() + changeLife);
  await work.query(
    `update one_time_tokens set used_at = $2
     where user_id = $1 and purpose = 'email_change' and used_at is null`,
    [person.id, work.now],
  );
  await work.query(
    `insert into one_time_tokens
       (id, purpose, user_id, subject, secret_hash, details, created_at, expires_at)
     values ($1, 'email_change', $2, $3, $4, $5, $6, $7)`,
    [
      newId(),
      person.id,
      facts.email,
      secretHash(secret),
      JSON.stringify({ display: typed }),
      work.now,
      expiresAt,
    ],
  );
  mail(work, toPerson(person, { email: facts.email! }), {
    kind: 'email_change',
    email: facts.email!,
    link: work.link(`/profile/email/confirm?token=${secret}`),
    expiresAt,
  });
  return decided;
}

/**
 * What is said of another address for a person. Whoever's address belongs to their organization does
 * not take it out of there by themselves: the organization manages it (behaviour.md F26).
 *
 * @param undoes whether a change is taken back: then it does not matter what it is left for.
 * @throws {Refusal} what the verdict refuses, such as `managed_by_directory`
 */
async function changeTo(
  work: Work,
  { email, account }: Person,
  to: string,
  { undoes = false }: { undoes?: boolean } = {},
): Promise<{ facts: Facts; decided: Verdict }> {
  const from = undoes || email === null ? {} : { from: email };
  const facts = await readFacts(work, to, account?.id ?? null, work.now, from);
  const decided = verdict('email_change', facts);
  if (decided.outcome === 'refuse') throw new Refusal(decided.code!);
  return { facts, decided };
}

export interface EmailChange {
  person: Person;
  /** The address it becomes. */
  email: string;
  reverts: boolean;
}

/** What a link about an address would do, while it is good. Looking does not use it up. */
export async function openEmailChange(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<EmailChange | null> {
  const [row] = await sql.query<{ user_id: string; subject: string; purpose: string }>(
    `select user_id, subject, purpose from one_time_tokens
     where secret_hash = $1 and used_at is null and expires_at > $2
       and purpose in ('email_change', 'email_revert')`,
    [secretHash(secret), now],
  );
  const person = row && (await findPerson(sql, row.user_id, now));
  return person ? { person, email: row.subject, reverts: row.purpose === 'email_revert' } : null;
}

/**
 * The link from the new mailbox, or the one in the old that takes the change back. All is looked at
 * again. Sessions elsewhere end; the old address is told, and can undo it for seven days.
 *
 * @throws {Refusal} `not_found` for a link that is no good; what the verdict refuses.
 */
export async function carryOutEmailChange(work: Work, secret: string): Promise<EmailChange> {
  const before = await openEmailChange(work, secret, work.now);
  if (!before) throw new Refusal('not_found');
  const { account, email: old } = before.person;
  await enterDoor(work, account?.id ?? null, [old, before.email]);
  const [token] = await work.query<{
    user_id: string;
    subject: string;
    purpose: string;
    display: string | null;
    created_at: Date;
  }>(
    `update one_time_tokens set used_at = $2
     where secret_hash = $1 and used_at is null and expires_at > $2
       and purpose in ('email_change', 'email_revert')
     returning user_id, subject, purpose, details ->> 'display' as display, created_at`,
    [secretHash(secret), work.now],
  );
  if (!token) throw new Refusal('not_found');
  const person = await findPerson(work, token.user_id, work.now);
  if (!person || person.email === null) throw new Refusal('not_found');
  const reverts = token.purpose === 'email_revert';
  await requireUnmanaged(work, person.id, ['email']);
  const { decided } = await changeTo(work, person, token.subject, { undoes: reverts });
  if (decided.outcome !== 'change_email') throw new Refusal('not_found');

  await work.query(
    `update users set email = $2, email_display = $3, email_verified_at = $4, updated_at = $4,
       attribute_sources = attribute_sources || $5::jsonb, version = version + 1
     where id = $1`,
    [
      person.id,
      token.subject,
      token.display ?? token.subject,
      work.now,
      claims(['email'], 'person', null, work.now),
    ],
  );
  await liftSuppression(work, token.subject, 'mailbox_proved');
  await revokeAccess(work, person.id, { keepDevices: !reverts });
  if (reverts) await shutOutThief(work, person, token.created_at);
  if (!reverts) {
    const undo = newSecret();
    const revertsUntil = new Date(work.now.getTime() + revertLife);
    await work.query(
      `insert into one_time_tokens (id, purpose, user_id, subject, secret_hash, details, created_at, expires_at)
       values ($1, 'email_revert', $2, $3, $4, $5, $6, $7)`,
      [
        newId(),
        person.id,
        comparedEmail(person.email),
        secretHash(undo),
        JSON.stringify({ display: person.email }),
        work.now,
        revertsUntil,
      ],
    );
    tellChanged(work, toPerson(person), 'email', {
      link: `/profile/email/revert?token=${undo}`,
      revertsUntil,
    });
  }
  tellChanged(work, toPerson(person, { email: token.subject }), 'email', { link: '/profile' });
  work.record(
    'user.changed',
    { type: 'user', id: person.id },
    { changed: ['email'], reverts },
    person.account?.id,
  );
  return { person, email: token.subject, reverts };
}

/**
 * Whoever changed the address was not its owner: the links by which they could take it back again are
 * dead, no mail goes elsewhere any more, and the password, which they knew or chose, lets nobody in
 * until the mailbox chose another one.
 *
 * @param since when the change was made that is taken back
 */
async function shutOutThief(work: Work, { id, account }: Person, since: Date): Promise<void> {
  await work.query(
    `delete from one_time_tokens
     where user_id = $1 and purpose = 'email_revert' and used_at is null and created_at >= $2`,
    [id, since],
  );
  await work.query(
    'update users set communication_email = null, communication_proved = null where id = $1',
    [id],
  );
  if (await hasPassword(work, id))
    await lockUser(work, id, 'compromised', { accountId: account?.id ?? null });
}

export type PasswordChange =
  | { outcome: 'changed' }
  | { outcome: 'problems'; problems: PasswordProblem[] }
  | { outcome: 'wrong' | 'locked' };

/**
 * A signed-in person chooses another password and says the old one. Their other sessions end, this
 * one stays. The old one is guessed no more often here than at the sign-in.
 */
export async function changePassword(
  dependencies: PasswordDependencies & { hasher: PasswordHasher },
  person: Person,
  input: {
    current: string;
    password: string;
    again: string;
    session: string;
    device: string | null;
  },
  origin: Origin,
): Promise<PasswordChange> {
  const problems = passwordProblems(
    input.password,
    [person.email, person.givenName, person.familyName, person.account?.name],
    await passwordRulesFor(dependencies.database, {
      accountId: person.account?.id ?? null,
      email: person.email,
    }),
  );
  if (problems.length === 0 && input.password !== input.again) problems.push('mismatch');
  if (problems.length === 0 && input.password === input.current) problems.push('same');
  if (problems.length > 0) return { outcome: 'problems', problems };

  const checked = await checkPassword(dependencies, {
    email: comparedEmail(person.email!),
    password: input.current,
    device: input.device,
    origin,
  });
  if (checked.outcome === 'throttled') return { outcome: 'locked' };
  if (checked.outcome !== 'right') return { outcome: checked.outcome };

  const hash = await dependencies.hasher.hash(input.password);
  return unitOfWork(
    dependencies,
    { actor: { type: 'user', id: person.id, email: person.email }, origin },
    async (work): Promise<PasswordChange> => {
      // The person first, as a sign-in takes them that ends at this moment.
      await work.query('select 1 from users where id = $1 for update', [person.id]);
      await storePassword(work, person.id, hash);
      await revokeAccess(work, person.id, { keepSession: input.session, keepDevices: true });
      tellChanged(work, toPerson(person), 'password', { link: '/forgot-password' });
      work.record(
        'password.changed',
        { type: 'user', id: person.id },
        { by: 'profile' },
        person.account?.id,
      );
      return { outcome: 'changed' };
    },
  );
}

/** A session of a person, as their profile and their administrators see it. */
export interface SessionView {
  uid: string;
  signedInAt: Date;
  seenAt: Date;
  ip: string | null;
  userAgent: string | null;
  clients: string[];
}

export function sessionsOf(sql: Sql, userId: string, now: Date): Promise<SessionView[]> {
  return sql.query(
    `select s.uid, s.login_at as "signedInAt", s.seen_at as "seenAt", s.ip,
            s.user_agent as "userAgent",
            array(select c.name from clients c where s.authorizations ? c.id order by c.name) as clients
     from oidc_sessions s
     where s.user_id = $1 and s.expires_at > $2 order by s.seen_at desc limit 200`,
    [userId, now],
  );
}
