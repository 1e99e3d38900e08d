import { newId } from '#platform/ids.ts';
import { comparedEmail, domainOf } from '../users/email.ts';
import { unbindDomain } from '../federation/account-changes.ts';
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
  type MovingPerson,
} from './move-people.ts';

export interface Split {
  sourceId: string;
  /** The account that comes out of it. */
  name: string;
  number?: string | null | undefined;
  /** Those of the source where it is left out. */
  countries?: readonly string[] | undefined;
  /** Owned domains of the source, which go with all their people. */
  domains: readonly string[];
  /** People who go beside them. */
  users?: readonly string[] | undefined;
  /** Groups that go. Who stays leaves them; who goes leaves all others. */
  groups?: readonly string[] | undefined;
  /** Who looks after the new account: people who go. */
  administrators: readonly string[];
}

/**
 * What a split would do. Nothing is changed.
 *
 * @throws {Refusal} `account_not_found`
 */
export async function reportSplit(
  work: Work,
  split: Split,
): Promise<{ report: MoveReport; digest: string }> {
  const { report } = await prepare(work, split);
  return { report, digest: digestOf(report) };
}

/**
 * Makes an account of a part of another: begins it; the people follow.
 *
 * @param confirm the digest of the report that was read.
 * @throws {Refusal} `account_not_found`, `move_refused`, `version_conflict`
 */
