import { z } from 'zod';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
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

export interface AccountSettings {
  /** `roles.accountAdminGrant`. Set by operators alone. */
  accountAdminGrant: AdministratorGrant;
  inactivity: InactivityPolicy | null;
}

const defaults: AccountSettings = { accountAdminGrant: 'account_admin', inactivity: null };

/** What stands in `accounts.settings`, of what this file knows. */
export const AccountSettingsSchema = z.object({
  accountAdminGrant: z.enum(administratorGrants).default(defaults.accountAdminGrant),
  inactivity: InactivityPolicySchema.nullable().default(null),
});

/** @throws {Refusal} `account_not_found` */
export async function settingsOf(sql: Sql, accountId: string): Promise<AccountSettings> {
  const [row] = await sql.query<{ settings: unknown }>(
    'select settings from accounts where id = $1',
    [accountId],
  );
  if (!row) throw new Refusal('account_not_found');
  // A setting of a later version, or one that was wrong, is as if it were not there.
  const parsed = AccountSettingsSchema.safeParse(row.settings);
  return parsed.success ? parsed.data : defaults;
}

/** Sets some; the others stay. @throws {Refusal} `account_not_found` */
export async function changeSettings(
  work: Work,
  accountId: string,
  change: Partial<AccountSettings>,
): Promise<AccountSettings> {
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
  const before = await settingsOf(work, accountId);
  const after = { ...before, ...change };
  await work.query(
    `update accounts set settings = settings || $2::jsonb, updated_at = $3, version = version + 1
     where id = $1`,
    [accountId, JSON.stringify(change), work.now],
  );
  work.record(
    'account.changed',
    { type: 'account', id: accountId },
    { before: { settings: before }, after: { settings: after } },
    accountId,
  );
  return after;
}
