import type { Command, Given, Option, Said } from '../command.ts';
import { detailed, listed } from '../print.ts';
import { accountOption } from '../resolve.ts';
import { several, userIds, within } from './typed.ts';

interface Role {
  key: string;
  name: string;
  description: string;
  scope: string;
  builtIn: boolean;
  requires: string[];
  clientId: string | null;
  revokeOnRemove: boolean;
  assigned: number;
}

function shown(role: Role): Said {
  return detailed(role, {
    key: role.key,
    name: role.name,
    description: role.description,
    requires: role.requires,
    client: role.clientId,
    'ends sessions when taken': role.revokeOnRemove ? 'yes' : 'no',
    'given to': role.assigned,
  });
}

const which = [{ name: 'role', summary: 'Its key, such as beta_software.' }];

const settings: Record<string, Option> = {
  description: { value: 'text', summary: 'What it means.' },
  requires: { value: 'role', summary: 'Who has it has this too; repeat.', multiple: true },
  client: { value: 'client_id', summary: 'The application that gives it a meaning.' },
  'revoke-on-remove': { summary: 'Who loses it is put out everywhere at once.' },
};

function settingsIn(given: Given): object {
  return {
    name: given.text('name'),
    description: given.text('description'),
    clientId: given.text('client'),
    ...(given.all('requires').length > 0 && { requires: given.all('requires') }),
    ...(given.on('revoke-on-remove') && { revokeOnRemove: true }),
  };
}

function path(given: Given): string {
  return `/roles/${encodeURIComponent(given.args[0]!)}`;
}

/** Gives many people many roles, or takes them: all or nothing. */
function assigning(verb: string, summary: string, what: 'add' | 'remove'): Command {
  return {
    noun: 'role',
    verb,
    summary,
    takes: [
      { name: 'roles', summary: 'Keys of roles, with commas between them.' },
      { name: 'users', summary: 'Ids or e-mail addresses, with commas between them.' },
    ],
    options: accountOption,
    async run(given, { api }) {
      const [roles, people] = given.args as [string, string];
      const done = await api.send<{ count: number }>(
        'POST',
        `${await within(api, given, 'roles')}/assign`,
        { users: await userIds(api, given, people), [what]: several('<roles>', roles) },
      );
      return { json: done, text: `Done for ${done.count}.` };
    },
  };
}

export const roleCommands: Command[] = [
  {
    noun: 'role',
    verb: 'list',
    summary: 'Lists the roles there are, and how many people have each.',
    options: accountOption,
    async run(given, { api }) {
      const { accountId } = await api.get<{ accountId: string | null }>('/token');
      const installation = accountId === null && given.text('account') === undefined;
      const items = await api.list<Role>(
        installation ? '/roles' : await within(api, given, 'roles'),
      );
      return listed(items, {
        KEY: ({ key }) => key,
        NAME: ({ name }) => name,
        KIND: ({ builtIn, scope }) => (builtIn ? `built in, of the ${scope}` : 'service'),
        REQUIRES: ({ requires }) => requires,
        'GIVEN TO': ({ assigned }) => assigned,
      });
    },
  },
  {
    noun: 'role',
    verb: 'create',
    summary: 'Makes a service role, to which applications give a meaning.',
    takes: which,
    options: {
      name: { value: 'name', summary: 'What people see.', required: true },
      ...settings,
    },
    async run(given, { api }) {
      return shown(await api.send('POST', '/roles', { key: given.args[0], ...settingsIn(given) }));
    },
  },
  {
    noun: 'role',
    verb: 'change',
    summary: 'Changes a service role. Nobody is given another by that.',
    takes: which,
    options: { name: { value: 'name', summary: 'The new name.' }, ...settings },
    async run(given, { api }) {
      return shown(await api.send('PATCH', path(given), settingsIn(given)));
    },
  },
  {
    noun: 'role',
    verb: 'remove',
    summary: 'Removes a service role that nobody has and no other requires.',
    takes: which,
    async run(given, { api }) {
      await api.send('DELETE', path(given));
      return { json: { removed: given.args[0] }, text: 'Removed.' };
    },
  },
  assigning('assign', 'Gives people roles. All or nobody.', 'add'),
  assigning('unassign', 'Takes roles from people. All or nobody.', 'remove'),
];
