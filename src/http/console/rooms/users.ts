import { isId } from '#platform/ids.ts';
import { canonicalDomain } from '#identity/users/email.ts';
import {
  findUsers,
  userSorts,
  type UserFilter,
  type UserSort,
} from '#identity/users/find-users.ts';
import { listChoices } from '#identity/users/list-choices.ts';
import { lockReasons } from '#identity/users/locks.ts';
import { userStatuses } from '#identity/users/status.ts';
import { sources } from '#identity/users/user.ts';
import {
  userColumns,
  usersPage,
  type UserColumn,
  type UsersFilter,
} from '../../pages/console/users.ts';
import type { Room, Visit } from '../room.ts';
import { chosenIds, mostSelected, packIds } from '../selection.ts';
import { mayOf } from './user-actions.ts';

const atOnce = 50;

/** The people of an account: found, sorted, ticked across pages, and handed to an action. */
export const users: Room = {
  menu: { path: '/users', title: 'people.title', section: 'people', right: 'users:read' },
  open(door) {
    door.get('/users', 'users:read', async (visit) => {
      const filter = filterOf(visit);
      const columns = columnsOf(visit);
      const cursor = visit.cursor(['users', filter]);
      const wanted = { ...criteria(visit, filter), limit: atOnce + 1, after: cursor.after };
      const [rows, choices, matching] = await Promise.all([
        findUsers(visit.sql, wanted, visit.now),
        listChoices(visit.sql, visit.account.id),
        visit.value('all') === 'matching'
          ? findUsers(visit.sql, { ...wanted, limit: mostSelected, after: undefined }, visit.now)
          : [],
      ]);
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ position }) => position);
      const chosen = new Set([
        ...chosenIds(visit.values('ids'), visit.value('sel')),
        ...matching.map(({ id }) => id),
      ]);
      const ticked = new Set(items.map(({ id }) => id).filter((id) => chosen.has(id)));
      const elsewhere = [...chosen].filter((id) => !ticked.has(id));
      visit.show(
        usersPage({
          ...visit.page,
          users: items,
          filter,
          columns,
          choices,
          ticked,
          elsewhere: { text: packIds(elsewhere), count: elsewhere.length },
          actions: mayOf(visit),
          nextCursor,
          later: cursor.after !== undefined,
          may: { add: visit.may('users:add'), restore: visit.may('users:restore') },
        }),
      );
    });

    // Nobody asks for this with JSON, and a form of GET sends its ticks in the address: shortened.
    door.get('/users/selected', 'users:read', (visit) => {
      const ids = chosenIds(visit.values('ids'), visit.value('sel'));
      const action = mayOf(visit).find(({ key }) => key === visit.value('do'));
      if (!action || ids.length === 0)
        return visit.done(
          `/users${ids.length > 0 ? `?sel=${packIds(ids)}` : ''}`,
          visit.say(ids.length === 0 ? 'people.choose_people' : 'people.choose_action'),
          { tone: 'info' },
        );
      visit.done(`/users/do/${action.key}?sel=${packIds(ids)}`);
    });
  },
};

function filterOf(visit: Visit): UsersFilter {
  const order = visit.value('order') || visit.value('sort');
  return {
    q: visit.value('q').slice(0, 200),
    status: oneOf(userStatuses, visit.value('status')),
    lock: oneOf(lockReasons, visit.value('lock')),
    role: visit.value('role').slice(0, 100),
    group: isId(visit.value('group')) ? visit.value('group') : '',
    domain: canonicalDomain(visit.value('domain')) ?? '',
    source: oneOf(sources, visit.value('source')),
    since: isDay(visit.value('since')) ? visit.value('since') : '',
    countryMissing: visit.value('countryMissing') === 'yes',
    sort: oneOf(userSorts, order) || 'name',
  };
}

function criteria({ account }: Visit, filter: UsersFilter): Omit<UserFilter, 'limit' | 'after'> {
  const { q, status, lock, role, group, domain, source, since, countryMissing, sort } = filter;
  return {
    accountId: account.id,
    sort: sort as UserSort,
    q: q || undefined,
    status: (status || undefined) as UserFilter['status'],
    lock: (lock || undefined) as UserFilter['lock'],
    role: role || undefined,
    group: group || undefined,
    domain: domain || undefined,
    source: (source || undefined) as UserFilter['source'],
    notSignedInSince: since ? new Date(`${since}T00:00:00Z`) : undefined,
    countryMissing: countryMissing || undefined,
  };
}

/** The columns somebody chose, kept in their browser. */
function columnsOf({ ctx, value, values }: Visit): UserColumn[] {
  const cookie = 'ostiary_columns';
  if (value('columns') === 'chosen') {
    const chosen = values('column').filter(isColumn);
    ctx.cookies.set(cookie, chosen.join('.') || '-', {
      maxAge: 365 * 24 * 3600_000,
      httpOnly: true,
      sameSite: 'lax',
      path: '/console',
      overwrite: true,
    });
    return chosen;
  }
  const kept = ctx.cookies.get(cookie);
  return kept === undefined ? ['roles', 'lastLogin'] : kept.split('.').filter(isColumn);
}

function isColumn(text: string): text is UserColumn {
  return (userColumns as readonly string[]).includes(text);
}

function oneOf(list: readonly string[], text: string): string {
  return list.includes(text) ? text : '';
}

function isDay(text: string): boolean {
  return /^(19|20)\d\d-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}
