import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Actor } from '../access/actor.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { closeOwnership } from './close-ownership.ts';
import { findDomain, findOwner, lockName } from './domain.ts';
import { refuseWhileInUse } from './domain-use.ts';
import { accountName, contactOf, domainLink, shownDomain, tellAdministrators } from './tell.ts';

const days = 24 * 3600_000;
const requestLife = 30 * days;
/** Who was refused may ask again after this. */
const refusalMemory = 30 * days;

export type RequestKind = 'access' | 'release' | 'transfer';
export type RequestState =
  | 'open'
  | 'granted'
  | 'refused'
  | 'revoked'
  | 'withdrawn'
  | 'expired'
  | 'done';

export interface DomainRequest {
  id: string;
  kind: RequestKind;
  domain: string;
  ownerId: string;
  claimantId: string;
  state: RequestState;
  message: string | null;
  contact: string | null;
  requestedBy: Actor;
  requestedAt: Date;
  decidedBy: { type: string; id?: string; name?: string } | null;
  decidedAt: Date | null;
  expiresAt: Date | null;
  dueAt: Date | null;
}

const columns = `
  id, kind, domain, owner_id as "ownerId", claimant_id as "claimantId", state, message, contact,
  requested_by as "requestedBy", requested_at as "requestedAt", decided_by as "decidedBy",
  decided_at as "decidedAt", expires_at as "expiresAt", due_at as "dueAt"`;

/**
 * An account asks the owner of a domain, whom it does not know, to let it add people of that domain,
 * or to let the domain go. The owner learns who asks; who asks learns nothing (behaviour.md D10, M17).
 *
 * Release is for those who have proved the domain themselves.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_proved`, `rate_limited`
 */
export async function requestDomain(
  work: Work,
  accountId: string,
  name: string,
  kind: 'access' | 'release',
  message: string | null,
): Promise<DomainRequest> {
  await lockName(work, name);
  const owner = await findOwner(work, name);
  if (!owner || owner.accountId === accountId)
    throw new Refusal('domain_not_found', { domain: name });
  if (kind === 'release' && (await findDomain(work, accountId, name))?.state !== 'contested')
    throw new Refusal('domain_not_proved', { domain: name });
  const [open] = await work.query<DomainRequest>(
    `select ${columns} from domain_requests
     where kind = $1 and domain = $2 and claimant_id = $3
       and (state = 'granted' or (state = 'open' and (expires_at is null or expires_at > $4)))`,
    [kind, name, accountId, work.now],
  );
  if (open) return open;
  await work.query(
    `update domain_requests set state = 'expired'
     where kind = $1 and domain = $2 and claimant_id = $3 and state = 'open'`,
    [kind, name, accountId],
  );
  const [refused] = await work.query<{ decided_at: Date }>(
    `select decided_at from domain_requests
     where kind = $1 and domain = $2 and claimant_id = $3 and state = 'refused' and owner_id = $4
       and decided_at > $5 order by decided_at desc limit 1`,
    [kind, name, accountId, owner.accountId, new Date(work.now.getTime() - refusalMemory)],
  );
  if (refused)
    throw new Refusal('rate_limited', {
      until: new Date(refused.decided_at.getTime() + refusalMemory).toISOString(),
    });

  const contact = await contactOf(work, accountId);
  const expiresAt = new Date(work.now.getTime() + requestLife);
  const request = await insertRequest(work, {
    kind,
    domain: name,
    ownerId: owner.accountId,
    claimantId: accountId,
    message,
    contact,
    expiresAt,
    dueAt: null,
  });
  recordBoth(work, request, kind === 'access' ? 'access_requested' : 'release_requested');
  await tellAdministrators(work, owner.accountId, {
    kind: 'domain_contested',
    account: await accountName(work, owner.accountId),
    domain: shownDomain(name),
    request: kind,
    claimant: await accountName(work, accountId),
    contact,
    domainLink: domainLink(work, name),
    expiresAt,
  });
  return request;
}

/**
 * The owner answers. Access lets the other account add people of this one domain, no other; release
 * lets the domain go, and whoever proves it then may own it.
 *
 * @throws {Refusal} `not_found`, `already_decided`, `domain_in_use`
 */
export async function decideRequest(
  work: Work,
  accountId: string,
  requestId: string,
  decision: 'grant' | 'refuse',
): Promise<DomainRequest> {
  const request = await takeRequest(work, requestId);
  if (request.ownerId !== accountId || request.kind === 'transfer') throw new Refusal('not_found');
  requireOpen(work, request);
  const owner = await findOwner(work, request.domain);
  if (owner?.accountId !== accountId) throw new Refusal('already_decided', { state: 'expired' });
  if (decision === 'refuse') {
    await decide(work, request.id, 'refused');
    recordBoth(work, request, request.kind === 'access' ? 'access_refused' : 'release_refused');
  } else if (request.kind === 'access') {
    await decide(work, request.id, 'granted');
    recordBoth(work, request, 'access_granted');
  } else {
    await refuseWhileInUse(work, accountId, request.domain);
    await decide(work, request.id, 'done');
    recordBoth(work, request, 'release_granted');
    await closeOwnership(work, owner, null);
  }
  return requestById(work, request.id);
}

/**
 * The owner takes access back, or the account that has it gives it back, or no longer asks. Who was
 * added meanwhile stays.
 *
 * @throws {Refusal} `not_found`, `already_decided`
 */
