import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, named, notice, textArea } from '../../form.ts';
import { giving, type Giving } from './add-user.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import { box, confirmPage, empty, pager, selectionHead, table } from './parts.ts';
import { countryName, nameAndEmail, nameOf, type Named } from './people.ts';

export type Decision = 'approve' | 'reject';

interface RequestRow extends Named {
  domain: string;
  country: string | null;
  requestedAt: Date;
  source: 'registration' | 'rejoin' | 'federated';
  client: { name: string } | null;
}

const sources = {
  registration: 'people.approvals.registration',
  rejoin: 'people.approvals.rejoin',
  federated: 'people.approvals.federated',
} as const satisfies Record<RequestRow['source'], MessageKey>;

export interface ApprovalsPage extends ConsoleFrame {
  requests: readonly RequestRow[];
  nextCursor: string | null;
  later: boolean;
}

export function approvalsPage(page: ApprovalsPage): Html {
  const { t, requests, nextCursor, later } = page;
  const title = t('people.approvals');
  return consolePage(page, {
    title,
    lead: t('people.approvals.lead'),
    main: html`<form method="get" action="/console/approvals/approve">
      <div id="list" class="list" data-list>
        ${
          requests.length === 0
            ? empty(
                t('people.approvals.none'),
                html`<a class="button" href="/console/domains">${t('people.approvals.auto')}</a>`,
              )
            : [
                selectionHead(page, {
                  here: 0,
                  actions: [
                    html`<button type="submit" formaction="/console/approvals/reject">
                      ${t('people.approvals.reject')}
                    </button>`,
                    html`<button class="primary" type="submit">
                      ${t('people.approvals.approve')}
                    </button>`,
                  ],
                }),
                table({
                  caption: title,
                  rows: requests,
                  rowId: ({ id }) => `request-${id}`,
                  columns: [
                    {
                      title: html`<span class="hidden">${t('people.tick')}</span>`,
                      cell: (row) =>
                        box('ids', row.id, {
                          id: `tick-${row.id}`,
                          label: t('people.tick_one', { name: nameOf(row) }),
                        }),
                    },
                    { title: t('people.name'), cell: (row) => nameAndEmail(row) },
                    {
                      title: t('people.domain'),
                      wide: true,
                      cell: ({ domain }) => named(domain),
                    },
                    {
                      title: t('profile.country'),
                      wide: true,
                      cell: ({ country }) => countryName(page, country),
                    },
                    {
                      title: t('people.source'),
                      wide: true,
                      cell: ({ source, client }) => [
                        t(sources[source]),
                        client && html`<span class="hint">${named(client.name)}</span>`,
                      ],
                    },
                    {
                      title: t('people.approvals.since'),
                      wide: true,
                      cell: ({ requestedAt }) => when(page, requestedAt),
                    },
                  ],
                }),
              ]
        }
        ${pager(page, { href: '/console/approvals', nextCursor, later })}
      </div>
    </form>`,
  });
}

export interface DecidePage extends Giving {
  decision: Decision;
  people: readonly Named[];
  values: {
    entitlementCountry: string;
    roles: readonly string[];
    groups: readonly string[];
    note: string;
    message: string;
  };
  error: Child;
}

export function decidePage(page: DecidePage): Html {
  const { t, decision, people, values, error } = page;
  const approve = decision === 'approve';
  return confirmPage(page, {
    title: t(approve ? 'people.approvals.approve' : 'people.approvals.reject'),
    back: { href: '/console/approvals', title: t('people.approvals') },
    error,
    what: [
      html`<p><strong>${t('people.do.for', { n: people.length })}</strong></p>`,
      html`<ul class="chosen-people">
        ${people.slice(0, 20).map((person) => html`<li>${nameAndEmail(person)}</li>`)}
        ${people.length > 20 && html`<li>${t('people.do.and_more', { n: people.length - 20 })}</li>`}
      </ul>`,
      html`<p>${t(approve ? 'people.approvals.approve_what' : 'people.approvals.reject_what')}</p>`,
    ],
    fields: [
      approve && giving(page, values),
      !approve &&
        textArea({
          name: 'message',
          most: 500,
          label: t('people.approvals.message'),
          hint: t('people.approvals.message_hint'),
          value: values.message,
          optional: true,
        }),
      textArea({
        name: 'note',
        most: 500,
        label: t('people.approvals.note'),
        hint: t('people.approvals.note_hint'),
        value: values.note,
        optional: true,
      }),
    ],
    action: `/console/approvals/${decision}`,
    values: { ids: people.map(({ id }) => id) },
    button: t(approve ? 'people.approvals.approve' : 'people.approvals.reject'),
    danger: !approve,
  });
}

export interface DecidedPage extends ConsoleFrame {
  text: string | null;
  refused: readonly {
    email: string | null;
    reason: string;
    decidedBy: string | null;
    decidedAt: Date | null;
  }[];
}

export function decidedPage(page: DecidedPage): Html {
  const { t, text, refused } = page;
  return consolePage(page, {
    title: t('people.approvals'),
    failed: true,
    main: html`<section class="card part">
      ${text && html`<div role="status">${notice('success', text)}</div>`}
      ${alert([
        html`<p>${t('people.do.not_for', { n: refused.length })}</p>`,
        html`<ul>
          ${refused.map(
            ({ email, reason, decidedBy, decidedAt }) =>
              html`<li>
                <strong>${named(email ?? '–')}</strong>: ${reason}
                ${
                  decidedBy &&
                  decidedAt &&
                  t.parts('people.approvals.decided', {
                    by: named(decidedBy),
                    when: when(page, decidedAt),
                  })
                }
              </li>`,
          )}
        </ul>`,
      ])}
      <p><a class="button primary" href="/console/approvals">${t('console.go_back')}</a></p>
    </section>`,
  });
}
