import { z } from 'zod';
import type { Sql } from '#platform/database/sql.ts';
import { requireProvedAnew, type Asking } from '../access/rights.ts';
import { passwordCompositions } from '../credentials/password-rules.ts';
import { signupModes } from '../domains/domain.ts';
import { Refusal } from '../refusal.ts';
import { secondFactorPolicies } from '../sign-in/second-factor-policy.ts';
import type { Work } from '../work.ts';

/** Who makes and unmakes Account Administrators, beside the operators (behaviour.md F15). */
export const administratorGrants = [
  /** Nobody: as Bentley has it since 2021. */
  'operator',
  /** An Account Administrator, who has just proved again who they are. */
  'account_admin',
  /** And the account's API tokens with that role, which cannot prove anything anew. */
  'account_admin_and_tokens',
] as const;

export type AdministratorGrant = (typeof administratorGrants)[number];

/** What happens to people who do not sign in any more (behaviour.md F35). Off by default. */
export interface InactivityPolicy {
  /** Locked after so many days without a sign-in. */
  days: number;
  /** What happens to who stayed locked for so many days. */
  after: 'nothing' | 'unaffiliate' | 'erase';
  afterDays: number;
}

const InactivityPolicySchema = z.strictObject({
  days: z.number().int().min(30).max(3650),
  after: z.enum(['nothing', 'unaffiliate', 'erase']).default('unaffiliate'),
  afterDays: z.number().int().min(7).max(3650).default(90),
});

/** How good a password has to be, beyond what holds for everybody (`password-rules.ts`). */
const PasswordPolicySchema = z.strictObject({
  /** Less than the installation asks for is for operators to allow. */
  minLength: z.number().int().min(8).max(64).default(12),
  composition: z.enum(passwordCompositions).default('any'),
});

/**
 * What wrong passwords lead to. It holds for addresses of the account's own domains, whether somebody
 * has them or not: held by people alone, it would tell who exists.
 */
const LockoutPolicySchema = z.strictObject({
  /** Wrong passwords in a row, after which the password is locked. */
  attempts: z.number().int().min(5).max(100).default(100),
  /** Minutes after which it works again by itself; null: when it is reset, or somebody unlocks it. */
  minutes: z.number().int().min(5).max(10_080).nullable().default(null),
  /** Whether a reset by mail lifts the lock, or an administrator alone (behaviour.md, decided). */
  selfUnlock: z.boolean().default(true),
});

/** How long one sign-in lasts. Null: as long as the installation says. */
const SessionPolicySchema = z.strictObject({
  /** Minutes without a visit. */
  idleMinutes: z.number().int().min(5).max(10_080).nullable().default(null),
  /** Hours, however often somebody visits. */
  hours: z.number().int().min(1).max(720).nullable().default(null),
  /** Days after which an application that stays signed in has to ask again. */
  refreshDays: z.number().int().min(1).max(365).nullable().default(null),
});

const parts = {
  /** `roles.accountAdminGrant`. Set by operators alone. */
  accountAdminGrant: z.enum(administratorGrants),
  inactivity: InactivityPolicySchema.nullable(),
  password: PasswordPolicySchema,
  lockout: LockoutPolicySchema,
  /** What becomes of who registers with a domain that is claimed from now on. */
  signUp: z.enum(signupModes),
  /** Whether people of a domain that nobody owns can be invited. */
  foreignDomains: z.enum(['on', 'off']),
  sessions: SessionPolicySchema,
  /** Who has to have a second factor, where it is stricter than what the installation says. */
  secondFactor: z.enum(secondFactorPolicies).nullable(),
};

/** What stands in `accounts.settings`, of what this file knows. */
export const AccountSettingsSchema = z.object({
  accountAdminGrant: parts.accountAdminGrant.default('account_admin'),
  inactivity: parts.inactivity.default(null),
  password: parts.password.prefault({}),
  lockout: parts.lockout.prefault({}),
  signUp: parts.signUp.default('approve'),
  foreignDomains: parts.foreignDomains.default('on'),
  sessions: parts.sessions.prefault({}),
  secondFactor: parts.secondFactor.default(null),
});

/** Some of them: what is left out stays. A policy is set as a whole. */
export const AccountSettingsChange = z.strictObject(parts).partial();

export type AccountSettings = z.output<typeof AccountSettingsSchema>;
export type SessionPolicy = AccountSettings['sessions'];

/** Where nothing was set. */
export const defaultSettings: AccountSettings = AccountSettingsSchema.parse({});

/** @throws {Refusal} `account_not_found` */
export async function settingsOf(sql: Sql, accountId: string): Promise<AccountSettings> {
  const [row] = await sql.query<{ settings: unknown }>(
    'select settings from accounts where id = $1',
    [accountId],
  );
  if (!row) throw new Refusal('account_not_found');
  return readSettings(row.settings);
}

/** What is stored, with what is not. One that was wrong is as if it were not there. */
export function readSettings(stored: unknown): AccountSettings {
  const settings = { ...defaultSettings };
  for (const key of Object.keys(settings) as (keyof AccountSettings)[]) {
    const parsed = AccountSettingsSchema.shape[key].safeParse(
      (stored as Record<string, unknown> | null)?.[key],
    );
    if (parsed.success) Object.assign(settings, { [key]: parsed.data });
  }
  return settings;
}

/**
 * Sets some; the others stay. A password policy below what the installation asks for, and who makes
 * administrators, are for operators to say.
 *
 * @throws {Refusal} `account_not_found`, `permission_denied`, `step_up_required`
 */
export async function changeSettings(
  work: Work,
  asking: Pick<Asking, 'role'> & Partial<Asking>,
  accountId: string,
  given: z.output<typeof AccountSettingsChange>,
): Promise<AccountSettings> {
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
  const before = await settingsOf(work, accountId);
  const change = Object.fromEntries(
    Object.entries(given).filter(
      ([key, value]) =>
        value !== undefined &&
        JSON.stringify(value) !== JSON.stringify(before[key as keyof AccountSettings]),
    ),
  ) as Partial<AccountSettings>;
  if (Object.keys(change).length === 0) return before;
  const weaker = (change.password?.minLength ?? 12) < defaultSettings.password.minLength;
  if (change.secondFactor !== undefined) requireProvedAnew(asking);
  if (asking.role !== 'operator' && (change.accountAdminGrant !== undefined || weaker))
    throw new Refusal('permission_denied');
  const after = { ...before, ...change };
  await work.query(
    `update accounts set settings = settings || $2::jsonb, updated_at = $3, version = version + 1
     where id = $1`,
    [accountId, JSON.stringify(change), work.now],
  );
  if (change.sessions) await shortenSessions(work, accountId, change.sessions);
  work.record(
    'account.changed',
    { type: 'account', id: accountId },
    { before: { settings: picked(before, change) }, after: { settings: change } },
    accountId,
  );
  return after;
}

function picked(settings: AccountSettings, change: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => key in change));
}

/** A shorter life holds for the sessions there are, too. */
async function shortenSessions(
  work: Work,
  accountId: string,
  { idleMinutes }: SessionPolicy,
): Promise<void> {
  if (idleMinutes === null) return;
  await work.query(
    `update oidc_sessions s
     set expires_at = least(s.expires_at, s.seen_at + make_interval(mins => $2::int))
     from users u where u.id = s.user_id and u.account_id = $1`,
    [accountId, idleMinutes],
  );
}
