import { isId } from '#platform/ids.ts';
import {
  changeGroup,
  createGroup,
  findGroups,
  groupById,
  removeGroup,
  type Group,
} from '#identity/groups/groups.ts';
import {
  changeManagers,
  changeMembers,
  managesGroup,
  membersOf,
} from '#identity/groups/membership.ts';
import { Refusal } from '#identity/refusal.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { findUsers } from '#identity/users/find-users.ts';
import {
  groupFormPage,
  groupPage,
  groupsPage,
  removeGroupPage,
  type GroupValues,
} from '../../pages/console/groups.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';
import { blame, type FieldErrors } from '../typed.ts';

const atOnce = 50;

/** Parts of an account. Who looks after a group sees it alone, and who is in it (behaviour.md F17). */
export const groups: Room = {
  menu: { path: '/groups', title: 'people.groups', section: 'people', right: 'groups:own' },
  open(door) {
    door.get('/groups', 'groups:own', async (visit) => {
      const q = visit.value('q').slice(0, 200);
      const cursor = visit.cursor(['groups', q]);
      const rows = await findGroups(visit.sql, {
        accountId: visit.account.id,
        q: q || undefined,
        managedBy: visit.may('groups:read') ? undefined : visit.person.id,
        after: cursor.after,
        limit: atOnce + 1,
      });
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
      visit.show(
        groupsPage({
          ...visit.page,
          groups: items,
          q,
          nextCursor,
          later: cursor.after !== undefined,
          may: visit.may('groups:manage'),
        }),
      );
    });

    door.get('/groups/new', 'groups:manage', (visit) => showForm(visit, null));
    door.post('/groups/new', 'groups:manage', async (visit) => {
      const values = valuesOf(visit);
      await saved(visit, null, async () => {
        const group = await visit.act((work, { account }) =>
          createGroup(work, account, {
            ...values,
            entitlementCountry: values.type === 'entitlement' ? values.entitlementCountry : null,
          }),
        );
        visit.done(`/groups/${group.id}`, visit.say('people.group.created'));
      });
    });

    door.get('/groups/:groupId', 'groups:own', (visit) => show(visit));
    door.get('/groups/:groupId/change', 'groups:manage', async (visit) =>
      showForm(visit, await ownGroup(visit)),
    );
    door.post('/groups/:groupId/change', 'groups:manage', async (visit) => {
      const group = await ownGroup(visit);
      const { name, description, entitlementCountry } = valuesOf(visit);
      await saved(visit, group, async () => {
        await visit.act((work, { account }) =>
          changeGroup(work, account, group.id, {
            name,
            description,
            ...(group.type === 'entitlement' && { entitlementCountry }),
            version: Number(visit.value('version')) || undefined,
          }),
        );
        visit.done(`/groups/${group.id}`, visit.say('people.group.saved'));
      });
    });

    door.get('/groups/:groupId/remove', 'groups:manage', async (visit) => {
      visit.show(removeGroupPage({ ...visit.page, group: await ownGroup(visit) }));
    });
    door.post('/groups/:groupId/remove', 'groups:manage', async (visit) => {
      await visit.act((work, { account }) =>
        removeGroup(work, account.id, visit.params['groupId']!),
      );
      visit.done('/groups', visit.say('people.group.removed'));
    });

    door.post('/groups/:groupId/members', 'groups:own_members', async (visit) => {
      const group = await ownGroup(visit);
      const add = await memberToAdd(visit);
      if (add === null) return show(visit, visit.say('people.group.nobody'));
      const remove = isId(visit.value('remove')) ? [visit.value('remove')] : [];
      await visit.act(async (work, { account, asking }) => {
        // Who looks after it may have changed a moment ago.
        if (
          asking.role === 'group_manager' &&
          !(await managesGroup(work, asking.userId!, group.id))
        )
          throw new Refusal('not_found');
        await changeMembers(work, account.id, group.id, { add, remove });
      });
      visit.done(
        `/groups/${group.id}#members`,
        visit.say(add.length > 0 ? 'people.group.added' : 'people.group.taken'),
      );
    });

    door.post('/groups/:groupId/managers', 'groups:manage', async (visit) => {
      const { add, remove } = { add: visit.value('add'), remove: visit.value('remove') };
      await visit.act((work, { account }) =>
        changeManagers(work, account.id, visit.params['groupId']!, {
          add: isId(add) ? [add] : [],
          remove: isId(remove) ? [remove] : [],
        }),
      );
      visit.done(
        `/groups/${visit.params['groupId']}#members`,
        visit.say(add ? 'people.group.manages' : 'people.group.manages_no_more'),
      );
    });
  },
};

