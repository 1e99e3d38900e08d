import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, clip, named, notice, postForm, select } from '../../form.ts';
import { signOutPart } from './connection-sign-out.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors } from './forms.ts';
import {
  confirmPage,
  empty,
  facts,
  filters,
  pager,
  part,
  searchField,
  table,
  withQuery,
} from './parts.ts';

const home = '/console/connections';

type State = 'draft' | 'testing' | 'active' | 'disabled';

const states: Record<State, readonly [tone: string, text: MessageKey]> = {
  draft: ['', 'rooms.connection.draft'],
  testing: ['warning', 'rooms.connection.testing'],
  active: ['success', 'rooms.connection.active'],
  disabled: ['', 'rooms.connection.disabled'],
};

export const vendors = [
  ['entra', 'Microsoft Entra ID'],
  ['okta', 'Okta'],
  ['google', 'Google Workspace'],
  ['ping', 'Ping Identity'],
  ['keycloak', 'Keycloak'],
] as const;

export interface ConnectionRow {
  id: string;
  name: string;
  kind: 'oidc' | 'saml';
  preset: string;
  state: State;
  mode: 'optional' | 'enforced';
  domains: readonly string[];
  failing: boolean;
}

function badges({ t }: ConsoleFrame, { state, mode, failing }: ConnectionRow): Child {
  return [
    html`<span class="badge ${states[state][0]}">${t(states[state][1])}</span>`,
    mode === 'enforced' && html` <span class="badge">${t('rooms.connection.enforced')}</span>`,
    failing && html` <span class="badge danger">${t('rooms.scim.failing')}</span>`,
  ];
}

function kindName(kind: 'oidc' | 'saml', preset: string): string {
  const vendor = vendors.find(([name]) => name === preset)?.[1];
  const protocol = kind === 'oidc' ? 'OpenID Connect' : 'SAML';
  return vendor ? `${vendor}, ${protocol}` : protocol;
}

export function connectionsPage(
  page: ConsoleFrame & { connections: readonly ConnectionRow[]; may: boolean },
): Html {
  const { t, connections, may } = page;
  return consolePage(page, {
    title: t('rooms.connections'),
    lead: t('rooms.connections.lead'),
    actions:
      may &&
      html`<a class="button primary" href="${`${home}/new`}">${t('rooms.connection.new')}</a>`,
    main: html`<div id="list" class="list">
      ${
        connections.length === 0
          ? empty(
              t('rooms.connections.none'),
              html`<a class="button" href="/console/domains">${t('rooms.domains')}</a>`,
            )
          : table({
              caption: t('rooms.connections'),
              rows: connections,
              columns: [
                {
                  title: t('rooms.name'),
                  cell: ({ id, name, kind, preset }) => [
                    html`<a href="${`${home}/${id}`}">${named(name)}</a>`,
                    html`<span class="hint">${kindName(kind, preset)}</span>`,
                  ],
                },
                { title: t('console.status'), cell: (one) => badges(page, one) },
                {
                  title: t('rooms.domains'),
                  wide: true,
                  cell: ({ domains }) => domains.join(', '),
                },
              ],
            })
      }
    </div>`,
  });
}

