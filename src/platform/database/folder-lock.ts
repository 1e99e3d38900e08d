import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';

/** The embedded database's folder is in use by another process. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';

  constructor(folder: string) {
    super(
      `The embedded database in ${folder} is in use by another process. ` +
        'It serves one process only: stop that one, or set DATABASE_URL to a PostgreSQL.',
    );
  }
}

/**
 * Takes the folder for this process alone, until it is released or the process ends, however it
 * ends. PGlite itself has no such lock: a second process that merely opens and closes the folder
 * loses the writes of the first (security.md, fact 7).
 *
 * The lock is the operating system's own, on a file beside the folder: SQLite takes it for us, so
 * it needs no native code, leaves nothing stale after a kill -9, and holds across containers that
 * share the volume on one machine, where a socket's name would not.
 */
export function lockFolder(folder: string): { release(): void } {
  mkdirSync(dirname(folder), { recursive: true });
  const file = new DatabaseSync(`${folder}.lock`);
  try {
    file.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive');
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) throw new FolderInUse(folder);
    throw error;
  }
  return { release: () => file.close() };
}

const sqliteBusy = 5;
