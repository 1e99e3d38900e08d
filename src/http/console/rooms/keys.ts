import {
  listSigningKeys,
  newSigningKey,
  rotateSigningKeys,
  signingAlgorithms,
} from '#identity/keys/signing-keys.ts';
import { html } from '#platform/html.ts';
import { consolePage, when, whenever } from '../../pages/console/frame.ts';
import { act } from '../../pages/console/forms.ts';
import { part, table } from '../../pages/console/parts.ts';
import type { Room } from '../room.ts';

const states = {
  next: 'rooms.key.next',
  current: 'rooms.key.current',
  retired: 'rooms.key.retired',
} as const;

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
      const { t, page } = visit;
      visit.show(
        consolePage(page, {
          title: t('rooms.keys'),
          lead: t('rooms.keys.lead'),
          main: [
            html`<div class="list">
              ${table({
                caption: t('rooms.keys'),
                rows: await listSigningKeys(visit.sql),
                columns: [
                  {
                    title: t('rooms.key'),
                    cell: ({ kid }) => html`<code>${kid.slice(0, 12)}…</code>`,
                  },
                  { title: t('rooms.key.alg'), cell: ({ alg }) => alg },
                  {
                    title: t('console.status'),
                    cell: ({ state }) =>
                      html`<span class="badge ${state === 'current' && 'success'}"
                        >${t(states[state])}</span
                      >`,
                  },
                  {
                    title: t('rooms.created'),
                    wide: true,
                    cell: ({ createdAt }) => when(page, createdAt, 'day'),
                  },
                  {
                    title: t('rooms.key.until'),
                    wide: true,
                    cell: ({ retiresAt }) => whenever(page, retiresAt, 'day'),
                  },
                ],
              })}
            </div>`,
            part(t('rooms.keys.rotate'), [
              html`<p>${t('rooms.keys.rotate_text')}</p>`,
              act(page, {
                action: '/console/installation/keys/rotate',
                label: t('rooms.keys.rotate'),
                kind: 'primary',
              }),
            ]),
            part(t('rooms.keys.discard'), [
              html`<p>${t('rooms.keys.discard_text')}</p>`,
              act(page, {
                action: '/console/installation/keys/rotate',
                label: t('rooms.keys.discard'),
                values: { discard: 'yes' },
                kind: 'danger',
              }),
            ]),
          ],
        }),
      );
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
