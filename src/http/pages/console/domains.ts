import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { named, postForm } from '../../form.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { act, questions, type Errors } from './forms.ts';
import { empty, part, table } from './parts.ts';

export type StateShown =
  | 'listed'
  | 'pending'
  | 'owned'
  | 'contested'
  | 'at_risk'
  | 'lapsed'
  | 'released'
  | 'expired'
  | 'cancelled';
export type Signup = 'approve' | 'auto' | 'closed';

export interface DomainRow {
  name: string;
  /** As people read it. */
  shown: string;
  state: StateShown;
  signup: Signup;
  users: number;
  waiting: number;
}

export interface RequestShown {
  id: string;
  kind: 'access' | 'release' | 'transfer';
  domain: string;
  direction: 'incoming' | 'outgoing';
  state: string;
  message: string | null;
  claimant: string | null;
  contact: string | null;
  requestedAt: Date;
  dueAt: Date | null;
}

export interface DomainsPage extends ConsoleFrame {
  domains: readonly DomainRow[];
  requests: readonly RequestShown[];
  /** Whether this person may claim and decide. */
  may: boolean;
}

export const stateNames: Record<StateShown, MessageKey> = {
  listed: 'rooms.domain.listed',
  pending: 'rooms.domain.pending',
  owned: 'rooms.domain.owned',
  contested: 'rooms.domain.contested',
  at_risk: 'rooms.domain.at_risk',
  lapsed: 'rooms.domain.lapsed',
  released: 'rooms.domain.released',
  expired: 'rooms.domain.expired',
  cancelled: 'rooms.domain.cancelled',
};

export const stateTexts: Record<StateShown, MessageKey> = {
  listed: 'rooms.domain.listed_text',
  pending: 'rooms.domain.pending_text',
  owned: 'rooms.domain.owned_text',
  contested: 'rooms.domain.contested_text',
  at_risk: 'rooms.domain.at_risk_text',
  lapsed: 'rooms.domain.lapsed_text',
  released: 'rooms.domain.released_text',
  expired: 'rooms.domain.expired_text',
  cancelled: 'rooms.domain.cancelled_text',
};

export const signupNames: Record<Signup, MessageKey> = {
  approve: 'rooms.signup.approve',
  auto: 'rooms.signup.auto',
  closed: 'rooms.signup.closed',
};

export function domainBadge({ t }: ConsoleFrame, state: StateShown): Html {
  const tone =
    state === 'owned'
      ? 'success'
      : state === 'at_risk' || state === 'lapsed' || state === 'contested'
        ? 'danger'
        : state === 'pending'
          ? 'warning'
          : '';
  return html`<span class="badge ${tone}">${t(stateNames[state])}</span>`;
}

export function hrefOf(name: string): string {
  return `/console/domains/${encodeURIComponent(name)}`;
}

/** The domains of the account, and what is asked about them. */
export function domainsPage(page: DomainsPage): Html {
  const { t, domains, requests, may } = page;
  return consolePage(page, {
    title: t('rooms.domains'),
    lead: t('rooms.domains.lead'),
    actions:
      may &&
      html`<a class="button primary" href="/console/domains/claim">${t('rooms.domain.claim')}</a>`,
    main: [
      html`<div id="list" class="list">
        ${
          domains.length === 0
            ? empty(t('rooms.domains.none'))
            : table({
                caption: t('rooms.domains'),
                rows: domains,
                columns: [
                  {
                    title: t('rooms.domain'),
                    cell: ({ name, shown }) => html`<a href="${hrefOf(name)}">${named(shown)}</a>`,
                  },
                  { title: t('console.status'), cell: ({ state }) => domainBadge(page, state) },
                  {
                    title: t('rooms.domain.signup'),
                    wide: true,
                    cell: ({ signup, state }) =>
                      state === 'listed' ? '–' : t(signupNames[signup]),
                  },
                  {
                    title: t('rooms.domain.users'),
                    number: true,
                    wide: true,
                    cell: ({ users }) => users.toLocaleString(t.locale),
                  },
                  {
                    title: t('rooms.domain.waiting'),
                    number: true,
                    cell: ({ waiting }) => waiting.toLocaleString(t.locale),
                  },
                ],
              })
        }
      </div>`,
      requests.length > 0 &&
        part(
          t('rooms.requests'),
          html`<ul class="rows">
            ${requests.map((request) => html`<li id="request-${request.id}">${requestRow(page, request)}</li>`)}
          </ul>`,
          { id: 'requests' },
        ),
    ],
  });
}

