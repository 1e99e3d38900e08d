import { moveConnections } from '../federation/account-changes.ts';
import type { Work } from '../work.ts';
import {
  aboutPeople,
  beginMove,
  digestOf,
  isUnderWay,
  lockAccounts,
  moveById,
  peopleOf,
  requireConfirmed,
  type MoveOptions,
  type MoveProblem,
  type MoveReport,
  type MoveState,
  type Moving,
} from './move-people.ts';
import { lookingAfter, notice } from './notice.ts';

export interface Merge {
  sourceId: string;
  targetId: string;
  /** What the source's Account Administrators are afterwards. */
  administrators?: MoveOptions['administrators'] | undefined;
  /** Those of them who stay what they are. */
  keepAdministrators?: readonly string[] | undefined;
}

/**
 * What a merge would do. Nothing is changed.
 *
 * @throws {Refusal} `account_not_found`
 */
export async function reportMerge(
  work: Work,
  merge: Merge,
): Promise<{ report: MoveReport; digest: string }> {
  const { report } = await prepare(work, merge);
  return { report, digest: digestOf(report) };
}

/**
 * Merges one account into another: begins it; the people follow.
 *
 * @param confirm the digest of the report that was read.
 * @throws {Refusal} `account_not_found`, `move_refused`, `version_conflict`
 */
export async function mergeAccounts(
  work: Work,
  merge: Merge & { confirm: string; reason: string },
): Promise<MoveState> {
  const { source, target, report, people, options } = await prepare(work, merge);
  requireConfirmed(report, merge.confirm);
  const told = await lookingAfter(work, source.id);

  await work.query(
    `update accounts set status = 'merged', merged_into = $2, hold_reason = null, held_at = null,
       closes_at = null, updated_at = $3, version = version + 1
     where id = $1`,
    [source.id, target.id, work.now],
  );
  // Who was merged into the source before is one step nearer.
  await work.query('update accounts set merged_into = $2 where merged_into = $1', [
    source.id,
    target.id,
  ]);
  await moveDomains(work, report, source, target);
  await moveConnections(work, source.id, target.id);
  for (const { id, newName } of report.groups)
    await work.query(
      `update groups set account_id = $2, name = $3, source = 'local', external_id = null,
         updated_at = $4, version = version + 1
       where id = $1`,
      [id, target.id, newName, work.now],
    );
  await work.query(
    'update role_assignments set account_id = $2 where account_id = $1 and group_id is not null',
    [source.id, target.id],
  );
  await moveContacts(work, source.id, target.id);
  await moveRequests(work, source.id, target.id);
  await work.query(
    'update api_tokens set revoked_at = $2 where account_id = $1 and revoked_at is null',
    [source.id, work.now],
  );
  await work.query(
    'update scim_tokens set revoked_at = $2 where account_id = $1 and revoked_at is null',
    [source.id, work.now],
  );
  await work.query(`update webhooks set state = 'paused', updated_at = $2 where account_id = $1`, [
    source.id,
    work.now,
  ]);
  // Those who left the source and are locked for it: the target decides about them now.
  await work.query(
    'update user_locks set account_id = $2 where account_id = $1 and released_at is null',
    [source.id, target.id],
  );

  const move = await beginMove(work, {
    kind: 'merge',
    sourceId: source.id,
    targetId: target.id,
    options,
    report,
    reason: merge.reason,
    people: people.map(({ id }) => id),
  });
  for (const account of [source, target])
    work.record(
      'account.merged',
      { type: 'account', id: account.id },
      {
        move,
        from: source.id,
        into: target.id,
        reason: merge.reason,
        people: report.people,
        domains: report.domains.map(({ domain }) => domain),
      },
      account.id,
    );
  await notice(work, told, source.name, 'merged', { into: target.name });
  return moveById(work, move);
}

