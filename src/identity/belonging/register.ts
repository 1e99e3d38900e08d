import { randomInt } from 'node:crypto';
import type { Sql } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { keyedHash, newSecret, secretHash } from '#platform/secrets.ts';
import { passwordProblems } from '../credentials/password-rules.ts';
import { passwordRulesFor } from '../credentials/policy.ts';
import { sendActivation, storePassword } from '../credentials/password.ts';
import type { PasswordProblem } from '../credentials/password-rules.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { liftSuppression } from '../mail/suppression.ts';
import { createUser } from '../users/create-user.ts';
import { domainForPeople, domainOf } from '../users/email.ts';
import { findPersonByEmail, type Person } from '../users/person.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import { unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import { enterDoor } from './door.ts';
import { counted } from './limits.ts';
import { takeOver } from './only-invited.ts';
import {
  queueRegistration,
  registrationCodeLife,
  type RegistrationTask,
} from './registration-task.ts';
import { settleRegistration } from './settle.ts';

/**
 * Self-registration (behaviour.md F01).
 *
 *     asked   the form was sent; the worker has not looked at it, or there was nothing to register
 *     open    the mailbox was sent a code and a link
 *     done    the mailbox is proved, a password chosen: there is a user now
 *     replaced  the same address was registered again
 *
 * Until it is done there is no user, so nobody can hold an address that is not theirs. Whether the
 * address is known is told to its mailbox alone: a registration of a known one stays `asked`, and
 * takes guesses at its code like any other.
 */
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const linkLife = 24 * hour;
/** How long the right code lets a password be chosen. */
const passLife = 30 * minute;
export const registrationLife = 7 * day;
const codeTries = 5;
/** Wrong codes of one address in a day, however many codes were sent (security.md 3.9). */
const wrongPerDay = 10;

export interface NewRegistration {
  /** In canonical form. */
  email: string;
  emailDisplay: string;
  givenName: string;
  familyName: string;
  country: string;
  locale: string;
  /** A secret of the browser that asks: the code works there alone. */
  browser: string;
  /** The sign-in it began in, and its application. */
  signIn: string | null;
  clientId: string | null;
}

/**
 * Somebody registers an address. The answer, and the time it takes, are the same whoever has it: what
 * is done about it is done by the worker, later. The last registration of an address counts; codes
 * and links of those before are dead.
 */
export async function requestRegistration(
  foundation: Foundation,
  input: NewRegistration,
  origin: Origin,
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    const id = newId(work.now.getTime());
    await enterAddress(work, input.email);
    await work.query(
      `update registrations set state = 'replaced' where email = $1 and state in ('asked', 'open')`,
      [input.email],
    );
    await work.query(
      `insert into registrations (id, email, email_display, given_name, family_name, country, locale,
         browser_hash, sign_in, client_id, state, created_at, code_expires_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'asked', $11, $12, $13)`,
      [
        id,
        input.email,
        input.emailDisplay,
        input.givenName,
        input.familyName,
        input.country,
        input.locale,
        secretHash(input.browser),
        input.signIn,
        input.clientId,
        work.now,
        new Date(work.now.getTime() + registrationCodeLife),
        new Date(work.now.getTime() + registrationLife),
      ],
    );
    queueRegistration(work, id, input.email);
  });
}

/** Once more, with another code and link, to whoever has the mailbox. Neutral, like the first. */
export async function requestAgain(
  foundation: Foundation,
  { email, browser }: { email: string; browser: string },
  origin: Origin,
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    // Wrong guesses stay counted; only who has used up all of them begins anew, within the day's.
    const [row] = await work.query<{ id: string }>(
      `update registrations
       set code_hash = null, code_expires_at = $4,
         tries = case when tries >= ${codeTries} then 0 else tries end
       where email = $1 and browser_hash = $2 and state in ('asked', 'open') and expires_at > $3
       returning id`,
      [email, secretHash(browser), work.now, new Date(work.now.getTime() + registrationCodeLife)],
    );
    if (row) queueRegistration(work, row.id, email);
  });
}

/** One after the other for one address, without a look at whose it is. */
async function enterAddress(work: Work, email: string): Promise<void> {
  await work.query('select pg_advisory_xact_lock(hashtextextended($1, 20261123))', [email]);
}

