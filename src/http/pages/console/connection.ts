import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { outcomeText } from '../../federation-text.ts';
import { alert, named, notice, postForm } from '../../form.ts';
import { signOutPart } from './connection-sign-out.ts';
import { badges, home, kindName, type ConnectionRow, type State } from './connections.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, questions, type Errors, type Question } from './forms.ts';
import { confirmPage, facts, part, table } from './parts.ts';
import { secretsTable, type SecretRow } from './secrets.ts';

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
  /** Failures of the provider in a row. */
  failures: number;
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
  secrets: readonly SecretRow[];
  links: readonly { id: string; contact: string; expiresAt: Date; lastUsedAt: Date | null }[];
  /** Where a test sign-in begins, where it was just asked for. */
  testUrl: string | null;
  failure?: string | undefined;
  problems: readonly string[];
  errors: Errors;
  may: boolean;
}

const levels = {
  ok: ['success', 'readiness.level.ok'],
  info: ['info', 'readiness.level.info'],
  warning: ['warning', 'readiness.level.warning'],
  error: ['danger', 'readiness.level.error'],
} as const satisfies Record<string, readonly [tone: string, text: MessageKey]>;

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
    main: [
      failure &&
        alert([
          html`<p>${failure}</p>`,
          problems.length > 0 &&
            html`<ul>
              ${problems.map((one) => html`<li>${problemText(page, one)}</li>`)}
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
          html`<p>${healthText(page)}</p>`,
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
                page.reasons.map(
                  ({ outcome, count }) => html`<div>${outcomeText(outcome, t)}: ${count}</div>`,
                ),
            ],
          ]),
          may &&
            html`<div class="actions">
              ${state !== 'active' && act(page, { action: `${base}/set-up`, label: t('rooms.connection.set_up'), kind: 'primary' })}
              ${act(page, { action: `${base}/test`, label: t('rooms.connection.test') })}
              ${state !== 'active' && html`<a class="button" href="${`${base}/activate`}">${t('rooms.connection.activate')}</a>`}
              ${state === 'active' && html`<a class="button danger" href="${`${base}/disable`}">${t('rooms.client.disable')}</a>`}
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
      part(t('connection.more'), ways(page), { id: 'more' }),
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
          html`<ul class="rows findings">
            ${readiness.items.map(
              ({ level, count, detail, people }) =>
                html`<li>
                  <span class="badge ${levels[level][0]}">${count ?? t(levels[level][1])}</span>
                  <div>
                    ${named(detail, 400)}
                    ${people.length > 0 && html`<span class="hint">${named(people.join(', '), 600)}</span>`}
                  </div>
                </li>`,
            )}
          </ul>`,
        ],
        { id: 'readiness' },
      ),
      signOutPart(page, base),
      connection.kind === 'oidc' &&
        part(
          t('rooms.secrets'),
          [
            secretsTable(page, {
              secrets: page.secrets,
              base,
              revoke: may ? t('rooms.remove') : null,
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
            may && [
              html`<p class="hint">${t('connection.key_text')}</p>`,
              act(page, { action: `${base}/keys`, label: t('connection.key_new') }),
            ],
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
                {
                  kind: 'box',
                  name: 'directory',
                  label: t('connection.link_directory'),
                  hint: t('connection.link_directory_text'),
                  checked: false,
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

/** Where else there is something to see or to change about it. */
function ways({ t, connection, may }: ConnectionPage): Html {
  const base = `${home}/${connection.id}`;
  const all: readonly (readonly [
    path: string,
    title: MessageKey,
    text: MessageKey,
    shown: boolean,
  ])[] = [
    ['settings', 'connection.settings', 'connection.settings_text', may],
    ['saml', 'connection.saml', 'connection.saml_text', connection.kind === 'saml'],
    ['mapping', 'connection.mapping', 'connection.mapping_text', may],
    ['simulate', 'rooms.connection.simulate', 'rooms.connection.simulate_text', may],
    ['traces', 'rooms.connection.traces', 'connection.traces_text', true],
    ['people', 'connection.people', 'connection.people_text', true],
  ];
  return html`<ul class="plain">
    ${all
      .filter(([, , , shown]) => shown)
      .map(
        ([path, title, text]) =>
          html`<li>
            <a href="${`${base}/${path}`}">${t(title)}</a> <span class="hint">${t(text)}</span>
          </li>`,
      )}
  </ul>`;
}

/** How the provider fares, in a sentence. */
function healthText(page: ConnectionPage): Child {
  const { t, failures, connection } = page;
  const { failing, lastSuccessAt } = connection;
  if (failing) return html`<strong>${t('connection.health_failing', { n: failures })}</strong>`;
  if (failures > 0) return t('connection.health_shaky', { n: failures });
  return lastSuccessAt === null
    ? t('connection.health_unused')
    : t.parts('connection.health_ok', { date: when(page, lastSuccessAt) });
}

const problemTexts: Record<string, MessageKey> = {
  issuer_missing: 'connection.problem.issuer_missing',
  client_missing: 'connection.problem.client_missing',
  secret_missing: 'connection.problem.secret_missing',
  metadata_missing: 'connection.problem.metadata_missing',
  domain_missing: 'connection.problem.domain_missing',
  not_tested: 'connection.problem.not_tested',
  no_break_glass: 'connection.problem.no_break_glass',
  not_active: 'connection.problem.not_active',
};

/** What stands in the way; what is no word of ours is told as it is. */
function problemText({ t }: ConsoleFrame, problem: string): Child {
  const text = problemTexts[problem];
  return text ? t(text) : html`<span lang="en">${named(problem, 300)}</span>`;
}

const stateTexts: Record<State, MessageKey> = {
  draft: 'rooms.connection.draft_text',
  testing: 'rooms.connection.testing_text',
  active: 'rooms.connection.active_text',
  disabled: 'rooms.connection.disabled_text',
};

/** What is asked about before it is done. */
export const steps = ['activate', 'enforce', 'disable', 'remove'] as const;
export type Step = (typeof steps)[number];

/** Before everybody of its domains is sent there, or nobody is, or passwords end. */
export function stepPage(
  page: ConsoleFrame & {
    id: string;
    name: string;
    step: Step;
    /** Nobody can come in when the provider is down. */
    withoutBreakGlass?: boolean;
    errors?: Errors;
    error?: Child;
  },
): Html {
  const { t, id, name, step, error, errors = {} } = page;
  const titles: Record<typeof step, MessageKey> = {
    activate: 'rooms.connection.activate',
    enforce: 'rooms.connection.enforce',
    disable: 'rooms.client.disable',
    remove: 'rooms.remove',
  };
  const texts: Record<typeof step, MessageKey> = {
    activate: 'rooms.connection.activate_text',
    enforce: 'rooms.connection.enforce_text',
    disable: 'connection.disable_text',
    remove: 'rooms.connection.remove_text',
  };
  return confirmPage(page, {
    title: t(titles[step]),
    heading: [t(titles[step]), ': ', named(name)],
    back: { href: `${home}/${id}`, title: named(name) },
    what: html`<p>${t(texts[step])}</p>`,
    fields: questions(asked(page), errors),
    action: `${home}/${id}/${step}`,
    button: t(titles[step]),
    danger: step !== 'activate',
    error,
  });
}

function asked({
  t,
  step,
  withoutBreakGlass = false,
}: ConsoleFrame & { step: Step; withoutBreakGlass?: boolean }): Question[] {
  switch (step) {
    case 'activate':
      return withoutBreakGlass
        ? [{ kind: 'box', name: 'without', label: t('rooms.connection.without'), checked: false }]
        : [];
    case 'enforce':
      return [
        {
          kind: 'date',
          name: 'at',
          label: t('connection.enforce_at'),
          hint: t('connection.enforce_at_hint'),
          optional: true,
        },
        { kind: 'box', name: 'immediately', label: t('connection.immediately'), checked: false },
      ];
    case 'disable':
      return [{ kind: 'line', name: 'reason', label: t('rooms.reason'), optional: true }];
    case 'remove':
      break;
  }
  return [];
}
