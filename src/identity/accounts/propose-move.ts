import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Actor } from '../access/actor.ts';
import { personBehind } from '../access/person-behind.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { mergeAccounts, reportMerge, type Merge } from './merge.ts';
import { lockAccounts, requireConfirmed, type MoveReport, type MoveState } from './move-people.ts';
import { reportSplit, splitAccount, type Split } from './split.ts';

/**
 * TWO PERSONS (security.md 3.2: "dry-run + two persons")
 *
 *     propose    an operator read the report and says why. The report is kept. Nothing is changed.
 *     confirm    another operator, who read the same report, within a day: now it begins. Where the
 *                report would be another one by now, it is refused with the new one, and who wants
 *                that proposes it anew.
 *     withdraw   any operator.
 *
 * A newer proposal for the same account takes the place of the older.
 */
export type MoveRequest = ({ kind: 'merge' } & Merge) | ({ kind: 'split' } & Split);

/** How long another operator has to confirm. */
export const proposalLives = 24 * 3600_000;

export interface MoveProposal {
  id: string;
  kind: 'merge' | 'split';
  sourceId: string;
  /** The new account of a split is not there yet. */
  targetId: string | null;
  request: MoveRequest;
  /** As it was when it was proposed. */
  report: MoveReport;
  digest: string;
  reason: string;
  state: 'open' | 'expired' | 'confirmed' | 'withdrawn' | 'superseded';
  proposedBy: Actor;
  /** What they are called: an address, or the name of a token. */
  proposer: string | null;
  /** Who that is: see `personBehind`. */
  person: string;
  proposedAt: Date;
  expiresAt: Date;
  decidedBy: Actor | null;
  decidedAt: Date | null;
  /** What was begun. */
  moveId: string | null;
}

/**
 * What a merge or a split would do. Nothing is changed.
 *
 * @throws {Refusal} `account_not_found`
 */
export function reportMove(
  work: Work,
  request: MoveRequest,
): Promise<{ report: MoveReport; digest: string }> {
  return request.kind === 'merge' ? reportMerge(work, request) : reportSplit(work, request);
}

/**
 * @param confirm the digest of the report that was read.
 * @throws {Refusal} `account_not_found`, `move_refused`, `version_conflict`
 */
