import { Socket } from 'node:net';
import { MikroORM, type EntitySchema, type EntityClass } from '@mikro-orm/postgresql';
import { Client, TypeOverrides, type ClientConfig } from 'pg';
import { refuseInsideTransaction, tally, type Database } from './database.ts';
import { transact } from './postgres-transaction.ts';
import { PreparedQuery, written, type Columns } from './prepared-query.ts';
import { onlyReads, statementName, type Param } from './sql.ts';
import { parsers } from './types.ts';

export type Entities = readonly (EntitySchema | EntityClass<object>)[];

/** How many connections one process keeps: pipelined ones for single statements, pooled ones for transactions. */
export interface PostgresSizes {
  readers: number;
  writers: number;
  pool: number;
}

/**
 * PostgreSQL 15 or newer.
 *
 * Single statements go over a few connections that pipeline: many are under way on each at once,
 * prepared by name (performance.md, section 2). What only reads has connections of its own, so that
 * it never waits behind a commit that waits for the disk. Transactions have MikroORM's pool, because
 * they hold a connection to themselves.
 */
export async function openPostgres(
  url: string,
  entities: Entities,
  onWarning: (message: string) => void,
  sizes: PostgresSizes = { readers: 1, writers: 4, pool: 6 },
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
    // Every statement here is short; compiling one takes longer than running it.
    options: '-c jit=off',
  };
  const orm = await MikroORM.init({
    entities: [...entities],
    clientUrl: url,
    pool: { min: 1, max: sizes.pool },
    // The address again, as it is: MikroORM reads no parameters in it, such as `sslmode` or `host`.
    driverOptions: { ...session, Client: PreparingClient },
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
    logger: onWarning,
  });

  const pool = await orm.em.getConnection().getNativeClient();
  const connections = (count: number, setting?: string): Pipeline[] =>
    Array.from({ length: count }, () => new Pipeline(session, onWarning, setting));
  const readers = connections(sizes.readers);
  const writers = connections(sizes.writers);
  const relaxed = connections(2, 'set synchronous_commit = off');
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

    query(text, params = [], { fleeting = false, anew = false } = {}) {
      refuseInsideTransaction();
      tally(text);
      const pipelines = onlyReads(text) ? readers : fleeting ? relaxed : writers;
      return idlest(pipelines).query(text, params, anew);
    },

    transaction(work) {
      refuseInsideTransaction();
      return transact(pool, orm, work);
    },

    async listen(channel, heard) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), heard]);
      if (listener) await listener.query(`listen ${channel}`);
      else await listenAgain();
      return () => {
        const others = (listeners.get(channel) ?? []).filter((hear) => hear !== heard);
        listeners.set(channel, others);
      };
    },

    async notify(channel, payload) {
      await database.query('select pg_notify($1, $2)', [channel, payload]);
    },

    async close() {
      closing = true;
      await Promise.all([
        ...[...readers, ...writers, ...relaxed].map((pipeline) => pipeline.close()),
        listener?.end(),
      ]);
      await orm.close(true);
      // MikroORM closes the pool it has used itself, and nobody else's use of it counts.
      if (!pool.ending) await pool.end();
    },
  };
  return database;
}

function idlest(pipelines: readonly Pipeline[]): Pipeline {
  let best = pipelines[0]!;
  for (const one of pipelines) if (one.waiting < best.waiting) best = one;
  return best;
}

/**
 * A connection of the pool. Kysely sends every statement to be parsed and planned anew; what a
 * transaction of ours sends is the same statement again and again, and planning the larger ones takes
 * longer than carrying them out. So they are prepared by name here too.
 */
class PreparingClient extends Client {
  constructor(config?: ClientConfig) {
    super({ ...config, pipeline: true });
    const send = this.query.bind(this) as (...given: unknown[]) => unknown;
    const query = (text: unknown, values: unknown, ...rest: unknown[]): unknown =>
      typeof text === 'string' && Array.isArray(values) && values.length > 0 && isRepeated(text)
        ? send({ name: statementName(text), text, values: values.map(timeWritten) }, ...rest)
        : send(text, values, ...rest);
    Object.assign(this, { query });
  }
}

/** What comes from Kysely may be anything that `pg` takes. */
function timeWritten(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value;
}

/** Texts that are made up each time, such as those with as many values as there are, stay few. */
const mostPrepared = 2000;
const repeated = new Set<string>();

function isRepeated(text: string): boolean {
  if (repeated.has(text)) return true;
  if (repeated.size >= mostPrepared) return false;
  repeated.add(text);
  return true;
}

/** One connection that sends without waiting for the answer before. Renewed when it breaks. */
class Pipeline {
  readonly #config: ClientConfig;
  readonly #onWarning: (message: string) => void;
  readonly #setting: string | undefined;
  readonly #parserOf: (type: number) => (text: string) => unknown;
  #connecting: Promise<Client> | undefined;
  #client: Client | undefined;
  #socket: Socket | undefined;
  #held = false;
  /** What the connection was told of its statements. */
  #known = new Map<string, Columns>();
  /** Statements that were sent and not answered. */
  waiting = 0;

  /** `setting` is sent first on each connection. */
  constructor(config: ClientConfig, onWarning: (message: string) => void, setting?: string) {
    this.#config = config;
    this.#onWarning = onWarning;
    this.#setting = setting;
    this.#parserOf = (type) => config.types!.getTypeParser(type) as (text: string) => unknown;
  }

  async query<Row>(text: string, values: readonly Param[], anew: boolean): Promise<Row[]> {
    this.waiting += 1;
    try {
      const client = this.#client ?? (await (this.#connecting ??= this.#connect()));
      this.#hold();
      const sent = values.map(written);
      if (anew) return (await client.query({ text, values: sent })).rows as Row[];
      return await new Promise<Row[]>((resolve, reject) => {
        const options = {
          name: statementName(text),
          text,
          values: sent,
          known: this.#known,
          parserOf: this.#parserOf,
          done: (error: Error | null, rows: Row[]) => (error ? reject(error) : resolve(rows)),
        };
        client.query(new PreparedQuery<Row>(options));
      });
    } catch (error) {
      // Where it was asked for, and not where the answer was read.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    } finally {
      this.waiting -= 1;
    }
  }

  async close(): Promise<void> {
    const client = await this.#connecting?.catch(() => undefined);
    this.#forget();
    await client?.end();
  }

  /**
   * Requests that arrive together send their statements together: one write for all of them instead
   * of one for each, at the end of this turn of the event loop.
   */
  #hold(): void {
    if (this.#held) return;
    const socket = this.#socket!;
    this.#held = true;
    socket.cork();
    setImmediate(() => {
      this.#held = false;
      socket.uncork();
    });
  }

  #forget(): void {
    this.#client = undefined;
    this.#connecting = undefined;
  }

  async #connect(): Promise<Client> {
    const socket = new Socket();
    const client = new Client({
      ...this.#config,
      pipeline: true,
      stream: () => socket,
    });
    const forget = (error?: Error): void => {
      if (error) this.#onWarning(`PostgreSQL connection lost: ${error.message}`);
      this.#forget();
    };
    client.on('error', forget);
    client.on('end', () => forget());
    try {
      await client.connect();
      if (this.#setting !== undefined) await client.query(this.#setting);
    } catch (error) {
      this.#forget();
      throw error;
    }
    this.#socket = socket;
    this.#known = new Map();
    this.#client = client;
    return client;
  }
}
