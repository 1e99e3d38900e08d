import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { mail } from '../mail/mail.ts';
import { administratorNames } from '../accounts/administrators.ts';
import type { NewUser } from './create-user.ts';
import { lockUser } from './lock.ts';

interface Standing {
  affiliation: 'none' | 'pending' | 'provisional' | 'member';
  account_id: string | null;
  email: string | null;
}

/**
 * Makes a person a member of an account: the one way there is, for every door. The rows are locked
 * and looked at again, so where two accounts take the same person at once, one is told it came
 * second (behaviour.md F05), and where the account is put on hold at this moment, nobody joins.
 *
 * What else was open for the person is closed: requests, and invitations of other accounts.
 *
 * @param by the invitation or the request that led here, which is for the caller to close.
 * @throws {Refusal} `already_affiliated`, `user_not_found`, `account_on_hold`
 */
export async function affiliate(
  work: Work,
  userId: string,
  accountId: string,
  reason: string,
  {
    entitlementCountry = null,
    by = null,
  }: { entitlementCountry?: string | null; by?: string | null } = {},
): Promise<void> {
  const [account] = await work.query<{ status: string }>(
    'select status from accounts where id = $1 for share',
    [accountId],
  );
  const standing = await standingOf(work, userId);
  if (standing.affiliation === 'member') throw new Refusal('already_affiliated');
  if (account?.status !== 'active') throw new Refusal('account_on_hold');
  // What another account had in mind for somebody it merely invited is no business of this one.
  await work.query(
    `delete from role_assignments where user_id = $1 and account_id is distinct from $2::uuid
       and role <> 'operator'`,
    [userId, accountId],
  );
  await work.query(
    `delete from group_members m using groups g
     where m.group_id = g.id and m.user_id = $1 and g.account_id <> $2`,
    [userId, accountId],
  );
  await work.query(
    `update users set affiliation = 'member', account_id = $2, entitlement_country = $3,
       updated_at = $4, version = version + 1
     where id = $1`,
    [userId, accountId, entitlementCountry, work.now],
  );
  // Whom a directory brought before they agreed keeps the place it knows them by.
  const [place] = await work.query<{ shut: boolean }>(
    `insert into affiliations as f (id, user_id, account_id, reason, began_at)
     values ($1, $2, $3, $4, $5)
     on conflict (user_id) where ended_at is null
     do update set reason = excluded.reason, provisional = false
     returning xmax <> 0 and not f.active as shut`,
    [newId(work.now.getTime()), userId, accountId, reason, work.now],
  );
  if (place!.shut) await lockUser(work, userId, 'directory', { accountId });
  work.record('user.affiliated', { type: 'user', id: userId }, { reason }, accountId);
  await closeOpen(work, userId, standing.email, by);
}

/** Somebody a directory brings whom nobody knew. */
export interface NewMember extends Omit<NewUser, 'source'> {
  jobTitle: string | null;
  phone: string | null;
  /** JSON, as `claims` writes it. */
  attributeSources: string;
  entitlementCountry: string | null;
  externalId: string | null;
  displayName: string | null;
  managerId: string | null;
  /** JSON of all that has no column. */
  attributes: string;
}

/** A new person and their place. */
export interface MadeMember {
  userId: string;
  /** Of the affiliation. */
  id: string;
  version: number;
}

/**
 * New people who are members from the first moment, all by one statement: nobody else can have taken
 * them meanwhile, so there is nothing to be looked at again, and next to nothing to be closed. To be
 * called behind the door (`factsAtDoor`), where the account was found active.
 *
 * @param by the id of the token that brings them
 * @returns them in their order
 */
export async function createMembers(
  work: Work,
  members: readonly NewMember[],
  accountId: string,
  { source, reason, by }: { source: NewUser['source']; reason: string; by: string },
): Promise<MadeMember[]> {
  const given = members.map((member) => ({
    ...member,
    userId: newId(work.now.getTime()),
    id: newId(work.now.getTime()),
  }));
  const rows = await work.query<{ id: string; version: number; closed: Closed[] | null }>(
    insertMembers,
    [JSON.stringify(given), work.now, accountId, source, reason, by],
  );
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  const userOf = new Map(given.map(({ email, userId }) => [email, userId]));
  for (const { userId } of given) {
    work.record('user.added', { type: 'user', id: userId }, { source });
    work.record('user.affiliated', { type: 'user', id: userId }, { reason }, accountId);
  }
  for (const { id, account_id: account, email } of rows[0]?.closed ?? [])
    work.record(
      'invitation.superseded',
      { type: 'invitation', id },
      { user: userOf.get(email) },
      account,
    );
  return given.map(({ userId, id }) => ({ userId, id, version: versions.get(id)! }));
}