const requestTexts: Record<string, MessageKey> = {
  'access incoming': 'rooms.request.access_in',
  'release incoming': 'rooms.request.release_in',
  'transfer incoming': 'rooms.request.transfer_in',
  'access outgoing': 'rooms.request.access_out',
  'release outgoing': 'rooms.request.release_out',
  'transfer outgoing': 'rooms.request.transfer_out',
};

const requestStates: Record<string, MessageKey> = {
  open: 'rooms.request.open',
  granted: 'rooms.request.granted',
  refused: 'rooms.request.refused',
  revoked: 'rooms.request.ended',
  withdrawn: 'rooms.request.ended',
  expired: 'rooms.request.ended',
  done: 'rooms.request.ended',
};

function requestRow(page: DomainsPage, request: RequestShown): Child {
  const { t, may } = page;
  const { id, kind, direction, state, claimant, contact, domain } = request;
  const incoming = direction === 'incoming';
  const text = requestTexts[`${kind} ${direction}`]!;
  const base = `/console/domain-requests/${id}`;
  return [
    html`<div>
      <p>
        ${t.parts(text, { domain: named(domain), claimant: named(claimant ?? '') })}
        <span class="badge">${t(requestStates[state] ?? 'rooms.request.ended')}</span>
      </p>
      ${request.message && html`<p class="hint">${named(request.message, 500)}</p>`}
      <p class="hint">
        ${when(page, request.requestedAt)} ${incoming && contact && named(contact)}
        ${request.dueAt && t.parts('rooms.request.due', { date: when(page, request.dueAt, 'day') })}
      </p>
    </div>`,
    may &&
      kind !== 'transfer' &&
      html`<div class="actions">
        ${
          incoming &&
          state === 'open' && [
            act(page, {
              action: `${base}/grant`,
              label: t('rooms.request.grant'),
              named: domain,
            }),
            act(page, {
              action: `${base}/refuse`,
              label: t('rooms.request.refuse'),
              named: domain,
            }),
          ]
        }
        ${
          (state === 'granted' || (!incoming && state === 'open')) &&
          act(page, { action: `${base}/end`, label: t('rooms.request.end'), named: domain })
        }
      </div>`,
  ];
}

export interface ClaimPage extends ConsoleFrame {
  values: { domain: string; method: string; mailbox: string };
  errors: Errors;
}

/** The first step of a claim: which domain, and how it is to be proved. */
export function claimPage(page: ClaimPage): Html {
  const { t, csrf, values, errors } = page;
  return consolePage(page, {
    title: t('rooms.domain.claim'),
    lead: t('rooms.domain.claim_lead'),
    back: { href: '/console/domains', title: t('rooms.domains') },
    failed: Object.keys(errors).length > 0,
    main: html`<section class="card part">
      ${postForm({ action: '/console/domains/claim', csrf }, [
        questions(
          [
            {
              kind: 'line',
              name: 'domain',
              label: t('rooms.domain'),
              hint: t('rooms.domain.claim_hint'),
              value: values.domain,
            },
            {
              kind: 'choice',
              name: 'method',
              label: t('rooms.domain.method'),
              value: values.method,
              options: [
                ['dns', t('rooms.domain.method_dns')],
                ['https', t('rooms.domain.method_https')],
                ['email', t('rooms.domain.method_email')],
              ],
            },
            {
              kind: 'line',
              name: 'mailbox',
              label: t('rooms.domain.mailbox'),
              hint: t('rooms.domain.mailbox_hint'),
              value: values.mailbox,
              optional: true,
            },
          ],
          errors,
        ),
        html`<div class="actions">
          <button class="primary" type="submit">${t('rooms.domain.claim')}</button>
          <a class="button quiet" href="/console/domains">${t('console.cancel')}</a>
        </div>`,
      ])}
    </section>`,
  });
}
