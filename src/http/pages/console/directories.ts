import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, clip, named, notice, postForm, select } from '../../form.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors } from './forms.ts';
import { empty, facts, filters, pager, part, searchField, table, withQuery } from './parts.ts';

const home = '/console/scim';

export type HealthState =
  | 'held'
  | 'expired'
  | 'failing'
  | 'expiring'
  | 'silent'
  | 'never_used'
  | 'ok';

const healthStates: Record<HealthState, readonly [tone: string, text: MessageKey]> = {
  held: ['danger', 'rooms.scim.held'],
  expired: ['danger', 'rooms.scim.expired'],
  failing: ['danger', 'rooms.scim.failing'],
  expiring: ['warning', 'rooms.scim.expiring'],
  silent: ['warning', 'rooms.scim.silent'],
  never_used: ['', 'rooms.scim.never_used'],
  ok: ['success', 'rooms.scim.ok'],
};

const outcomes = {
  read: 'rooms.scim.outcome_read',
  changed: 'rooms.scim.outcome_changed',
  nothing: 'rooms.scim.outcome_nothing',
  refused: 'rooms.scim.outcome_refused',
  held: 'rooms.scim.outcome_held',
  failed: 'rooms.scim.outcome_failed',
} as const satisfies Record<string, MessageKey>;
export type OutcomeShown = keyof typeof outcomes;
export const outcomeNames = Object.keys(outcomes) as OutcomeShown[];

export interface ExchangeShown {
  id: string;
  token: string;
  at: Date;
  outcome: OutcomeShown;
  status: number;
  dryRun: boolean;
  summary: string;
}

export interface DirectoriesPage extends ConsoleFrame {
  endpoint: string;
  health: readonly {
    tokenId: string;
    name: string;
    state: HealthState;
    /** What that means, in a sentence. */
    says: string;
    lastSyncAt: Date | null;
    requests: number;
    errors: number;
    expiresAt: Date | null;
  }[];
  exchanges: readonly ExchangeShown[];
  filter: { person: string; outcome: string };
  nextCursor: string | null;
  later: boolean;
  may: boolean;
}

function outcomeBadge({ t }: ConsoleFrame, outcome: OutcomeShown): Html {
  const bad = outcome === 'refused' || outcome === 'held' || outcome === 'failed';
  return html`<span class="badge ${bad ? 'danger' : outcome === 'changed' ? 'success' : ''}"
    >${t(outcomes[outcome])}</span
  >`;
}