export function newConnectionPage(
  page: ConsoleFrame & {
    values: { name: string; kind: string; preset: string };
    errors: Errors;
  },
): Html {
  const { t, values, errors } = page;
  return formPage(page, {
    title: t('rooms.connection.new'),
    lead: t('rooms.connection.new_lead'),
    back: { href: home, title: t('rooms.connections') },
    action: `${home}/new`,
    errors,
    asked: [
      {
        kind: 'choice',
        name: 'preset',
        label: t('rooms.connection.vendor'),
        value: values.preset,
        options: [...vendors, ['generic', t('rooms.connection.other')]],
      },
      {
        kind: 'choice',
        name: 'kind',
        label: t('rooms.connection.protocol'),
        value: values.kind,
        options: [
          ['oidc', 'OpenID Connect'],
          ['saml', 'SAML 2.0'],
        ],
      },
      { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
    ],
    button: t('rooms.create'),
  });
}

export interface ConnectionPage extends ConsoleFrame {
  connection: ConnectionRow & {
    issuer: string | null;
    testedAt: Date | null;
    activatedAt: Date | null;
    enforcedAt: Date | null;
    testers: readonly string[];
    lastSuccessAt: Date | null;
    lastFailureAt: Date | null;
    lastFailure: string | null;
    signOutUpstream: boolean;
  };
  /** Where the provider sends who signed out there. */
  signedOutUri: string;
  figures: {
    day: { succeeded: number; failed: number };
    month: { succeeded: number; failed: number };
  };
  reasons: readonly { outcome: string; count: number }[];
  readiness: {
    ready: boolean;
    members: { total: number; linked: number; passwordEnds: number; breakGlass: number };
    items: readonly {
      level: 'ok' | 'info' | 'warning' | 'error';
      count: number | null;
      detail: string;
      people: readonly string[];
    }[];
  };
  secrets: readonly { id: string; hint: string; createdAt: Date; expiresAt: Date | null }[];
  links: readonly { id: string; contact: string; expiresAt: Date; lastUsedAt: Date | null }[];
  /** Where a test sign-in begins, where it was just asked for. */
  testUrl: string | null;
  failure?: string | undefined;
  problems: readonly string[];
  errors: Errors;
  may: boolean;
}

const levels = { ok: 'success', info: 'info', warning: 'warning', error: 'danger' } as const;

/** One connection: how it fares, whether it is ready, and every step of its life. */
export function connectionPage(page: ConnectionPage): Html {
  const { t, csrf, connection, readiness, figures, may, failure, problems, errors } = page;
  const base = `${home}/${connection.id}`;
  const { state } = connection;
  return consolePage(page, {
    title: connection.name,
    heading: named(connection.name),
    back: { href: home, title: t('rooms.connections') },
    failed: failure !== undefined || Object.keys(errors).length > 0,
    actions: html`<a class="button" href="${`${base}/traces`}">${t('rooms.connection.traces')}</a>`,
    main: [
      failure &&
        alert([
          html`<p>${failure}</p>`,
          problems.length > 0 &&
            html`<ul lang="en">
              ${problems.map((one) => html`<li>${named(one, 200)}</li>`)}
            </ul>`,
        ]),
      page.testUrl &&
        notice('success', [
          html`<p>${t('rooms.connection.reached')}</p>`,
          html`<p>
            <a class="button primary" href="${page.testUrl}">${t('rooms.connection.test_go')}</a>
          </p>`,
        ]),
      part(
        t('console.status'),
        [
          html`<p>${badges(page, connection)} ${t(stateTexts[state])}</p>`,
          facts([
            [t('rooms.connection.vendor'), kindName(connection.kind, connection.preset)],
            [t('rooms.connection.issuer'), connection.issuer && named(connection.issuer)],
            [t('rooms.domains'), connection.domains.join(', ')],
            [t('rooms.connection.testers'), connection.testers.join(', ')],
            [t('rooms.connection.tested'), whenever(page, connection.testedAt)],
            [
              t('rooms.connection.enforced_at'),
              connection.enforcedAt && when(page, connection.enforcedAt),
            ],
            [
              t('rooms.connection.day'),
              t('rooms.connection.counts', {
                good: figures.day.succeeded,
                bad: figures.day.failed,
              }),
            ],
            [
              t('rooms.connection.month'),
              t('rooms.connection.counts', {
                good: figures.month.succeeded,
                bad: figures.month.failed,
              }),
            ],
            [
              t('rooms.connection.last_failure'),
              connection.lastFailureAt && [
                when(page, connection.lastFailureAt),
                ' ',
                html`<span lang="en">${named(connection.lastFailure ?? '', 200)}</span>`,
              ],
            ],
            [
              t('rooms.connection.reasons'),
              page.reasons.length > 0 &&
                page.reasons.map(({ outcome, count }) => html`<code>${outcome}</code> ${count} `),
            ],
          ]),
          may &&
            html`<div class="actions">
              ${state !== 'active' && act(page, { action: `${base}/set-up`, label: t('rooms.connection.set_up'), kind: 'primary' })}
              ${act(page, { action: `${base}/test`, label: t('rooms.connection.test') })}
              ${state !== 'active' && html`<a class="button" href="${`${base}/activate`}">${t('rooms.connection.activate')}</a>`}
              ${state === 'active' && act(page, { action: `${base}/disable`, label: t('rooms.client.disable'), kind: 'danger' })}
              ${
                state === 'active' &&
                (connection.mode === 'optional'
                  ? html`<a class="button" href="${`${base}/enforce`}"
                      >${t('rooms.connection.enforce')}</a
                    >`
                  : act(page, { action: `${base}/relax`, label: t('rooms.connection.relax') }))
              }
              ${state !== 'active' && html`<a class="button danger" href="${`${base}/remove`}">${t('rooms.remove')}</a>`}
            </div>`,
        ],
        { id: 'status' },
      ),
      part(
        t('rooms.connection.readiness'),
        [
          readiness.ready
            ? notice('success', t('rooms.connection.ready'))
            : notice('warning', t('rooms.connection.not_ready')),
          facts([
            [t('rooms.domain.users'), readiness.members.total],
            [t('rooms.connection.linked'), readiness.members.linked],
            [t('rooms.connection.password_ends'), readiness.members.passwordEnds],
            [t('rooms.connection.break_glass'), readiness.members.breakGlass],
          ]),
          html`<ul class="plain">
            ${readiness.items.map(
              ({ level, count, detail, people }) =>
                html`<li>
                  <span class="badge ${levels[level]}">${count ?? level}</span>
                  ${named(detail, 400)}
                  ${people.length > 0 && html`<span class="hint">${named(people.join(', '), 600)}</span>`}
                </li>`,
            )}
          </ul>`,
        ],
        { id: 'readiness' },
      ),
      may &&
        part(
          t('rooms.connection.simulate'),
          postForm({ action: `${base}/simulate`, csrf }, [
            html`<p>${t('rooms.connection.simulate_text')}</p>`,
            questions(
              [
                {
                  kind: 'line',
                  name: 'subject',
                  label: t('rooms.connection.subject'),
                  value: 'a1',
                },
                {
                  kind: 'text',
                  name: 'claims',
                  label: t('rooms.connection.claims'),
                  value: '{ "email": "", "given_name": "", "family_name": "" }',
                  code: true,
                  rows: 5,
                },
              ],
              errors,
            ),
            html`<div class="actions">
              <button type="submit">${t('rooms.connection.simulate')}</button>
            </div>`,
          ]),
          { id: 'simulate' },
        ),
      signOutPart(page, base),
      connection.kind === 'oidc' &&
        part(
          t('rooms.secrets'),
          [
            page.secrets.length > 0 &&
              table({
                caption: t('rooms.secrets'),
                rows: page.secrets,
                columns: [
                  { title: t('rooms.secret'), cell: ({ hint }) => html`<code>…${hint}</code>` },
                  {
                    title: t('rooms.created'),
                    wide: true,
                    cell: ({ createdAt }) => when(page, createdAt, 'day'),
                  },
                  {
                    title: t('rooms.tokens.expires'),
                    cell: ({ expiresAt }) => whenever(page, expiresAt, 'day'),
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: ({ id, hint }) =>
                      may &&
                      act(page, {
                        action: `${base}/secrets/${id}/revoke`,
                        label: t('rooms.remove'),
                        named: hint,
                        kind: 'danger',
                      }),
                  },
                ],
              }),
            may &&
              postForm({ action: `${base}/secrets`, csrf }, [
                questions(
                  [
                    {
                      kind: 'line',
                      name: 'secret',
                      label: t('rooms.connection.secret'),
                      hint: t('rooms.connection.secret_hint'),
                    },
                    {
                      kind: 'date',
                      name: 'expires',
                      label: t('rooms.tokens.expires'),
                      optional: true,
                    },
                  ],
                  errors,
                ),
                html`<div class="actions">
                  <button type="submit">${t('rooms.secrets.add')}</button>
                </div>`,
              ]),
          ],
          { id: 'secrets' },
        ),
      may &&
        state !== 'active' &&
        part(
          t('rooms.connection.links'),
          [
            html`<p>${t('rooms.connection.links_text')}</p>`,
            page.links.length > 0 &&
              table({
                caption: t('rooms.connection.links'),
                rows: page.links,
                columns: [
                  {
                    title: t('rooms.connection.contact'),
                    cell: ({ contact }) => named(contact || '–'),
                  },
                  {
                    title: t('rooms.tokens.expires'),
                    cell: ({ expiresAt }) => when(page, expiresAt),
                  },
                  {
                    title: t('rooms.tokens.used'),
                    wide: true,
                    cell: ({ lastUsedAt }) => whenever(page, lastUsedAt),
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: ({ id, contact }) =>
                      act(page, {
                        action: `${base}/links/${id}/revoke`,
                        label: t('rooms.tokens.revoke'),
                        named: contact,
                        kind: 'danger',
                      }),
                  },
                ],
              }),
            postForm({ action: `${base}/links`, csrf }, [
              questions([
                {
                  kind: 'line',
                  name: 'contact',
                  label: t('rooms.connection.contact'),
                  optional: true,
                },
              ]),
              html`<div class="actions">
                <button type="submit">${t('rooms.connection.link_new')}</button>
              </div>`,
            ]),
          ],
          { id: 'links' },
        ),
    ],
  });
}

const stateTexts: Record<State, MessageKey> = {
  draft: 'rooms.connection.draft_text',
  testing: 'rooms.connection.testing_text',
  active: 'rooms.connection.active_text',
  disabled: 'rooms.connection.disabled_text',
};

/** Before everybody of its domains is sent there, or passwords end. */
export function stepPage(
  page: ConsoleFrame & {
    id: string;
    name: string;
    step: 'activate' | 'enforce' | 'remove';
    error?: Child;
  },
): Html {
  const { t, id, name, step, error } = page;
  const titles: Record<typeof step, MessageKey> = {
    activate: 'rooms.connection.activate',
    enforce: 'rooms.connection.enforce',
    remove: 'rooms.remove',
  };
  const texts: Record<typeof step, MessageKey> = {
    activate: 'rooms.connection.activate_text',
    enforce: 'rooms.connection.enforce_text',
    remove: 'rooms.connection.remove_text',
  };
  return confirmPage(page, {
    title: t(titles[step]),
    heading: [t(titles[step]), ': ', named(name)],
    back: { href: `${home}/${id}`, title: named(name) },
    what: html`<p>${t(texts[step])}</p>`,
    fields:
      step === 'activate' &&
      questions([
        {
          kind: 'box',
          name: 'without',
          label: t('rooms.connection.without'),
          checked: false,
        },
      ]),
    action: `${home}/${id}/${step}`,
    button: t(titles[step]),
    danger: step !== 'activate',
    error,
  });
}

export interface TraceRow {
  id: string;
  purpose: 'sign_in' | 'test';
  outcome: string | null;
  good: boolean;
  beganAt: Date;
}

export function tracesPage(
  page: ConsoleFrame & {
    connection: { id: string; name: string };
    traces: readonly TraceRow[];
    outcome: string;
    id: string;
    nextCursor: string | null;
    later: boolean;
  },
): Html {
  const { t, connection, traces, outcome, id } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('rooms.connection.traces'),
    lead: t('rooms.connection.traces_lead'),
    back: { href: base, title: named(connection.name) },
    main: [
      filters(page, 'list', [
        select({
          name: 'outcome',
          label: t('rooms.scim.outcome'),
          value: outcome,
          options: [
            ['', t('rooms.explain.any')],
            ['failed', t('rooms.dashboard.failed')],
            ['succeeded', t('rooms.dashboard.succeeded')],
          ],
        }),
        searchField({
          name: 'id',
          label: t('rooms.audit.reference'),
          value: id,
        }),
      ]),
      html`<div id="list" class="list">
        ${
          traces.length === 0
            ? empty(t('rooms.connection.traces_none'))
            : table({
                caption: t('rooms.connection.traces'),
                rows: traces,
                columns: [
                  {
                    title: t('rooms.when'),
                    cell: ({ id: trace, beganAt }) =>
                      html`<a href="${`${base}/traces/${trace}`}">${when(page, beganAt)}</a>`,
                  },
                  {
                    title: t('rooms.scim.outcome'),
                    cell: ({ outcome: one, good }) =>
                      html`<span class="badge ${one === null ? '' : good ? 'success' : 'danger'}"
                        ><code>${one ?? '…'}</code></span
                      >`,
                  },
                  {
                    title: t('rooms.connection.purpose'),
                    cell: ({ purpose }) =>
                      t(purpose === 'test' ? 'rooms.connection.test' : 'rooms.connection.sign_in'),
                  },
                ],
              })
        }
        ${pager(page, {
          href: withQuery(`${base}/traces`, { outcome }),
          nextCursor: page.nextCursor,
          later: page.later,
        })}
      </div>`,
    ],
  });
}

