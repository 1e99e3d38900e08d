import {
  changeRole,
  createRole,
  findRoles,
  removeRole,
  roleByKey,
  type Role,
} from '#identity/access/service-roles.ts';
import { Refusal } from '#identity/refusal.ts';
import {
  removeRolePage,
  roleFormPage,
  rolesPage,
  type RoleValues,
} from '../../pages/console/roles.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';
import { blame, Typed, type FieldErrors } from '../typed.ts';

/** Which roles there are and who has them; operators say which there are (behaviour.md F14). */
export const roles: Room = {
  menu: { path: '/roles', title: 'people.roles', section: 'people', right: 'roles:read' },
  open(door) {
    door.get('/roles', 'roles:read', async (visit) => {
      visit.show(
        rolesPage({
          ...visit.page,
          roles: await findRoles(visit.sql, visit.account.id),
          may: visit.may('roles:define'),
        }),
      );
    });

    door.get('/roles/new', 'roles:define', (visit) => showForm(visit, null));
    door.post(
      '/roles/new',
      'roles:define',
      (visit) =>
        saved(visit, null, async ({ key, name, description, requires, revokeOnRemove }) => {
          await visit.operate((work) =>
            createRole(work, { key, name, description, requires, revokeOnRemove }),
          );
        }),
      { repeated: ['requires'] },
    );

    door.get('/roles/:key/change', 'roles:define', async (visit) =>
      showForm(visit, await roleByKey(visit.sql, visit.params['key']!)),
    );
    door.post(
      '/roles/:key/change',
      'roles:define',
      async (visit) => {
        const role = await roleByKey(visit.sql, visit.params['key']!);
        await saved(visit, role, async ({ name, description, requires, revokeOnRemove }) => {
          await visit.operate((work) =>
            changeRole(work, role.key, { name, description, requires, revokeOnRemove }),
          );
        });
      },
      { repeated: ['requires'] },
    );

    door.get('/roles/:key/remove', 'roles:define', async (visit) => {
      visit.show(
        removeRolePage({
          ...visit.page,
          role: await roleByKey(visit.sql, visit.params['key']!),
        }),
      );
    });
    door.post('/roles/:key/remove', 'roles:define', async (visit) => {
      await visit.operate((work) => removeRole(work, visit.params['key']!));
      visit.done('/roles', visit.say('people.role.removed'));
    });
  },
};

async function saved(
  visit: Visit,
  role: Role | null,
  save: (values: RoleValues) => Promise<void>,
): Promise<void> {
  const values = valuesOf(visit);
  const typed = new Typed(visit);
  typed.line('name');
  if (!role && !/^[a-z][a-z0-9_.-]{1,63}$/.test(values.key))
    typed.wrong('key', visit.say('people.role.invalid'));
  if (!typed.ok) return showForm(visit, role, { errors: typed.errors });
  try {
    await save(values);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    const wrong = blame(visit, error, {
      name_taken: 'key',
      role_not_found: 'requires',
      role_in_use: 'requires',
      invalid_value: 'requires',
    });
    return showForm(visit, role, wrong, refusalStatus(error));
  }
  visit.done('/roles', visit.say('people.role.saved'));
}

async function showForm(
  visit: Visit,
  role: Role | null,
  wrong: { errors: FieldErrors; failure?: string | null } | null = null,
  status = wrong === null ? 200 : 422,
): Promise<void> {
  const all = await findRoles(visit.sql, null);
  visit.show(
    roleFormPage({
      ...visit.page,
      role,
      values: visit.ctx.method === 'POST' || !role ? valuesOf(visit) : role,
      others: all.filter(({ builtIn, key }) => !builtIn && key !== role?.key),
      errors: wrong?.errors ?? {},
      failure: wrong?.failure ?? null,
    }),
    status,
  );
}

function valuesOf({ value, values }: Visit): RoleValues {
  return {
    key: value('key').slice(0, 64),
    name: value('name').slice(0, 100),
    description: value('description').slice(0, 500),
    requires: values('requires'),
    revokeOnRemove: value('revokeOnRemove') === 'yes',
  };
}