/** Writes the mail a registration leads to, by what is known of the address. */
export async function carryOutRegistration(
  foundation: Foundation,
  task: RegistrationTask,
): Promise<void> {
  await unitOfWork(
    foundation,
    { actor: { type: 'anonymous' }, origin: task.origin },
    async (work) => {
      const [row] = await work.query<Row>(
        `select * from registrations where id = $1 and state in ('asked', 'open') and expires_at > $2
         for update`,
        [task.registration, work.now],
      );
      if (!row) return;
      const { email } = row;
      const to = { email, name: row.given_name, locale: row.locale };
      const facts = await readFacts(work, email, null, work.now);
      const said = verdict('registration', facts);
      const person = facts.person && (await findPersonByEmail(work, email, work.now));
      if (said.outcome === 'tell_holder' && said.code) {
        mail(work, to, {
          kind: 'registration_closed',
          domain: domainForPeople(domainOf(email)),
        });
        return;
      }
      if (said.outcome === 'tell_holder' || said.outcome === 'sign_in_upstream') {
        // An administrator added them: what is missing is the password.
        if (person?.identity === 'invited' && person.affiliation === 'member')
          return sendActivation(work, person, { invitedBy: null });
        mail(work, person?.email ? toPerson(person, { locale: row.locale }) : to, {
          kind: 'registration_known',
          signInLink: work.link('/profile'),
          resetLink: work.link('/forgot-password'),
        });
        return;
      }
      const link = newSecret();
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      const codeExpiresAt = row.code_expires_at;
      const expiresAt = new Date(work.now.getTime() + linkLife);
      await work.query(
        `update registrations
         set state = 'open', link_hash = $2, code_hash = $3, pass_hash = null, link_expires_at = $4
         where id = $1`,
        [row.id, secretHash(link), codeHash(row.id, code), expiresAt],
      );
      mail(work, to, {
        kind: 'registration_code',
        code,
        codeExpiresAt,
        link: work.link(`/register/confirm?token=${link}`),
        expiresAt,
      });
    },
  );
}

interface Row {
  id: string;
  email: string;
  email_display: string;
  given_name: string;
  family_name: string;
  country: string;
  locale: string;
  browser_hash: string;
  client_id: string | null;
  sign_in: string | null;
  code_expires_at: Date;
}

/**
 * The code from the mail, typed into the page that asked for it. Each try is paid for before it is
 * looked at; the sixth says `spent` even if right, and so does the eleventh wrong one of a day.
 *
 * Returns the secret by which a password can be chosen, where it was right.
 */
export async function redeemRegistrationCode(
  { database, clock }: Foundation,
  { email, browser, code }: { email: string; browser: string; code: string },
): Promise<{ outcome: 'right'; pass: string } | { outcome: 'wrong' | 'spent' }> {
  const now = clock();
  const [row] = await database.query<{
    id: string;
    code_hash: string | null;
    tries: number;
    code_expires_at: Date;
  }>(
    `update registrations set tries = tries + 1
     where email = $1 and browser_hash = $2 and state in ('asked', 'open') and expires_at > $3
     returning id, code_hash, tries, code_expires_at`,
    [email, secretHash(browser), now],
  );
  const bucket = `register:${secretHash(email)}`;
  if ((await counted(database, bucket, 0, day, now)) >= wrongPerDay) return { outcome: 'spent' };
  if (!row || row.tries > codeTries || row.code_expires_at <= now) return { outcome: 'spent' };
  if (row.code_hash === null || row.code_hash !== codeHash(row.id, code.replace(/\s/g, ''))) {
    await counted(database, bucket, 1, day, now);
    return { outcome: 'wrong' };
  }
  const pass = newSecret();
  const rows = await database.query(
    `update registrations set pass_hash = $3, pass_expires_at = $4, code_hash = null
     where id = $1 and code_hash = $2 and state = 'open' returning 1`,
    [row.id, row.code_hash, secretHash(pass), new Date(now.getTime() + passLife)],
  );
  return rows.length > 0 ? { outcome: 'right', pass } : { outcome: 'spent' };
}

