import { randomInt } from 'node:crypto';
import { newId } from '#platform/ids.ts';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { keyedHash, newSecret, secretHash } from '#platform/secrets.ts';
import type { Sql } from '#platform/database/sql.ts';
import { rankOf } from '../access/roles.ts';
import { leavePlace } from '../belonging/only-invited.ts';
import { resendRegistration } from '../belonging/registration-task.ts';
import { mayRecoverByMail, recoveryStanding } from '../domains/recovery.ts';
import { signsInUpstream } from '../federation/managed.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { liftSuppression } from '../mail/suppression.ts';
import { forgetAttempts, unlockUser } from '../users/lock.ts';
import { findPerson, findPersonByEmail, type Person } from '../users/person.ts';
import { revokeAccess } from '../users/revoke.ts';
import { unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import { passwordProblems, passwordRules, type PasswordProblem } from './password-rules.ts';
import { payAttempt } from './pay-attempt.ts';
import { policyFor } from './policy.ts';

const minutes = 60_000;
const resetLife = 30 * minutes;
const codeLife = 10 * minutes;
export const activationLife = 7 * 24 * 60 * minutes;
const codeTries = 5;
/** Codes tried for one address in a day, however many were sent: six digits are few. */
const dailyCodeTries = 10;

/** What a queued reset needs to be worked on: `carryOutReset`. */
export interface ResetRequest {
  task: 'password_reset';
  token: string;
  email: string;
  locale: string | null;
  origin: Origin;
}

/**
 * Somebody says they forgot a password. The answer, and the time it takes, are the same whoever they
 * are and whether anybody has this address: what is done about it is done by the worker, later.
 *
 * @param browser a secret of the browser that asks: the code in the mail works there alone.
 */
export async function requestReset(
  foundation: Foundation,
  request: { email: string; browser: string; locale: string | null; returnTo: string | null },
  origin: Origin,
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    const id = newId(work.now.getTime());
    await work.query(
      `insert into one_time_tokens (id, purpose, subject, binding, details, created_at, expires_at)
       values ($1, 'password_reset', $2, $3, $4, $5, $6)`,
      [
        id,
        request.email,
        secretHash(request.browser),
        JSON.stringify({ returnTo: request.returnTo }),
        work.now,
        new Date(work.now.getTime() + resetLife),
      ],
    );
    work.send({
      kind: 'task',
      subject: request.email,
      payload: {
        task: 'password_reset',
        token: id,
        email: request.email,
        locale: request.locale,
        origin,
      } satisfies ResetRequest,
      expiresAt: new Date(work.now.getTime() + resetLife),
    });
  });
}

/**
 * Writes the mail that `requestReset` led to, by what the person is (behaviour.md F21): who has a
 * password gets a link and a code, who never had one gets to set the first, who has not finished
 * registering is sent that mail again; nobody gets nothing.
 */
export async function carryOutReset(foundation: Foundation, request: ResetRequest): Promise<void> {
  await unitOfWork(
    foundation,
    { actor: { type: 'anonymous' }, origin: request.origin },
    async (work) => {
      const person = await findPersonByEmail(work, request.email, work.now);
      if (!person) {
        await resendRegistration(work, request.email);
        return;
      }
      if (person.identity === 'erasing') return;
      if (!(await isReachedByMail(work, person))) {
        work.record(
          'password.reset_requested',
          { type: 'user', id: person.id },
          { refused: 'domain_lapsed' },
          person.account?.id,
        );
        return;
      }
      const managed = await signsInUpstream(work, person.id, work.now);
      if (managed) return tellManaged(work, person, managed.account, request.locale);
      if (person.identity !== 'ready' || !(await hasPassword(work, person.id))) {
        await sendActivation(work, person, { invitedBy: null });
        return;
      }
      const link = newSecret();
      const code = newCode();
      const updated = await work.query<{ expires_at: Date }>(
        `update one_time_tokens set user_id = $2, secret_hash = $3, code_hash = $4
         where id = $1 and secret_hash is null and used_at is null returning expires_at`,
        [request.token, person.id, secretHash(link), codeHash(request.token, code)],
      );
      if (updated.length === 0) return;
      mail(work, toPerson(person, { locale: request.locale }), {
        kind: 'password_reset',
        by: 'user',
        code,
        codeExpiresAt: new Date(work.now.getTime() + codeLife),
        link: work.link(`/reset-password?token=${link}`),
        expiresAt: updated[0]!.expires_at,
      });
      work.record(
        'password.reset_requested',
        { type: 'user', id: person.id },
        {},
        person.account?.id,
      );
    },
  );
}

