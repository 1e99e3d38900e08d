import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, hidden, named, notice, postForm } from '../../form.ts';
import { accountStatuses, type AccountStatusShown } from './accounts.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors } from './forms.ts';
import { facts, part, table } from './parts.ts';

export interface OrganizationPage extends ConsoleFrame {
  organization: {
    id: string;
    name: string;
    number: string | null;
    countries: readonly string[];
    status: AccountStatusShown;
    holdReason: string | null;
    heldAt: Date | null;
    closesAt: Date | null;
    users: number;
    createdAt: Date;
    administrators: readonly { id: string; name: string; email: string; role: string }[];
    contacts: readonly { id: string; name: string; email: string; country: string | null }[];
  };
  failure?: string | undefined;
  may: { hold: boolean; close: boolean; move: boolean };
}

const base = '/console/organization';

/** The account itself: what it is called, who looks after it, and how it stands. */
export function organizationPage(page: OrganizationPage): Html {
  const { t, csrf, organization, failure, may } = page;
  const { status } = organization;
  return consolePage(page, {
    title: t('rooms.organization'),
    failed: failure !== undefined,
    main: [
      failure && alert(failure),
      part(
        named(organization.name),
        [
          html`<p>
            <span class="badge ${status === 'active' ? 'success' : 'warning'}"
              >${t(accountStatuses[status])}</span
            >
          </p>`,
          facts([
            [t('rooms.organization.number'), organization.number && named(organization.number)],
            [t('rooms.organization.countries'), organization.countries.join(', ')],
            [t('rooms.domain.users'), organization.users.toLocaleString(t.locale)],
            [t('rooms.created'), when(page, organization.createdAt, 'day')],
            [t('rooms.organization.held'), organization.heldAt && when(page, organization.heldAt)],
            [t('rooms.reason'), organization.holdReason && named(organization.holdReason, 500)],
            [
              t('rooms.organization.closes'),
              organization.closesAt && whenever(page, organization.closesAt),
            ],
          ]),
        ],
        { id: 'status' },
      ),
      part(
        t('rooms.settings.administrators'),
        table({
          caption: t('rooms.settings.administrators'),
          rows: organization.administrators,
          columns: [
            {
              title: t('rooms.name'),
              cell: ({ id, name, email }) =>
                html`<a href="${`/console/users/${id}`}">${named(name || email)}</a>`,
            },
            { title: t('rooms.email'), cell: ({ email }) => named(email) },
            {
              title: t('rooms.tokens.role'),
              wide: true,
              cell: ({ role }) =>
                t(role === 'account_administrator' ? 'rooms.role.administrator' : 'rooms.role.co'),
            },
          ],
        }),
      ),
      may.hold &&
        part(t('rooms.domain.operator'), [
          status === 'active' &&
            postForm({ action: `${base}/hold`, csrf }, [
              questions([
                {
                  kind: 'line',
                  name: 'reason',
                  label: t('rooms.reason'),
                  hint: t('rooms.organization.hold_hint'),
                },
              ]),
              html`<div class="actions">
                <button type="submit">${t('rooms.organization.hold')}</button>
              </div>`,
            ]),
          status === 'on_hold' &&
            act(page, {
              action: `${base}/resume`,
              label: t('rooms.organization.resume'),
              kind: 'primary',
            }),
          status === 'closing' &&
            act(page, {
              action: `${base}/keep`,
              label: t('rooms.organization.keep'),
              kind: 'primary',
            }),
          html`<div class="actions">
            ${may.move && html`<a class="button" href="${`${base}/merge`}">${t('rooms.organization.merge')}</a>`}
            ${may.move && html`<a class="button" href="${`${base}/split`}">${t('rooms.organization.split')}</a>`}
            ${
              may.close &&
              (status === 'active' || status === 'on_hold') &&
              html`<a class="button danger" href="${`${base}/close`}"
                >${t('rooms.organization.close')}</a
              >`
            }
          </div>`,
        ]),
    ],
  });
}

export function closePage(page: ConsoleFrame & { name: string; errors: Errors }): Html {
  const { t, errors } = page;
  return formPage(page, {
    title: t('rooms.organization.close'),
    lead: t('rooms.organization.close_text'),
    back: { href: base, title: t('rooms.organization') },
    action: `${base}/close`,
    asked: [
      {
        kind: 'line',
        name: 'reason',
        label: t('rooms.reason'),
        hint: t('rooms.organization.hold_hint'),
      },
      {
        kind: 'line',
        name: 'confirm',
        label: t('rooms.organization.type_name'),
        hint: named(page.name),
      },
    ],
    errors,
    button: t('rooms.organization.close'),
  });
}