export interface OpenRegistration {
  id: string;
  email: string;
  givenName: string;
  familyName: string;
  locale: string;
  signIn: string | null;
}

const openBy = `
  state = 'open' and ((link_hash = $1 and link_expires_at > $2)
    or (pass_hash = $1 and pass_expires_at > $2))`;

/** The registration that a link or a right code leads to. Looking does not use it up. */
export async function openRegistration(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<OpenRegistration | null> {
  const [row] = await sql.query<OpenRegistration>(
    `select id, email_display as email, given_name as "givenName", family_name as "familyName",
       locale, sign_in as "signIn"
     from registrations where ${openBy}`,
    [secretHash(secret), now],
  );
  return row ?? null;
}

export type Registered =
  | {
      outcome: 'registered';
      person: Person;
      /** The sign-in it began in, where this is the browser it began in. */
      signIn: string | null;
    }
  | { outcome: 'problems'; problems: PasswordProblem[] }
  | { outcome: 'invalid' }
  | { outcome: 'upstream' };

/**
 * The mailbox is proved and a password chosen: now there is a user. Everything is looked at again: the
 * address may be somebody's by now, or its company may sign its people in itself.
 */
export async function completeRegistration(
  foundation: Foundation,
  hasher: PasswordHasher,
  {
    secret,
    password,
    again,
    browser,
  }: { secret: string; password: string; again: string; browser: string },
  origin: Origin,
): Promise<Registered> {
  const { database, clock } = foundation;
  const before = await openRegistration(database, secret, clock());
  if (!before) return { outcome: 'invalid' };
  const problems = passwordProblems(
    password,
    [before.email, before.givenName, before.familyName],
    await passwordRulesFor(database, { accountId: null, email: before.email }),
  );
  if (problems.length === 0 && password !== again) problems.push('mismatch');
  if (problems.length > 0) return { outcome: 'problems', problems };

  const hash = await hasher.hash(password);
  return unitOfWork(
    foundation,
    { actor: { type: 'anonymous' }, origin },
    async (work): Promise<Registered> => {
      const about = await readFacts(work, before.email, null, work.now);
      await enterDoor(work, about.owner?.id ?? null, [before.email]);
      const [row] = await work.query<Row>(
        `select * from registrations where id = $3 and ${openBy} for update`,
        [secretHash(secret), work.now, before.id],
      );
      if (!row) return { outcome: 'invalid' };
      const facts = await readFacts(work, row.email, null, work.now);
      const said = verdict('registration', facts);
      if (said.outcome === 'sign_in_upstream') return { outcome: 'upstream' };
      if (said.outcome === 'tell_holder' || said.outcome === 'refuse')
        return { outcome: 'invalid' };

      const known = {
        givenName: row.given_name,
        familyName: row.family_name,
        country: row.country,
        language: row.locale,
        identity: 'ready',
        source: 'registration',
      } as const;
      const userId =
        facts.person?.id ??
        (await createUser(work, { ...known, email: row.email, emailDisplay: row.email_display }));
      if (facts.person) await takeOver(work, userId, known);
      await storePassword(work, userId, hash);
      await work.query(
        `update registrations
         set state = 'done', user_id = $2, link_hash = null, pass_hash = null, code_hash = null
         where id = $1`,
        [row.id, userId],
      );
      await liftSuppression(work, row.email, 'mailbox_proved');
      work.record('user.registered', { type: 'user', id: userId }, { client: row.client_id });
      await settleRegistration(work, userId);
      return {
        outcome: 'registered',
        person: (await findPersonByEmail(work, row.email, work.now))!,
        signIn: row.browser_hash === secretHash(browser) ? row.sign_in : null,
      };
    },
  );
}

/** Registrations nobody finished. What was settled is of no use either. Returns how many. */
export async function purgeRegistrations(sql: Sql, now: Date): Promise<number> {
  const rows = await sql.query(
    `delete from registrations
     where expires_at < $1 and (state <> 'done' or settled_at is not null) returning 1`,
    [now],
  );
  return rows.length;
}

/** A code is short: keyed by its registration, the same code of another one has another hash. */
function codeHash(registration: string, code: string): string {
  return keyedHash(Buffer.from(registration), code);
}
