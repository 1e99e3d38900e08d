import { AsyncLocalStorage } from 'node:async_hooks';
import type { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { Param, Sql } from './sql.ts';

/** A transaction: plain statements, and MikroORM's unit of work for who asks for it, on one connection. */
export interface Transaction extends Sql {
  /** Made when it is first asked for: most transactions never do. */
  readonly em: SqlEntityManager;
  /** Writes what `em` holds back. */
  flush(): Promise<void>;
  /** Leaves what `em` holds back unwritten, as what it was to go with is taken back. */
  forget(): void;
  /**
   * A statement with which the transaction ends: it goes out with the commit, and where it fails
   * nothing is committed.
   */
  last(text: string, params?: readonly Param[]): void;
}

/**
 * The database, whichever it is. `query` is the quick way: a prepared statement that commits by
 * itself. `transaction` is for what must happen together.
 */
export interface Database extends Sql {
  readonly kind: 'postgres' | 'embedded';
  readonly orm: MikroORM;

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;

  /**
   * Calls back when `notify` is called on the channel, in this process or any other. Returns what
   * ends it.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<() => void>;
  notify(channel: string, payload: string): Promise<void>;

  close(): Promise<void>;
}

interface Tally {
  statements: number;
  texts: string[];
}

const tallies = new AsyncLocalStorage<Tally>();

/** Counts the statements that `run` sends: the first thing to look at when something is slow. */
export async function counted<T>(run: () => Promise<T>): Promise<Tally & { result: T }> {
  const tally: Tally = { statements: 0, texts: [] };
  const result = await tallies.run(tally, run);
  return { ...tally, result };
}

/** Called by the drivers, once for each statement. */
export function tally(text: string): void {
  const current = tallies.getStore();
  if (!current) return;
  current.statements += 1;
  current.texts.push(text);
}

const transactions = new AsyncLocalStorage<true>();

/**
 * Marks that a transaction is open here. The embedded database has one connection: a statement sent
 * past the open transaction would wait for it for ever, so it is refused at once, on both drivers.
 */
export function insideTransaction<T>(work: () => Promise<T>): Promise<T> {
  return transactions.run(true, work);
}

export function refuseInsideTransaction(): void {
  if (transactions.getStore())
    throw new Error('A statement was sent past the open transaction: use the one that was passed.');
}