/** Which directories come in, how they fare, and what they sent. */
export function directoriesPage(page: DirectoriesPage): Html {
  const { t, health, exchanges, filter, may, endpoint } = page;
  return consolePage(page, {
    title: t('rooms.scim'),
    lead: t('rooms.scim.lead'),
    actions:
      may && html`<a class="button primary" href="${`${home}/new`}">${t('rooms.scim.new')}</a>`,
    main: [
      facts([[t('rooms.scim.endpoint'), html`<code>${endpoint}</code>`]]),
      html`<div class="list">
        ${
          health.length === 0
            ? empty(
                t('rooms.scim.none'),
                html`<a class="button" href="/console/domains">${t('rooms.domains')}</a>`,
              )
            : table({
                caption: t('rooms.scim'),
                rows: health,
                columns: [
                  {
                    title: t('rooms.name'),
                    cell: ({ tokenId, name }) =>
                      html`<a href="${`${home}/${tokenId}`}">${named(name)}</a>`,
                  },
                  {
                    title: t('console.status'),
                    cell: ({ state, says }) => [
                      html`<span class="badge ${healthStates[state][0]}"
                        >${t(healthStates[state][1])}</span
                      >`,
                      state !== 'ok' && html`<span class="hint">${says}</span>`,
                    ],
                  },
                  {
                    title: t('rooms.scim.last_sync'),
                    wide: true,
                    cell: ({ lastSyncAt }) => whenever(page, lastSyncAt),
                  },
                  {
                    title: t('rooms.scim.day'),
                    wide: true,
                    cell: ({ requests, errors }) =>
                      t('rooms.scim.requests', { n: requests, errors }),
                  },
                  {
                    title: t('rooms.tokens.expires'),
                    wide: true,
                    cell: ({ expiresAt }) => whenever(page, expiresAt, 'day'),
                  },
                ],
              })
        }
      </div>`,
      html`<h2>${t('rooms.scim.log')}</h2>`,
      filters(page, 'list', [
        searchField({
          name: 'person',
          label: t('rooms.scim.person'),
          value: filter.person,
        }),
        select({
          name: 'outcome',
          label: t('rooms.scim.outcome'),
          value: filter.outcome,
          options: [
            ['', t('rooms.explain.any')],
            ...outcomeNames.map((one) => [one, t(outcomes[one])] as const),
          ],
        }),
      ]),
      html`<div id="list" class="list">
        ${
          exchanges.length === 0
            ? empty(t('rooms.scim.log_none'))
            : table({
                caption: t('rooms.scim.log'),
                rows: exchanges,
                columns: [
                  {
                    title: t('rooms.when'),
                    cell: ({ id, at, outcome, dryRun }) => [
                      html`<a href="${`${home}/requests/${id}`}">${when(page, at)}</a>`,
                      html`<span class="hint">
                        ${outcomeBadge(page, outcome)} ${dryRun && t('rooms.scim.dry_run')}
                      </span>`,
                    ],
                  },
                  {
                    title: t('rooms.explain.then'),
                    cell: ({ summary }) => named(summary, 300),
                  },
                  { title: t('rooms.name'), wide: true, cell: ({ token }) => named(token, 40) },
                ],
              })
        }
        ${pager(page, {
          href: withQuery(home, filter),
          nextCursor: page.nextCursor,
          later: page.later,
        })}
      </div>`,
    ],
  });
}

export interface DirectoryPage extends ConsoleFrame {
  token: {
    id: string;
    name: string;
    scopes: { users: boolean; groups: boolean; readOnly: boolean };
    dryRun: boolean;
    domainPolicy: string;
    departurePolicy: string;
    classicConfig: boolean;
    createdAt: Date;
    expiresAt: Date | null;
    lastUsedAt: Date | null;
    lastUsedIp: string | null;
    limits: { number: number; share: number; minutes: number };
    held: { since: Date; departures: number; keptAt: Date | null } | null;
  };
  health: {
    state: HealthState;
    says: string;
    lastSyncAt: Date | null;
    lastErrorAt: Date | null;
    lastError: string | null;
    requests: number;
    errors: number;
    refusedAt: Date | null;
  };
  errors: Errors;
  may: boolean;
}

