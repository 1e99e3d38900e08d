import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { named, postForm, select } from '../../form.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import { clear, confirmPage, empty, filters, pager, table, withQuery } from './parts.ts';
import { nameAndEmail, type Named } from './people.ts';

const states = {
  pending: ['people.invitation.pending', 'info'],
  accepted: ['people.invitation.accepted', 'success'],
  declined: ['people.invitation.declined', 'warning'],
  revoked: ['people.invitation.is_revoked', ''],
  expired: ['people.invitation.expired', 'warning'],
  superseded: ['people.invitation.superseded', ''],
} as const satisfies Record<string, readonly [MessageKey, string]>;
type State = keyof typeof states;

export interface InvitationsPage extends ConsoleFrame {
  invitations: readonly (Named & {
    state: State;
    sentAt: Date;
    expiresAt: Date;
    sends: number;
    invitedBy: string | null;
  })[];
  state: string;
  nextCursor: string | null;
  later: boolean;
  /** Whether the reader may invite. */
  may: boolean;
}

export function invitationsPage(page: InvitationsPage): Html {
  const { t, csrf, invitations, state, nextCursor, later, may } = page;
  const title = t('people.invitations');
  return consolePage(page, {
    title,
    lead: t('people.invitations.lead'),
    actions:
      may &&
      html`<a class="button primary" href="/console/invitations/new"
        >${t('people.invite.title')}</a
      >`,
    main: [
      filters(
        page,
        'list',
        select({
          name: 'state',
          label: t('console.status'),
          value: state,
          options: [
            ['', t('people.any')],
            ...Object.entries(states).map(([key, [text]]) => [key, t(text)] as const),
          ],
        }),
        html`<button type="submit">${t('people.apply')}</button>`,
      ),
      html`<div id="list" class="list">
        ${
          invitations.length === 0
            ? state === ''
              ? empty(t('people.invitations.none'))
              : empty(t('people.none_found'), clear(page, '/console/invitations'))
            : table({
                caption: title,
                rows: invitations,
                rowId: ({ id }) => `invitation-${id}`,
                columns: [
                  { title: t('people.name'), cell: (row) => nameAndEmail(row) },
                  {
                    title: t('console.status'),
                    cell: ({ state: is }) =>
                      html`<span class="badge ${states[is][1]}">${t(states[is][0])}</span>`,
                  },
                  {
                    title: t('people.invitation.sent'),
                    wide: true,
                    cell: ({ sentAt, sends }) => [
                      when(page, sentAt),
                      sends > 1 &&
                        html`<span class="hint"
                          >${t('people.invitation.times', { n: sends })}</span
                        >`,
                    ],
                  },
                  {
                    title: t('people.invitation.until'),
                    wide: true,
                    cell: ({ expiresAt }) => when(page, expiresAt),
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: ({ id, email, state: is }) =>
                      may &&
                      (is === 'pending' || is === 'expired') &&
                      html`<span class="do">
                        ${postForm(
                          { action: `/console/invitations/${id}/resend`, csrf },
                          html`<button
                            type="submit"
                            aria-label="${t('people.invitation.resend_to', { email: email ?? '' })}"
                          >
                            ${t('people.invitation.resend')}
                          </button>`,
                        )}
                        ${
                          is === 'pending' &&
                          html`<a
                            class="button quiet"
                            href="/console/invitations/${id}/revoke"
                            aria-label="${t('people.invitation.revoke_of', { email: email ?? '' })}"
                            >${t('people.invitation.revoke')}</a
                          >`
                        }
                      </span>`,
                  },
                ],
              })
        }
        ${pager(page, { href: withQuery('/console/invitations', { state }), nextCursor, later })}
      </div>`,
    ],
  });
}

export interface RevokePage extends ConsoleFrame {
  id: string;
  /** Who was invited. */
  invited: string;
}

export function revokePage(page: RevokePage): Html {
  const { t, id, invited } = page;
  return confirmPage(page, {
    title: t('people.invitation.revoke'),
    back: { href: '/console/invitations', title: t('people.invitations') },
    what: [
      html`<p><strong>${named(invited)}</strong></p>`,
      html`<p>${t('people.invitation.revoke_what')}</p>`,
    ],
    action: `/console/invitations/${id}/revoke`,
    button: t('people.invitation.revoke'),
    danger: true,
  });
}