interface Prepared {
  source: Moving;
  target: Moving;
  report: MoveReport;
  options: MoveOptions;
  people: Awaited<ReturnType<typeof peopleOf>>;
}

async function prepare(
  work: Work,
  { sourceId, targetId, administrators = 'co_administrator', keepAdministrators = [] }: Merge,
): Promise<Prepared> {
  const [source, target] = (await lockAccounts(work, [sourceId, targetId])) as [Moving, Moving];
  const people = await peopleOf(work, source.id);
  // Only who is an Account Administrator can stay one.
  const kept = people.filter(
    ({ id, roles }) => keepAdministrators.includes(id) && roles.includes('account_administrator'),
  );
  const options: MoveOptions = {
    administrators,
    appoint: kept.map(({ id }) => id),
    groups: null,
  };
  const problems: MoveProblem[] = [];
  if (source.id === target.id) problems.push({ problem: 'same_account' });
  if (source.status !== 'active' && source.status !== 'on_hold')
    problems.push({ problem: 'account_not_active', account: source.id, status: source.status });
  if (target.status !== 'active')
    problems.push({ problem: 'account_not_active', account: target.id, status: target.status });
  if (await isUnderWay(work, [source.id, target.id])) problems.push({ problem: 'under_way' });
  const strangers = keepAdministrators.filter((id) => !options.appoint.includes(id));
  if (strangers.length > 0) problems.push({ problem: 'not_a_member', users: strangers });

  const [numbers] = await work.query<{
    contacts: number;
    contacts_there: number;
    invitations: number;
    invitations_twice: number;
    approvals: number;
    tokens: number;
    webhooks: number;
  }>(
    `select
       (select count(*)::int from fulfillment_contacts where account_id = $1) as contacts,
       (select count(*)::int from fulfillment_contacts where account_id = $2) as contacts_there,
       (select count(*)::int from invitations i where account_id = $1 and state = 'pending'
         and not exists (select from invitations o where o.account_id = $2 and o.email = i.email
           and o.state = 'pending')) as invitations,
       (select count(*)::int from invitations i where account_id = $1 and state = 'pending'
         and exists (select from invitations o where o.account_id = $2 and o.email = i.email
           and o.state = 'pending')) as invitations_twice,
       (select count(*)::int from approval_requests where account_id = $1 and state = 'open')
         as approvals,
       (select count(*)::int from api_tokens where account_id = $1 and revoked_at is null)
         + (select count(*)::int from scim_tokens where account_id = $1 and revoked_at is null)
         as tokens,
       (select count(*)::int from webhooks where account_id = $1 and state <> 'paused') as webhooks`,
    [source.id, target.id],
  );
  const {
    contacts,
    contacts_there: there,
    invitations,
    invitations_twice: twice,
    approvals,
    tokens,
    webhooks,
  } = numbers!;
  const report: MoveReport = {
    kind: 'merge',
    source: { id: source.id, name: source.name },
    target: { id: target.id, name: target.name },
    ...aboutPeople(people, target.countries, options),
    domains: await domainsToMove(work, source.id, target.id),
    groups: await groupsToMove(work, source, target),
    membershipsLost: 0,
    contacts: { moving: contacts, afterwards: contacts + there },
    invitations: { moving: invitations, dropped: twice },
    approvals,
    tokensRevoked: tokens,
    webhooksPaused: webhooks,
    problems,
  };
  return { source, target, report, options, people };
}

/** What the source owns goes; a claim of the target on the same domain has come to its end. */
function domainsToMove(
  work: Work,
  sourceId: string,
  targetId: string,
): Promise<MoveReport['domains']> {
  return work.query(
    `select d.name as domain, d.state, case
       when d.state in ('owned', 'at_risk', 'lapsed') or not exists (
         select from domains o where o.account_id = $2 and o.name = d.name
           and o.state in ('listed', 'pending', 'owned', 'contested', 'at_risk', 'lapsed'))
       then 'moves' else 'dropped' end as outcome
     from domains d
     where d.account_id = $1
       and d.state in ('listed', 'pending', 'owned', 'contested', 'at_risk', 'lapsed')
     order by d.name`,
    [sourceId, targetId],
  );
}

