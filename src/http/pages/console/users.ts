import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html, raw } from '#platform/html.ts';
import { checkbox, field, hidden, named, select } from '../../form.ts';
import { consolePage, type ConsoleFrame, whenever } from './frame.ts';
import { box, clear, type Column, empty, searchField, selectionHead, table } from './parts.ts';
import {
  countryName,
  lockTexts,
  nameAndEmail,
  nameOf,
  padlock,
  roleName,
  sourceTexts,
  statusBadge,
  statusTexts,
  type LockShown,
  type SourceShown,
  type StatusShown,
} from './people.ts';

export interface UserRow {
  id: string;
  email: string | null;
  givenName: string;
  familyName: string;
  status: StatusShown;
  locks: readonly LockShown[];
  roles: readonly string[];
  groups: readonly { id: string; name: string }[];
  source: SourceShown;
  entitlementCountry: string | null;
  lastLoginAt: Date | null;
  createdAt: Date;
}

export const userColumns = ['roles', 'groups', 'lastLogin', 'source', 'country', 'joined'] as const;
export type UserColumn = (typeof userColumns)[number];

export interface UsersFilter {
  q: string;
  status: string;
  lock: string;
  role: string;
  group: string;
  domain: string;
  source: string;
  /** A day. */
  since: string;
  countryMissing: boolean;
  sort: string;
}

export interface UsersPage extends ConsoleFrame {
  users: readonly UserRow[];
  filter: UsersFilter;
  columns: readonly UserColumn[];
  /** What can be chosen from. */
  choices: {
    roles: readonly { key: string; name: string }[];
    groups: readonly { id: string; name: string }[];
    domains: readonly string[];
  };
  /** Who is ticked on this page. */
  ticked: ReadonlySet<string>;
  /** Who is ticked on others, as it is carried along. */
  elsewhere: { text: string; count: number };
  actions: readonly { key: string; title: MessageKey }[];
  nextCursor: string | null;
  later: boolean;
  may: { add: boolean; restore: boolean };
}

const columnTexts: Record<UserColumn, MessageKey> = {
  roles: 'people.roles',
  groups: 'people.groups',
  lastLogin: 'people.last_login',
  source: 'people.source',
  country: 'people.entitlement',
  joined: 'people.joined',
};

/**
 * One form holds all of it, so that who was ticked is known whatever is done next: another page,
 * another order, other words. Everything is in the address, and none of it needs a script.
 */
export function usersPage(page: UsersPage): Html {
  const { t, filter, may } = page;
  const title = t('people.title');
  return consolePage(page, {
    title,
    actions: [
      may.restore &&
        html`<a class="button quiet" href="/console/users/removed"
          >${t('people.removed.title')}</a
        >`,
      may.add &&
        html`<a class="button primary" href="/console/users/add">${t('people.add.title')}</a>`,
    ],
    main: html`<form id="people" method="get" action="/console/users">
      <search class="toolbar">
        ${searchField({
          label: t('people.search'),
          value: filter.q,
          attributes: live('input delay:200ms'),
        })}
        ${select({
          name: 'status',
          label: t('console.status'),
          value: filter.status,
          options: [
            ['', t('people.any')],
            ...Object.entries(statusTexts)
              .filter(([status]) => status !== 'erased' && status !== 'unaffiliated')
              .map(([status, text]) => [status, t(text)] as const),
          ],
        })}
        <button type="submit">${t('console.search')}</button>
      </search>
      ${more(page)} ${hidden('sort', filter.sort)}
      <div id="list" class="list" data-list>${list(page)}</div>
    </form>`,
  });
}

/** Asks for the list alone, while somebody types. */
function live(trigger: string): string {
  return `data-hx-get="/console/users" data-hx-trigger="${trigger}" data-hx-include="closest form" data-hx-target="#list" data-hx-select="#list" data-hx-swap="outerHTML" data-hx-replace-url="true" data-hx-sync="replace"`;
}

function more(page: UsersPage): Html {
  const { t, filter, choices, columns } = page;
  const any = ['', t('people.any')] as const;
  const narrowed = [
    filter.lock,
    filter.role,
    filter.group,
    filter.domain,
    filter.source,
    filter.since,
  ].some((value) => value !== '');
  return html`<details class="more" ${(narrowed || filter.countryMissing) && raw('open')}>
    <summary>${t('people.more')}</summary>
    <div class="toolbar">
      ${select({
        name: 'lock',
        label: t('people.locked_because'),
        value: filter.lock,
        options: [any, ...Object.entries(lockTexts).map(([key, text]) => [key, t(text)] as const)],
      })}
      ${select({
        name: 'role',
        label: t('people.role'),
        value: filter.role,
        options: [any, ...choices.roles.map((role) => [role.key, roleName(page, role)] as const)],
      })}
      ${
        choices.groups.length > 0 &&
        select({
          name: 'group',
          label: t('people.group'),
          value: filter.group,
          options: [any, ...choices.groups.map(({ id, name }) => [id, name] as const)],
        })
      }
      ${
        choices.domains.length > 0 &&
        select({
          name: 'domain',
          label: t('people.domain'),
          value: filter.domain,
          options: [any, ...choices.domains.map((name) => [name, name] as const)],
        })
      }
      ${select({
        name: 'source',
        label: t('people.source'),
        value: filter.source,
        options: [
          any,
          ...Object.entries(sourceTexts).map(([key, text]) => [key, t(text)] as const),
        ],
      })}
      ${field({
        name: 'since',
        label: t('people.not_since'),
        value: filter.since,
        optional: true,
        type: 'date',
      })}
      ${checkbox({
        id: 'countryMissing',
        name: 'countryMissing',
        value: 'yes',
        label: t('people.country_missing'),
        checked: filter.countryMissing,
      })}
    </div>
    <fieldset class="columns">
      <legend>${t('people.columns')}</legend>
      ${hidden('columns', 'chosen')}
      ${userColumns.map((column) =>
        checkbox({
          id: `column-${column}`,
          name: 'column',
          value: column,
          label: t(columnTexts[column]),
          checked: columns.includes(column),
        }),
      )}
    </fieldset>
    <p class="actions">
      <button type="submit">${t('people.apply')}</button>
      <a class="button quiet" href="/console/users">${t('people.clear')}</a>
    </p>
  </details>`;
}