export async function splitAccount(
  work: Work,
  split: Split & { confirm: string; reason: string },
): Promise<MoveState> {
  const { source, report, options, people, countries } = await prepare(work, split);
  requireConfirmed(report, split.confirm);
  const id = newId(work.now.getTime());
  await work.query(
    `insert into accounts (id, number, name, countries, status, settings, created_at, updated_at)
     select $1, $2, $3, $4::text[], 'active', settings, $5, $5 from accounts where id = $6`,
    [id, split.number ?? null, split.name, [...countries], work.now, source.id],
  );
  const domains = report.domains.map(({ domain }) => domain);
  // Its people prove themselves here until the new account has a connection of its own.
  for (const domain of domains) await unbindDomain(work, source.id, domain);
  await work.query(
    `update domains set account_id = $2, version = version + 1
     where account_id = $1 and name = any ($3::text[]) and state in ('owned', 'at_risk', 'lapsed')`,
    [source.id, id, domains],
  );
  await work.query(
    `update domain_requests set owner_id = $2
     where owner_id = $1 and domain = any ($3::text[]) and state in ('open', 'granted')`,
    [source.id, id, domains],
  );
  const groups = report.groups.map((group) => group.id);
  await work.query(
    `update groups set account_id = $2, source = 'local', external_id = null, updated_at = $3,
       version = version + 1
     where id = any ($1::uuid[])`,
    [groups, id, work.now],
  );
  const going = people.map((one) => one.id);
  await work.query(
    'delete from group_members where group_id = any ($1::uuid[]) and user_id <> all ($2::uuid[])',
    [groups, going],
  );
  await work.query(
    'delete from role_assignments where group_id = any ($1::uuid[]) and user_id <> all ($2::uuid[])',
    [groups, going],
  );
  await work.query(
    'update role_assignments set account_id = $2 where group_id = any ($1::uuid[])',
    [groups, id],
  );
  const contacts = await work.query(
    `update fulfillment_contacts set account_id = $2
     where account_id = $1 and user_id = any ($3::uuid[]) returning country`,
    [source.id, id, going],
  );
  if (!contacts.some(({ country }) => country === null))
    await work.query(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at)
       values ($1, $2, $3, $4)`,
      [newId(work.now.getTime()), id, split.administrators[0]!, work.now],
    );
  await moveApprovals(work, source.id, id, domains);

  work.record('account.created', { type: 'account', id }, { name: split.name, by: 'split' }, id);
  const move = await beginMove(work, {
    kind: 'split',
    sourceId: source.id,
    targetId: id,
    options,
    report,
    reason: split.reason,
    people: going,
  });
  for (const account of [source.id, id])
    work.record(
      'account.split',
      { type: 'account', id: account },
      { move, from: source.id, into: id, reason: split.reason, people: report.people, domains },
      account,
    );
  return moveById(work, move);
}

interface Prepared {
  source: Moving;
  report: MoveReport;
  options: MoveOptions;
  people: MovingPerson[];
  countries: readonly string[];
}

async function prepare(work: Work, split: Split): Promise<Prepared> {
  const [source] = (await lockAccounts(work, [split.sourceId])) as [Moving];
  const { users = [], groups = [], administrators } = split;
  // What came along with a domain goes along with it.
  const along = await work.query<{ name: string }>(
    `select c.name from domains c join domains p on p.id = c.parent_id
     where p.account_id = $1 and p.name = any ($2::text[])`,
    [source.id, [...split.domains]],
  );
  const domains = [...new Set([...split.domains, ...along.map(({ name }) => name)])];
  const countries = split.countries ?? source.countries;
  const everybody = await peopleOf(work, source.id);
  const goes = ({ id, email }: MovingPerson): boolean =>
    users.includes(id) || domains.includes(domainOf(comparedEmail(email)));
  const people = everybody.filter(goes);
  const staying = everybody.filter((one) => !goes(one));
  const options: MoveOptions = {
    administrators: 'co_administrator',
    appoint: [...administrators],
    groups: [...groups],
  };

  const owned = await work.query<{ domain: string; state: string }>(
    `select name as domain, state from domains
     where account_id = $1 and name = any ($2::text[]) and state in ('owned', 'at_risk', 'lapsed')
     order by name`,
    [source.id, [...domains]],
  );
  const known = await work.query<{ id: string; name: string }>(
    `select id, name from groups where account_id = $1 and id = any ($2::uuid[])
     order by lower(name)`,
    [source.id, [...groups]],
  );
  const [numbers] = await work.query<{
    lost: number;
    going: number;
    staying: number;
    approvals: number;
    taken: boolean;
  }>(
    `select
       (select count(*)::int from group_members m join groups g on g.id = m.group_id
        where g.account_id = $1
          and (m.user_id = any ($2::uuid[])) <> (g.id = any ($3::uuid[]))) as lost,
       (select count(*)::int from fulfillment_contacts
        where account_id = $1 and user_id = any ($2::uuid[])) as going,
       (select count(*)::int from fulfillment_contacts
        where account_id = $1 and country is null and user_id <> all ($2::uuid[])) as staying,
       (select count(*)::int from approval_requests q join users u on u.id = q.user_id
        where q.account_id = $1 and q.state = 'open'
          and split_part(u.email, '@', 2) = any ($4::text[])) as approvals,
       exists (select from accounts where number = $5) as taken`,
    [source.id, people.map(({ id }) => id), [...groups], [...domains], split.number ?? null],
  );

  const problems: MoveProblem[] = [];
  const say = (problem: MoveProblem, is: boolean): void => {
    if (is) problems.push(problem);
  };
  say(
    { problem: 'account_not_active', account: source.id, status: source.status },
    source.status !== 'active' && source.status !== 'on_hold',
  );
  say({ problem: 'under_way' }, await isUnderWay(work, [source.id]));
  for (const domain of domains)
    say({ problem: 'domain_not_owned', domain }, !owned.some((one) => one.domain === domain));
  const members = people.filter(({ affiliation }) => affiliation === 'member');
  const strangers = [
    ...users.filter((id) => !people.some((one) => one.id === id)),
    ...administrators.filter((id) => !members.some((one) => one.id === id)),
  ];
  say({ problem: 'not_a_member', users: strangers }, strangers.length > 0);
  const unknown = groups.filter((id) => !known.some((one) => one.id === id));
  say({ problem: 'group_not_found', groups: unknown }, unknown.length > 0);
  say({ problem: 'nobody_moves' }, people.length === 0);
  say({ problem: 'no_administrator', account: 'target' }, administrators.length === 0);
  const looksAfter = ({ roles }: MovingPerson): boolean => roles.includes('account_administrator');
  say(
    { problem: 'no_administrator', account: 'source' },
    people.some(looksAfter) && !staying.some(looksAfter),
  );
  say({ problem: 'no_contact', account: 'source' }, numbers!.going > 0 && numbers!.staying === 0);
  say({ problem: 'number_taken' }, numbers!.taken);

  const report: MoveReport = {
    kind: 'split',
    source: { id: source.id, name: source.name },
    target: { id: null, name: split.name },
    ...aboutPeople(people, countries, options),
    domains: owned.map((one) => ({ ...one, outcome: 'moves' })),
    groups: known.map(({ id, name }) => ({ id, name, newName: name })),
    membershipsLost: numbers!.lost,
    contacts: { moving: numbers!.going, afterwards: Math.max(1, numbers!.going) },
    invitations: { moving: 0, dropped: 0 },
    approvals: numbers!.approvals,
    tokensRevoked: 0,
    webhooksPaused: 0,
    problems,
  };
  return { source, report, options, people, countries };
}

/** Who waits because of a domain waits where the domain is. */
async function moveApprovals(
  work: Work,
  sourceId: string,
  targetId: string,
  domains: readonly string[],
): Promise<void> {
  await work.query(
    `update approval_requests q set account_id = $2 from users u
     where u.id = q.user_id and q.account_id = $1 and q.state = 'open'
       and split_part(u.email, '@', 2) = any ($3::text[])`,
    [sourceId, targetId, [...domains]],
  );
}