/** An administrator has a person choose a new password. Nobody sees or sets it for them (ASVS 6.4.6). */
export async function sendReset(work: Work, person: Person): Promise<void> {
  const managed = await signsInUpstream(work, person.id, work.now);
  if (managed) return tellManaged(work, person, managed.account);
  if (person.identity !== 'ready' || !(await hasPassword(work, person.id)))
    return sendActivation(work, person, { invitedBy: null });
  const link = newSecret();
  const expiresAt = new Date(work.now.getTime() + resetLife);
  await work.query(
    `insert into one_time_tokens (id, purpose, user_id, secret_hash, created_at, expires_at)
     values ($1, 'password_reset', $2, $3, $4, $5)`,
    [newId(), person.id, secretHash(link), work.now, expiresAt],
  );
  mail(work, toPerson(person), {
    kind: 'password_reset',
    by: 'administrator',
    code: null,
    codeExpiresAt: null,
    link: work.link(`/reset-password?token=${link}`),
    expiresAt,
  });
  work.record('password.reset_requested', { type: 'user', id: person.id }, {}, person.account?.id);
}

/** Their organization signs them in: there is no password to choose, and no link is made (M9f). */
function tellManaged(
  work: Work,
  person: Person,
  account: string,
  locale: string | null = null,
): void {
  mail(work, toPerson(person, { locale }), {
    kind: 'password_managed',
    account,
    signInLink: work.link('/'),
  });
  work.record(
    'password.reset_requested',
    { type: 'user', id: person.id },
    { refused: 'managed' },
    person.account?.id,
  );
}

/** Whom a link to a first password is sent. */
export type Activated = Pick<Person, 'id' | 'email' | 'givenName' | 'language' | 'affiliation'> & {
  account: { name: string } | null;
};

/**
 * The mail by which a person who has no password yet sets their first (M3); with `founds`, the one that
 * tells the first contact of a new account what they are to look after, too (M5). Links sent before are
 * of no use any more.
 *
 * @param invitedBy the name of whoever brought them; null where that is nobody
 */
export async function sendActivation(
  work: Work,
  person: Activated,
  { invitedBy, founds = null }: { invitedBy: string | null; founds?: string | null },
): Promise<void> {
  await work.query(
    `update one_time_tokens set used_at = $2
     where user_id = $1 and purpose = 'activation' and used_at is null`,
    [person.id, work.now],
  );
  await sendFirstActivations(work, [person], { invitedBy, founds });
}

/** The same for people who are new, by one statement: there are no links from before. */
export async function sendFirstActivations(
  work: Work,
  people: readonly Activated[],
  { invitedBy, founds = null }: { invitedBy: string | null; founds?: string | null },
): Promise<void> {
  if (people.length === 0) return;
  const expiresAt = new Date(work.now.getTime() + activationLife);
  const links = people.map(() => newSecret());
  await work.atEnd(
    `insert into one_time_tokens (id, purpose, user_id, secret_hash, created_at, expires_at)
     select t.id, 'activation', t.user_id, t.secret_hash, $2, $3
     from unnest($1::uuid[], $4::uuid[], $5::text[]) as t (id, user_id, secret_hash)`,
    [
      people.map(() => newId()),
      work.now,
      expiresAt,
      people.map(({ id }) => id),
      links.map(secretHash),
    ],
  );
  for (const [at, person] of people.entries()) {
    const link = work.link(`/activate?token=${links[at]}`);
    mail(
      work,
      toPerson(person),
      founds !== null
        ? { kind: 'account_welcome', account: founds, link, expiresAt }
        : {
            kind: 'activation',
            // Whoever was merely invited was added nowhere.
            account: person.affiliation === 'member' ? (person.account?.name ?? null) : null,
            invitedBy,
            link,
            expiresAt,
          },
    );
  }
}

export type TokenPurpose = 'password_reset' | 'activation';