/** One directory: its brake, how it is treated, and its end. */
export function directoryPage(page: DirectoryPage): Html {
  const { t, csrf, token, health, errors, may } = page;
  const { held, limits } = token;
  const base = `${home}/${token.id}`;
  return consolePage(page, {
    title: token.name,
    heading: named(token.name),
    back: { href: home, title: t('rooms.scim') },
    failed: Object.keys(errors).length > 0,
    main: [
      held && [
        alert([
          html`<p><strong>${t('rooms.scim.held_text', { n: held.departures })}</strong></p>`,
          html`<p>${when(page, held.since)} ${held.keptAt && t('rooms.scim.kept')}</p>`,
        ]),
        may &&
          part(
            t('rooms.scim.decide'),
            [
              html`<p>${t('rooms.scim.decide_text')}</p>`,
              postForm({ action: `${base}/hold`, csrf }, [
                questions(
                  [
                    {
                      kind: 'number',
                      name: 'allow',
                      label: t('rooms.scim.allow'),
                      hint: t('rooms.scim.allow_hint'),
                      optional: true,
                    },
                  ],
                  errors,
                ),
                html`<div class="actions">
                  <button class="danger" name="decision" value="release">
                    ${t('rooms.scim.release')}
                  </button>
                  <button name="decision" value="keep">${t('rooms.scim.keep')}</button>
                </div>`,
              ]),
            ],
            { id: 'hold' },
          ),
      ],
      part(t('console.status'), [
        html`<p>
          <span class="badge ${healthStates[health.state][0]}"
            >${t(healthStates[health.state][1])}</span
          >
          ${health.says}
        </p>`,
        facts([
          [t('rooms.scim.last_sync'), health.lastSyncAt && when(page, health.lastSyncAt)],
          [
            t('rooms.scim.day'),
            t('rooms.scim.requests', { n: health.requests, errors: health.errors }),
          ],
          [
            t('directory.last_error'),
            health.lastErrorAt && [
              when(page, health.lastErrorAt),
              ' ',
              html`<span lang="en">${named(health.lastError ?? '', 300)}</span>`,
            ],
          ],
          [t('directory.refused_at'), health.refusedAt && when(page, health.refusedAt)],
          [
            t('rooms.scim.reach'),
            [
              token.scopes.users && t('rooms.domain.users'),
              token.scopes.groups && t('rooms.move.groups'),
              token.scopes.readOnly && t('rooms.tokens.reading'),
            ]
              .filter(Boolean)
              .join(', '),
          ],
          [t('rooms.created'), when(page, token.createdAt)],
          [t('rooms.tokens.expires'), whenever(page, token.expiresAt)],
          [t('rooms.tokens.used'), [whenever(page, token.lastUsedAt), ' ', token.lastUsedIp]],
        ]),
        may &&
          act(page, { action: `${base}/revoke`, label: t('rooms.tokens.revoke'), kind: 'danger' }),
      ]),
      may &&
        part(
          t('rooms.edit'),
          postForm({ action: base, csrf }, [
            questions(
              [
                { kind: 'line', name: 'name', label: t('rooms.name'), value: token.name },
                ...treatment(page, {
                  dryRun: token.dryRun ? 'yes' : 'no',
                  policy: token.domainPolicy,
                  departures: token.departurePolicy,
                }),
                {
                  kind: 'number',
                  name: 'number',
                  label: t('rooms.scim.limit_number'),
                  hint: t('rooms.scim.limit_hint'),
                  value: String(limits.number),
                },
                {
                  kind: 'number',
                  name: 'share',
                  label: t('rooms.scim.limit_share'),
                  value: String(limits.share),
                },
                {
                  kind: 'number',
                  name: 'minutes',
                  label: t('rooms.scim.limit_minutes'),
                  value: String(limits.minutes),
                },
              ],
              errors,
            ),
            html`<div class="actions">
              <button class="primary" type="submit">${t('rooms.save')}</button>
            </div>`,
          ]),
          { id: 'edit' },
        ),
    ],
  });
}

function treatment(
  { t }: ConsoleFrame,
  values: { dryRun: string; policy: string; departures: string },
) {
  return [
    {
      kind: 'choice',
      name: 'dry_run',
      label: t('rooms.scim.mode'),
      value: values.dryRun,
      options: [
        ['no', t('rooms.scim.mode_real')],
        ['yes', t('rooms.scim.mode_dry')],
      ],
    },
    {
      kind: 'choice',
      name: 'policy',
      label: t('rooms.scim.policy'),
      value: values.policy,
      options: [
        ['owned', t('rooms.scim.policy_owned')],
        ['any_unowned', t('rooms.scim.policy_any')],
      ],
    },
    {
      kind: 'choice',
      name: 'departures',
      label: t('rooms.scim.departures'),
      value: values.departures,
      options: [
        ['everybody', t('rooms.scim.departures_everybody')],
        ['own_people', t('rooms.scim.departures_own')],
      ],
    },
  ] as const;
}

