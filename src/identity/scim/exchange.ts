import { AsyncLocalStorage } from 'node:async_hooks';
import { newId } from '#platform/ids.ts';
import {
  type AuditRow,
  type Foundation,
  type Origin,
  type Outgoing,
  type Work,
  type WorkContext,
  unitOfWork,
} from '../work.ts';
import type { ScimCaller } from './caller.ts';

/** Why a connection is to be held: what it would have come to, and what it may at most. */
export interface Excess {
  departures: number;
  number: number;
  share: number;
  minutes: number;
}

/** One request of a directory, while it is answered: what the recorder and the brake know of it. */
export interface Exchange {
  /** Stands in the audit rows as their batch. */
  readonly id: string;
  readonly caller: ScimCaller;
  readonly begun: Date;
  /** Nothing it does is kept: the token is for trying out, or it is a replay. */
  readonly rehearsal: boolean;
  /** What was written down, or would have been. */
  readonly audit: AuditRow[];
  readonly outbox: Outgoing[];
  /** Set where the brake was touched. */
  excess: Excess | null;
  /** The last administrator, where they would have been put out. */
  spared: string | null;
}

/** A request of a directory, below `/scim/v2`. */
export interface SentRequest {
  method: string;
  /** Path and query, such as `/Users?filter=...`. */
  target: string;
  /** As it was read; as text where it could not be. Never a token. */
  body: unknown;
  userAgent: string | null;
  ip: string | null;
}

export interface GivenAnswer {
  status: number;
  body: unknown;
}

const exchanges = new AsyncLocalStorage<Exchange>();

/** Begins one. `rehearsal` makes one of a request of any token. */
export function newExchange(
  caller: ScimCaller,
  begun: Date,
  { rehearsal = caller.dryRun }: { rehearsal?: boolean } = {},
): Exchange {
  return {
    id: newId(begun.getTime()),
    caller,
    begun,
    rehearsal,
    audit: [],
    outbox: [],
    excess: null,
    spared: null,
  };
}

/** Everything `answer` does belongs to this exchange. */
export function during<T>(exchange: Exchange, answer: () => Promise<T>): Promise<T> {
  return exchanges.run(exchange, answer);
}

/** The exchange that is being answered, where there is one. */
export function currentExchange(): Exchange | undefined {
  return exchanges.getStore();
}

/**
 * One unit of work of a directory. It is kept, or in a rehearsal taken back at its end; either way
 * the exchange knows what it was.
 */
export function directoryWork<T>(
  foundation: Foundation,
  exchange: Exchange,
  origin: Origin,
  command: (work: Work) => Promise<T>,
): Promise<T> {
  const context = { ...contextOf(exchange, origin), rehearsal: exchange.rehearsal };
  return unitOfWork(foundation, context, command);
}

/** What is written down about the work of an exchange, which hears of it. */
export function contextOf(exchange: Exchange, origin: Origin): WorkContext {
  const { id, name } = exchange.caller;
  return {
    actor: { type: 'scim_token', id, name },
    origin: { ...origin, batchId: exchange.id },
    heard(audit, outbox) {
      exchange.audit.push(...audit);
      exchange.outbox.push(...outbox);
    },
  };
}
