import type { Sql } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Asking, PermittedAccount } from '../access/rights.ts';
import { mayGrant } from '../access/rights.ts';
import { mail } from '../mail/mail.ts';
import { Refusal } from '../refusal.ts';
import { domainOf } from '../users/email.ts';
import { findPerson } from '../users/person.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { enterDoor, refusalOf } from './door.ts';
import { givePlaceBack } from './only-invited.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** How long an invitation can be accepted (behaviour.md section 11). */
export const invitationLife = 7 * day;
/** Who is asked to come over from another account has to leave it first: that takes longer. */
export const transferLife = 30 * day;
/** Between two mails of one invitation. */
export const resendPause = 5 * minute;

export const invitationStates = [
  'pending',
  'accepted',
  'declined',
  'revoked',
  'expired',
  'superseded',
] as const;
export type InvitationState = (typeof invitationStates)[number];

export type InvitationLetter = 'invitation' | 'domain_capture';

export interface Invitation {
  id: string;
  accountId: string;
  account: string;
  /** In canonical form. */
  email: string;
  givenName: string;
  familyName: string;
  country: string | null;
  entitlementCountry: string | null;
  roles: string[];
  /** Ids. */
  groups: string[];
  invitedBy: Inviter;
  inviterId: string | null;
  state: InvitationState;
  /** As what it was sent: as an invitation, or to who belongs elsewhere with an address of ours. */
  letter: InvitationLetter;
  sends: number;
  sentAt: Date;
  createdAt: Date;
  expiresAt: Date;
  decidedAt: Date | null;
}

interface Inviter {
  type: string;
  id?: string;
  name?: string;
}

export interface NewInvitation {
  /** In canonical form. */
  email: string;
  givenName: string;
  familyName: string;
  country: string | null;
  language?: string | undefined;
  roles: readonly string[];
  groups: readonly string[];
  entitlementCountry: string | null;
}

/**
 * Writes down an invitation and sends it. What it gives is kept with it: nobody has a role before
 * they accept. Whether it may be sent is decided by the caller.
 */
export async function invite(
  work: Work,
  account: Pick<PermittedAccount, 'id' | 'name'>,
  input: NewInvitation,
  { letter = 'invitation' }: { letter?: InvitationLetter } = {},
): Promise<string> {
  const id = newId(work.now.getTime());
  // One that has run out and was not swept away yet.
  await work.query(
    `update invitations set state = 'expired', decided_at = $3
     where account_id = $1 and email = $2 and state = 'pending' and expires_at <= $3`,
    [account.id, input.email, work.now],
  );
  await work.query(
    `insert into invitations (id, account_id, email, email_display, given_name, family_name, country,
       entitlement_country, roles, groups, invited_by, inviter_id, sent_at, created_at, expires_at,
       letter)
     values ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)`,
    [
      id,
      account.id,
      input.email,
      input.givenName,
      input.familyName,
      input.country,
      input.entitlementCountry,
      [...input.roles],
      [...input.groups],
      JSON.stringify(work.actor),
      work.actor.type === 'user' ? work.actor.id : null,
      work.now,
      new Date(work.now.getTime() + lifeOf(letter)),
      letter,
    ],
  );
  work.record(
    'invitation.sent',
    { type: 'invitation', id },
    // The address stands in the invitation, from where it can be erased.
    { domain: domainOf(input.email), roles: [...input.roles] },
    account.id,
  );
  const [invitation] = await read(work, 'i.id = $1', [id]);
  await send(work, invitation!, { language: input.language ?? null });
  return id;
}

/** A new link in a new mail; the old one is dead. */
async function send(
  work: Work,
  { id, email, givenName, account, expiresAt, letter }: Invitation,
  { language }: { language: string | null },
): Promise<void> {
  const secret = newSecret();
  await work.query('update invitations set secret_hash = $2 where id = $1', [
    id,
    secretHash(secret),
  ]);
  const link = work.link(`/invitations/${secret}`);
  const [known] = await work.query<{ id: string; language: string | null }>(
    `select id, language from users where email = $1 and identity <> 'erased'`,
    [email],
  );
  const to = {
    userId: known?.id,
    email,
    name: givenName,
    locale: known?.language ?? language,
  };
  if (letter === 'invitation')
    mail(work, to, {
      kind: 'invitation',
      account,
      invitedBy: await inviterName(work),
      link,
      expiresAt,
    });
  else
    mail(work, to, {
      kind: 'domain_capture',
      account,
      domain: email.slice(email.lastIndexOf('@') + 1),
      decidesUntil: expiresAt,
      signInLink: link,
    });
}

