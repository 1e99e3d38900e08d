import type { Duplex } from 'node:stream';
import type { MikroORM, SqlEntityManager } from '@mikro-orm/postgresql';
import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { insideTransaction, tally, type Transaction } from './database.ts';
import { onlyReads, type Param } from './sql.ts';

/**
 * A transaction on a connection of its own. What need not wait does not: the `begin` goes out with the
 * first statements that only read, and the `commit` with the last ones (performance.md, section 2).
 */
export async function transact<T>(
  pool: Pool,
  orm: MikroORM,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const tx = new PostgresTransaction(client, orm);
  let broken = false;
  try {
    const result = await insideTransaction(() => work(tx));
    await tx.commit();
    return result;
  } catch (error) {
    // Why it failed is what is told, not that a connection which broke cannot take anything back.
    await client.query('rollback').catch(() => (broken = true));
    throw error;
  } finally {
    client.release(broken);
  }
}

class PostgresTransaction implements Transaction {
  readonly #client: PoolClient;
  readonly #orm: MikroORM;
  readonly #stream: Duplex;
  readonly #begun: Promise<unknown>;
  readonly #last: [text: string, params: readonly Param[]][] = [];
  #waits = false;
  #em: SqlEntityManager | undefined;

  constructor(client: PoolClient, orm: MikroORM) {
    this.#client = client;
    this.#orm = orm;
    // Held until what comes next is there too: one write for both.
    const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
    this.#stream = stream;
    stream.cork();
    process.nextTick(() => stream.uncork());
    this.#begun = client.query('begin');
    // Whoever sends the next statement hears of it.
    this.#begun.catch(() => {});
  }

  get em(): SqlEntityManager {
    if (!this.#em) {
      this.#em = this.#orm.em.fork();
      this.#em.setTransactionContext(over(this.#client));
    }
    return this.#em;
  }

  async flush(): Promise<void> {
    await this.#em?.flush();
  }

  forget(): void {
    this.#em?.clear();
  }

  async query<Row>(text: string, params: readonly Param[] = []): Promise<Row[]> {
    tally(text);
    // What writes must not go out alone, should there be no transaction after all; nor may anything
    // overtake it.
    this.#waits ||= !onlyReads(text);
    if (this.#waits) await this.#begun;
    const { rows } = await this.#client.query(text, [...params]);
    return rows as Row[];
  }

  last(text: string, params: readonly Param[] = []): void {
    this.#last.push([text, params]);
  }

  /** One that fails makes the `commit` behind it take back everything, as PostgreSQL does. */
  async commit(): Promise<void> {
    await this.flush();
    await this.#begun;
    this.#stream.cork();
    const sent = this.#last.map(([text, params]) => {
      tally(text);
      return this.#client.query(text, [...params]);
    });
    const committed = this.#client.query('commit');
    this.#stream.uncork();
    const outcomes = await Promise.allSettled([...sent, committed]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    // What failed and was passed over without a savepoint: nothing was kept, so nobody may think so.
    const { command } = await committed;
    if (command !== 'COMMIT') throw new Error('The transaction had failed: nothing was committed.');
  }
}

/** What MikroORM takes for a transaction: a connection that is in one already. */
function over(client: PoolClient): never {
  const connection = {
    query: client.query.bind(client),
    release() {},
  } as unknown as PostgresPoolClient;
  const dialect = new PostgresDialect({
    pool: { options: {}, connect: () => Promise.resolve(connection), end: () => Promise.resolve() },
  });
  return new Kysely<unknown>({ dialect }) as never;
}
