import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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

/** What is in the folder is all of a database, and none that can be opened. */
export class FolderDamaged extends Error {
  override readonly name = 'FolderDamaged';

  constructor(folder: string, cause: unknown) {
    super(
      `The embedded database in ${folder} is damaged: it cannot be opened. Move the folder away and ` +
        'start anew, restore a backup, or throw the demo away with npm run demo:reset.',
      { cause },
    );
  }
}

/**
 * The embedded database: PostgreSQL inside this process, in a folder. For one process; survives a
 * killed process, not a power cut (stack.md, section 2). Production uses PostgreSQL.
 *
 * The folder is locked before it is touched. A new one is made beside its place and moved there when
 * it is whole, so a process that dies half-way leaves nothing that the next one could trip over. One
 * that somebody else left half-made is moved out of the way, and not thrown away.
 *
 * @param warn is told what was moved, and where to
 * @throws FolderInUse, FolderDamaged
 */
export async function openEmbedded(
  folder: string,
  entities: Entities,
  warn: (message: string) => void = () => {},
): Promise<Database> {
  const lock = lockFolder(folder);
  try {
    if (!isWhole(folder)) {
      setAside(folder, warn);
      await create(folder);
    }
    return await embeddedOver(await open(folder), entities, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Without these two nobody ever had a database here: they are among the first that are written. */
function isWhole(folder: string): boolean {
  return ['PG_VERSION', 'global/pg_control'].every((file) => existsSync(join(folder, file)));
}

function setAside(folder: string, warn: (message: string) => void): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  let number = 1;
  while (existsSync(`${folder}.half-made-${number}`)) number += 1;
  const aside = `${folder}.half-made-${number}`;
  renameSync(folder, aside);
  warn(`what was in ${folder} was no whole database; it is in ${aside} now`);
}

async function create(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const pglite = await PGlite.create({ dataDir: unfinished });
  await pglite.close();
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // An empty folder that is a mount of its own cannot be replaced: it is filled when it is opened.
    if (!mounted.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    rmSync(unfinished, { recursive: true, force: true });
  }
}

const mounted = new Set(['EBUSY', 'EXDEV']);

async function open(folder: string): Promise<PGlite> {
  try {
    return await PGlite.create({ dataDir: folder, parsers });
  } catch (error) {
    // A folder that may not be read, or a full disk, says so itself.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw new FolderDamaged(folder, error);
  }
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