export function newDirectoryPage(
  page: ConsoleFrame & {
    values: {
      name: string;
      reach: string;
      dryRun: string;
      policy: string;
      departures: string;
      days: string;
    };
    errors: Errors;
  },
): Html {
  const { t, values, errors } = page;
  return formPage(page, {
    title: t('rooms.scim.new'),
    lead: t('rooms.scim.new_lead'),
    back: { href: home, title: t('rooms.scim') },
    action: `${home}/new`,
    errors,
    asked: [
      { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
      {
        kind: 'choice',
        name: 'reach',
        label: t('rooms.scim.reach'),
        value: values.reach,
        options: [
          ['both', t('rooms.tokens.people')],
          ['users', t('rooms.domain.users')],
          ['read', t('rooms.tokens.reading')],
        ],
      },
      ...treatment(page, values),
      {
        kind: 'choice',
        name: 'days',
        label: t('rooms.tokens.expires'),
        value: values.days,
        options: [90, 180, 365].map(
          (days) => [String(days), t('rooms.in_days', { n: days })] as const,
        ),
      },
    ],
    button: t('rooms.create'),
  });
}

export interface ExchangePage extends ConsoleFrame {
  exchange: ExchangeShown & {
    method: string;
    target: string;
    replayable: boolean;
    changes: readonly string[];
    dialect: readonly string[];
    rule: { code: string; says: string; advice: string } | null;
    ip: string | null;
    userAgent: string | null;
    request: unknown;
    response: unknown;
  };
  replayed: {
    status: number;
    statusThen: number;
    summary: string;
    changes: readonly string[];
  } | null;
}

/** One request of a directory: what was sent and answered, what it means, and what it would today. */
export function exchangePage(page: ExchangePage): Html {
  const { t, exchange, replayed } = page;
  const lines = (list: readonly string[]): Child =>
    list.length > 0 &&
    html`<ul class="plain">
      ${list.map((one) => html`<li>${named(one, 300)}</li>`)}
    </ul>`;
  const json = (value: unknown): Html =>
    html`<pre
      class="scroll"
      tabindex="0"
    ><code>${clip(JSON.stringify(value, null, 2) ?? '', 20_000)}</code></pre>`;
  return consolePage(page, {
    title: `${exchange.method} ${clip(exchange.target, 60)}`,
    heading: html`<code>${exchange.method} ${clip(exchange.target, 80)}</code>`,
    back: { href: home, title: t('rooms.scim') },
    main: [
      replayed &&
        notice('info', [
          html`<p>
            <strong
              >${t('rooms.scim.replayed', { before: replayed.statusThen, now: replayed.status })}</strong
            >
          </p>`,
          html`<p>${named(replayed.summary, 400)}</p>`,
          lines(replayed.changes),
        ]),
      part(
        t('rooms.explain.then'),
        [
          html`<p>${outcomeBadge(page, exchange.outcome)} ${named(exchange.summary, 400)}</p>`,
          exchange.rule &&
            notice('warning', [
              html`<p lang="en">
                <code>${exchange.rule.code}</code> ${named(exchange.rule.says, 400)}
              </p>`,
              html`<p>${named(exchange.rule.advice, 400)}</p>`,
            ]),
          lines(exchange.changes),
          lines(exchange.dialect),
          facts([
            [t('rooms.when'), when(page, exchange.at)],
            [t('rooms.name'), named(exchange.token)],
            [
              t('rooms.audit.from'),
              exchange.ip && [exchange.ip, ' ', named(exchange.userAgent ?? '', 120)],
            ],
            [t('rooms.delivery.answer'), exchange.status],
          ]),
          exchange.replayable &&
            act(page, {
              action: `${home}/requests/${exchange.id}/replay`,
              label: t('rooms.scim.replay'),
            }),
        ],
        { id: 'meaning' },
      ),
      exchange.request !== null && part(t('rooms.scim.request'), json(exchange.request)),
      exchange.response !== null && part(t('rooms.scim.response'), json(exchange.response)),
    ],
  });
}
