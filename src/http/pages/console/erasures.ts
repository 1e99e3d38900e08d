import { type Html, html } from '#platform/html.ts';
import { named, textArea } from '../../form.ts';
import { consolePage, type ConsoleFrame, when, whenever } from './frame.ts';
import { confirmPage, empty, table } from './parts.ts';

interface ErasureShown {
  id: string;
  userId: string;
  email: string | null;
  name: string;
  state: string;
  requestedAt: Date;
  dueAt: Date | null;
}

export interface ErasuresPage extends ConsoleFrame {
  requests: readonly ErasureShown[];
  may: boolean;
}

export function erasuresPage(page: ErasuresPage): Html {
  const { t, requests, may } = page;
  const title = t('people.erasures');
  return consolePage(page, {
    title,
    lead: t('people.erasures.lead'),
    main: html`<div class="list">
      ${
        requests.length === 0
          ? empty(t('people.erasures.none'))
          : table({
              caption: title,
              rows: requests,
              rowId: ({ id }) => `erasure-${id}`,
              columns: [
                {
                  title: t('people.name'),
                  cell: ({ userId, name, email }) => [
                    html`<a href="/console/users/${userId}">${named(name || (email ?? '–'))}</a>`,
                    email && html`<span class="hint">${named(email)}</span>`,
                  ],
                },
                {
                  title: t('people.erasure.asked'),
                  wide: true,
                  cell: ({ requestedAt }) => when(page, requestedAt),
                },
                {
                  title: t('people.erasure.due'),
                  cell: ({ dueAt }) => whenever(page, dueAt, 'day'),
                },
                {
                  title: t('console.actions'),
                  does: true,
                  cell: ({ id, name, state }) =>
                    may &&
                    state === 'waiting' &&
                    html`<span class="do">
                      <a
                        class="button"
                        href="/console/erasures/${id}/approve"
                        aria-label="${t('people.erasure.approve_of', { name })}"
                        >${t('people.erasure.approve')}</a
                      >
                      <a
                        class="button quiet"
                        href="/console/erasures/${id}/refuse"
                        aria-label="${t('people.erasure.refuse_of', { name })}"
                        >${t('people.erasure.refuse')}</a
                      >
                    </span>`,
                },
              ],
            })
      }
    </div>`,
  });
}

export interface DecideErasurePage extends ConsoleFrame {
  decision: 'approve' | 'refuse';
  request: ErasureShown;
  note: string;
  error: string | null;
}

export function decideErasurePage(page: DecideErasurePage): Html {
  const { t, decision, request, note, error } = page;
  const approve = decision === 'approve';
  const title = t(approve ? 'people.erasure.approve' : 'people.erasure.refuse');
  return confirmPage(page, {
    title,
    back: { href: '/console/erasures', title: t('people.erasures') },
    error,
    what: [
      html`<p><strong>${named(request.name || (request.email ?? '–'))}</strong></p>`,
      html`<p>${t(approve ? 'people.erasure.approve_what' : 'people.erasure.refuse_what')}</p>`,
    ],
    fields: textArea({
      name: 'note',
      most: 500,
      label: t('people.approvals.note'),
      hint: t('people.approvals.note_hint'),
      value: note,
      optional: true,
    }),
    action: `/console/erasures/${request.id}/${decision}`,
    button: title,
    danger: approve,
  });
}
