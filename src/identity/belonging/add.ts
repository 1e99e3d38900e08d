import { administratorNames } from '../accounts/administrators.ts';
import type { Asking, PermittedAccount } from '../access/rights.ts';
import { sendActivation } from '../credentials/password.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { affiliate } from '../users/affiliate.ts';
import { askToConfirm } from '../users/communication.ts';
import { createUser } from '../users/create-user.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson } from '../users/person.ts';
import { verdict, type Door, type Facts, type Verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { factsAtDoor, refusalOf } from './door.ts';
import { entitledHere, give, requireGiveable, type Given } from './given.ts';
import { invite, invitedAt } from './invite.ts';
import { holdPlace, takeOver } from './only-invited.ts';

export interface AddedUser extends Given {
  /** As it was typed. */
  email: string;
  givenName: string;
  familyName: string;
  country: string;
  language?: string | undefined;
  /** Where mail goes instead, in canonical form. */
  communicationEmail?: string | undefined;
  sendInvitation?: boolean | undefined;
}

export type AddOutcome = 'created' | 'added' | 'invited';

export interface Added {
  outcome: AddOutcome;
  /** Null in a dry run. */
  userId: string | null;
  message: string | null;
  /** Signs in at their organization, and sets no password here. */
  upstream: boolean;
}

/**
 * An administrator adds somebody: what happens is the verdict's to say (behaviour.md section 6).
 *
 *     rows 1 to 9   a refusal, with what can be done instead
 *     row 10, 11    a new member, who sets a password or signs in at the company
 *     row 12        an invitation; a member only when it is accepted
 *
 * @param mode `dry-run`: only say what would happen.
 * @throws {Refusal} the code of the row that says no, with what can be done instead.
 */
export async function addUser(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  input: AddedUser,
  {
    mode = 'apply',
    door = 'admin_add',
  }: { mode?: 'apply' | 'dry-run'; door?: 'admin_add' | 'bulk_add' } = {},
): Promise<Added> {
  const { facts, said } = await judge(work, door, account, input.email);
  const outcome = outcomes[said.outcome];
  if (!outcome) throw await refusal(work, said, facts, account);
  const given = await requireGiveable(work, asking, account, input);
  const { message } = said;
  const upstream = facts.domain === 'mine_federated';
  if (mode === 'dry-run') return { outcome, userId: null, message, upstream };

  const source = door === 'bulk_add' ? 'import' : 'admin';
  const userId = await personFor(work, facts, input, source);
  if (said.outcome === 'create_provisional') {
    await holdPlace(work, userId, account.id);
    await invite(work, account, { ...input, ...given, email: facts.email! });
    return { outcome, userId, message, upstream };
  }
  await affiliate(work, userId, account.id, door === 'bulk_add' ? 'import' : 'added', {
    entitlementCountry: entitledHere(facts, given.entitlementCountry, input.country),
  });
  await give(work, asking, userId, account.id, given);
  if (input.communicationEmail) await askToConfirm(work, userId);
  // Who signs in at their organization has no password to set.
  if (!upstream && input.sendInvitation !== false)
    await sendActivation(work, (await findPerson(work, userId, work.now))!, {
      invitedBy: await nameOf(work, asking),
    });
  return { outcome, userId, message, upstream };
}

const outcomes: Partial<Record<Verdict['outcome'], AddOutcome>> = {
  create_member: 'created',
  create_provisional: 'invited',
};

/**
 * Takes a person who belongs nowhere into the account that owns their domain: the button
 * "Add to account". The lock stays unless it is asked to go (behaviour.md U15).
 *
 * @throws {Refusal} `user_not_found` for anybody the account has no say about, else as `addUser`.
 */
export async function addToAccount(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  userId: string,
  { unlock = false, ...input }: Given & { unlock?: boolean | undefined } = {},
): Promise<void> {
  const { facts, said } = await judgePerson(work, account, userId);
  if (!said.actions.includes('add_to_account')) throw await refusal(work, said, facts, account);
  const given = await requireGiveable(work, asking, account, input);
  const before = (await findPerson(work, userId, work.now))!;
  await affiliate(work, userId, account.id, 'added', {
    entitlementCountry: entitledHere(facts, given.entitlementCountry, before.country),
  });
  await give(work, asking, userId, account.id, given);
  if (unlock) await unlockUser(work, userId, ['unaffiliated'], account.id);

  const member = (await findPerson(work, userId, work.now))!;
  if (member.identity !== 'ready' && facts.domain === 'mine_federated') return;
  if (member.identity !== 'ready')
    return sendActivation(work, member, { invitedBy: await nameOf(work, asking) });
  mail(work, toPerson(member), {
    kind: 'added_to_account',
    account: account.name,
    administrators: await administratorNames(work, account.id),
    locked: member.locks.length > 0,
    signInLink: work.link('/'),
  });
}

/**
 * Asks a person who belongs nowhere whether they want to join: the button "Invite to Account". They
 * become a member by their own act alone (behaviour.md section 6, row 9).
 *
 * @throws {Refusal} `user_not_found` for anybody the account has no say about, else as `addUser`.
 */
export async function inviteToAccount(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  userId: string,
  input: Given = {},
): Promise<void> {
  const { facts, said } = await judgePerson(work, account, userId, 'invite');
  if (said.outcome !== 'invite') throw await refusal(work, said, facts, account);
  const given = await requireGiveable(work, asking, account, input);
  const person = (await findPerson(work, userId, work.now))!;
  await holdPlace(work, userId, account.id);
  await invite(work, account, {
    email: facts.email!,
    givenName: person.givenName,
    familyName: person.familyName,
    country: person.country,
    language: person.language ?? undefined,
    ...given,
  });
}

/**
 * Invites an address, whoever has it: a person who belongs nowhere, or nobody yet.
 *
 * @throws {Refusal} as `addUser`
 */
export async function inviteAddress(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  input: AddedUser,
): Promise<Added> {
  const { facts, said } = await judge(work, 'invite', account, input.email);
  if (said.outcome === 'refuse') throw await refusal(work, said, facts, account);
  if (said.outcome === 'create_member') return addUser(work, asking, account, input);
  const given = await requireGiveable(work, asking, account, input);
  const known = facts.person;
  const userId = known?.id ?? (await personFor(work, facts, input, 'admin'));
  await holdPlace(work, userId, account.id);
  await invite(work, account, { ...input, ...given, email: facts.email! });
  return { outcome: 'invited', userId, message: said.message, upstream: false };
}

/**
 * Asks a person of a domain that this account owns, who belongs to another, to come over. Nothing
 * moves but by their own act, after they left where they are; whose people they are is told nobody
 * (behaviour.md section 3.4).
 *
 * @throws {Refusal} `user_not_found` for anybody it cannot be asked of.
 */
export async function requestTransfer(
  work: Work,
  account: PermittedAccount,
  userId: string,
): Promise<void> {
  const { facts, said } = await judgePerson(work, account, userId);
  if (!said.actions.includes('request_transfer')) throw new Refusal('user_not_found');
  const asked = await invitedAt(work, account.id, facts.email!);
  if (asked)
    throw refusalOf(
      { ...said, code: 'already_invited', actions: ['resend_invitation'] },
      { email: facts.email, accountId: account.id, userId, invitedAt: asked },
    );
  const person = (await findPerson(work, userId, work.now))!;
  await invite(
    work,
    account,
    {
      email: facts.email!,
      givenName: person.givenName,
      familyName: person.familyName,
      country: person.country,
      language: person.language ?? undefined,
      roles: [],
      groups: [],
      entitlementCountry: null,
    },
    { letter: 'domain_capture' },
  );
  work.record('user.transfer_requested', { type: 'user', id: userId }, {}, account.id);
}

/** Reads what is known, behind the door, and says what may happen. */
async function judge(
  work: Work,
  door: Door,
  account: PermittedAccount,
  email: unknown,
): Promise<{ facts: Facts; said: Verdict }> {
  const facts = await factsAtDoor(work, account.id, email);
  return { facts, said: verdict(door, facts) };
}

/**
 * The same for a person whom an earlier answer named. An id proves nothing: somebody who is in none
 * of this account's domains and lists is nobody here.
 */
async function judgePerson(
  work: Work,
  account: PermittedAccount,
  userId: string,
  door: Door = 'admin_add',
): Promise<{ facts: Facts; said: Verdict }> {
  const person = await findPerson(work, userId, work.now);
  if (!person?.email) throw new Refusal('user_not_found');
  const { facts, said } = await judge(work, door, account, person.email);
  if (facts.person?.id !== userId) throw new Refusal('user_not_found');
  if (hidden.has(said.code ?? '') && !isOwn(facts)) throw new Refusal('user_not_found');
  return { facts, said };
}

const hidden = new Set(['user_in_other_account', 'domain_owned_by_other']);

function isOwn({ domain }: Facts): boolean {
  return domain === 'mine' || domain === 'mine_federated';
}

/** The record of the person: a new one, or the one of somebody who was merely invited elsewhere. */
async function personFor(
  work: Work,
  facts: Facts,
  input: AddedUser,
  source: 'admin' | 'import',
): Promise<string> {
  const person = {
    givenName: input.givenName,
    familyName: input.familyName,
    country: input.country,
    language: input.language ?? null,
    identity: 'invited',
    source,
  } as const;
  const userId =
    facts.person?.id ??
    (await createUser(work, { ...person, email: facts.email!, emailDisplay: input.email }));
  if (facts.person) await takeOver(work, userId, person);
  if (input.communicationEmail)
    await work.query('update users set communication_email = $2 where id = $1', [
      userId,
      input.communicationEmail,
    ]);
  return userId;
}

async function refusal(
  work: Work,
  said: Verdict,
  facts: Facts,
  { id: accountId }: PermittedAccount,
): Promise<Refusal> {
  const { email, person } = facts;
  return refusalOf(said, {
    email,
    accountId,
    userId: person?.id ?? null,
    invitedAt:
      said.code === 'already_invited' ? await invitedAt(work, accountId, email!) : undefined,
  });
}

/** Who asks, as it stands in a mail: a person by name, a program not at all. */
export async function nameOf(
  work: Work,
  { userId }: Pick<Asking, 'userId'>,
): Promise<string | null> {
  const person = userId && (await findPerson(work, userId, work.now));
  return person ? `${person.givenName} ${person.familyName}`.trim() || person.email : null;
}