const insertMembers = `
  with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as g("userId" uuid, id uuid, email text,
      "emailDisplay" text, "givenName" text, "familyName" text, country text, language text,
      "jobTitle" text, phone text, identity text, "attributeSources" text,
      "entitlementCountry" text, "externalId" text, "displayName" text, "managerId" uuid,
      attributes text)
  ), closed as (
    update invitations set state = 'superseded', decided_at = $2::timestamptz
    where email in (select email from given) and state = 'pending' returning id, account_id, email
  ), people as (
    insert into users (id, email, email_display, given_name, family_name, country, language,
      job_title, phone, identity, source, attribute_sources, affiliation, account_id,
      entitlement_country, created_at, updated_at)
    select "userId", email, "emailDisplay", "givenName", "familyName", country, language,
      "jobTitle", phone, identity, $4, "attributeSources"::jsonb, 'member', $3::uuid,
      "entitlementCountry", $2, $2
    from given returning id
  )
  insert into affiliations (id, user_id, account_id, reason, began_at, external_id, display_name,
    display_name_key, manager_id, attributes, provisioned_by)
  select g.id, p.id, $3, $5, $2, g."externalId", g."displayName",
    coalesce(folded(g."displayName"), U&'\\+10FFFF'), g."managerId", g.attributes::jsonb, $6::uuid
  from given g join people p on p.id = g."userId"
  returning id, version, (select jsonb_agg(c) from closed c) as closed`;

interface Closed {
  id: string;
  account_id: string;
  email: string;
}

/** Closes what waited for a person who has joined somewhere now. Each account is told in its log. */
async function closeOpen(
  work: Work,
  userId: string,
  email: string | null,
  by: string | null,
): Promise<void> {
  const actor = work.actor.type === 'user' ? work.actor.id : null;
  const invitations = await work.query<{ id: string; account_id: string }>(
    `update invitations
     set state = 'superseded', decided_at = $2, decided_by = $4::uuid
     where email = $1 and state = 'pending' and id is distinct from $3::uuid
     returning id, account_id`,
    [email, work.now, by, actor],
  );
  for (const { id, account_id: account } of invitations)
    work.record('invitation.superseded', { type: 'invitation', id }, { user: userId }, account);
  const requests = await work.query<{ id: string; account_id: string }>(
    `update approval_requests set state = 'superseded', decided_at = $2, decided_by = $4
     where user_id = $1 and state = 'open' and id is distinct from $3::uuid
     returning id, account_id`,
    [userId, work.now, by, JSON.stringify(work.actor)],
  );
  for (const { id, account_id: account } of requests)
    work.record('approval.superseded', { type: 'approval', id }, { user: userId }, account);
}

/**
 * Removes a person from their account. The person stays, with credentials and history; what the
 * account gave goes: roles, groups, country, tokens, what it demanded of them, and where it had their
 * mail sent. And they are locked as `unaffiliated`, so that
 * nobody who was sent away signs in somewhere by the back door (behaviour.md U14).
 *
 * @throws {Refusal} `user_not_found`, `user_is_fulfillment_contact`, `last_administrator`
 */
export async function unaffiliate(
  work: Work,
  userId: string,
  accountId: string,
  reason: string,
): Promise<void> {
  await protectAccount(work, userId, accountId);
  await takeOut(work, userId, accountId, reason);
}

/**
 * As `unaffiliate`, whoever it is: for an account that ends, and for a person who is erased. There
 * nobody has to be left to look after it.
 *
 * @throws {Refusal} `user_not_found`
 */
