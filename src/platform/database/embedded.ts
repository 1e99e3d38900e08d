import { mkdirSync, renameSync, rmSync, existsSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { MikroORM, type SqlEntityManager } from '@mikro-orm/pglite';
import { CompiledQuery, type Transaction as KyselyTransaction } from 'kysely';
import {
  insideTransaction,
  refuseInsideTransaction,
  tally,
  type Database,
  type Transaction,
} from './database.ts';
import { keepPrepared } from './embedded-statements.ts';
import { lockFolder } from './folder-lock.ts';
import type { Entities } from './postgres.ts';
import type { Param } from './sql.ts';
import { parsers } from './types.ts';

/**
 * The embedded database: PostgreSQL inside this process, in a folder. For one process; survives a
 * killed process, not a power cut (stack.md, section 2). Production uses PostgreSQL.
 *
 * The folder is locked before it is touched. A new one is made beside its place and moved there when
 * it is whole, so a process that dies half-way leaves nothing that the next one could trip over.
 */
export async function openEmbedded(folder: string, entities: Entities): Promise<Database> {
  const lock = lockFolder(folder);
  try {
    if (!existsSync(folder)) await create(folder);
    const pglite = await PGlite.create({ dataDir: folder, parsers });
    return await embeddedOver(pglite, entities, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function create(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const pglite = await PGlite.create({ dataDir: unfinished });
  await pglite.close();
  renameSync(unfinished, folder);
}

/** A PGlite of the caller's, such as the one in memory that a test worker opens. */
export async function embeddedOver(
  pglite: PGlite,
  entities: Entities,
  closed: () => void = () => {},
): Promise<Database> {
  keepPrepared(pglite);
  const orm = await MikroORM.init({
    entities: [...entities],
    dbName: 'postgres',
    driverOptions: { pglite },
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
  });
  const database: Database = {
    kind: 'embedded',
    orm,

    async query<Row>(text: string, params: readonly Param[] = []): Promise<Row[]> {
      refuseInsideTransaction();
      tally(text);
      const { rows } = await pglite.query<Row>(text, [...params], { parsers });
      return rows;
    },

    transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      refuseInsideTransaction();
      return orm.em.fork().transactional(async (em) => {
        const tx = transactionOf(em);
        const result = await insideTransaction(() => work(tx));
        await tx.end();
        return result;
      });
    },

    async listen(channel, heard) {
      const stop = await pglite.listen(channel, heard);
      return () => void stop().catch(() => {});
    },

    async notify(channel, payload) {
      await database.query('select pg_notify($1, $2)', [channel, payload]);
    },

    async close() {
      await orm.close(true);
      await pglite.close();
      closed();
    },
  };
  return database;
}

/** MikroORM's transaction, with plain statements on the same connection. */
function transactionOf(em: SqlEntityManager): Transaction & { end(): Promise<void> } {
  const ending: Parameters<Transaction['last']>[] = [];
  async function query<Row>(text: string, params: readonly Param[] = []): Promise<Row[]> {
    tally(text);
    const trx = em.getTransactionContext<KyselyTransaction<unknown>>()!;
    const { rows } = await trx.executeQuery<Row>(CompiledQuery.raw(text, [...params]));
    return rows;
  }
  return {
    em,
    query,
    flush: () => em.flush(),
    forget: () => em.clear(),
    last: (...statement) => void ending.push(statement),
    async end() {
      await em.flush();
      for (const statement of ending) await query(...statement);
    },
  };
}
