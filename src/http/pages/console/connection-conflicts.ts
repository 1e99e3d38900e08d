import type { MessageKey } from '#messages/translate.ts';
import { html, type Child, type Html } from '#platform/html.ts';
import { named, postForm } from '../../form.ts';
import { home } from './connections.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { empty, pager, table } from './parts.ts';

/** Why, and what may be done about it. */
const reasons = {
  user_in_other_account: [
    'outcome.user_in_other_account',
    'connection.conflict.user_in_other_account',
  ],
  member_elsewhere: ['connection.conflict.elsewhere', 'connection.conflict.member_elsewhere'],
  identity_conflict: ['outcome.identity_conflict', 'connection.conflict.relink'],
  external_id_conflict: ['outcome.external_id_conflict', 'connection.conflict.directory'],
  link_withdrawn: ['outcome.link_withdrawn', 'connection.conflict.withdrawn'],
  email_conflict: ['connection.conflict.address', 'connection.conflict.email_conflict'],
} as const satisfies Record<string, readonly [what: MessageKey, todo: MessageKey]>;

export interface ConflictShown {
  id: string;
  reason: keyof typeof reasons;
  userId: string | null;
  email: string;
  connectionId: string | null;
  traceId: string | null;
  times: number;
  lastAt: Date;
}

/** Who came by a provider and does not fit who is known: what an administrator decides about. */
export function conflictsPage(
  page: ConsoleFrame & {
    conflicts: readonly ConflictShown[];
    may: boolean;
    nextCursor: string | null;
    later: boolean;
  },
): Html {
  const { t, conflicts, may, csrf } = page;
  return consolePage(page, {
    title: t('connection.conflicts'),
    lead: t('connection.conflicts_lead'),
    back: { href: home, title: t('rooms.connections') },
    main: html`<div id="list" class="list">
      ${
        conflicts.length === 0
          ? empty(t('connection.conflicts_none'))
          : table({
              caption: t('connection.conflicts'),
              rows: conflicts,
              columns: [
                {
                  title: t('rooms.explain.person'),
                  cell: ({ userId, email, lastAt, times }) => [
                    userId === null
                      ? named(email, 64)
                      : html`<a href="${`/console/users/${userId}`}">${named(email, 64)}</a>`,
                    html`<span class="hint"
                      >${when(page, lastAt)}${times > 1 && [', ', t('connection.conflict.times', { n: times })]}</span
                    >`,
                  ],
                },
                {
                  title: t('rooms.reason'),
                  cell: (one) => [
                    html`<strong>${t(reasons[one.reason][0])}</strong>`,
                    html`<span class="hint">${t(reasons[one.reason][1])}</span>`,
                    html`<div class="actions">${whatHelps(page, one)}</div>`,
                    may &&
                      postForm({ action: `${home}/conflicts/${one.id}/close`, csrf }, [
                        html`<div class="actions">
                          <button type="submit">${t('connection.conflict.done')}</button>
                        </div>`,
                      ]),
                  ],
                },
              ],
            })
      }
      ${pager(page, {
        href: `${home}/conflicts`,
        nextCursor: page.nextCursor,
        later: page.later,
      })}
    </div>`,
  });
}

/** Where it is done, and what came of the last time. */
function whatHelps({ t }: ConsoleFrame, { reason, connectionId, traceId }: ConflictShown): Child {
  const to = (href: string, text: MessageKey): Html =>
    html`<a class="button quiet" href="${href}">${t(text)}</a>`;
  return [
    reason === 'user_in_other_account' && to('/console/users/add', 'connection.conflict.ask'),
    connectionId !== null && [
      reason === 'identity_conflict' && to(`${home}/${connectionId}/people`, 'connection.people'),
      traceId !== null && to(`${home}/${connectionId}/traces/${traceId}`, 'rooms.connection.trace'),
    ],
  ];
}