export async function takeOut(
  work: Work,
  userId: string,
  accountId: string,
  reason: string,
): Promise<void> {
  const standing = await standingOf(work, userId);
  if (standing.account_id !== accountId || standing.affiliation !== 'member')
    throw new Refusal('user_not_found');

  await work.query('delete from fulfillment_contacts where user_id = $1 and account_id = $2', [
    userId,
    accountId,
  ]);
  const roles = await work.query<{ role: string }>(
    'delete from role_assignments where user_id = $1 and account_id = $2 returning role',
    [userId, accountId],
  );
  const groups = await work.query<{ group_id: string }>(
    `delete from group_members m using groups g
     where m.group_id = g.id and m.user_id = $1 and g.account_id = $2 returning m.group_id`,
    [userId, accountId],
  );
  await work.query(
    `update user_locks set released_at = $3, released_by = $4
     where user_id = $1 and account_id = $2 and reason in ('admin', 'inactive', 'expired')
       and released_at is null`,
    [userId, accountId, work.now, JSON.stringify(work.actor)],
  );
  const [had] = await work.query<{ country: string | null; pinned: boolean; factor: boolean }>(
    `select entitlement_country as country, entitlement_pinned as pinned,
       second_factor_required as factor
     from users where id = $1`,
    [userId],
  );
  const { factor, ...entitlement } = had!;
  await work.query(
    `update users set affiliation = 'none', account_id = null, entitlement_country = null,
       entitlement_pinned = false, break_glass = false, second_factor_required = false,
       communication_email = case when ${ownAddress} then communication_email end,
       communication_proved = case when ${ownAddress} then communication_proved end,
       updated_at = $2, version = version + 1
     where id = $1`,
    [userId, work.now],
  );
  await work.query('delete from mail_optouts where user_id = $1', [userId]);
  await work.query(
    `update affiliations set ended_at = $2, ended_by = $3 where user_id = $1 and ended_at is null`,
    [userId, work.now, reason],
  );
  await lockUser(work, userId, 'unaffiliated', { accountId });
  // What was taken is written down: a restore within 30 days gives it back (behaviour.md F20).
  work.record(
    'user.unaffiliated',
    { type: 'user', id: userId },
    {
      reason,
      roles: roles.map(({ role }) => role),
      groups: groups.map((one) => one.group_id),
      entitlement,
      secondFactorRequired: factor,
    },
    accountId,
  );

  const [told] = await work.query<{
    name: string;
    email: string;
    given_name: string;
    language: string | null;
  }>(
    `select a.name, u.email_display as email, u.given_name, u.language
     from users u, accounts a where u.id = $1 and a.id = $2 and u.email is not null`,
    [userId, accountId],
  );
  // Who is erased gets one last mail, and not from here.
  if (told && reason !== 'erased')
    mail(
      work,
      { userId, email: told.email, name: told.given_name, locale: told.language },
      {
        kind: 'removed_from_account',
        account: told.name,
        why: whyOf[reason] ?? 'administrator',
        administrators:
          reason === 'account_closed' ? [] : await administratorNames(work, accountId),
      },
    );
}

/** Whether they said themselves where they want to be written to. */
const ownAddress = `attribute_sources #>> '{communicationEmail,source}' = 'person'`;

/** What the person is told, where it was no administrator. */
const whyOf: Partial<Record<string, 'directory' | 'inactive' | 'account_closed'>> = {
  directory: 'directory',
  inactive: 'inactive',
  account_closed: 'account_closed',
};

/**
 * Refuses what would leave an account without anybody to look after it. The account's row is locked:
 * two administrators who remove each other at the same moment are looked at one after the other.
 *
 * @throws {Refusal} `last_administrator`, `user_is_fulfillment_contact`
 */
export async function protectAccount(
  work: Work,
  userId: string,
  accountId: string,
  { contact = true }: { contact?: boolean } = {},
): Promise<void> {
  // Not `for update`: that would hold up every sign-in, whose audit row refers to the account.
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
  if (contact) {
    const designations = await work.query(
      'select 1 from fulfillment_contacts where user_id = $1 and account_id = $2',
      [userId, accountId],
    );
    if (designations.length > 0) throw new Refusal('user_is_fulfillment_contact');
  }
  const administrators = await standingAdministrators(work, accountId);
  const isOne = administrators.some((one) => one.user_id === userId);
  const others = administrators.some((one) => one.user_id !== userId && one.usable);
  if (isOne && !others) throw new Refusal('last_administrator');
}

/** Who looks after an account, and whether they can. */
export function standingAdministrators(
  work: Work,
  accountId: string,
): Promise<{ user_id: string; usable: boolean }[]> {
  return work.query(
    `select r.user_id, u.identity <> 'erased' and not exists (
       select from user_locks l where l.user_id = u.id and l.released_at is null
         and l.reason <> 'too_many_attempts') as usable
     from role_assignments r join users u on u.id = r.user_id
     where r.account_id = $1 and r.role = 'account_administrator'`,
    [accountId],
  );
}

async function standingOf(work: Work, userId: string): Promise<Standing> {
  const [standing] = await work.query<Standing>(
    `select affiliation, account_id, email from users
     where id = $1 and identity <> 'erased' for update`,
    [userId],
  );
  if (!standing) throw new Refusal('user_not_found');
  return standing;
}
