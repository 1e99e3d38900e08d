import type { PasswordHasher } from '#platform/password-hash.ts';
import { administratorNames } from '../accounts/administrators.ts';
import { mayGrant, type AdministeringRole } from '../access/rights.ts';
import { whyNoAdministratorGrant } from '../access/change-roles.ts';
import { rightsNow } from '../access/rights-now.ts';
import { passwordProblems } from '../credentials/password-rules.ts';
import { passwordRulesFor } from '../credentials/policy.ts';
import { storePassword } from '../credentials/password.ts';
import type { PasswordProblem } from '../credentials/password-rules.ts';
import { mail } from '../mail/mail.ts';
import type { RefusalCode } from '../refusal.ts';
import { affiliate } from '../users/affiliate.ts';
import { createUser } from '../users/create-user.ts';
import { canonicalEmail } from '../users/email.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson, findPersonByEmail, type Person } from '../users/person.ts';
import { readFacts } from '../verdict/facts.ts';
import { isOnlyInvited, verdict, type Facts } from '../verdict/verdict.ts';
import { unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import { enterDoor } from './door.ts';
import { entitledHere, give } from './given.ts';
import { close, invitationByLink, read, type Invitation } from './invite.ts';
import { takeOver } from './only-invited.ts';

/** Why an invitation cannot be accepted, now or any more. Said on the page, in words. */
export type InvitationStop =
  | 'unknown'
  | 'declined'
  | 'revoked'
  | 'expired'
  | 'superseded'
  | 'accepted'
  | 'wrong_person'
  | 'member_elsewhere'
  | 'domain_owned_by_other'
  | 'account_on_hold'
  | 'inviter'
  | 'not_addable'
  | 'sign_in_upstream';

/** Who the person that answers is known to be, before anything is done. */
export type Way =
  /** Signed in as the invited address: one button. */
  | 'signed_in'
  /** There is a person with this address, who has to prove that it is them. */
  | 'sign_in'
  /** The person may not sign in for having been removed from an account: the password alone proves it. */
  | 'password'
  /** Nobody has proved this address: the link did, and a password is chosen. */
  | 'create';

export interface InvitationView {
  invitation: Invitation;
  /** Who invites, as people know them; null for a program. */
  inviter: string | null;
  stop: InvitationStop | null;
  /** Already a member of just this account. */
  done: boolean;
  way: Way;
  /** The names of the groups that come along. */
  groups: string[];
}

/**
 * What there is to say about an invitation to whoever opened its link. Looking uses nothing up:
 * mail scanners follow links.
 */
export async function viewInvitation(
  { database, clock }: Pick<Foundation, 'database' | 'clock'>,
  secret: string,
  current: Person | null,
): Promise<InvitationView | null> {
  const now = clock();
  const invitation = await invitationByLink(database, secret);
  if (!invitation) return null;
  const facts = await readFacts(database, invitation.email, invitation.accountId, now);
  const judged = await judge(database, invitation, facts, now);
  const mine = current !== null && canonicalEmail(current.email) === invitation.email;
  const known = await findPersonByEmail(database, invitation.email, now);
  const groups = await database.query<{ name: string }>(
    'select name from groups where id = any ($1::uuid[]) order by name',
    [invitation.groups],
  );
  return {
    invitation,
    inviter: await nameOfInviter(database, invitation, now),
    stop: stopFor(judged, invitation, { mine, signedIn: current !== null }),
    done: mine && judged.done,
    way: mine ? 'signed_in' : wayOf(facts, known),
    groups: groups.map(({ name }) => name),
  };
}

function wayOf({ person }: Facts, known: Person | null): Way {
  if (!person || isOnlyInvited(person) || known?.identity === 'invited') return 'create';
  // Whoever was removed somewhere cannot sign in anywhere: here they prove themselves on the spot.
  return person.locks.includes('unaffiliated') ? 'password' : 'sign_in';
}

export type InvitationAnswer =
  | { outcome: 'accepted'; person: Person; account: string; created: boolean }
  | { outcome: 'stopped'; stop: InvitationStop; account: string | null }
  | { outcome: 'problems'; problems: PasswordProblem[] };

/** How the person proved who they are: a session or a password of theirs, or the link and a new one. */
export type Proof =
  | { by: 'person'; userId: string }
  | {
      by: 'new_password';
      password: string;
      again: string;
      givenName: string;
      familyName: string;
      country: string;
      language: string;
    };

/**
 * Accepts an invitation, once. Everything is looked at again, because days have passed and links are
 * forwarded: whose it is, whether it still stands, whether the inviter may still give what it gives,
 * and what the verdict says by now (security.md 3.2, D-80).
 */
export async function acceptInvitation(
  foundation: Foundation,
  hasher: PasswordHasher,
  secret: string,
  proof: Proof,
  origin: Origin,
): Promise<InvitationAnswer> {
  const before = await invitationByLink(foundation.database, secret);
  if (!before) return { outcome: 'stopped', stop: 'unknown', account: null };
  let hash: string | null = null;
  if (proof.by === 'new_password') {
    const { password, again, givenName, familyName } = proof;
    const problems = passwordProblems(
      password,
      [before.email, givenName, familyName, before.account],
      await passwordRulesFor(foundation.database, before),
    );
    if (problems.length === 0 && password !== again) problems.push('mismatch');
    if (problems.length > 0) return { outcome: 'problems', problems };
    hash = await hasher.hash(password);
  }

  const actor =
    proof.by === 'person'
      ? ({ type: 'user', id: proof.userId } as const)
      : ({ type: 'anonymous' } as const);
  return unitOfWork(foundation, { actor, origin }, async (work): Promise<InvitationAnswer> => {
    const invitation = await taken(work, before, secret);
    if (!invitation) return { outcome: 'stopped', stop: 'unknown', account: before.account };
    const { accountId, account, email } = invitation;
    const facts = await readFacts(work, email, accountId, work.now);
    const person = facts.person && (await findPerson(work, facts.person.id, work.now));
    const stopped = (stop: InvitationStop): InvitationAnswer => {
      work.record(
        'invitation.refused',
        { type: 'invitation', id: invitation.id },
        { reason: stop },
        accountId,
      );
      return { outcome: 'stopped', stop, account };
    };

    if (proof.by === 'person' && proof.userId !== person?.id) return stopped('wrong_person');
    const judged = await judge(work, invitation, facts, work.now);
    if (judged.done && proof.by === 'person')
      return { outcome: 'accepted', person: person!, account, created: false };
    if (judged.stop) return stopped(judged.stop);
    // A link is no proof against a person who has a way to prove themselves.
    if (proof.by === 'new_password' && wayOf(facts, person) !== 'create')
      return stopped('wrong_person');

    const userId = await accept(work, invitation, facts, proof, hash, judged.inviter!);
    return {
      outcome: 'accepted',
      person: (await findPerson(work, userId, work.now))!,
      account,
      created: proof.by === 'new_password',
    };
  });
}

async function accept(
  work: Work,
  invitation: Invitation,
  facts: Facts,
  proof: Proof,
  hash: string | null,
  inviter: AdministeringRole,
): Promise<string> {
  const { id, accountId, email } = invitation;
  let userId = facts.person?.id ?? null;
  if (proof.by === 'new_password') {
    const known = {
      givenName: proof.givenName,
      familyName: proof.familyName,
      country: proof.country,
      language: proof.language,
      identity: 'ready',
      source: 'admin',
    } as const;
    if (userId === null) userId = await createUser(work, { ...known, email, emailDisplay: email });
    else await takeOver(work, userId, known);
    await storePassword(work, userId, hash!);
  }
  await work.query(
    `update invitations set state = 'accepted', decided_at = $2, decided_by = $3 where id = $1`,
    [id, work.now, userId],
  );
  const countries = facts.account?.countries ?? [];
  const before = (await findPerson(work, userId!, work.now))!;
  const asked = invitation.entitlementCountry;
  await affiliate(work, userId!, accountId, 'invitation', {
    entitlementCountry: entitledHere(
      facts,
      asked && countries.includes(asked) ? asked : null,
      before.country,
    ),
    by: id,
  });
  // The act of the inviter and the proof of the mailbox are the release (behaviour.md U16).
  await unlockUser(work, userId!, ['unaffiliated'], accountId);
  await give(
    work,
    // Who invited proved who they are when they did.
    { role: inviter, accountId, userId: invitation.inviterId, provedAnew: true },
    userId!,
    accountId,
    invitation,
  );
  work.record('invitation.accepted', { type: 'invitation', id }, { user: userId }, accountId);
  if (proof.by === 'new_password')
    mail(
      work,
      { userId: userId!, email, name: proof.givenName, locale: proof.language },
      {
        kind: 'welcome',
        account: invitation.account,
        administrators: await administratorNames(work, accountId),
        signInLink: work.link('/'),
      },
    );
  return userId!;
}

/**
 * The invited person says no. The link alone is enough: nothing is gained by it.
 *
 * @param current who is signed in in this browser; somebody else may not.
 */
export async function declineInvitation(
  foundation: Foundation,
  secret: string,
  current: Person | null,
  origin: Origin,
): Promise<{
  outcome: 'declined' | 'stopped';
  stop: InvitationStop | null;
  account: string | null;
}> {
  const before = await invitationByLink(foundation.database, secret);
  if (!before) return { outcome: 'stopped', stop: 'unknown', account: null };
  const actor = current
    ? ({ type: 'user', id: current.id } as const)
    : ({ type: 'anonymous' } as const);
  return unitOfWork(foundation, { actor, origin }, async (work) => {
    const invitation = await taken(work, before, secret);
    const stopped = (stop: InvitationStop) =>
      ({ outcome: 'stopped', stop, account: before.account }) as const;
    if (!invitation) return stopped('unknown');
    if (current && canonicalEmail(current.email) !== invitation.email)
      return stopped('wrong_person');
    const ended = endOf(invitation, work.now);
    if (ended) return stopped(ended);
    await close(work, invitation, 'declined');
    work.record(
      'invitation.declined',
      { type: 'invitation', id: invitation.id },
      {},
      invitation.accountId,
    );
    return { outcome: 'declined', stop: null, account: invitation.account };
  });
}

/** The row, taken, while its link is still the one it was opened by. */
async function taken(work: Work, before: Invitation, secret: string): Promise<Invitation | null> {
  await enterDoor(work, before.accountId, [before.email]);
  const [row] = await read(work, 'i.id = $1', [before.id], 'for update of i');
  const still = await invitationByLink(work, secret);
  return row && still ? row : null;
}

/** How an invitation ended, by the clock and not by whether anything has swept. */
function endOf({ state, expiresAt }: Invitation, now: Date): InvitationStop | null {
  if (state !== 'pending') return state;
  return expiresAt <= now ? 'expired' : null;
}

interface Judged {
  stop: InvitationStop | null;
  done: boolean;
  /** With whose rights it gives what it gives. */
  inviter: AdministeringRole | null;
}

async function judge(
  sql: Work | Foundation['database'],
  invitation: Invitation,
  facts: Facts,
  now: Date,
): Promise<Judged> {
  const said = verdict('invitation_acceptance', facts);
  const done = said.outcome === 'nothing';
  const ended = endOf(invitation, now);
  if (done || ended) return { stop: ended ?? 'accepted', done, inviter: null };
  if (said.outcome === 'sign_in_upstream')
    return { stop: 'sign_in_upstream', done: false, inviter: null };
  if (said.outcome === 'refuse')
    return { stop: stops[said.code!] ?? 'not_addable', done: false, inviter: null };
  const inviter = await rightsNow(sql, invitation.invitedBy, invitation.accountId, now);
  if (!inviter || !(await mayStillGive(sql, invitation, inviter)))
    return { stop: 'inviter', done: false, inviter: null };
  return { stop: null, done: false, inviter };
}

/** What is said of it: what concerns the person is for them alone, for the link may be in other hands. */
function stopFor(
  { stop, done }: Judged,
  { state }: Invitation,
  { mine, signedIn }: { mine: boolean; signedIn: boolean },
): InvitationStop | null {
  if (mine) return done ? null : stop;
  if (signedIn) return 'wrong_person';
  const personal = stop === 'member_elsewhere' || stop === 'not_addable';
  return personal || (done && state === 'pending') ? null : stop;
}

const stops: Partial<Record<RefusalCode, InvitationStop>> = {
  account_on_hold: 'account_on_hold',
  already_affiliated: 'member_elsewhere',
  domain_owned_by_other: 'domain_owned_by_other',
  user_not_addable: 'not_addable',
};

/** Whether whoever invited may give these roles now: that may have become the operators' alone. */
async function mayStillGive(
  sql: Work | Foundation['database'],
  { accountId, roles, inviterId }: Invitation,
  role: AdministeringRole,
): Promise<boolean> {
  if (!mayGrant(role, roles)) return false;
  if (!roles.includes('account_administrator')) return true;
  // Who invited proved who they are when they did.
  const asking = { role, accountId, userId: inviterId, provedAnew: true };
  return (await whyNoAdministratorGrant(sql, asking, accountId)) === null;
}

async function nameOfInviter(
  sql: Foundation['database'],
  { invitedBy }: Invitation,
  now: Date,
): Promise<string | null> {
  if (invitedBy.type !== 'user' || !invitedBy.id) return null;
  const person = await findPerson(sql, invitedBy.id, now);
  return person ? `${person.givenName} ${person.familyName}`.trim() || person.email : null;
}
