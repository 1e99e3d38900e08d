import {
  listSigningKeys,
  newSigningKey,
  rotateSigningKeys,
  signingAlgorithms,
} from '#identity/keys/signing-keys.ts';
import { keysPage } from '../../pages/console/keys.ts';
import type { Room } from '../room.ts';

/** The keys that sign tokens. */
export const keys: Room = {
  menu: {
    path: '/installation/keys',
    title: 'rooms.keys',
    section: 'installation',
    right: 'keys:manage',
    everywhere: true,
  },
  open(door) {
    door.get('/installation/keys', 'keys:manage', async (visit) => {
      visit.show(keysPage({ ...visit.page, keys: await listSigningKeys(visit.sql) }));
    });

    door.post(
      '/installation/keys/rotate',
      'keys:manage',
      async (visit) => {
        const { vault } = visit.tools.foundation;
        // Making a key takes its time: not while a transaction waits.
        const fresh = await Promise.all(signingAlgorithms.map((alg) => newSigningKey(alg)));
        await visit.operate((work) =>
          rotateSigningKeys(work, vault, fresh, { discard: visit.value('discard') === 'yes' }),
        );
        await visit.tools.announce.keys_changed();
        visit.done('/installation/keys', visit.t('rooms.keys.rotated'));
      },
      { fresh: true },
    );
  },
};