async function inviterName(work: Work): Promise<string | null> {
  if (work.actor.type !== 'user') return null;
  const person = await findPerson(work, work.actor.id, work.now);
  return person ? `${person.givenName} ${person.familyName}`.trim() || person.email : null;
}

/**
 * Sends an invitation once more, for another seven days, in the name of who does it. One that ran out
 * begins again.
 *
 * @throws {Refusal} `not_found`, `invitation_closed`, `rate_limited` within five minutes, what the
 * verdict says by now
 */
export async function resendInvitation(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  id: string,
): Promise<Invitation> {
  const invitation = await guarded(work, account.id, id);
  if (invitation.state !== 'pending' && invitation.state !== 'expired')
    throw new Refusal('invitation_closed', { state: invitation.state });
  const since = work.now.getTime() - invitation.sentAt.getTime();
  if (invitation.state === 'pending' && since < resendPause)
    throw new Refusal('rate_limited', { retryAfter: Math.ceil((resendPause - since) / 1000) });
  if (!mayGrant(asking.role, invitation.roles))
    throw new Refusal('cannot_grant_higher_role', { roles: invitation.roles });

  const facts = await readFacts(work, invitation.email, account.id, work.now);
  const said = verdict('invitation_acceptance', facts);
  // Who is elsewhere may have been asked to come over.
  if (said.outcome === 'refuse' && said.code !== 'already_affiliated')
    throw refusalOf(said, {
      email: facts.email,
      accountId: account.id,
      userId: facts.person?.id ?? null,
    });
  const others = await work.query(
    `select 1 from invitations where account_id = $1 and email = $2 and state = 'pending' and id <> $3`,
    [account.id, invitation.email, id],
  );
  if (others.length > 0) throw new Refusal('already_invited');
  await work.query(
    `update invitations set state = 'pending', sends = sends + 1, reminders = 0, sent_at = $2, expires_at = $3,
       invited_by = $4, inviter_id = $5, decided_at = null
     where id = $1`,
    [
      id,
      work.now,
      new Date(work.now.getTime() + lifeOf(invitation.letter)),
      JSON.stringify(work.actor),
      work.actor.type === 'user' ? work.actor.id : null,
    ],
  );
  work.record('invitation.resent', { type: 'invitation', id }, {}, account.id);
  const [again] = await read(work, 'i.id = $1', [id]);
  await send(work, again!, { language: null });
  return again!;
}

function lifeOf(letter: InvitationLetter): number {
  return letter === 'invitation' ? invitationLife : transferLife;
}

/**
 * Who was asked to come over is reminded fourteen days, three days and a day before the end
 * (behaviour.md M25): each once, with a new link. Returns how many were.
 */
export async function remindCaptured(work: Work): Promise<number> {
  const due = await work.query<{ id: string; stage: number }>(
    `select id, stage from (
       select i.id, i.reminders, case when i.expires_at <= $1::timestamptz + interval '1 day' then 3
         when i.expires_at <= $1::timestamptz + interval '3 days' then 2 else 1 end as stage
       from invitations i
       where i.letter = 'domain_capture' and i.state = 'pending' and i.expires_at > $1
         and i.expires_at <= $1::timestamptz + interval '14 days'
       order by i.id limit 200 for update of i skip locked) d
     where reminders < stage`,
    [work.now],
  );
  for (const { id, stage } of due) {
    await work.query('update invitations set reminders = $2, sends = sends + 1 where id = $1', [
      id,
      stage,
    ]);
    const [invitation] = await read(work, 'i.id = $1', [id]);
    await send(work, invitation!, { language: null });
    work.record(
      'invitation.resent',
      { type: 'invitation', id },
      { reminder: stage },
      invitation!.accountId,
    );
  }
  return due.length;
}

