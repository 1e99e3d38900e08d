import type { Sql } from '#platform/database/sql.ts';
import { administratorNames } from '../accounts/administrators.ts';
import { changeRoles } from '../access/change-roles.ts';
import type { Asking, PermittedAccount } from '../access/rights.ts';
import { sendActivation } from '../credentials/password.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { enterDoor, refusalOf } from '../belonging/door.ts';
import { entitledHere } from '../belonging/given.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import { affiliate } from './affiliate.ts';
import { setEntitlementCountry } from './entitlement.ts';
import { unlockUser } from './lock.ts';
import { findPerson, type Person } from './person.ts';

/** How long a removal can be taken back (behaviour.md F20). */
const restorable = 30 * 24 * 3600_000;

/**
 * Takes back that a person was removed, with the roles, groups and country they had, as the audit row
 * of the removal lists them; and the lock that came with it. What is no more by now is left out.
 *
 * @throws {Refusal} `user_not_found` when this account did not remove them within 30 days,
 * `user_not_addable`, `cannot_grant_higher_role`
 */
export async function restoreUser(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  person: Person,
): Promise<void> {
  if (person.affiliation !== 'none' || person.email === null) throw new Refusal('user_not_found');
  const [removal] = await work.query<{
    roles: string[];
    groups: string[];
    country: string | null;
    pinned: boolean | null;
    factor: boolean | null;
  }>(
    `select coalesce(e.details -> 'roles', '[]') as roles,
            coalesce(e.details -> 'groups', '[]') as groups,
            e.details #>> '{entitlement,country}' as country,
            (e.details #>> '{entitlement,pinned}')::boolean as pinned,
            (e.details ->> 'secondFactorRequired')::boolean as factor
     from audit_events e
     where e.target_id = $1 and e.action = 'user.unaffiliated' and e.account_id = $2
       and e.at > $3
       and e.id = (select max(l.id) from audit_events l
         where l.target_id = $1 and l.action = 'user.unaffiliated')`,
    [person.id, account.id, new Date(work.now.getTime() - restorable)],
  );
  if (!removal) throw new Refusal('user_not_found');
  await enterDoor(work, account.id, [person.email]);
  const facts = await readFacts(work, person.email, account.id, work.now);
  const said = verdict('admin_add', facts);
  // It is the same person coming back: where they would be asked, the removal is taken back instead.
  const open = said.actions.some((one) => one === 'add_to_account' || one === 'invite_to_account');
  if (!open || said.code === 'domain_pending_ownership')
    throw refusalOf(said, { email: facts.email, accountId: account.id, userId: person.id });

  const had =
    removal.country && account.countries.includes(removal.country) ? removal.country : null;
  await affiliate(work, person.id, account.id, 'restored', {
    entitlementCountry: entitledHere(facts, had, person.country),
  });
  if (removal.pinned && (had !== null || removal.country === null))
    await setEntitlementCountry(work, account, person.id, { country: had, pinned: true });
  if (removal.factor)
    await work.query('update users set second_factor_required = true where id = $1', [person.id]);
  const roles = await work.query<{ key: string }>(
    "select key from roles where key = any ($1::text[]) and scope = 'account'",
    [removal.roles],
  );
  await changeRoles(work, asking, person, account.id, { add: roles.map(({ key }) => key) });
  const groups = await work.query<{ group_id: string }>(
    `insert into group_members (group_id, user_id, added_at)
     select g.id, $1, $2 from groups g
     where g.account_id = $3 and g.id::text = any ($4::text[])
     on conflict do nothing returning group_id`,
    [person.id, work.now, account.id, removal.groups],
  );
  await unlockUser(work, person.id, ['unaffiliated'], account.id);
  work.record(
    'user.restored',
    { type: 'user', id: person.id },
    { roles: roles.map(({ key }) => key), groups: groups.map((one) => one.group_id) },
    account.id,
  );
  // Who never chose a password is asked for one, as when they were added first.
  if (person.identity !== 'ready') {
    const member = (await findPerson(work, person.id, work.now))!;
    if (facts.domain !== 'mine_federated') await sendActivation(work, member, { invitedBy: null });
    return;
  }
  mail(work, toPerson(person), {
    kind: 'added_to_account',
    account: account.name,
    administrators: await administratorNames(work, account.id),
    locked: person.locks.some(({ reason }) => reason !== 'unaffiliated'),
    signInLink: work.link('/'),
  });
}

/** Somebody whose removal can still be taken back. */
export interface RemovedPerson {
  id: string;
  email: string;
  givenName: string;
  familyName: string;
  removedAt: Date;
  removedBy: string | null;
}

/** Who was removed from an account within 30 days and belongs nowhere since, the latest first. */
export function removedPeople(
  sql: Sql,
  accountId: string,
  now: Date,
  {
    before,
    limit,
    ids,
  }: { before?: string | undefined; limit: number; ids?: readonly string[] | undefined },
): Promise<(RemovedPerson & { position: string })[]> {
  return sql.query(
    `select u.id, u.email_display as email, u.given_name as "givenName",
       u.family_name as "familyName", f.ended_at as "removedAt", f.id as position,
       (select s.email_display from audit_events e
          join users s on s.id::text = e.actor ->> 'id'
        where e.target_id = u.id::text and e.action = 'user.unaffiliated'
        order by e.id desc limit 1) as "removedBy"
     from affiliations f join users u on u.id = f.user_id
     where f.account_id = $1 and f.ended_at > $2 and u.affiliation = 'none'
       and u.identity not in ('erasing', 'erased')
       and f.id = (select l.id from affiliations l where l.user_id = u.id
         order by l.ended_at desc limit 1)
       and ($3::uuid is null or (f.ended_at, f.id) <
         (select b.ended_at, b.id from affiliations b where b.id = $3))
       and ($4::uuid[] is null or u.id = any ($4))
     order by f.ended_at desc, f.id desc limit $5`,
    [accountId, new Date(now.getTime() - restorable), before ?? null, ids ? [...ids] : null, limit],
  );
}