const stepNames: Record<string, MessageKey> = {
  sent: 'rooms.trace.sent',
  received: 'rooms.trace.received',
  mapped: 'rooms.trace.mapped',
  decided: 'rooms.trace.decided',
};

/** A sign-in step by step. */
export function tracePage(
  page: ConsoleFrame & {
    connection: { id: string; name: string };
    trace: TraceRow & { steps: readonly { at: string; kind: string; data: unknown }[] };
  },
): Html {
  const { t, connection, trace } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('rooms.connection.trace'),
    lead: html`<code>${trace.id}</code>`,
    back: { href: `${base}/traces`, title: t('rooms.connection.traces') },
    main: [
      part(
        t('console.status'),
        facts([
          [t('rooms.when'), when(page, trace.beganAt)],
          [t('rooms.scim.outcome'), html`<code>${trace.outcome ?? '…'}</code>`],
        ]),
      ),
      trace.steps.map(({ at, kind, data }) =>
        part(
          html`${t(stepNames[kind] ?? 'rooms.trace.decided')} <span class="hint">${at}</span>`,
          json(data),
        ),
      ),
    ],
  });
}

function json(value: unknown): Html {
  return html`<pre
    class="scroll"
    tabindex="0"
  ><code>${clip(JSON.stringify(value, null, 2) ?? '', 20_000)}</code></pre>`;
}

export function simulationPage(
  page: ConsoleFrame & {
    connection: { id: string; name: string };
    outcome: string;
    reason: string | null;
    bound: boolean;
    mapped: unknown;
    person: unknown;
    grants: unknown;
  },
): Html {
  const { t, connection, outcome, reason, bound, mapped, person, grants } = page;
  return consolePage(page, {
    title: t('rooms.connection.simulate'),
    back: { href: `${home}/${connection.id}`, title: named(connection.name) },
    main: [
      part(
        t('rooms.explain.then'),
        facts([
          [t('rooms.scim.outcome'), html`<code>${outcome}</code>`],
          [t('rooms.reason'), reason && html`<code>${reason}</code>`],
          [t('rooms.connection.bound'), t(bound ? 'rooms.yes' : 'rooms.no')],
        ]),
      ),
      part(t('rooms.trace.mapped'), json(mapped)),
      part(t('rooms.explain.person'), json(person)),
      part(t('rooms.connection.grants'), json(grants)),
    ],
  });
}