/** @throws {Refusal} `not_found`, `invitation_closed` */
export async function revokeInvitation(work: Work, accountId: string, id: string): Promise<void> {
  const invitation = await guarded(work, accountId, id);
  if (invitation.state !== 'pending')
    throw new Refusal('invitation_closed', { state: invitation.state });
  await close(work, invitation, 'revoked');
  work.record(
    'invitation.revoked',
    { type: 'invitation', id },
    { domain: domainOf(invitation.email) },
    accountId,
  );
}

/** Ends an invitation that was not accepted. */
export async function close(
  work: Work,
  { id, email, accountId }: Pick<Invitation, 'id' | 'email' | 'accountId'>,
  state: 'declined' | 'revoked' | 'expired',
): Promise<void> {
  await work.query(
    `update invitations set state = $2, decided_at = $3, decided_by = $4 where id = $1`,
    [id, state, work.now, work.actor.type === 'user' ? work.actor.id : null],
  );
  await givePlaceBack(work, email, accountId);
}

/** The pending invitation of a person in this account. @throws {Refusal} `not_found` */
export async function pendingInvitationOf(
  work: Work,
  accountId: string,
  userId: string,
): Promise<Invitation> {
  const [invitation] = await read(
    work,
    `i.account_id = $1 and i.state = 'pending'
     and i.email = (select email from users where id = $2)`,
    [accountId, userId],
  );
  if (!invitation) throw new Refusal('not_found');
  return invitation;
}

/** @throws {Refusal} `not_found` */
export async function invitationById(sql: Sql, accountId: string, id: string): Promise<Invitation> {
  const [invitation] = await read(sql, 'i.id = $1 and i.account_id = $2', [id, accountId]);
  if (!invitation) throw new Refusal('not_found');
  return invitation;
}

/** When an address was invited to an account last. */
export async function invitedAt(sql: Sql, accountId: string, email: string): Promise<Date | null> {
  const [row] = await sql.query<{ sent_at: Date }>(
    `select sent_at from invitations where account_id = $1 and email = $2 and state = 'pending'`,
    [accountId, email],
  );
  return row?.sent_at ?? null;
}

/** The invitation with this link, whatever became of it; null for a link that was replaced. */
export async function invitationByLink(sql: Sql, secret: string): Promise<Invitation | null> {
  const [invitation] = await read(sql, 'i.secret_hash = $1', [secretHash(secret)]);
  return invitation ?? null;
}

/** Invitations of an account, newest first. */
export function listInvitations(
  sql: Sql,
  accountId: string,
  {
    state,
    before,
    limit,
  }: { state?: InvitationState | undefined; before: string | null; limit: number },
): Promise<Invitation[]> {
  return read(
    sql,
    `i.account_id = $1 and ($2 = '' or i.state = $2) and ($3::uuid is null or i.id < $3::uuid)`,
    [accountId, state ?? '', before],
    `order by i.id desc limit ${Math.trunc(limit)}`,
  );
}

/** Invitations that wait for a person. */
export function invitationsFor(sql: Sql, email: string, now: Date): Promise<Invitation[]> {
  return read(
    sql,
    `i.email = $1 and i.state = 'pending' and i.expires_at > $2`,
    [email, now],
    'order by i.id',
  );
}

/** The row, taken, and everything that hangs on its address. */
async function guarded(work: Work, accountId: string, id: string): Promise<Invitation> {
  const [before] = await read(work, 'i.id = $1 and i.account_id = $2', [id, accountId]);
  if (!before) throw new Refusal('not_found');
  await enterDoor(work, accountId, [before.email]);
  const [invitation] = await read(work, 'i.id = $1', [id], 'for update of i');
  return invitation!;
}

export function read(
  sql: Sql,
  where: string,
  params: readonly (string | Date | null)[],
  rest = '',
): Promise<Invitation[]> {
  return sql.query<Invitation>(
    `select i.id, i.account_id as "accountId", a.name as account, i.email,
       i.given_name as "givenName", i.family_name as "familyName", i.country,
       i.entitlement_country as "entitlementCountry", i.roles, i.groups,
       i.invited_by as "invitedBy", i.inviter_id as "inviterId", i.state, i.letter, i.sends,
       i.sent_at as "sentAt", i.created_at as "createdAt", i.expires_at as "expiresAt",
       i.decided_at as "decidedAt"
     from invitations i join accounts a on a.id = i.account_id
     where ${where} ${rest}`,
    params,
  );
}