export async function endRequest(
  work: Work,
  accountId: string,
  requestId: string,
): Promise<DomainRequest> {
  const request = await takeRequest(work, requestId);
  const { ownerId, claimantId, kind, state } = request;
  if ((ownerId !== accountId && claimantId !== accountId) || kind === 'transfer')
    throw new Refusal('not_found');
  if (state === 'granted') {
    await decide(work, request.id, ownerId === accountId ? 'revoked' : 'withdrawn');
    recordBoth(work, request, ownerId === accountId ? 'access_revoked' : 'access_given_back');
  } else {
    requireOpen(work, request);
    // The owner who does not want it refuses it instead.
    if (ownerId === accountId) throw new Refusal('not_found');
    await decide(work, request.id, 'withdrawn');
    recordBoth(work, request, 'request_withdrawn');
  }
  return requestById(work, request.id);
}

/** A request as one side sees it. */
export interface RequestSeen {
  id: string;
  kind: RequestKind;
  domain: string;
  direction: 'incoming' | 'outgoing';
  state: RequestState;
  message: string | null;
  /** Who asks, for the owner. The owner is never named. */
  claimant: string | null;
  contact: string | null;
  requestedAt: Date;
  decidedAt: Date | null;
  expiresAt: Date | null;
  dueAt: Date | null;
}

/** What was asked of an account, and what it asked of others; the newest first. */
export async function listRequests(sql: Sql, accountId: string, now: Date): Promise<RequestSeen[]> {
  return sql.query<RequestSeen>(
    `select r.id, r.kind, r.domain,
            case when r.owner_id = $1 then 'incoming' else 'outgoing' end as direction,
            case when r.state = 'open' and r.expires_at <= $2 then 'expired' else r.state end as state,
            case when r.kind = 'transfer' then null else r.message end as message,
            case when r.owner_id = $1 then a.name end as claimant,
            case when r.owner_id = $1 then r.contact end as contact,
            r.requested_at as "requestedAt", r.decided_at as "decidedAt",
            r.expires_at as "expiresAt", r.due_at as "dueAt"
     from domain_requests r join accounts a on a.id = r.claimant_id
     where r.owner_id = $1 or r.claimant_id = $1
     order by r.requested_at desc, r.id desc limit 200`,
    [accountId, now],
  );
}

export async function insertRequest(
  work: Work,
  request: Pick<
    DomainRequest,
    'kind' | 'domain' | 'ownerId' | 'claimantId' | 'message' | 'contact' | 'expiresAt' | 'dueAt'
  >,
): Promise<DomainRequest> {
  const [row] = await work.query<DomainRequest>(
    `insert into domain_requests (id, kind, domain, owner_id, claimant_id, message, contact,
       requested_by, requested_at, expires_at, due_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${columns}`,
    [
      newId(work.now.getTime()),
      request.kind,
      request.domain,
      request.ownerId,
      request.claimantId,
      request.message,
      request.contact,
      JSON.stringify(work.actor),
      work.now,
      request.expiresAt,
      request.dueAt,
    ],
  );
  return row!;
}

/** The request, taken for a change, with the name of its domain taken before it. */
export async function takeRequest(work: Work, id: string): Promise<DomainRequest> {
  await lockName(work, (await requestById(work, id)).domain);
  const [request] = await work.query<DomainRequest>(
    `select ${columns} from domain_requests where id = $1 for update`,
    [id],
  );
  return request!;
}

export async function findOpenRequest(
  sql: Sql,
  kind: RequestKind,
  domain: string,
  claimantId: string,
): Promise<DomainRequest | null> {
  const [request] = await sql.query<DomainRequest>(
    `select ${columns} from domain_requests
     where kind = $1 and domain = $2 and claimant_id = $3 and state in ('open', 'granted')`,
    [kind, domain, claimantId],
  );
  return request ?? null;
}

export async function decide(work: Work, id: string, state: RequestState): Promise<void> {
  await work.query(
    'update domain_requests set state = $2, decided_at = $3, decided_by = $4 where id = $1',
    [id, state, work.now, JSON.stringify(work.actor)],
  );
}

async function requestById(sql: Sql, id: string): Promise<DomainRequest> {
  const [request] = await sql.query<DomainRequest>(
    `select ${columns} from domain_requests where id = $1`,
    [id],
  );
  if (!request) throw new Refusal('not_found');
  return request;
}

/** A second decision learns what the first was, and when (behaviour.md 2.4). */
function requireOpen(work: Work, { state, expiresAt, decidedAt, decidedBy }: DomainRequest): void {
  if (state === 'open' && (expiresAt === null || expiresAt > work.now)) return;
  throw new Refusal('already_decided', {
    state: state === 'open' ? 'expired' : state,
    at: decidedAt?.toISOString() ?? null,
    by: decidedBy?.name ?? decidedBy?.id ?? null,
  });
}

type Happened =
  | 'access_requested'
  | 'access_granted'
  | 'access_refused'
  | 'access_revoked'
  | 'access_given_back'
  | 'release_requested'
  | 'release_granted'
  | 'release_refused'
  | 'request_withdrawn'
  | 'transfer_announced'
  | 'transfer_stopped';

/** In both accounts' logs. The claimant's does not say who the owner is. */
export function recordBoth(
  work: Work,
  { domain, ownerId, claimantId, id }: DomainRequest,
  what: Happened,
  details: Record<string, unknown> = {},
): void {
  work.record(
    `domain.${what}`,
    { type: 'domain', id: domain },
    { request: id, claimant: claimantId, ...details },
    ownerId,
  );
  work.record(
    `domain.${what}`,
    { type: 'domain', id: domain },
    { request: id, ...details },
    claimantId,
  );
}