function list(page: UsersPage): Child {
  const { t, users, filter, elsewhere, ticked, nextCursor, later, may } = page;
  const narrowed = Object.entries(filter).some(([name, value]) => name !== 'sort' && value);
  if (users.length === 0)
    return [
      hidden('sel', elsewhere.text || undefined),
      narrowed || later
        ? empty(t('people.none_found'), clear(page, '/console/users'))
        : empty(
            t('people.none'),
            may.add &&
              html`<a class="button" href="/console/users/add">${t('people.add.title')}</a>`,
          ),
    ];
  return html`
    ${hidden('sel', elsewhere.text || undefined)}
    ${selectionHead(page, {
      here: ticked.size,
      elsewhere: elsewhere.count,
      more: html`<button type="submit" class="quiet" name="all" value="matching">
        ${t('people.tick_all')}
      </button>`,
      actions: html`
        <label class="hidden" for="do">${t('people.do')}</label>
        <select id="do" name="do">
          <option value="">${t('people.do')}</option>
          ${page.actions.map(({ key, title }) => html`<option value="${key}">${t(title)}</option>`)}
        </select>
        <button type="submit" formaction="/console/users/selected">${t('people.go_on')}</button>
      `,
    })}
    ${table({
      caption: t('people.title'),
      rows: users,
      rowId: ({ id }) => `user-${id}`,
      columns: columnsOf(page),
    })}
    ${
      (later || nextCursor !== null) &&
      html`<div class="pagination">
        ${
          later
            ? html`<button type="submit" class="quiet">${t('console.first_page')}</button>`
            : html`<span></span>`
        }
        ${
          nextCursor !== null &&
          html`<button type="submit" name="cursor" value="${nextCursor}">
            ${t('console.next_page')}
          </button>`
        }
      </div>`
    }
  `;
}

function columnsOf(page: UsersPage): Column<UserRow>[] {
  const { t, ticked, columns, choices } = page;
  const roles = new Map(choices.roles.map((role) => [role.key, roleName(page, role)]));
  const cells: Record<UserColumn, (user: UserRow) => Child> = {
    roles: (user) => named(user.roles.map((key) => roles.get(key) ?? key).join(', ')),
    groups: (user) => named(user.groups.map(({ name }) => name).join(', ')),
    lastLogin: (user) => whenever(page, user.lastLoginAt),
    source: (user) => t(sourceTexts[user.source]),
    country: (user) => countryName(page, user.entitlementCountry),
    joined: (user) => whenever(page, user.createdAt, 'day'),
  };
  return [
    {
      title: html`<span class="hidden">${t('people.tick')}</span>`,
      cell: (user) =>
        box('ids', user.id, {
          id: `tick-${user.id}`,
          label: t('people.tick_one', { name: nameOf(user) }),
          checked: ticked.has(user.id),
        }),
    },
    {
      title: sortable(page, 'name', t('people.name')),
      sorted: sorted(page, 'name'),
      cell: (user) => nameAndEmail(user, `/console/users/${user.id}`),
    },
    {
      title: t('console.status'),
      cell: (user) =>
        html`<span class="state"
          >${statusBadge(page, user.status)} ${padlock(page, user.id, user.locks)}</span
        >`,
    },
    ...userColumns
      .filter((column) => columns.includes(column))
      .map((column): Column<UserRow> => {
        const order = column === 'lastLogin' || column === 'joined' ? column : null;
        return {
          title:
            order === null ? t(columnTexts[column]) : sortable(page, order, t(columnTexts[column])),
          sorted: order === null ? undefined : sorted(page, order),
          wide: true,
          cell: cells[column],
        };
      }),
  ];
}

/** The heading of a column that sorts by it, and the other way round when it does already. */
function sortable({ filter }: UsersPage, order: string, title: string): Html {
  const next = filter.sort === order ? `-${order}` : order;
  return html`<button type="submit" class="sort" name="order" value="${next}">${title}</button>`;
}

function sorted({ filter }: UsersPage, order: string): 'ascending' | 'descending' | undefined {
  if (filter.sort === order) return 'ascending';
  return filter.sort === `-${order}` ? 'descending' : undefined;
}
