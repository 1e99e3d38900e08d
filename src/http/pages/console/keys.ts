import { type Html, html } from '#platform/html.ts';
import { act } from './forms.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { part, table } from './parts.ts';

const states = {
  next: 'rooms.key.next',
  current: 'rooms.key.current',
  retired: 'rooms.key.retired',
} as const;

export interface KeyShown {
  kid: string;
  alg: string;
  state: 'next' | 'current' | 'retired';
  createdAt: Date;
  retiresAt: Date | null;
}

/** The keys that sign tokens: which sign now, which come, which went. */
export function keysPage(page: ConsoleFrame & { keys: readonly KeyShown[] }): Html {
  const { t, keys } = page;
  return consolePage(page, {
    title: t('rooms.keys'),
    lead: t('rooms.keys.lead'),
    main: [
      html`<div class="list">
        ${table({
          caption: t('rooms.keys'),
          rows: keys,
          columns: [
            {
              title: t('rooms.key'),
              cell: ({ kid, alg }) => [
                html`<code>${kid.slice(0, 12)}…</code>`,
                html`<span class="hint">${alg}</span>`,
              ],
            },
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
  });
}
