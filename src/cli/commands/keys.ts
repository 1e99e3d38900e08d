import { userInfo } from 'node:os';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { vault } from '#platform/secrets.ts';
import { unitOfWork } from '#identity/work.ts';
import type { Command, Said } from '../command.ts';
import type { Ground } from '../ground.ts';
import { listed } from '../print.ts';

interface Key {
  kid: string;
  alg: string;
  state: string;
  activatesAt: string | Date;
  retiresAt: string | Date | null;
}

function shown(items: readonly Key[]): Said {
  const moment = (at: string | Date | null): string =>
    at === null ? '-' : at instanceof Date ? at.toISOString() : at;
  return listed(items, {
    KID: ({ kid }) => kid,
    ALG: ({ alg }) => alg,
    STATE: ({ state }) => state,
    SINCE: ({ activatesAt }) => moment(activatesAt),
    'PUBLISHED UNTIL': ({ retiresAt }) => moment(retiresAt),
  });
}

/** On the database itself; on that of a running server, which has it to itself, through its API. */
async function onDatabase<T>(
  ground: Ground,
  direct: (database: Database) => Promise<T>,
  throughApi: () => Promise<T>,
): Promise<T> {
  let database: Database;
  try {
    database = await ground.openDatabase();
  } catch (error) {
    if ((error as Error).name === 'FolderInUse') return throughApi();
    throw error;
  }
  try {
    return await direct(database);
  } finally {
    await database.close();
  }
}

export const keysCommands: Command[] = [
  {
    noun: 'keys',
    verb: 'list',
    summary: 'Lists the keys that sign tokens.',
    run: (_given, { api, ground }) =>
      onDatabase<Said>(
        ground,
        async (database) => {
          const { listSigningKeys } = await import('#identity/keys/signing-keys.ts');
          return shown(await listSigningKeys(database));
        },
        async () => shown(await api.list<Key>('/keys')),
      ),
  },
  {
    noun: 'keys',
    verb: 'rotate',
    summary: 'The next keys sign from now on; the current ones retire.',
    options: {
      discard: { summary: 'A key was stolen: withdraws the retired ones, and all they signed.' },
    },
    run: (given, { api, ground }) =>
      onDatabase<Said>(
        ground,
        async (database) => {
          const { keysChannel, newSigningKey, rotateSigningKeys, signingAlgorithms } =
            await import('#identity/keys/signing-keys.ts');
          const { issuer, secrets } = ground.config();
          const safe = vault(secrets);
          const fresh = await Promise.all(signingAlgorithms.map((alg) => newSigningKey(alg)));
          const keys = await unitOfWork(
            { database, vault: safe, clock: systemClock, issuer },
            { actor: { type: 'command_line', id: userInfo().username } },
            (work) => rotateSigningKeys(work, safe, fresh, { discard: given.on('discard') }),
          );
          await database.notify(keysChannel, '');
          return shown(keys);
        },
        async () => {
          const body = { discard: given.on('discard') };
          const { items } = await api.send<{ items: Key[] }>('POST', '/keys/rotate', body);
          return shown(items);
        },
      ),
  },
];
