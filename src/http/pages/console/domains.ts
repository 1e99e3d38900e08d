import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, named, notice, postForm } from '../../form.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, questions, type Errors } from './forms.ts';
import { confirmPage, empty, facts, part, table } from './parts.ts';

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
type Signup = 'approve' | 'auto' | 'closed';

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

const stateTexts: Record<StateShown, MessageKey> = {
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

const signupNames: Record<Signup, MessageKey> = {
  approve: 'rooms.signup.approve',
  auto: 'rooms.signup.auto',
  closed: 'rooms.signup.closed',
};

function badge({ t }: ConsoleFrame, state: StateShown): Html {
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

function hrefOf(name: string): string {
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
                  { title: t('console.status'), cell: ({ state }) => badge(page, state) },
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

export interface DomainPage extends ConsoleFrame {
  name: string;
  shown: string;
  state: StateShown;
  proof: 'dns' | 'https' | 'email' | 'operator' | null;
  record:
    | { type: 'TXT'; name: string; alternativeName: string; value: string }
    | { type: 'HTTPS'; url: string; value: string }
    | { type: 'MAIL'; mailboxes: readonly string[] }
    | null;
  /** What a look at the network found, where there was one just now. */
  findings:
    | readonly {
        method: 'dns' | 'https';
        outcome: 'found' | 'missing' | 'unknown';
        seen: readonly string[];
        answers: readonly { source: string; answer: string }[];
      }[]
    | null;
  failure?: string | undefined;
  /** Whether what is below it is owned with it, or it with what is above. */
  below: 'in' | 'out' | 'along';
  signup: Signup;
  defaults: { roles: readonly string[]; groups: readonly string[]; country: string };
  roles: readonly (readonly [key: string, name: string])[];
  groups: readonly (readonly [id: string, name: string])[];
  countries: readonly (readonly [code: string, name: string])[];
  waiting: number;
  counts: Readonly<
    Record<
      | 'members'
      | 'unaffiliated'
      | 'waiting'
      | 'former'
      | 'elsewhere'
      | 'unverified'
      | 'invitedElsewhere',
      number
    >
  >;
  people: readonly { email: string; standing: string }[];
  claimedAt: Date | null;
  ownedAt: Date | null;
  checkedAt: Date | null;
  expiresAt: Date | null;
  actions: readonly string[];
  may: boolean;
  /** What operators alone may. */
  operator: { attest: boolean; transfer: 'announce' | 'decide' | null };
}

/** One domain: what it is, what to publish, who is concerned, and how people come in. */
export function domainPage(page: DomainPage): Html {
  const { t, csrf, name, shown, state, actions, may, failure } = page;
  const base = hrefOf(name);
  const owned = state === 'owned' || state === 'at_risk' || state === 'lapsed';
  return consolePage(page, {
    title: shown,
    heading: named(shown),
    back: { href: '/console/domains', title: t('rooms.domains') },
    failed: failure !== undefined,
    main: [
      failure && alert(failure),
      // The answer to what was just asked comes first.
      page.findings && checkPart(page),
      part(
        t('console.status'),
        [
          html`<p>${badge(page, state)} ${t(stateTexts[state])}</p>`,
          facts([
            [t('rooms.domain.proof'), page.proof && t(proofNames[page.proof])],
            [t('rooms.domain.claimed_at'), page.claimedAt && when(page, page.claimedAt)],
            [t('rooms.domain.owned_at'), page.ownedAt && when(page, page.ownedAt)],
            [t('rooms.domain.checked_at'), page.checkedAt && when(page, page.checkedAt)],
            [
              t('rooms.domain.expires_at'),
              !owned && page.expiresAt && whenever(page, page.expiresAt),
            ],
          ]),
          may &&
            state === 'listed' &&
            html`<p>
              <a
                class="button primary"
                href="${`/console/domains/claim?domain=${encodeURIComponent(name)}`}"
                >${t('rooms.domain.claim')}</a
              >
            </p>`,
        ],
        { id: 'status' },
      ),
      page.record && state !== 'owned' && proofPart(page, base),
      actions.includes('request_access') && may && contestedPart(page, base),
      owned && signupPart(page, base),
      owned && belowPart(page, base),
      (owned || state === 'pending' || state === 'contested') && impactPart(page, base),
      page.record && state === 'owned' && proofPart(page, base),
      may &&
        (actions.includes('release') || actions.includes('cancel_claim')) &&
        html`<p>
          <a class="button danger" href="${`${base}/release`}"
            >${t(owned ? 'rooms.domain.release' : 'rooms.domain.cancel_claim')}</a
          >
        </p>`,
      (page.operator.attest || page.operator.transfer) &&
        part(
          t('rooms.domain.operator'),
          postForm({ action: `${base}/operator`, csrf }, [
            questions([
              {
                kind: 'line',
                name: 'reason',
                label: t('rooms.reason'),
                hint: t('rooms.reason_hint'),
              },
            ]),
            html`<div class="actions">
              ${page.operator.attest && html`<button name="what" value="attest">${t('rooms.domain.attest')}</button>`}
              ${
                page.operator.transfer === 'announce' &&
                html`<button name="what" value="announce">${t('rooms.domain.transfer')}</button>`
              }
              ${
                page.operator.transfer === 'decide' && [
                  html`<button name="what" value="carry_out">
                    ${t('rooms.domain.transfer_do')}
                  </button>`,
                  html`<button name="what" value="stop">
                    ${t('rooms.domain.transfer_stop')}
                  </button>`,
                ]
              }
            </div>`,
          ]),
        ),
    ],
  });
}

const proofNames: Record<NonNullable<DomainPage['proof']>, MessageKey> = {
  dns: 'rooms.domain.method_dns',
  https: 'rooms.domain.method_https',
  email: 'rooms.domain.method_email',
  operator: 'rooms.domain.method_operator',
};

function proofPart(page: DomainPage, base: string): Html {
  const { t, record, actions, may, state } = page;
  const open = state !== 'owned';
  const copy = (label: MessageKey, id: string, value: string): Html =>
    html`<div class="field">
      <label for="${id}">${t(label)}</label>
      <input id="${id}" class="code" type="text" readonly value="${value}" />
    </div>`;
  return part(
    t('rooms.domain.prove'),
    [
      record?.type === 'TXT' && [
        open && html`<p>${t('rooms.domain.prove_dns')}</p>`,
        copy('rooms.domain.record_name', 'record-name', record.name),
        copy('rooms.domain.record_value', 'record-value', record.value),
        open &&
          html`<p class="hint">
            ${t.parts('rooms.domain.record_else', { name: html`<code>${record.alternativeName}</code>` })}
          </p>`,
      ],
      record?.type === 'HTTPS' && [
        open && html`<p>${t('rooms.domain.prove_https')}</p>`,
        copy('rooms.domain.record_url', 'record-url', record.url),
        copy('rooms.domain.record_value', 'record-value', record.value),
      ],
      record?.type === 'MAIL' && [
        open && html`<p>${t('rooms.domain.prove_email')}</p>`,
        html`<ul class="plain">
          ${record.mailboxes.map((mailbox) => html`<li>${named(mailbox)}</li>`)}
        </ul>`,
      ],
      may &&
        record?.type !== 'MAIL' &&
        actions.includes('verify') &&
        act(page, { action: `${base}/verify`, label: t('rooms.domain.verify'), kind: 'primary' }),
      open && html`<p class="hint">${t('rooms.domain.prove_later')}</p>`,
    ],
    { id: 'proof' },
  );
}

const outcomes = {
  found: ['success', 'rooms.check.found'],
  missing: ['warning', 'rooms.check.missing'],
  unknown: ['warning', 'rooms.check.unknown'],
} as const;

/** What was found where, for whoever looks for the mistake. */
function checkPart(page: DomainPage): Html {
  const { t, findings } = page;
  return part(
    t('rooms.check'),
    html`<div role="status">
      ${findings!.map(({ method, outcome, seen, answers }) => [
        notice(outcomes[outcome][0], [
          html`<p><strong>${method.toUpperCase()}</strong> ${t(outcomes[outcome][1])}</p>`,
          seen.length > 0 &&
            html`<p>
              ${t('rooms.check.seen')}
              ${seen.map((one) => html`<code class="value code">${one}</code>`)}
            </p>`,
          answers.length > 0 &&
            html`<p class="hint">
              ${answers.map(({ source, answer }) => `${source}: ${answer}`).join('; ')}
            </p>`,
        ]),
      ])}
    </div>`,
    { id: 'check' },
  );
}

function contestedPart(page: DomainPage, base: string): Html {
  const { t, csrf } = page;
  return part(
    t('rooms.domain.ask_owner'),
    [
      html`<p>${t('rooms.domain.ask_owner_text')}</p>`,
      postForm({ action: `${base}/request`, csrf }, [
        questions([
          {
            kind: 'text',
            name: 'message',
            label: t('rooms.request.message'),
            optional: true,
            rows: 3,
          },
        ]),
        html`<div class="actions">
          <button class="primary" name="kind" value="access">
            ${t('rooms.request.ask_access')}
          </button>
          <button name="kind" value="release">${t('rooms.request.ask_release')}</button>
        </div>`,
      ]),
    ],
    { id: 'ask' },
  );
}

function belowPart(page: DomainPage, base: string): Html {
  const { t, below, proof, may } = page;
  const include = below === 'out';
  return part(
    t('rooms.domain.below'),
    [
      html`<p>
        ${t(
          below === 'along'
            ? 'rooms.domain.below_along'
            : include
              ? 'rooms.domain.below_off'
              : 'rooms.domain.below_on',
        )}
      </p>`,
      may &&
        below !== 'along' &&
        (!include || proof === 'dns') &&
        act(page, {
          action: `${base}/subdomains`,
          label: t(include ? 'rooms.domain.below_take' : 'rooms.domain.below_leave'),
          values: { include: include ? 'yes' : 'no' },
        }),
    ],
    { id: 'subdomains' },
  );
}

function signupPart(page: DomainPage, base: string): Html {
  const { t, csrf, signup, defaults, roles, groups, countries, may, waiting } = page;
  return part(
    t('rooms.domain.coming'),
    [
      postForm(
        { action: `${base}/sign-up`, csrf },
        html`<fieldset class="stack" ${!may && html`disabled`}>
          ${questions([
            {
              kind: 'choice',
              name: 'signup',
              label: t('rooms.domain.signup'),
              value: signup,
              options: (['approve', 'auto', 'closed'] as const).map((one) => [
                one,
                t(signupNames[one]),
              ]),
            },
            {
              kind: 'choice',
              name: 'country',
              label: t('rooms.domain.default_country'),
              value: defaults.country,
              options: [['', t('rooms.none')], ...countries],
            },
            ...(roles.length > 0
              ? ([
                  {
                    kind: 'boxes',
                    name: 'roles',
                    label: t('rooms.domain.default_roles'),
                    chosen: defaults.roles,
                    options: roles,
                  },
                ] as const)
              : []),
            ...(groups.length > 0
              ? ([
                  {
                    kind: 'boxes',
                    name: 'groups',
                    label: t('rooms.domain.default_groups'),
                    chosen: defaults.groups,
                    options: groups,
                  },
                ] as const)
              : []),
          ])}
          ${may && html`<div class="actions"><button class="primary" type="submit">${t('rooms.save')}</button></div>`}
        </fieldset>`,
      ),
      may &&
        waiting > 0 && [
          html`<p>${t('rooms.domain.waiting_text', { n: waiting })}</p>`,
          act(page, {
            action: `${base}/approve-waiting`,
            label: t('rooms.domain.approve_waiting'),
          }),
        ],
    ],
    { id: 'sign-up' },
  );
}

const countNames: Record<keyof DomainPage['counts'], MessageKey> = {
  members: 'rooms.impact.members',
  waiting: 'rooms.impact.waiting',
  unaffiliated: 'rooms.impact.unaffiliated',
  former: 'rooms.impact.former',
  elsewhere: 'rooms.impact.elsewhere',
  invitedElsewhere: 'rooms.impact.invited',
  unverified: 'rooms.impact.unverified',
};

const standings: Record<string, MessageKey> = {
  unaffiliated: 'rooms.impact.unaffiliated',
  waiting: 'rooms.impact.waiting',
  former: 'rooms.impact.former',
  elsewhere: 'rooms.impact.elsewhere',
};

/** Who has an address there, before anything is done about them. */
function impactPart(page: DomainPage, base: string): Html {
  const { t, counts, people, may, state, signup, proof } = page;
  return part(
    t('rooms.impact'),
    [
      html`<p>${t('rooms.impact.text')}</p>`,
      facts(
        (Object.keys(countNames) as (keyof DomainPage['counts'])[]).map((key) => [
          t(countNames[key]),
          counts[key].toLocaleString(t.locale),
        ]),
        'counts',
      ),
      people.length > 0 &&
        html`<details>
          <summary>${t('rooms.impact.people', { n: people.length })}</summary>
          ${table({
            caption: t('rooms.impact'),
            rows: people,
            columns: [
              { title: t('rooms.email'), cell: ({ email }) => named(email) },
              {
                title: t('console.status'),
                cell: ({ standing }) => t(standings[standing] ?? 'rooms.impact.unaffiliated'),
              },
            ],
          })}
        </details>`,
      may &&
        state === 'owned' &&
        counts.unaffiliated > 0 &&
        html`<div class="actions">
          ${act(page, {
            action: `${base}/take-in`,
            label: t('rooms.impact.as_requests'),
            values: { as: 'requests' },
          })}
          ${
            signup === 'auto' &&
            act(page, {
              action: `${base}/take-in`,
              label: t('rooms.impact.as_members'),
              values: { as: 'members' },
            })
          }
        </div>`,
      may &&
        state === 'owned' &&
        proof !== 'email' &&
        counts.elsewhere > 0 && [
          html`<p>${t('rooms.impact.ask_text')}</p>`,
          act(page, {
            action: `${base}/take-in`,
            label: t('rooms.impact.ask'),
            values: { as: 'asked' },
          }),
        ],
    ],
    { id: 'impact' },
  );
}

/** Before a domain is let go, or a claim given up. */
export function releasePage(
  page: ConsoleFrame & {
    name: string;
    shown: string;
    owned: boolean;
    counts: { members: number; waiting: number };
    error?: string | undefined;
  },
): Html {
  const { t, name, shown, owned, counts, error } = page;
  return confirmPage(page, {
    title: t(owned ? 'rooms.domain.release' : 'rooms.domain.cancel_claim'),
    heading: named(shown),
    back: { href: hrefOf(name), title: named(shown) },
    what: owned
      ? [
          html`<p>${t('rooms.domain.release_text', { members: counts.members })}</p>`,
          html`<p>${t('rooms.domain.release_waiting', { n: counts.waiting })}</p>`,
        ]
      : html`<p>${t('rooms.domain.cancel_text')}</p>`,
    action: `${hrefOf(name)}/release`,
    button: t(owned ? 'rooms.domain.release' : 'rooms.domain.cancel_claim'),
    danger: true,
    error,
  });
}