export interface OpenToken {
  purpose: TokenPurpose;
  person: Person;
  returnTo: string | null;
  /** The hash of the secret of the browser that asked for it. */
  binding: string | null;
}

/** Whom a link belongs to, while it is good. Looking does not use it up: scanners follow links. */
export async function openToken(sql: Sql, secret: string, now: Date): Promise<OpenToken | null> {
  const [row] = await sql.query<{
    purpose: TokenPurpose;
    user_id: string;
    return_to: string | null;
    binding: string | null;
  }>(
    `select purpose, user_id, binding, details ->> 'returnTo' as return_to from one_time_tokens
     where secret_hash = $1 and used_at is null and expires_at > $2
       and purpose in ('password_reset', 'activation')`,
    [secretHash(secret), now],
  );
  const person = row && (await findPerson(sql, row.user_id, now));
  return person && person.email !== null
    ? { purpose: row.purpose, person, returnTo: row.return_to, binding: row.binding }
    : null;
}

/**
 * The code from the mail, typed into the page that asked for it. Each try is paid for before it is
 * looked at; the sixth says `spent` even if right. So does the eleventh of a day for one address: a
 * new mail brings a new code, but no new tries. The link in the mail goes on working.
 *
 * Returns the secret of a fresh link where it was right.
 */
export async function redeemCode(
  { database, clock }: Foundation,
  { email, browser, code }: { email: string; browser: string; code: string },
): Promise<{ outcome: 'right'; link: string } | { outcome: 'wrong' | 'spent' }> {
  const now = clock();
  const [token] = await database.query<{
    id: string;
    code_hash: string | null;
    tries: number;
    late: boolean;
  }>(
    `update one_time_tokens set tries = tries + 1
     where id = (
       select id from one_time_tokens
       where subject = $1 and binding = $2 and purpose = 'password_reset' and used_at is null
         and expires_at > $3
       order by created_at desc limit 1)
     returning id, code_hash, tries, created_at < $4 as late`,
    [email, secretHash(browser), now, new Date(now.getTime() - codeLife)],
  );
  if (!token || token.late || token.tries > codeTries) return { outcome: 'spent' };
  const bucket = `code:${secretHash(email)}`;
  const aDayAgo = new Date(now.getTime() - 24 * 60 * minutes);
  if ((await payAttempt(database, bucket, now, aDayAgo, dailyCodeTries)) === null)
    return { outcome: 'spent' };
  if (token.code_hash !== codeHash(token.id, code.replace(/\s/g, ''))) return { outcome: 'wrong' };
  const link = newSecret();
  const rows = await database.query(
    `update one_time_tokens set secret_hash = $2, code_hash = null
     where id = $1 and code_hash is not null and used_at is null returning 1`,
    [token.id, secretHash(link)],
  );
  if (rows.length === 0) return { outcome: 'spent' };
  await database.query('delete from attempt_counters where bucket = $1', [bucket]);
  return { outcome: 'right', link };
}

export type NewPasswordOutcome =
  | { outcome: 'set'; person: Person; returnTo: string | null }
  | { outcome: 'problems'; problems: PasswordProblem[] }
  | { outcome: 'invalid' };

/**
 * Sets the password that a link allows, once. Everything that was open under the old one is closed:
 * sessions, tokens, other links; and a lock that too many wrong guesses brought is lifted, since the
 * mailbox proved whose it is (administrators excepted: behaviour.md, decided).
 */
