import { type Html, html } from '#platform/html.ts';
import { named } from '../../form.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, type Errors } from './forms.ts';
import { empty, table } from './parts.ts';

export interface ApiTokensPage extends ConsoleFrame {
  title: string;
  path: string;
  tokens: readonly {
    id: string;
    name: string;
    role: string;
    scopes: readonly string[];
    createdAt: Date;
    expiresAt: Date | null;
    lastUsedAt: Date | null;
    lastUsedIp: string | null;
  }[];
  may: { create: boolean; revoke: boolean };
}

/** Which programs may come in, and when they last did. */
export function apiTokensPage(page: ApiTokensPage): Html {
  const { t, title, path, tokens, may } = page;
  return consolePage(page, {
    title,
    lead: t('rooms.tokens.lead'),
    actions:
      may.create &&
      html`<a class="button primary" href="${`${path}/new`}">${t('rooms.tokens.new')}</a>`,
    main: html`<div id="list" class="list">
      ${
        tokens.length === 0
          ? empty(t('rooms.tokens.none'))
          : table({
              caption: title,
              rows: tokens,
              rowId: ({ id }) => `token-${id}`,
              columns: [
                {
                  title: t('rooms.name'),
                  cell: ({ name, scopes }) => [
                    html`<strong>${named(name)}</strong>`,
                    html`<span class="hint"
                      >${scopes.length === 0 ? t('rooms.tokens.everything') : scopes.join(', ')}</span
                    >`,
                  ],
                },
                {
                  title: t('rooms.tokens.role'),
                  wide: true,
                  cell: ({ role }) => roleName(page, role),
                },
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
                  title: t('rooms.tokens.used'),
                  cell: ({ lastUsedAt, lastUsedIp }) => [
                    lastUsedAt ? when(page, lastUsedAt) : t('rooms.never'),
                    lastUsedIp && html`<span class="hint">${lastUsedIp}</span>`,
                  ],
                },
                {
                  title: t('console.actions'),
                  does: true,
                  cell: ({ id, name }) =>
                    may.revoke &&
                    act(page, {
                      action: `${path}/${id}/revoke`,
                      label: t('rooms.tokens.revoke'),
                      named: name,
                      kind: 'danger',
                    }),
                },
              ],
            })
      }
    </div>`,
  });
}

function roleName({ t }: ConsoleFrame, role: string): string {
  if (role === 'operator') return t('rooms.role.operator');
  return t(role === 'account_administrator' ? 'rooms.role.administrator' : 'rooms.role.co');
}

/** How long a token lives, in days; 0 for always. */
export const lifetimes = [30, 90, 365, 0] as const;

/** What tokens are made for most of the time. */
export const purposes = ['everything', 'reading', 'people', 'audit'] as const;

export function newTokenPage(
  page: ConsoleFrame & {
    title: string;
    path: string;
    /** Whether it is for one account, and a role is to be chosen. */
    roles: boolean;
    values: { name: string; role: string; purpose: string; days: string };
    errors: Errors;
  },
): Html {
  const { t, title, path, roles, values, errors } = page;
  return formPage(page, {
    title: t('rooms.tokens.new'),
    back: { href: path, title },
    action: `${path}/new`,
    errors,
    asked: [
      {
        kind: 'line',
        name: 'name',
        label: t('rooms.name'),
        hint: t('rooms.tokens.name_hint'),
        value: values.name,
      },
      ...(roles
        ? ([
            {
              kind: 'choice',
              name: 'role',
              label: t('rooms.tokens.role'),
              value: values.role,
              options: [
                ['co_administrator', t('rooms.role.co')],
                ['account_administrator', t('rooms.role.administrator')],
              ],
            },
          ] as const)
        : []),
      {
        kind: 'choice',
        name: 'purpose',
        label: t('rooms.tokens.purpose'),
        value: values.purpose,
        options: [
          ['everything', t('rooms.tokens.everything')],
          ['reading', t('rooms.tokens.reading')],
          ['people', t('rooms.tokens.people')],
          ['audit', t('rooms.tokens.audit')],
        ],
      },
      {
        kind: 'choice',
        name: 'days',
        label: t('rooms.tokens.expires'),
        value: values.days,
        options: lifetimes.map((days) => [
          String(days),
          days === 0 ? t('rooms.never') : t('rooms.in_days', { n: days }),
        ]),
      },
    ],
    button: t('rooms.create'),
  });
}
