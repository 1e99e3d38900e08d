import { newSecret } from '#platform/secrets.ts';
import { Refusal } from '../refusal.ts';
import { unitOfWork, type Foundation, type Work, type WorkContext } from '../work.ts';
import { isRecord } from './dialect.ts';
import { newExchange, type Exchange, type GivenAnswer, type SentRequest } from './exchange.ts';
import { meaningFor } from './exchanges.ts';
import type { Explained, Meaning } from './meaning.ts';
import { factsOf, openSealed } from './recorder.ts';
import { removed, shownOf } from './redact.ts';
import { directoryBehind } from './token.ts';
import type { ScimCaller } from './caller.ts';

/** Answers a request that was kept, within the exchange; the door for directories knows how. */
export type Rehearse = (
  exchange: Exchange,
  sent: Pick<SentRequest, 'method' | 'target' | 'body'>,
) => Promise<GivenAnswer>;

/** What a request would come to today. */
export interface Replayed {
  status: number;
  /** What was answered then. */
  statusThen: number;
  response: unknown;
  meaning: Meaning;
}

interface Kept {
  caller: ScimCaller;
  sent: Pick<SentRequest, 'method' | 'target' | 'body'>;
  userAgent: string | null;
  statusThen: number;
}

/** What a replay came to, before anybody's name was looked up. */
export interface Rehearsal {
  answer: GivenAnswer;
  statusThen: number;
  facts: Explained;
  tokenId: string;
}

/**
 * Asks again what a directory asked, with all that is so today, and keeps nothing of it: the
 * transaction is taken back, no mail leaves, and neither brake nor audit log know of it.
 *
 * @param permitted throws where the asker may not look
 * @throws {Refusal} `not_found`, also for what was too large to be kept
 */
export async function rehearseAgain(
  foundation: Foundation,
  context: WorkContext,
  rehearse: Rehearse,
  exchangeId: string,
  permitted: (work: Work) => Promise<{ id: string }>,
): Promise<Rehearsal> {
  const { caller, sent, statusThen, userAgent } = await unitOfWork(
    foundation,
    context,
    async (work) => kept(foundation, work, (await permitted(work)).id, exchangeId),
  );
  // Whether it is held is not the question: what the request comes to is.
  const exchange = newExchange({ ...caller, held: false }, foundation.clock(), { rehearsal: true });
  const answer = await rehearse(exchange, { ...sent, body: withStandIns(sent.body) });
  const facts = factsOf(exchange, { ...sent, userAgent, ip: null }, answer);
  return { answer, statusThen, facts, tokenId: caller.id };
}

async function kept(
  { vault }: Foundation,
  work: Work,
  accountId: string,
  exchangeId: string,
): Promise<Kept> {
  const [row] = await work.query<{
    token_id: string;
    sealed: string | null;
    status: number;
    user_agent: string | null;
  }>(
    `select token_id, sealed, status, user_agent from scim_exchanges
     where id = $1 and account_id = $2`,
    [exchangeId, accountId],
  );
  const caller = row && (await directoryBehind(work, row.token_id));
  const sent = row && openSealed(vault, exchangeId, row.sealed);
  if (!caller || !sent) throw new Refusal('not_found');
  return { caller, sent, userAgent: row.user_agent, statusThen: row.status };
}

/** Secrets were not kept: others stand in for them, as good as any. */
function withStandIns(value: unknown): unknown {
  if (value === removed) return newSecret(18);
  if (Array.isArray(value)) return value.map(withStandIns);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withStandIns(one)]));
}

/** The result, in words; and a note of who looked. */
export async function replayed(
  work: Work,
  accountId: string,
  exchangeId: string,
  { answer, statusThen, facts, tokenId }: Rehearsal,
): Promise<Replayed> {
  work.record(
    'scim_token.replayed',
    { type: 'scim_token', id: tokenId },
    { request: exchangeId, status: answer.status },
    accountId,
  );
  return {
    status: answer.status,
    statusThen,
    response: shownOf(answer.body) ?? null,
    meaning: await meaningFor(work, facts),
  };
}
