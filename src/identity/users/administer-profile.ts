import type { Sql } from '#platform/database/sql.ts';
import type { PermittedAccount } from '../access/rights.ts';
import { factsAtDoor, refusalOf } from '../belonging/door.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import { toPerson } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { claimAttributes, requireUnmanaged } from '../scim/authority.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict, type DomainStanding } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { askToConfirm } from './communication.ts';
import { canonicalEmail } from './email.ts';
import type { Person } from './person.ts';
import { revokeAccess } from './revoke.ts';

/** What administrators correct about somebody; what is left out stays, null clears. */
export interface ProfileChange {
  givenName?: string | undefined;
  familyName?: string | undefined;
  country?: string | null | undefined;
  language?: string | null | undefined;
  /** Where mail goes instead, in canonical form. */
  communicationEmail?: string | null | undefined;
}

/** What an administrator may see and correct about a person, as it is. */
export interface Profile {
  givenName: string;
  familyName: string;
  country: string | null;
  language: string | null;
  communicationEmail: string | null;
}

const names = {
  givenName: 'given_name',
  familyName: 'family_name',
  country: 'country',
  language: 'language',
  communicationEmail: 'communication_email',
} as const;

export async function profileOf(sql: Sql, userId: string): Promise<Profile> {
  const [profile] = await sql.query<Profile>(
    `select given_name as "givenName", family_name as "familyName", country, language,
       communication_email as "communicationEmail"
     from users where id = $1`,
    [userId],
  );
  if (!profile) throw new Refusal('user_not_found');
  return profile;
}

/**
 * An administrator corrects what stands about somebody. Whether they may is decided by the caller, who
 * holds the person's row. What the person's directory says stays as it says.
 *
 * Returns what is different now.
 *
 * @throws {Refusal} `managed_by_directory`
 */
export async function changeProfile(
  work: Work,
  account: Pick<PermittedAccount, 'id'>,
  userId: string,
  change: ProfileChange,
): Promise<string[]> {
  const before = await profileOf(work, userId);
  const changed = (Object.keys(names) as (keyof Profile)[]).filter(
    (name) => change[name] !== undefined && change[name] !== before[name],
  );
  if (changed.length === 0) return [];
  await requireUnmanaged(work, userId, changed);
  const after = { ...before, ...change };
  await work.query(
    `update users set given_name = $2, family_name = $3, country = $4, language = $5,
       communication_email = $6, updated_at = $7, version = version + 1
     where id = $1`,
    [
      userId,
      after.givenName ?? '',
      after.familyName ?? '',
      after.country ?? null,
      after.language ?? null,
      after.communicationEmail ?? null,
      work.now,
    ],
  );
  await claimAttributes(work, userId, changed);
  if (changed.includes('communicationEmail')) await askToConfirm(work, userId);
  work.record(
    'user.changed',
    { type: 'user', id: userId },
    { changed, by: 'administrator' },
    account.id,
  );
  return changed;
}

/** What a domain is to the account whose addresses it may change: also to one that lost the proof of it. */
const ours = new Set<DomainStanding>(['mine', 'mine_federated', 'mine_lapsed']);

/**
 * An administrator gives somebody another address: from a domain of the account to one of the
 * account, and no other way. Who owns the domain owns the mailboxes; but an address elsewhere is the
 * person's own, and whoever could change it could take the person over.
 *
 * Sessions and links that were sent end; the old address is told.
 *
 * @param typed as the administrator wrote it
 * @throws {Refusal} `invalid_email`, `managed_by_directory`, `domain_not_owned`, and what the verdict
 * refuses
 */
export async function changeEmail(
  work: Work,
  account: Pick<PermittedAccount, 'id'>,
  person: Person,
  typed: string,
): Promise<boolean> {
  const email = canonicalEmail(typed);
  if (email === null) throw new Refusal('invalid_email');
  const old = canonicalEmail(person.email);
  if (person.email === null || email === old) return false;
  if (person.affiliation !== 'member') throw new Refusal('already_invited');
  await requireUnmanaged(work, person.id, ['email']);
  const from = await readFacts(work, person.email, account.id, work.now);
  if (!ours.has(from.domain)) throw new Refusal('domain_not_owned', { email: person.email });
  const facts = await factsAtDoor(work, account.id, typed);
  const said = verdict('scim_rename', facts);
  if (said.outcome !== 'change_email')
    throw refusalOf(said, { email, accountId: account.id, userId: facts.person?.id ?? null });

  await work.query(
    `update users set email = $2, email_display = $3, updated_at = $4, version = version + 1
     where id = $1`,
    [person.id, email, typed, work.now],
  );
  await claimAttributes(work, person.id, ['email']);
  await revokeAccess(work, person.id, { keepDevices: true, undoable: false });
  for (const to of [person.email, typed])
    tellChanged(work, toPerson(person, { email: to }), 'email', { link: '/profile', origin: null });
  work.record(
    'user.changed',
    { type: 'user', id: person.id },
    { changed: ['email'], by: 'administrator' },
    account.id,
  );
  return true;
}