/** The group in the path, where the visitor may see it. */
async function ownGroup(visit: Visit): Promise<Group> {
  const id = visit.params['groupId']!;
  const group = await groupById(visit.sql, visit.account.id, id);
  if (!visit.may('groups:read') && !(await managesGroup(visit.sql, visit.person.id, id)))
    throw new Refusal('not_found');
  return group;
}

async function show(visit: Visit, error: string | null = null): Promise<void> {
  const group = await ownGroup(visit);
  const all = visit.may('groups:read');
  const q = visit.value('q').slice(0, 200);
  const cursor = visit.cursor(['members', group.id]);
  const rows = await membersOf(visit.sql, group.id, { after: cursor.after, limit: atOnce + 1 });
  const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
  const found =
    all && q !== ''
      ? await findUsers(visit.sql, { accountId: visit.account.id, q, limit: 10 }, visit.now)
      : [];
  visit.show(
    groupPage({
      ...visit.page,
      group,
      members: items,
      q,
      found: found.map((one) => ({
        ...one,
        inside: one.groups.some(({ id }) => id === group.id),
      })),
      searched: all && q !== '',
      nextCursor,
      later: cursor.after !== undefined,
      may: { manage: visit.may('groups:manage'), see: visit.may('users:read') },
      error,
    }),
    error === null ? 200 : 422,
  );
}

/**
 * Whom to put in: by id, as a search found them, or by the whole address, as who looks after a group
 * knows it. Null where nobody of the account has that address.
 */
async function memberToAdd(visit: Visit): Promise<string[] | null> {
  const id = visit.value('add');
  if (isId(id)) return [id];
  const email = canonicalEmail(visit.value('email'));
  if (email === null) return visit.value('email') === '' ? [] : null;
  const [row] = await visit.sql.query<{ id: string }>(
    'select id from users where email = $1 and account_id = $2',
    [email, visit.account.id],
  );
  return row ? [row.id] : null;
}

async function saved(visit: Visit, group: Group | null, save: () => Promise<void>): Promise<void> {
  if (valuesOf(visit).name === '')
    return showForm(visit, group, { errors: { name: visit.say('people.group.no_name') } });
  try {
    await save();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    const wrong = blame(visit, error, {
      name_taken: 'name',
      invalid_country: 'entitlementCountry',
    });
    showForm(visit, group, wrong, refusalStatus(error));
  }
}

function showForm(
  visit: Visit,
  group: Group | null,
  wrong: { errors: FieldErrors; failure?: string | null } | null = null,
  status = wrong === null ? 200 : 422,
): void {
  const typed = visit.ctx.method === 'POST';
  visit.show(
    groupFormPage({
      ...visit.page,
      group,
      values:
        typed || !group
          ? valuesOf(visit)
          : {
              name: group.name,
              description: group.description,
              type: group.type,
              entitlementCountry: group.entitlementCountry ?? '',
            },
      countries: visit.account.countries,
      errors: wrong?.errors ?? {},
      failure: wrong?.failure ?? null,
    }),
    status,
  );
}

function valuesOf({ value }: Visit): GroupValues {
  return {
    name: value('name').slice(0, 100),
    description: value('description').slice(0, 500),
    type: value('type') === 'entitlement' ? 'entitlement' : 'standard',
    entitlementCountry: value('entitlementCountry'),
  };
}
