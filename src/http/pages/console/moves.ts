import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, hidden, named, notice, postForm } from '../../form.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors } from './forms.ts';
import { empty, facts, pager, part, sendOrCancel, table } from './parts.ts';

const base = '/console/organization';

/** How an account goes into another, or a part of it becomes one: asked, shown, proposed, confirmed. */
export interface MergePage extends ConsoleFrame {
  values: { into: string; administrators: string; keep: readonly string[] };
  /** The Account Administrators that the account has. */
  people: readonly (readonly [id: string, email: string])[];
  errors: Errors;
}

export function mergePage(page: MergePage): Html {
  const { t, values, people, errors } = page;
  return formPage(page, {
    title: t('rooms.organization.merge'),
    lead: t('rooms.move.merge_lead'),
    back: { href: base, title: t('rooms.organization') },
    action: `${base}/merge`,
    errors,
    asked: [
      {
        kind: 'line',
        name: 'into',
        label: t('rooms.move.into'),
        hint: t('rooms.move.into_hint'),
        value: values.into,
      },
      {
        kind: 'choice',
        name: 'administrators',
        label: t('rooms.move.administrators'),
        value: values.administrators,
        options: [
          ['co_administrator', t('rooms.role.co')],
          ['account_administrator', t('rooms.role.administrator')],
          ['none', t('rooms.none')],
        ],
      },
      ...(people.length > 0
        ? [
            {
              kind: 'boxes' as const,
              name: 'keepAdministrators',
              label: t('rooms.moves.keep'),
              chosen: values.keep,
              options: people,
            },
          ]
        : []),
    ],
    button: t('rooms.move.look'),
  });
}

export interface SplitPage extends ConsoleFrame {
  values: {
    name: string;
    number: string;
    domains: readonly string[];
    groups: readonly string[];
    /** Addresses, one on each line. */
    users: string;
    administrators: string;
  };
  domains: readonly string[];
  groups: readonly (readonly [id: string, name: string])[];
  errors: Errors;
}

export function splitPage(page: SplitPage): Html {
  const { t, values, domains, groups, errors } = page;
  return formPage(page, {
    title: t('rooms.organization.split'),
    lead: t('rooms.move.split_lead'),
    back: { href: base, title: t('rooms.organization') },
    action: `${base}/split`,
    errors,
    asked: [
      { kind: 'line', name: 'name', label: t('rooms.move.name'), value: values.name },
      {
        kind: 'line',
        name: 'number',
        label: t('rooms.organization.number'),
        value: values.number,
        optional: true,
      },
      {
        kind: 'boxes',
        name: 'domains',
        label: t('rooms.move.domains'),
        chosen: values.domains,
        options: domains.map((domain) => [domain, domain] as const),
      },
      {
        kind: 'text',
        name: 'users',
        label: t('rooms.moves.people'),
        hint: t('rooms.moves.addresses'),
        value: values.users,
        optional: true,
      },
      ...(groups.length > 0
        ? [
            {
              kind: 'boxes' as const,
              name: 'groups',
              label: t('rooms.moves.groups'),
              chosen: values.groups,
              options: groups,
            },
          ]
        : []),
      {
        kind: 'text',
        name: 'administrators',
        label: t('rooms.move.new_administrators'),
        hint: t('rooms.move.new_administrators_hint'),
        value: values.administrators,
        rows: 2,
      },
    ],
    button: t('rooms.move.look'),
  });
}

export interface ReportShown {
  source: string;
  target: string;
  people: { members: number; invited: number };
  roles: readonly { email: string; from: string; to: string | null }[];
  domains: readonly { domain: string; outcome: 'moves' | 'dropped' }[];
  groups: readonly { name: string; newName: string }[];
  countriesLost: readonly { country: string; people: number }[];
  membershipsLost: number;
  approvals: number;
  tokensRevoked: number;
  webhooksPaused: number;
  problems: readonly string[];
}

const problems: Record<string, MessageKey> = {
  account_not_active: 'rooms.move.problem_not_active',
  same_account: 'rooms.move.problem_same',
  under_way: 'rooms.move.problem_under_way',
  domain_not_owned: 'rooms.move.problem_domain',
  not_a_member: 'rooms.move.problem_member',
  group_not_found: 'rooms.move.problem_group',
  nobody_moves: 'rooms.move.problem_nobody',
  no_administrator: 'rooms.move.problem_administrator',
  no_contact: 'rooms.move.problem_contact',
  number_taken: 'rooms.move.problem_number',
};

