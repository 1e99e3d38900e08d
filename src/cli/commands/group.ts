import type { Api } from '../api.ts';
import type { Command, Given, Option, Said } from '../command.ts';
import { Refused } from '../refused.ts';
import { detailed, listed } from '../print.ts';
import { accountOption, hasFormOfId } from '../resolve.ts';
import { oneOf, userIds, within } from './typed.ts';

interface Group {
  id: string;
  name: string;
  description: string;
  type: string;
  entitlementCountry: string | null;
  source: string;
  members: number;
}

const types = ['standard', 'entitlement'] as const;

function shown(group: Group): Said {
  return detailed(group, {
    id: group.id,
    name: group.name,
    description: group.description,
    type: group.type,
    ...(group.entitlementCountry && { 'entitles in': group.entitlementCountry }),
    source: group.source,
    members: group.members,
  });
}

const which = [{ name: 'group', summary: 'Its id or name.' }];
const whom = { name: 'users', summary: 'Ids or e-mail addresses, with commas between them.' };

/** The path of the group that is meant, by id or name. */
async function path(api: Api, given: Given): Promise<string> {
  const groups = await within(api, given, 'groups');
  const named = given.args[0]!;
  if (hasFormOfId(named)) return `${groups}/${named}`;
  const candidates = await api.list<Group>(groups, { q: named, limit: '200' });
  const found = candidates.filter(({ name }) => name.toLowerCase() === named.toLowerCase());
  if (found.length === 1) return `${groups}/${found[0]!.id}`;
  throw new Refused(
    'not_found',
    found.length === 0
      ? `There is no group ${named} in this account.`
      : `Several groups are called ${named}: ${found.map(({ id }) => id).join(', ')}`,
  );
}

const changes: Record<'description' | 'entitlement-country', Option> = {
  description: { value: 'text', summary: 'What it is for.' },
  'entitlement-country': {
    value: 'code',
    summary: 'Where its members are entitled; for entitlement groups.',
  },
};

/** Puts people into a group, or takes them out: all or nothing. */
function moving(verb: string, summary: string, what: 'add' | 'remove'): Command {
  return {
    noun: 'group',
    verb,
    summary,
    takes: [...which, whom],
    options: accountOption,
    async run(given, { api }) {
      const users = await userIds(api, given, given.args[1]!);
      const members = `${await path(api, given)}/members`;
      return shown(await api.send('POST', members, { [what]: users }));
    },
  };
}

export const groupCommands: Command[] = [
  {
    noun: 'group',
    verb: 'list',
    summary: 'Lists the groups of an account.',
    options: {
      ...accountOption,
      q: { value: 'text', summary: 'Part of the name.' },
      type: { value: 'type', summary: 'standard or entitlement.' },
    },
    async run(given, { api }) {
      const type = given.text('type');
      const items = await api.list<Group>(await within(api, given, 'groups'), {
        q: given.text('q'),
        type: type && oneOf('--type', types, type),
        limit: '200',
      });
      return listed(items, {
        ID: ({ id }) => id,
        NAME: ({ name }) => name,
        TYPE: ({ type: one }) => one,
        COUNTRY: ({ entitlementCountry }) => entitlementCountry,
        SOURCE: ({ source }) => source,
        MEMBERS: ({ members }) => members,
      });
    },
  },
  {
    noun: 'group',
    verb: 'create',
    summary: 'Makes a group. With a country it is an entitlement group.',
    takes: [{ name: 'name', summary: 'What it is called.' }],
    options: { ...accountOption, ...changes },
    async run(given, { api }) {
      const country = given.text('entitlement-country');
      return shown(
        await api.send('POST', await within(api, given, 'groups'), {
          name: given.args[0],
          description: given.text('description'),
          ...(country !== undefined && { type: 'entitlement', entitlementCountry: country }),
        }),
      );
    },
  },
  {
    noun: 'group',
    verb: 'change',
    summary: 'Changes a group. What a directory named keeps its name.',
    takes: which,
    options: { ...accountOption, name: { value: 'name', summary: 'The new name.' }, ...changes },
    async run(given, { api }) {
      return shown(
        await api.send('PATCH', await path(api, given), {
          name: given.text('name'),
          description: given.text('description'),
          entitlementCountry: given.text('entitlement-country'),
        }),
      );
    },
  },
  {
    noun: 'group',
    verb: 'remove',
    summary: 'Removes a group. Its members stay in the account.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const group = await path(api, given);
      await api.send('DELETE', group);
      return { json: { removed: group.split('/').at(-1) }, text: 'Removed.' };
    },
  },
  {
    noun: 'group',
    verb: 'members',
    summary: 'Lists who is in a group, and whose country is not that of the group.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      interface Member {
        id: string;
        email: string;
        name: string;
        entitlementCountry: string | null;
        countryMismatch: boolean;
        manages: boolean;
      }
      const items = await api.list<Member>(`${await path(api, given)}/members`, { limit: '200' });
      return listed(items, {
        ID: ({ id }) => id,
        EMAIL: ({ email }) => email,
        NAME: ({ name }) => name,
        COUNTRY: ({ entitlementCountry, countryMismatch }) =>
          countryMismatch ? `${entitlementCountry} (not the group's)` : entitlementCountry,
        MANAGES: ({ manages }) => (manages ? 'yes' : null),
      });
    },
  },
  moving('add-member', 'Puts people of the account into a group. All or nobody.', 'add'),
  moving('remove-member', 'Takes people out of a group. All or nobody.', 'remove'),
];
