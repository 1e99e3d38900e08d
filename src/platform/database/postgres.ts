import { MikroORM, type EntitySchema, type EntityClass } from '@mikro-orm/postgresql';
import { CompiledQuery, type Transaction as KyselyTransaction } from 'kysely';
import { Client, TypeOverrides, type ClientConfig } from 'pg';
import {
  insideTransaction,
  refuseInsideTransaction,
  tally,
  type Database,
  type Transaction,
} from './database.ts';
import { statementName, type Param } from './sql.ts';
import { parsers } from './types.ts';

export type Entities = readonly (EntitySchema | EntityClass<object>)[];

/** How many connections one process keeps: pipelined ones for single statements, pooled ones for transactions. */
export interface PostgresSizes {
  pipelines: number;
  pool: number;
}

/**
 * PostgreSQL 15 or newer.
 *
 * Single statements go over a few connections that pipeline: many are under way on each at once,
 * prepared by name. Two of them beat a pool of four (performance.md, section 2). Transactions have
 * MikroORM's pool, because they hold a connection to themselves.
 */
export async function openPostgres(
  url: string,
  entities: Entities,
  onWarning: (message: string) => void,
  sizes: PostgresSizes = { pipelines: 2, pool: 6 },
): Promise<Database> {
  const types = new TypeOverrides();
  for (const [oid, parse] of Object.entries(parsers)) types.setTypeParser(Number(oid), parse);

  const session = {
    connectionString: url,
    types,
    application_name: 'ostiary',
    connectionTimeoutMillis: 5000,
    statement_timeout: 5000,
    lock_timeout: 4000,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
  };
  const orm = await MikroORM.init({
    entities: [...entities],
    clientUrl: url,
    pool: { min: 1, max: sizes.pool },
    driverOptions: { ...session, connectionString: undefined },
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
    logger: onWarning,
  });

  const pipelines = Array.from({ length: sizes.pipelines }, () => new Pipeline(session, onWarning));
  let turn = 0;
  let listener: Client | undefined;
  const listeners = new Map<string, ((payload: string) => void)[]>();
  let closing = false;

  async function listenAgain(): Promise<void> {
    const client = new Client({ ...session, statement_timeout: 0 });
    client.on('error', () => {});
    client.on('end', () => {
      if (listener !== client) return;
      listener = undefined;
      if (closing) return;
      // Whatever was said meanwhile went unheard: everyone looks again.
      setTimeout(() => {
        if (closing) return;
        listenAgain().then(
          () => listeners.forEach((heard) => heard.forEach((hear) => hear(''))),
          (error: Error) => onWarning(`LISTEN could not be renewed: ${error.message}`),
        );
      }, 500).unref();
    });
    client.on('notification', ({ channel, payload }) => {
      for (const hear of listeners.get(channel) ?? []) hear(payload ?? '');
    });
    await client.connect();
    listener = client;
    for (const channel of listeners.keys()) await client.query(`listen ${channel}`);
  }

  const database: Database = {
    kind: 'postgres',
    orm,

    query(text, params = []) {
      refuseInsideTransaction();
      tally(text);
      turn = (turn + 1) % pipelines.length;
      return pipelines[turn]!.query(text, params);
    },

    transaction(work) {
      refuseInsideTransaction();
      return orm.em.fork().transactional((em) => insideTransaction(() => work(transactionOf(em))));
    },

    async listen(channel, heard) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), heard]);
      if (listener) await listener.query(`listen ${channel}`);
      else await listenAgain();
    },

    async notify(channel, payload) {
      await database.query('select pg_notify($1, $2)', [channel, payload]);
    },

    async close() {
      closing = true;
      await Promise.all([...pipelines.map((pipeline) => pipeline.close()), listener?.end()]);
      await orm.close(true);
    },
  };
  return database;
}

/** MikroORM's transaction, with plain statements on the same connection. */
export function transactionOf(em: Transaction['em']): Transaction {
  return {
    em,
    async query<Row>(text: string, params: readonly Param[] = []): Promise<Row[]> {
      tally(text);
      const trx = em.getTransactionContext<KyselyTransaction<unknown>>()!;
      const { rows } = await trx.executeQuery<Row>(CompiledQuery.raw(text, [...params]));
      return rows;
    },
  };
}

/** One connection that sends without waiting for the answer before. Renewed when it breaks. */
class Pipeline {
  readonly #config: ClientConfig;
  readonly #onWarning: (message: string) => void;
  #client: Promise<Client> | undefined;

  constructor(config: ClientConfig, onWarning: (message: string) => void) {
    this.#config = config;
    this.#onWarning = onWarning;
  }

  async query<Row>(text: string, values: readonly Param[]): Promise<Row[]> {
    const client = await (this.#client ??= this.#connect());
    const { rows } = await client.query({ name: statementName(text), text, values: [...values] });
    return rows as Row[];
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end();
  }

  async #connect(): Promise<Client> {
    const client = new Client({ ...this.#config, pipeline: true });
    const forget = (error?: Error): void => {
      if (error) this.#onWarning(`PostgreSQL connection lost: ${error.message}`);
      this.#client = undefined;
    };
    client.on('error', forget);
    client.on('end', () => forget());
    try {
      await client.connect();
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
    return client;
  }
}