export function newAccountPage(
  page: ConsoleFrame & {
    values: Readonly<
      Record<
        'name' | 'number' | 'countries' | 'email' | 'givenName' | 'familyName' | 'country',
        string
      >
    >;
    countries: readonly (readonly [code: string, name: string])[];
    errors: Errors;
    failure?: string | undefined;
  },
): Html {
  const { t, values, countries, errors, failure } = page;
  return formPage(page, {
    title: t('rooms.account.new'),
    lead: t('rooms.account.new_lead'),
    back: { href: '/console/accounts', title: t('console.accounts') },
    action: '/console/accounts/new',
    errors,
    failure,
    asked: [
      { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
      {
        kind: 'line',
        name: 'number',
        label: t('rooms.organization.number'),
        value: values.number,
        optional: true,
      },
      {
        kind: 'line',
        name: 'countries',
        label: t('rooms.organization.countries'),
        hint: t('rooms.organization.countries_hint'),
        value: values.countries,
        optional: true,
      },
      {
        kind: 'email',
        name: 'email',
        label: t('rooms.account.contact'),
        value: values.email,
      },
      { kind: 'line', name: 'givenName', label: t('rooms.given_name'), value: values.givenName },
      { kind: 'line', name: 'familyName', label: t('rooms.family_name'), value: values.familyName },
      {
        kind: 'choice',
        name: 'country',
        label: t('rooms.country'),
        value: values.country,
        options: countries,
      },
    ],
    button: t('rooms.create'),
  });
}

export interface MergePage extends ConsoleFrame {
  values: { into: string; administrators: string };
  errors: Errors;
}

export function mergePage(page: MergePage): Html {
  const { t, values, errors } = page;
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
    ],
    button: t('rooms.move.look'),
  });
}

export function splitPage(
  page: ConsoleFrame & {
    values: {
      name: string;
      number: string;
      domains: readonly string[];
      administrators: readonly string[];
    };
    domains: readonly string[];
    people: readonly (readonly [id: string, email: string])[];
    errors: Errors;
  },
): Html {
  const { t, values, domains, people, errors } = page;
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
        kind: 'boxes',
        name: 'administrators',
        label: t('rooms.move.new_administrators'),
        hint: t('rooms.move.new_administrators_hint'),
        chosen: values.administrators,
        options: people,
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

/** What a merge or a split would do, before it is done. */
export function moveReportPage(
  page: ConsoleFrame & {
    kind: 'merge' | 'split';
    report: ReportShown;
    /** Sent along, to be asked for once more. */
    values: Readonly<Record<string, string | readonly string[]>>;
    failure?: string | undefined;
  },
): Html {
  const { t, csrf, kind, report, values, failure } = page;
  const title = t(kind === 'merge' ? 'rooms.organization.merge' : 'rooms.organization.split');
  const list = (lines: readonly Child[]): Child =>
    lines.length > 0 &&
    html`<ul class="plain">
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>`;
  return consolePage(page, {
    title,
    back: { href: `${base}/${kind}`, title },
    failed: report.problems.length > 0 || failure !== undefined,
    main: [
      failure && alert(failure),
      report.problems.length > 0 &&
        alert(list(report.problems.map((one) => t(problems[one] ?? 'rooms.move.problem_other')))),
      part(
        html`${named(report.source)} → ${named(report.target)}`,
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
                ({ email, from, to }) => html`${named(email)}: ${from} → ${to ?? '–'}`,
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
      report.problems.length === 0 &&
        part(t('rooms.move.do'), [
          notice('warning', t('rooms.move.text')),
          postForm({ action: `${base}/${kind}/apply`, csrf }, [
            Object.entries(values).flatMap(([name, value]) =>
              [value].flat().map((one) => hidden(name, one)),
            ),
            questions([
              {
                kind: 'line',
                name: 'reason',
                label: t('rooms.reason'),
                hint: t('rooms.reason_hint'),
              },
            ]),
            html`<div class="actions">
              <button class="danger" type="submit">${title}</button>
              <a class="button quiet" href="${base}">${t('console.cancel')}</a>
            </div>`,
          ]),
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
    back: { href: '/console/accounts', title: t('console.accounts') },
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