export async function proposeMove(
  work: Work,
  request: MoveRequest,
  { confirm, reason }: { confirm: string; reason: string },
): Promise<MoveProposal> {
  const { report, digest } = await reportMove(work, request);
  requireConfirmed(report, confirm);
  await work.query(
    `update account_move_proposals set state = 'superseded', decided_at = $2, decided_by = $3
     where source_id = $1 and state = 'open'`,
    [request.sourceId, work.now, JSON.stringify(work.actor)],
  );
  const id = newId(work.now.getTime());
  const targetId = request.kind === 'merge' ? request.targetId : null;
  await work.query(
    `insert into account_move_proposals (id, kind, source_id, target_id, request, report, digest,
       reason, proposed_by, proposer, proposed_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      id,
      request.kind,
      request.sourceId,
      targetId,
      JSON.stringify(request),
      JSON.stringify(report),
      digest,
      reason,
      JSON.stringify(work.actor),
      await personBehind(work, work.actor),
      work.now,
      new Date(work.now.getTime() + proposalLives),
    ],
  );
  const proposal = await moveProposal(work, id, work.now);
  recordBoth(work, 'account.move_proposed', proposal, { reason, digest });
  return proposal;
}

/**
 * Begins what another operator proposed.
 *
 * @param digest of the report that was read: the one that was proposed.
 * @throws {Refusal} `not_found`, `proposal_closed`, `second_operator_required`, `move_refused`,
 *   `version_conflict` with the report as it is now
 */
export async function confirmMove(work: Work, id: string, digest: string): Promise<MoveState> {
  const proposal = await takeProposal(work, id);
  if ((await personBehind(work, work.actor)) === proposal.person)
    throw new Refusal('second_operator_required');
  const { request, reason, proposedBy } = proposal;
  if (digest !== proposal.digest)
    throw new Refusal('version_conflict', { report: proposal.report, digest: proposal.digest });
  recordBoth(work, 'account.move_confirmed', proposal, { digest, proposedBy });
  const move =
    request.kind === 'merge'
      ? await mergeAccounts(work, { ...request, confirm: digest, reason })
      : await splitAccount(work, { ...request, confirm: digest, reason });
  await decide(work, id, 'confirmed', move.id);
  return move;
}

/** @throws {Refusal} `not_found`, `proposal_closed` */
export async function withdrawMove(work: Work, id: string): Promise<MoveProposal> {
  const proposal = await takeProposal(work, id);
  await decide(work, id, 'withdrawn');
  recordBoth(work, 'account.move_withdrawn', proposal, {});
  return moveProposal(work, id, work.now);
}

/** The newest first. */
export function moveProposals(
  sql: Sql,
  now: Date,
  {
    open,
    accountId,
    after,
    limit,
  }: {
    open?: boolean | undefined;
    accountId?: string | undefined;
    after?: string | undefined;
    limit: number;
  },
): Promise<MoveProposal[]> {
  return sql.query<MoveProposal>(
    `select ${columns} from account_move_proposals p
     where ($2::boolean is null or $2 = (p.state = 'open' and p.expires_at > $1))
       and ($3::uuid is null or $3 in (p.source_id, p.target_id))
       and ($4::uuid is null or p.id < $4)
     order by p.id desc limit $5`,
    [now, open ?? null, accountId ?? null, after ?? null, limit],
  );
}

/** @throws {Refusal} `not_found` */
export async function moveProposal(sql: Sql, id: string, now: Date): Promise<MoveProposal> {
  const [proposal] = await sql.query<MoveProposal>(
    `select ${columns} from account_move_proposals p where p.id = $2`,
    [now, id],
  );
  if (!proposal) throw new Refusal('not_found');
  return proposal;
}

const columns = `p.id, p.kind, p.source_id as "sourceId", p.target_id as "targetId", p.request,
  p.report, p.digest, p.reason,
  case when p.state = 'open' and p.expires_at <= $1 then 'expired' else p.state end as state,
  p.proposed_by as "proposedBy", p.proposer as person, p.proposed_at as "proposedAt", p.expires_at as "expiresAt",
  case p.proposed_by ->> 'type'
    when 'user' then (select u.email_display from users u where u.id::text = p.proposed_by ->> 'id')
    else p.proposed_by ->> 'name' end as proposer,
  p.decided_by as "decidedBy", p.decided_at as "decidedAt", p.move_id as "moveId"`;

/** An open one, taken: after its accounts, as whoever proposes takes them. */
async function takeProposal(work: Work, id: string): Promise<MoveProposal> {
  const { sourceId, targetId } = await moveProposal(work, id, work.now);
  await lockAccounts(work, targetId === null ? [sourceId] : [sourceId, targetId]);
  const [taken] = await work.query<MoveProposal>(
    `select ${columns} from account_move_proposals p
     where p.id = $2 for update`,
    [work.now, id],
  );
  if (taken!.state !== 'open') throw new Refusal('proposal_closed', { state: taken!.state });
  return taken!;
}

async function decide(
  work: Work,
  id: string,
  state: 'confirmed' | 'withdrawn',
  moveId: string | null = null,
): Promise<void> {
  await work.query(
    `update account_move_proposals set state = $2, move_id = $3, decided_at = $4, decided_by = $5
     where id = $1`,
    [id, state, moveId, work.now, JSON.stringify(work.actor)],
  );
}

function recordBoth(
  work: Work,
  action: 'account.move_proposed' | 'account.move_confirmed' | 'account.move_withdrawn',
  { id, kind, sourceId, targetId }: MoveProposal,
  details: Record<string, unknown>,
): void {
  for (const account of [sourceId, targetId])
    if (account !== null)
      work.record(
        action,
        { type: 'account', id: account },
        { proposal: id, kind, from: sourceId, into: targetId, ...details },
        account,
      );
}