async function moveDomains(
  work: Work,
  { domains }: MoveReport,
  source: Moving,
  target: Moving,
): Promise<void> {
  const named = (outcome: string): string[] =>
    domains.filter((one) => one.outcome === outcome).map(({ domain }) => domain);
  const alive = `state in ('listed', 'pending', 'owned', 'contested', 'at_risk', 'lapsed')`;
  await work.query(
    `update domains set state = 'cancelled', next_check_at = null, version = version + 1
     where ${alive} and ((account_id = $1 and name = any ($3::text[]))
       or (account_id = $2 and name = any ($4::text[])))`,
    [source.id, target.id, named('dropped'), named('moves')],
  );
  await work.query(
    `update domains set account_id = $2, version = version + 1
     where ${alive} and account_id = $1 and name = any ($3::text[])`,
    [source.id, target.id, named('moves')],
  );
  // What the two had asked of each other is answered; what others asked of the source goes along.
  await work.query(
    `update domain_requests set state = 'withdrawn', decided_at = $3
     where state in ('open', 'granted') and (
       (owner_id = $1 and claimant_id = $2) or (owner_id = $2 and claimant_id = $1)
       or (claimant_id = $1 and exists (select from domain_requests o
         where o.claimant_id = $2 and o.kind = domain_requests.kind
           and o.domain = domain_requests.domain and o.state in ('open', 'granted'))))`,
    [source.id, target.id, work.now],
  );
  await work.query(
    `update domain_requests set owner_id = case when owner_id = $1 then $2 else owner_id end,
       claimant_id = case when claimant_id = $1 then $2 else claimant_id end
     where state in ('open', 'granted') and (owner_id = $1 or claimant_id = $1)`,
    [source.id, target.id],
  );
}

/** Two groups of one name: the newcomer is called after where it came from. */
async function groupsToMove(
  work: Work,
  source: Moving,
  target: Moving,
): Promise<MoveReport['groups']> {
  const groups = await work.query<{ id: string; name: string }>(
    'select id, name from groups where account_id = $1 order by lower(name), id',
    [source.id],
  );
  const taken = new Set(
    (
      await work.query<{ name: string }>(
        'select lower(name) as name from groups where account_id = $1',
        [target.id],
      )
    ).map(({ name }) => name),
  );
  return groups.map(({ id, name }) => {
    let newName = name;
    for (let again = 1; taken.has(newName.toLowerCase()); again += 1)
      newName = again === 1 ? `${name} (${source.name})` : `${name} (${source.name} ${again})`;
    taken.add(newName.toLowerCase());
    return { id, name, newName };
  });
}

/** They may be more than ten afterwards, and stay (behaviour.md F34). */
async function moveContacts(work: Work, sourceId: string, targetId: string): Promise<void> {
  await work.query(`update fulfillment_contacts set account_id = $2 where account_id = $1`, [
    sourceId,
    targetId,
  ]);
}

async function moveRequests(work: Work, sourceId: string, targetId: string): Promise<void> {
  await work.query(
    `update invitations i set state = 'superseded', decided_at = $3, secret_hash = null
     where i.account_id = $1 and i.state = 'pending' and exists (
       select from invitations o
       where o.account_id = $2 and o.email = i.email and o.state = 'pending')`,
    [sourceId, targetId, work.now],
  );
  await work.query(
    `update invitations set account_id = $2,
       roles = array_remove(array_remove(roles, 'account_administrator'), 'co_administrator')
     where account_id = $1 and state = 'pending'`,
    [sourceId, targetId],
  );
  await work.query(
    `update approval_requests set account_id = $2 where account_id = $1 and state = 'open'`,
    [sourceId, targetId],
  );
}