function list(lines: readonly Child[]): Child {
  return (
    lines.length > 0 &&
    html`<ul class="plain">
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>`
  );
}

function between({ source, target }: { source: string; target: string }): Html {
  return html`${named(source)} → ${named(target)}`;
}

/** A role over others, in words. */
function role({ t }: ConsoleFrame, key: string | null): string {
  if (key === 'account_administrator') return t('rooms.role.administrator');
  return t(key === 'co_administrator' ? 'rooms.role.co' : 'rooms.none');
}

function reportParts(page: ConsoleFrame, report: ReportShown): Child[] {
  const { t } = page;
  return [
    report.problems.length > 0 &&
      alert(list(report.problems.map((one) => t(problems[one] ?? 'rooms.move.problem_other')))),
    part(
      between(report),
      facts([
        [t('rooms.move.members'), report.people.members.toLocaleString(t.locale)],
        [t('rooms.move.invited'), report.people.invited.toLocaleString(t.locale)],
        [
          t('rooms.domains'),
          list(
            report.domains.map(({ domain, outcome }) =>
              outcome === 'moves' ? domain : html`<del>${domain}</del>`,
            ),
          ),
        ],
        [
          t('rooms.move.groups'),
          list(
            report.groups.map(({ name, newName }) =>
              name === newName ? named(name) : html`${named(name)} → ${named(newName)}`,
            ),
          ),
        ],
        [
          t('rooms.move.roles'),
          list(
            report.roles.map(
              ({ email, from, to }) =>
                html`${named(email)}: ${role(page, from)} → ${role(page, to)}`,
            ),
          ),
        ],
        [
          t('rooms.move.countries'),
          list(report.countriesLost.map(({ country, people }) => `${country}: ${people}`)),
        ],
        [t('rooms.move.memberships'), report.membershipsLost || null],
        [t('rooms.dashboard.approvals'), report.approvals || null],
        [t('rooms.move.tokens'), report.tokensRevoked || null],
        [t('rooms.move.webhooks'), report.webhooksPaused || null],
      ]),
    ),
  ];
}

function titleOf({ t }: ConsoleFrame, kind: 'merge' | 'split'): string {
  return t(kind === 'merge' ? 'rooms.organization.merge' : 'rooms.organization.split');
}

/** What a merge or a split would do, before it is proposed. */
export function moveReportPage(
  page: ConsoleFrame & {
    kind: 'merge' | 'split';
    report: ReportShown;
    /** Sent along, to be asked for once more. */
    values: Readonly<Record<string, string | readonly string[]>>;
    failure?: string | undefined;
    reason: string;
    errors: Errors;
  },
): Html {
  const { t, csrf, kind, report, values, failure, reason, errors } = page;
  const title = titleOf(page, kind);
  return consolePage(page, {
    title,
    back: { href: `${base}/${kind}`, title },
    failed: report.problems.length > 0 || failure !== undefined || Object.keys(errors).length > 0,
    main: [
      failure && alert(failure),
      reportParts(page, report),
      report.problems.length === 0 &&
        part(t('rooms.move.do'), [
          notice('info', t('rooms.moves.propose_text')),
          postForm({ action: `${base}/${kind}/propose`, csrf }, [
            Object.entries(values).flatMap(([name, value]) =>
              [value].flat().map((one) => hidden(name, one)),
            ),
            questions(
              [
                {
                  kind: 'line',
                  name: 'reason',
                  label: t('rooms.reason'),
                  hint: t('rooms.reason_hint'),
                  value: reason,
                },
              ],
              errors,
            ),
            sendOrCancel(page, t('rooms.moves.propose'), { href: base }),
          ]),
        ]),
    ],
  });
}

const states = {
  open: 'rooms.moves.open',
  expired: 'rooms.moves.expired',
  confirmed: 'rooms.moves.confirmed',
  withdrawn: 'rooms.moves.withdrawn',
  superseded: 'rooms.moves.superseded',
} as const satisfies Record<string, MessageKey>;

interface ProposalShown {
  id: string;
  kind: 'merge' | 'split';
  source: string;
  target: string;
  state: keyof typeof states;
  proposer: string | null;
  proposedAt: Date;
  expiresAt: Date;
}

function badge({ t }: ConsoleFrame, state: keyof typeof states): Html {
  const tone = state === 'open' ? 'warning' : state === 'confirmed' ? 'success' : '';
  return html`<span class="badge ${tone}">${t(states[state])}</span>`;
}

