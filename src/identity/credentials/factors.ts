import { newId } from '#platform/ids.ts';
import { secretHash, type Vault } from '#platform/secrets.ts';
import type { Sql } from '#platform/database/sql.ts';
import { requireProvedAnew, type Asking } from '../access/rights.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import type { Letters } from '../mail/letter.ts';
import { mail } from '../mail/mail.ts';
import { toPerson, toReader } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { demandsSecondFactor } from '../sign-in/assurance.ts';
import type { SecondFactorPolicy } from '../sign-in/second-factor-policy.ts';
import { findPerson, type Person } from '../users/person.ts';
import { revokeAccess } from '../users/revoke.ts';
import type { Foundation, Work } from '../work.ts';
import type { NewPasskey } from './passkey.ts';
import { makeRecoveryCodes, recoveryCodesLeft } from './recovery-codes.ts';
import { cleanCode, newTotpSecret, openTotp, sealTotp, totpStep } from './totp.ts';

export type FactorKind = 'totp' | 'passkey';

export interface Factor {
  id: string;
  kind: FactorKind;
  /** What the person calls it. */
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** More of them nobody needs, and each is one more way in. */
const most: Record<FactorKind, number> = { totp: 5, passkey: 20 };

export function factorsOf(sql: Sql, userId: string): Promise<Factor[]> {
  return sql.query<Factor>(
    `select id, kind, name, created_at as "createdAt", last_used_at as "lastUsedAt"
     from factors where user_id = $1 order by created_at, id`,
    [userId],
  );
}

/** Which kinds of factors a person may be asked for. */
export async function factorKinds(
  sql: Sql,
  userId: string,
): Promise<{ totp: boolean; passkey: boolean; recovery: boolean }> {
  const [row] = await sql.query<{ totp: boolean; passkey: boolean; recovery: boolean }>(
    `select exists (select from factors where user_id = $1 and kind = 'totp') as totp,
            exists (select from factors where user_id = $1 and kind = 'passkey') as passkey,
            exists (select from recovery_codes where user_id = $1 and used_at is null) as recovery`,
    [userId],
  );
  return row!;
}

// --- An authenticator app, in two steps: its secret is shown, then its first code is typed.

const enrolmentLife = 30 * 60_000;

/**
 * The secret that an app is being set up with, in this sign-in or this session. Looking at the page
 * again shows the same one; somebody else who signs in as the same person gets another.
 */
export async function totpBeingSetUp(
  { database, vault, clock }: Foundation,
  userId: string,
  binding: string,
): Promise<string> {
  const now = clock();
  const [open] = await database.query<{ sealed: string }>(openEnrolment, [
    userId,
    secretHash(binding),
    now,
  ]);
  if (open) return openTotp(vault, userId, open.sealed);
  const secret = newTotpSecret();
  await database.query(
    `insert into one_time_tokens (id, purpose, user_id, binding, details, created_at, expires_at)
     values ($1, 'totp_enrolment', $2, $3, $4, $5, $6)`,
    [
      newId(now.getTime()),
      userId,
      secretHash(binding),
      JSON.stringify({ sealed: sealTotp(vault, userId, secret) }),
      now,
      new Date(now.getTime() + enrolmentLife),
    ],
  );
  return secret;
}

const openEnrolment = `
  select details ->> 'sealed' as sealed from one_time_tokens
  where user_id = $1 and binding = $2 and purpose = 'totp_enrolment' and used_at is null
    and expires_at > $3
  order by created_at desc limit 1`;

/** What a new factor brings: where it is the first, the recovery codes, told once. */
export interface Enrolled {
  recoveryCodes: string[] | null;
}

/**
 * The first code of the app proves that it has the secret. The code is used up by it.
 *
 * Null where the code is wrong, or nothing is being set up here.
 *
 * @throws {Refusal} `limit_reached`
 */
export async function addTotp(
  work: Work,
  vault: Vault,
  key: Buffer,
  person: Person,
  { binding, code, name }: { binding: string; code: string; name: string },
): Promise<Enrolled | null> {
  // The person before what is being set up, the order in which whoever puts them out takes both.
  await work.query('select 1 from users where id = $1 for update', [person.id]);
  const [open] = await work.query<{ sealed: string }>(`${openEnrolment} for update`, [
    person.id,
    secretHash(binding),
    work.now,
  ]);
  if (!open) return null;
  const secret = openTotp(vault, person.id, open.sealed);
  const step = totpStep(secret, cleanCode(code), work.now);
  if (step === null) return null;
  await work.query(
    `update one_time_tokens set used_at = $3, details = '{}'
     where user_id = $1 and binding = $2 and purpose = 'totp_enrolment'`,
    [person.id, secretHash(binding), work.now],
  );
  const first = await beforeAdding(work, person.id, 'totp');
  const id = newId(work.now.getTime());
  await work.query(
    `insert into factors (id, user_id, kind, name, sealed, last_step, created_at, last_used_at)
     values ($1, $2, 'totp', $3, $4, $5, $6, $6)`,
    [id, person.id, name, sealTotp(vault, person.id, secret), step, work.now],
  );
  return afterAdding(work, key, person, { id, kind: 'totp', name, first });
}

/** @throws {Refusal} `limit_reached`, `name_taken` where somebody has this passkey already */
export async function addPasskey(
  work: Work,
  key: Buffer,
  person: Person,
  { credentialId, publicKey, signCount, transports, backedUp }: NewPasskey,
  name: string,
): Promise<Enrolled> {
  const first = await beforeAdding(work, person.id, 'passkey');
  const id = newId(work.now.getTime());
  const added = await work.query(
    `insert into factors (id, user_id, kind, name, credential_id, public_key, sign_count,
       transports, backed_up, created_at, last_used_at)
     values ($1, $2, 'passkey', $3, $4, $5, $6, $7, $8, $9, $9)
     on conflict (credential_id) do nothing returning 1`,
    [id, person.id, name, credentialId, publicKey, signCount, transports, backedUp, work.now],
  );
  if (added.length === 0) throw new Refusal('name_taken');
  return afterAdding(work, key, person, { id, kind: 'passkey', name, first });
}

/** Takes the person's row, so that what is counted stays so. Returns whether it will be the first. */
async function beforeAdding(work: Work, userId: string, kind: FactorKind): Promise<boolean> {
  await work.query('select 1 from users where id = $1 for update', [userId]);
  const own = await factorsOf(work, userId);
  if (own.filter((one) => one.kind === kind).length >= most[kind])
    throw new Refusal('limit_reached');
  return own.length === 0;
}

async function afterAdding(
  work: Work,
  key: Buffer,
  person: Person,
  { id, kind, name, first }: { id: string; kind: FactorKind; name: string; first: boolean },
): Promise<Enrolled> {
  await work.query(
    `update users set second_factor_at = coalesce(second_factor_at, $2), second_factor_anew = false,
       updated_at = $2
     where id = $1`,
    [person.id, work.now],
  );
  const recoveryCodes = first ? await makeRecoveryCodes(work, key, person.id) : null;
  work.record(
    'second_factor.added',
    { type: 'user', id: person.id },
    { factor: id, kind, name },
    person.account?.id,
  );
  tell(work, person, kind === 'totp' ? 'totp_added' : 'passkey_added');
  return { recoveryCodes };
}

// --- What a person has

/** @throws {Refusal} `not_found` */
export async function renameFactor(
  work: Work,
  person: Person,
  factorId: string,
  name: string,
): Promise<void> {
  const renamed = await work.query(
    'update factors set name = $3 where id::text = $2 and user_id = $1 returning 1',
    [person.id, factorId, name],
  );
  if (renamed.length === 0) throw new Refusal('not_found');
  work.record(
    'second_factor.renamed',
    { type: 'user', id: person.id },
    { factor: factorId, name },
    person.account?.id,
  );
}

/**
 * Takes a factor away, and with the last one the recovery codes. Of whom one is demanded the last
 * stays: another is added first.
 *
 * @throws {Refusal} `not_found`, `last_factor`
 */
export async function removeFactor(
  work: Work,
  person: Person,
  factorId: string,
  policy: SecondFactorPolicy,
): Promise<void> {
  await work.query('select 1 from users where id = $1 for update', [person.id]);
  const own = await factorsOf(work, person.id);
  const factor = own.find(({ id }) => id === factorId);
  if (!factor) throw new Refusal('not_found');
  const last = own.length === 1;
  if (last && demandsSecondFactor(person, policy)) throw new Refusal('last_factor');
  await work.query('delete from factors where id = $1', [factor.id]);
  if (last) await forget(work, person.id);
  work.record(
    'second_factor.removed',
    { type: 'user', id: person.id },
    { factor: factor.id, kind: factor.kind, name: factor.name },
    person.account?.id,
  );
  tell(work, person, factor.kind === 'totp' ? 'totp_removed' : 'passkey_removed');
}

/** @throws {Refusal} `second_factor_missing`: codes alone are no factor */
export async function renewRecoveryCodes(
  work: Work,
  key: Buffer,
  person: Person,
): Promise<string[]> {
  await work.query('select 1 from users where id = $1 for update', [person.id]);
  if ((await factorsOf(work, person.id)).length === 0) throw new Refusal('second_factor_missing');
  const codes = await makeRecoveryCodes(work, key, person.id);
  work.record(
    'second_factor.recovery_codes_made',
    { type: 'user', id: person.id },
    {},
    person.account?.id,
  );
  tell(work, person, 'recovery_codes');
  return codes;
}

// --- What administrators do about it

export interface FactorOverview {
  factors: Factor[];
  recoveryCodesLeft: number;
  /** Whether an administrator demanded one of this person. */
  required: boolean;
  /** Whether a new one has to be set up at the next sign-in. */
  anew: boolean;
  breakGlass: boolean;
}

export async function factorOverview(sql: Sql, userId: string): Promise<FactorOverview> {
  const [row] = await sql.query<{ required: boolean; anew: boolean; breakGlass: boolean }>(
    `select second_factor_required as required, second_factor_anew as anew,
            break_glass as "breakGlass"
     from users where id = $1`,
    [userId],
  );
  return {
    factors: await factorsOf(sql, userId),
    recoveryCodesLeft: await recoveryCodesLeft(sql, userId),
    ...row!,
  };
}

/**
 * For who lost their phone: everything that proved them beside the password is gone, they are signed
 * out everywhere, and the next sign-in sets up anew. They hear of it, and so do the administrators
 * (behaviour.md F28, M19). Whether it may be this person is decided by the caller.
 *
 * @throws {Refusal} `second_factor_missing`, `step_up_required`
 */
export async function resetFactors(work: Work, asking: Asking, person: Person): Promise<void> {
  requireProvedAnew(asking);
  await work.query('select 1 from users where id = $1 for update', [person.id]);
  const own = await factorsOf(work, person.id);
  if (own.length === 0) throw new Refusal('second_factor_missing');
  await work.query('delete from factors where user_id = $1', [person.id]);
  await forget(work, person.id);
  await work.query('update users set second_factor_anew = true where id = $1', [person.id]);
  await revokeAccess(work, person.id);
  work.record(
    'second_factor.reset',
    { type: 'user', id: person.id },
    { factors: own.map(({ kind, name }) => ({ kind, name })) },
    person.account?.id,
  );
  const by = asking.userId && (await findPerson(work, asking.userId, work.now));
  const said = { what: 'reset', by: by ? nameOf(by) : null, at: work.now } as const;
  if (person.email !== null)
    mail(work, toPerson(person), {
      kind: 'factor_reset',
      ...said,
      user: null,
      securityLink: work.link('/profile/security'),
    });
  const { account } = person;
  for (const reader of await administratorsOf(work, account?.id ?? null))
    if (reader.id !== person.id)
      mail(work, toReader(reader), {
        kind: 'factor_reset',
        ...said,
        user: person.email,
        securityLink: work.link(`/console/users/${person.id}`),
      });
}

/**
 * One key was lost, and others are left. Of the last it is a reset.
 *
 * @throws {Refusal} `not_found`, `second_factor_missing`, `step_up_required`
 */
export async function removeFactorOf(
  work: Work,
  asking: Asking,
  person: Person,
  factorId: string,
): Promise<void> {
  requireProvedAnew(asking);
  const own = await factorsOf(work, person.id);
  if (own.length === 1 && own[0]!.id === factorId) return resetFactors(work, asking, person);
  await removeFactor(work, person, factorId, 'off');
}

/**
 * An administrator demands a second factor of one person, or does so no more.
 *
 * @throws {Refusal} `step_up_required`
 */
export async function requireFactor(
  work: Work,
  asking: Asking,
  person: Person,
  required: boolean,
): Promise<void> {
  requireProvedAnew(asking);
  const changed = await work.query(
    `update users set second_factor_required = $2, updated_at = $3, version = version + 1
     where id = $1 and second_factor_required <> $2 returning 1`,
    [person.id, required, work.now],
  );
  if (changed.length > 0)
    work.record(
      'second_factor.policy_changed',
      { type: 'user', id: person.id },
      { required },
      person.account?.id,
    );
}

async function forget(work: Work, userId: string): Promise<void> {
  await work.query('delete from recovery_codes where user_id = $1', [userId]);
  await work.query('update users set second_factor_at = null, updated_at = $2 where id = $1', [
    userId,
    work.now,
  ]);
  await work.query('update trusted_devices set second_factor_at = null where user_id = $1', [
    userId,
  ]);
}

function tell(work: Work, person: Person, what: Letters['credential_changed']['what']): void {
  if (person.email === null) return;
  tellChanged(work, toPerson(person), what, { link: '/profile/security' });
}

function nameOf({ givenName, familyName, email }: Person): string {
  const name = `${givenName} ${familyName}`.trim();
  return name ? `${name} (${email})` : (email ?? '');
}
