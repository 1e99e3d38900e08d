import type { Sql } from '#platform/database/sql.ts';
import { readSettings, type AccountSettings } from '../accounts/settings.ts';
import { comparedEmail, domainOf } from '../users/email.ts';
import { passwordRules, type PasswordRules } from './password-rules.ts';

/** Whose policy holds for somebody: their account's, or that of the account that owns the domain. */
export interface Governed {
  accountId: string | null;
  /** In any form: only its domain is looked at. */
  email: string | null;
}

/** The settings that hold for a person, or for an address that has no account yet. */
export async function policyFor(
  sql: Sql,
  { accountId, email }: Governed,
): Promise<AccountSettings> {
  const domain = email === null ? '' : domainOf(comparedEmail(email));
  const [row] = await sql.query<{ settings: unknown }>(
    `select a.settings from accounts a where a.id = coalesce($1::uuid, (
       select d.account_id from domains d
       where d.name = $2 and d.state in ('owned', 'at_risk', 'lapsed')))`,
    [accountId, domain],
  );
  return readSettings(row?.settings ?? null);
}

/** How good the password of a person has to be. */
export async function passwordRulesFor(sql: Sql, governed: Governed): Promise<PasswordRules> {
  const { password } = await policyFor(sql, governed);
  return { ...password, maxLength: passwordRules.maxLength };
}