/** Every merge and split that was proposed. */
export function movesPage(
  page: ConsoleFrame & {
    proposals: readonly ProposalShown[];
    nextCursor: string | null;
    later: boolean;
  },
): Html {
  const { t, proposals, nextCursor, later } = page;
  return consolePage(page, {
    title: t('rooms.moves'),
    lead: t('rooms.moves.lead'),
    main: html`<div class="list">
      ${
        proposals.length === 0
          ? empty(t('rooms.moves.none', { room: t('rooms.organization') }))
          : table({
              caption: t('rooms.moves'),
              rows: proposals,
              columns: [
                {
                  title: t('rooms.moves.what'),
                  cell: (one) => [
                    html`<a href="/console/moves/proposals/${one.id}">${between(one)}</a>`,
                    html`<span class="hint">${titleOf(page, one.kind)}</span>`,
                  ],
                },
                {
                  title: t('rooms.moves.by'),
                  wide: true,
                  cell: ({ proposer }) => proposer && named(proposer),
                },
                {
                  title: t('rooms.created'),
                  wide: true,
                  cell: ({ proposedAt }) => when(page, proposedAt),
                },
                { title: t('console.status'), cell: ({ state }) => badge(page, state) },
              ],
            })
      }
      ${pager(page, { href: '/console/moves', nextCursor, later })}
    </div>`,
  });
}

export interface ProposalPage extends ConsoleFrame {
  proposal: ProposalShown & {
    report: ReportShown;
    digest: string;
    reason: string;
    moveId: string | null;
  };
  /** What it would do now, where that is something else than was proposed. */
  changed: ReportShown | null;
  /** Proposed by who reads this: then another has to confirm it. */
  own: boolean;
  failure?: string | undefined;
}

/** A proposal: the report that was read, and what another operator may do about it. */
export function proposalPage(page: ProposalPage): Html {
  const { t, proposal, changed, own, failure } = page;
  const path = `/console/moves/proposals/${proposal.id}`;
  const open = proposal.state === 'open';
  return consolePage(page, {
    title: titleOf(page, proposal.kind),
    back: { href: '/console/moves', title: t('rooms.moves') },
    failed: failure !== undefined || changed !== null,
    main: [
      failure && alert(failure),
      changed && alert(t('rooms.moves.changed'), 'warning'),
      part(
        t('console.status'),
        [
          html`<p>${badge(page, proposal.state)}</p>`,
          facts([
            [t('rooms.moves.by'), proposal.proposer && named(proposal.proposer)],
            [t('rooms.created'), when(page, proposal.proposedAt)],
            [t('rooms.moves.until'), open && whenever(page, proposal.expiresAt)],
            [t('rooms.reason'), named(proposal.reason, 500)],
          ]),
          proposal.moveId !== null &&
            html`<p><a href="/console/moves/${proposal.moveId}">${t('rooms.move')}</a></p>`,
        ],
        { id: 'status' },
      ),
      reportParts(page, changed ?? proposal.report),
      open &&
        part(t('rooms.move.do'), [
          own && notice('info', t('rooms.moves.own')),
          !own && changed === null && notice('warning', t('rooms.move.text')),
          html`<div class="actions">
            ${
              !own &&
              changed === null &&
              act(page, {
                action: `${path}/confirm`,
                label: t('rooms.moves.confirm'),
                values: { digest: proposal.digest },
                kind: 'danger',
              })
            }
            ${act(page, { action: `${path}/withdraw`, label: t('rooms.moves.withdraw') })}
          </div>`,
        ]),
    ],
  });
}

export function movePage(
  page: ConsoleFrame & {
    move: {
      state: 'running' | 'done';
      moved: number;
      total: number;
      createdAt: Date;
      finishedAt: Date | null;
    };
  },
): Html {
  const { t, move } = page;
  return consolePage(page, {
    title: t('rooms.move'),
    back: { href: '/console/moves', title: t('rooms.moves') },
    main: part(t('console.status'), [
      html`<p>
        <progress
          value="${move.moved}"
          max="${Math.max(1, move.total)}"
          aria-label="${t('rooms.move')}"
        ></progress>
        ${t('rooms.move.progress', { moved: move.moved, total: move.total })}
      </p>`,
      facts([
        [t('rooms.created'), when(page, move.createdAt)],
        [t('rooms.move.finished'), move.finishedAt && when(page, move.finishedAt)],
      ]),
    ]),
  });
}
