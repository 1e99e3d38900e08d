import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import type { Person } from '../users/person.ts';
import { unitOfWork, type Foundation, type Origin } from '../work.ts';
import { payAttempt } from './pay-attempt.ts';
import { spendRecoveryCode } from './recovery-codes.ts';
import { cleanCode, openTotp, totpStep } from './totp.ts';

/** Codes tried after one password, and by one person in an hour (behaviour.md F22). */
const perChallenge = 5;
const perHour = 20;
const hour = 3600_000;

export interface CodeCheck {
  person: Person;
  kind: 'totp' | 'recovery_code';
  /** As it was typed. */
  code: string;
  /** Which question this answers: a sign-in after one right password. */
  challenge: string;
  origin: Origin;
}

/**
 * `spent`: this question was answered wrongly too often, and the password is to be typed again.
 * `throttled`: the person was asked too often within the hour. Neither code was looked at.
 */
export type CodeOutcome =
  | { outcome: 'right' }
  | { outcome: 'wrong' }
  | { outcome: 'spent' }
  | { outcome: 'throttled' };

export interface CodeDependencies extends Foundation {
  /** Key of the recovery codes: see `AppSecrets`. */
  recoveryKey: Buffer;
}

/**
 * A code of an authenticator app, or a recovery code. Each try is paid for before it is looked at, so
 * that of many at the same time no more are evaluated than the budget has. A code is good once: of an
 * app its step must be later than that of the last one taken.
 */
export async function checkCode(
  dependencies: CodeDependencies,
  { person, kind, code, challenge, origin }: CodeCheck,
): Promise<CodeOutcome> {
  const { database, clock } = dependencies;
  const now = clock();
  const since = new Date(now.getTime() - hour);
  const ofChallenge = `factor:${challenge}`;
  const ofPerson = `factor:${person.id}`;
  if ((await payAttempt(database, ofChallenge, now, since, perChallenge)) === null)
    return { outcome: 'spent' };
  const paid = await payAttempt(database, ofPerson, now, since, perHour);
  if (paid === null) return { outcome: 'throttled' };

  const right =
    kind === 'totp'
      ? await spendTotp(dependencies, person.id, cleanCode(code), now)
      : await spendRecovery(dependencies, person, code, origin);
  if (right) {
    // What was right was no guess; what others guessed within the hour still counts.
    await database.query(
      `update attempt_counters set day_count = greatest(0, day_count - 1) where bucket = $1`,
      [ofPerson],
    );
    await database.query('delete from attempt_counters where bucket = $1', [ofChallenge]);
    return { outcome: 'right' };
  }
  await afterWrong(dependencies, person, { kind, guesses: paid, origin });
  return { outcome: 'wrong' };
}

/**
 * A code of either kind, typed into one field beside a password, at the doors where somebody proves
 * once that they are who they were. Who has no second factor has none to show.
 */
export async function checkCodeBeside(
  dependencies: CodeDependencies,
  { code, ...check }: Omit<CodeCheck, 'kind'>,
): Promise<'right' | 'missing' | 'wrong' | 'throttled'> {
  if (!check.person.secondFactor.enrolled) return 'right';
  if (code.trim() === '') return 'missing';
  const kind = /^\d{6}$/.test(cleanCode(code)) ? 'totp' : 'recovery_code';
  const { outcome } = await checkCode(dependencies, { ...check, kind, code: code.slice(0, 64) });
  return outcome === 'spent' ? 'throttled' : outcome;
}

async function spendTotp(
  { database, vault }: Foundation,
  userId: string,
  code: string,
  now: Date,
): Promise<boolean> {
  const apps = await database.query<{ id: string; sealed: string }>(
    `select id, sealed from factors where user_id = $1 and kind = 'totp'`,
    [userId],
  );
  for (const { id, sealed } of apps) {
    const step = totpStep(openTotp(vault, userId, sealed), code, now);
    if (step === null) continue;
    const taken = await database.query(
      `update factors set last_step = $2, last_used_at = $3
       where id = $1 and last_step < $2 returning 1`,
      [id, step, now],
    );
    if (taken.length > 0) return true;
  }
  return false;
}

async function spendRecovery(
  dependencies: CodeDependencies,
  person: Person,
  code: string,
  origin: Origin,
): Promise<boolean> {
  return unitOfWork(
    dependencies,
    { actor: { type: 'user', id: person.id }, origin },
    async (work) => {
      const left = await spendRecoveryCode(
        work,
        dependencies.recoveryKey,
        person.id,
        code,
        work.now,
      );
      if (left === null) return false;
      work.record(
        'second_factor.recovery_code_used',
        { type: 'user', id: person.id },
        { left },
        person.account?.id,
      );
      if (left === 0 && person.email !== null)
        mail(work, toPerson(person), {
          kind: 'factor_reset',
          what: 'recovery_codes_used_up',
          user: null,
          by: null,
          at: work.now,
          securityLink: work.link('/profile/security'),
        });
      return true;
    },
  );
}

/** Who guesses codes knows the password: its owner is to hear that, once in an hour. */
async function afterWrong(
  dependencies: CodeDependencies,
  person: Person,
  { kind, guesses, origin }: { kind: CodeCheck['kind']; guesses: number; origin: Origin },
): Promise<void> {
  await unitOfWork(
    dependencies,
    { actor: { type: 'user', id: person.id }, origin },
    async (work) => {
      work.record(
        'second_factor.failed',
        { type: 'user', id: person.id },
        { kind, guesses },
        person.account?.id,
      );
      if (guesses !== perChallenge || person.email === null) return;
      mail(
        work,
        toPerson(person),
        {
          kind: 'second_factor_guessed',
          at: work.now,
          origin: origin.ip ?? null,
          resetLink: work.link('/forgot-password'),
        },
        { dedupKey: `second_factor_guessed:${person.id}:${work.now.toISOString().slice(0, 13)}` },
      );
    },
  );
}
