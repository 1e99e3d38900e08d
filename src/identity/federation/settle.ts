import { defaultsOf, entitledIn, give } from '../belonging/given.ts';
import { affiliate } from '../users/affiliate.ts';
import { askToConfirm } from '../users/communication.ts';
import { createUser } from '../users/create-user.ts';
import { unlockUser } from '../users/lock.ts';
import type { Work } from '../work.ts';
import type { Admitted, Arrival } from './arrival.ts';
import { settleConflicts } from './conflicts.ts';
import type { SignInFacts } from './facts.ts';
import { grantsToChange, giveAndTake } from './grants.ts';
import { adopt, link } from './link-person.ts';
import { languageOf } from './profile.ts';
import { update } from './update-person.ts';

/** Makes, links, takes in or updates the person. Returns who it is. */
export async function settle(
  work: Work,
  arrival: Arrival,
  facts: SignInFacts,
  said: Admitted,
): Promise<string> {
  const { connection } = arrival.attempt.realm;
  const { mapped } = facts;
  const before = said.outcome === 'create' ? null : (facts.linked ?? facts.holder);
  const userId = said.outcome === 'create' ? await make(work, arrival, facts) : said.userId;

  if (said.outcome === 'link') await adopt(work, userId, { discard: false });
  if (said.outcome === 'join') {
    await adopt(work, userId, { discard: said.discard });
    await unlockUser(work, userId, ['unaffiliated'], connection.accountId);
  }
  if (said.outcome === 'create' || said.outcome === 'join')
    await takeIn(work, arrival, facts, userId);
  if (facts.linked === null) {
    await link(work, arrival, facts, userId, said);
    await settleConflicts(work, connection.id, userId);
  }

  if (before) await update(work, arrival, facts, before, said);
  const changes = grantsToChange(connection.mapping, mapped, before);
  await giveAndTake(work, connection, userId, changes);
  return userId;
}

/** A new person, as their company's provider describes them. */
async function make(
  work: Work,
  arrival: Arrival,
  { mapped, filledIn }: SignInFacts,
): Promise<string> {
  const { connection } = arrival.attempt.realm;
  const userId = await createUser(work, {
    email: mapped.identifier!,
    emailDisplay: mapped.identifierDisplay,
    givenName: mapped.givenName ?? filledIn.givenName ?? '',
    familyName: mapped.familyName ?? filledIn.familyName ?? '',
    country: mapped.country ?? filledIn.country ?? connection.provisioning.defaultCountry,
    language: languageOf(mapped.language),
    identity: 'ready',
    source: 'jit',
  });
  await work.query(
    `update users set phone = $2, job_title = $3, communication_email = $4 where id = $1`,
    // Where mails to a guest go, the directory's own name for them is no mailbox.
    [userId, mapped.phone, mapped.jobTitle, mapped.guest ? mapped.mail : null],
  );
  if (mapped.guest && mapped.mail) await askToConfirm(work, userId);
  work.record(
    'user.jit_created',
    { type: 'user', id: userId },
    { connection: connection.id, attempt: arrival.attempt.id },
    connection.accountId,
  );
  return userId;
}

/** Somebody becomes a member, and is given what the domain and the connection give new people. */
async function takeIn(
  work: Work,
  arrival: Arrival,
  { mapped, filledIn, holder }: SignInFacts,
  userId: string,
): Promise<void> {
  const { connection } = arrival.attempt.realm;
  const { accountId, provisioning } = connection;
  const [account] = await work.query<{ id: string; countries: string[] }>(
    'select id, countries from accounts where id = $1',
    [accountId],
  );
  const defaults = await defaultsOf(work, mapped.identifier!, accountId);
  const country =
    mapped.country ?? filledIn.country ?? holder?.country ?? provisioning.defaultCountry;
  await affiliate(work, userId, accountId, 'just_in_time', {
    entitlementCountry: entitledIn(
      account!,
      null,
      country,
      provisioning.entitlementCountry ?? defaults.entitlementCountry,
    ),
  });
  const roles = await serviceRoles(work, [...defaults.roles, ...provisioning.roles]);
  await give(work, { role: 'co_administrator', accountId, userId: null }, userId, accountId, {
    roles,
    groups: [...new Set([...defaults.groups, ...provisioning.groups])],
  });
}

/** Those that carry no rights over others: no provider and no rule makes administrators. */
async function serviceRoles(work: Work, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const known = await work.query<{ key: string }>(
    `select key from roles where key = any ($1::text[]) and scope = 'account' and not built_in`,
    [[...new Set(keys)]],
  );
  return known.map(({ key }) => key);
}