export async function setPasswordByToken(
  foundation: Foundation,
  hasher: PasswordHasher,
  request: {
    purpose: TokenPurpose;
    secret: string;
    password: string;
    again: string;
    browser: string;
  },
  origin: Origin,
): Promise<NewPasswordOutcome> {
  const { database, clock } = foundation;
  const { secret, password, again } = request;
  const token = await openToken(database, secret, clock());
  if (token?.purpose !== request.purpose) return { outcome: 'invalid' };
  // Their company took over since the link was sent.
  if (await signsInUpstream(database, token.person.id, clock())) return { outcome: 'invalid' };
  const { person } = token;
  const policy = await policyFor(database, {
    accountId: person.account?.id ?? null,
    email: person.email,
  });
  const problems = passwordProblems(
    password,
    [person.email, person.givenName, person.familyName, person.account?.name],
    { ...policy.password, maxLength: passwordRules.maxLength },
  );
  if (problems.length === 0 && password !== again) problems.push('mismatch');
  if (problems.length === 0 && (await isCurrent(database, hasher, person.id, password)))
    problems.push('same');
  if (problems.length > 0) return { outcome: 'problems', problems };

  const hash = await hasher.hash(password);
  return unitOfWork(
    foundation,
    { actor: { type: 'user', id: person.id, email: person.email }, origin },
    async (work) => {
      // The person before their link, the order in which whoever puts them out takes both.
      await work.query('select 1 from users where id = $1 for update', [person.id]);
      const spent = await work.query(
        `update one_time_tokens set used_at = $2
         where secret_hash = $1 and used_at is null and expires_at > $2 returning 1`,
        [secretHash(secret), work.now],
      );
      if (spent.length === 0) return { outcome: 'invalid' };
      await storePassword(work, person.id, hash);
      await leavePlace(work, person.id);
      await work.query(
        `update users set
           identity = case when identity in ('invited', 'unverified') then 'ready' else identity end,
           email_verified_at = coalesce(email_verified_at, $2), updated_at = $2
         where id = $1`,
        [person.id, work.now],
      );
      if (person.email !== null) await liftSuppression(work, person.email, 'mailbox_proved');
      await revokeAccess(work, person.id);
      // An administrator's lock for too many attempts is lifted by another one, not by a mail.
      // So is anybody's where the account says so.
      const byOthers = rankOf(person.roles) > 0 || !policy.lockout.selfUnlock;
      await unlockUser(
        work,
        person.id,
        byOthers ? ['compromised'] : ['too_many_attempts', 'compromised'],
        person.account?.id ?? null,
      );
      if (token.purpose === 'password_reset')
        tellChanged(work, toPerson(person), 'password', { link: '/forgot-password' });
      work.record(
        'password.changed',
        { type: 'user', id: person.id },
        { by: token.purpose },
        person.account?.id,
      );
      // Elsewhere than in the browser that asked, the sign-in it came from cannot go on.
      const here = token.binding === secretHash(request.browser);
      return { outcome: 'set', person, returnTo: here ? token.returnTo : null };
    },
  );
}

/** Whether it is the password they have: one that became known to others must not stay. */
async function isCurrent(
  sql: Sql,
  hasher: PasswordHasher,
  userId: string,
  password: string,
): Promise<boolean> {
  const [stored] = await sql.query<{ hash: string }>(
    'select hash from passwords where user_id = $1',
    [userId],
  );
  if (!stored) return false;
  const done = await hasher.reserve();
  try {
    return await hasher.verify(password, stored.hash);
  } finally {
    done();
  }
}

/** Stores a hash. Guesses at the old password tell nothing about the new one. */
export async function storePassword(work: Work, userId: string, hash: string): Promise<void> {
  await work.query(
    `insert into passwords (user_id, hash, set_at) values ($1, $2, $3)
     on conflict (user_id) do update set hash = excluded.hash, set_at = $3,
       disabled_at = null`,
    [userId, hash, work.now],
  );
  const locked = await work.query(
    `select 1 from user_locks
     where user_id = $1 and reason = 'too_many_attempts' and released_at is null`,
    [userId],
  );
  if (locked.length === 0) await forgetAttempts(work, userId);
}

/** Whether a mail to this person reaches them, and not whoever holds their domain now. */
export async function isReachedByMail(sql: Sql, { email, account }: Person): Promise<boolean> {
  if (email === null) return false;
  return mayRecoverByMail(await recoveryStanding(sql, { email, accountId: account?.id ?? null }));
}

export async function hasPassword(sql: Sql, userId: string): Promise<boolean> {
  const rows = await sql.query(
    'select 1 from passwords where user_id = $1 and disabled_at is null',
    [userId],
  );
  return rows.length > 0;
}

/** Six digits, five tries in ten minutes, in one browser (behaviour.md section 11). */
function newCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0');
}

/** A code is short: keyed by its token's id, the same code of another token has another hash. */
function codeHash(tokenId: string, code: string): string {
  return keyedHash(Buffer.from(tokenId), code);
}
