import type { MessageKey } from '#messages/translate.ts';
import { html, type Html } from '#platform/html.ts';
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
  external_id_conflict: ['outcome.external_id_conflict', 'connection.conflict.relink'],
  link_withdrawn: ['outcome.link_withdrawn', 'connection.conflict.relink'],
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
                  cell: ({ userId, email }) =>
                    userId === null
                      ? named(email, 64)
                      : html`<a href="${`/console/users/${userId}`}">${named(email, 64)}</a>`,
                },
                {
                  title: t('rooms.reason'),
                  wide: true,
                  cell: ({ reason, connectionId }) => [
                    html`<strong>${t(reasons[reason][0])}</strong>`,
                    html`<span class="hint">${t(reasons[reason][1])}</span>`,
                    reasons[reason][1] === 'connection.conflict.relink' &&
                      connectionId !== null &&
                      html`<a href="${`${home}/${connectionId}/people`}"
                        >${t('connection.people')}</a
                      >`,
                    reason === 'user_in_other_account' &&
                      html`<a href="/console/users/add">${t('connection.conflict.ask')}</a>`,
                  ],
                },
                {
                  title: t('rooms.when'),
                  cell: ({ lastAt, times, connectionId, traceId }) => [
                    connectionId !== null && traceId !== null
                      ? html`<a href="${`${home}/${connectionId}/traces/${traceId}`}"
                          >${when(page, lastAt)}</a
                        >`
                      : when(page, lastAt),
                    times > 1 &&
                      html`<span class="hint"
                        >${t('connection.conflict.times', { n: times })}</span
                      >`,
                  ],
                },
                {
                  title: t('console.actions'),
                  cell: ({ id }) =>
                    may &&
                    postForm({ action: `${home}/conflicts/${id}/close`, csrf }, [
                      html`<button type="submit">${t('connection.conflict.done')}</button>`,
                    ]),
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
