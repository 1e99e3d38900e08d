import type { Command, Given, Option, Said } from '../command.ts';
import type { Api } from '../api.ts';
import { detailed, listed } from '../print.ts';
import { accountOf, accountOption, userPath } from '../resolve.ts';
import { personOptions, typedPerson } from './typed.ts';

interface User {
  id: string;
  email: string | null;
  givenName: string;
  familyName: string;
  country: string | null;
  entitlementCountry: string | null;
  status: string;
  source: string;
  locks: {
    reason: string;
    since: string;
    until: string | null;
    by: string | null;
    note: string | null;
  }[];
  roles: string[];
  groups: { name: string }[];
  lastLoginAt: string | null;
}

function shown(user: User): Said {
  return detailed(user, {
    id: user.id,
    email: user.email,
    name: `${user.givenName} ${user.familyName}`,
    status: user.status,
    locks: user.locks.map(padlock),
    roles: user.roles,
    groups: user.groups.map(({ name }) => name),
    country: user.country,
    'entitled in': user.entitlementCountry,
    source: user.source,
    'last sign-in': user.lastLoginAt ?? 'never',
  });
}

/** What the padlock says when it is pointed at. */
function padlock({ reason, since, until, by, note }: User['locks'][number]): string {
  return [
    reason,
    `since ${since}`,
    until && `until ${until}`,
    by && `by ${by}`,
    note && `(${note})`,
  ]
    .filter(Boolean)
    .join(' ');
}

const whom = [{ name: 'user', summary: 'Their id or e-mail address.' }];

/** A command that does one thing to one person, and shows them as they are then. */
function doing(
  verb: string,
  summary: string,
  {
    options = {},
    body = () => ({}),
    path = verb,
  }: {
    options?: Record<string, Option>;
    body?: (given: Given) => object;
    path?: string;
  } = {},
): Command {
  return {
    noun: 'user',
    verb,
    summary,
    takes: whom,
    options: { ...accountOption, ...options },
    async run(given, { api }) {
      return shown(await api.send('POST', `${await userPath(api, given)}/${path}`, body(given)));
    },
  };
}

/** A person who is not in the account any more is found by id alone. */
async function gone(api: Api, given: Given): Promise<string> {
  return `/accounts/${await accountOf(api, given.text('account'))}/users/${given.args[0]}`;
}

export const userCommands: Command[] = [
  {
    noun: 'user',
    verb: 'create',
    summary: 'Adds a person to an account.',
    options: {
      ...accountOption,
      email: { value: 'address', summary: 'Their e-mail address.', required: true },
      ...personOptions,
      quiet: { summary: 'Sends no mail.' },
      'dry-run': { summary: 'Only says what would happen.' },
    },
    async run(given, { api }) {
      const account = await accountOf(api, given.text('account'));
      const added = await api.send<{ outcome: string; user: User | null }>(
        'POST',
        `/accounts/${account}/users`,
        {
          ...typedPerson(given),
          sendInvitation: !given.on('quiet'),
          ...(given.on('dry-run') && { mode: 'dry-run' }),
        },
      );
      const text = added.user
        ? `${added.outcome}\n${shown(added.user).text}`
        : `Would be ${added.outcome}.`;
      return { json: added, text };
    },
  },
  {
    noun: 'user',
    verb: 'list',
    summary: 'Lists the people of an account.',
    options: {
      ...accountOption,
      q: { value: 'text', summary: 'Part of the address or the name.' },
      status: { value: 'status', summary: 'Such as active, invited, locked.' },
      role: { value: 'role', summary: 'Who has this role.' },
      domain: { value: 'domain', summary: 'Whose address is in this domain.' },
      lock: { value: 'reason', summary: 'Who is locked for this reason, such as inactive.' },
      group: { value: 'id', summary: 'Who is in this group.' },
      source: { value: 'source', summary: 'Such as admin, import, scim or jit.' },
      'not-since': { value: 'moment', summary: 'Who has not signed in since then.' },
      'no-country': { summary: 'Who is entitled in no country of the account.' },
      sort: {
        value: 'order',
        summary: 'joined, email, name or lastLogin; reversed: --sort=-name.',
      },
    },
    async run(given, { api }) {
      const account = await accountOf(api, given.text('account'));
      const items = await api.list<User>(`/accounts/${account}/users`, {
        q: given.text('q'),
        status: given.text('status'),
        role: given.text('role'),
        domain: given.text('domain'),
        lock: given.text('lock'),
        group: given.text('group'),
        source: given.text('source'),
        notSignedInSince: given.text('not-since'),
        countryMissing: given.on('no-country') ? 'true' : undefined,
        sort: given.text('sort'),
        limit: '200',
      });
      return listed(items, {
        ID: ({ id }) => id,
        EMAIL: ({ email }) => email,
        NAME: ({ givenName, familyName }) => `${givenName} ${familyName}`,
        STATUS: ({ status }) => status,
        LOCKS: ({ locks }) => locks.map(({ reason }) => reason),
        ROLES: ({ roles }) => roles,
        'LAST SIGN-IN': ({ lastLoginAt }) => lastLoginAt ?? 'never',
      });
    },
  },
  {
    noun: 'user',
    verb: 'show',
    summary: 'Shows a person, and every reason for which they are locked.',
    takes: whom,
    options: accountOption,
    async run(given, { api }) {
      return shown(await api.get<User>(await userPath(api, given)));
    },
  },
  {
    noun: 'user',
    verb: 'add',
    summary: 'Adds a person who belongs to no account, by their id.',
    takes: [{ name: 'user', summary: 'Their id, as a refused `user create` tells it.' }],
    options: {
      ...accountOption,
      unlock: { summary: 'Lifts the lock that removal from an account set.' },
    },
    async run(given, { api }) {
      return shown(
        await api.send('POST', `${await gone(api, given)}/add`, { unlock: given.on('unlock') }),
      );
    },
  },
  {
    noun: 'user',
    verb: 'change',
    summary: 'Corrects what stands about a person. An empty value clears.',
    takes: whom,
    options: {
      ...accountOption,
      'given-name': { value: 'name', summary: 'Their given name.' },
      'family-name': { value: 'name', summary: 'Their family name.' },
      country: { value: 'code', summary: 'Where they live.' },
      language: { value: 'code', summary: 'In which mails are written.' },
      'mail-to': { value: 'address', summary: 'Where mail is sent instead.' },
      email: { value: 'address', summary: 'Another address, in a domain of the account.' },
    },
    async run(given, { api }) {
      const typed = (name: string): string | null | undefined => {
        const text = given.text(name);
        return text === '' ? null : text;
      };
      return shown(
        await api.send('PATCH', await userPath(api, given), {
          givenName: given.text('given-name'),
          familyName: given.text('family-name'),
          country: typed('country'),
          preferredLanguage: typed('language'),
          communicationEmail: typed('mail-to'),
          email: given.text('email'),
        }),
      );
    },
  },
  doing('lock', 'Locks a person: sessions and tokens end at once.', {
    options: { note: { value: 'text', summary: 'Why; administrators read it.', required: true } },
    body: (given) => ({ note: given.text('note') }),
  }),
  doing('unlock', 'Lifts every lock that you may lift.'),
  doing('reset-password', 'Sends a mail to choose a new password by.'),
  doing('roles', 'Gives a person roles and takes others.', {
    options: {
      add: { value: 'role', summary: 'A role to give; repeat.', multiple: true },
      remove: { value: 'role', summary: 'A role to take; repeat.', multiple: true },
    },
    body: (given) => ({ add: given.all('add'), remove: given.all('remove') }),
  }),
  {
    noun: 'user',
    verb: 'remove',
    summary: 'Removes a person from the account: they stay a person, and are locked.',
    takes: whom,
    options: accountOption,
    async run(given, { api }) {
      const path = await userPath(api, given);
      await api.send('DELETE', path);
      const id = path.split('/').at(-1)!;
      return {
        json: { removed: id },
        text: `Removed. Within 30 days: ostiary user restore ${id}`,
      };
    },
  },
  {
    noun: 'user',
    verb: 'restore',
    summary: 'Takes back a removal of the last 30 days, with roles and groups.',
    takes: [{ name: 'user', summary: 'Their id.' }],
    options: accountOption,
    async run(given, { api }) {
      return shown(await api.send('POST', `${await gone(api, given)}/restore`));
    },
  },
  {
    noun: 'user',
    verb: 'sessions',
    summary: 'Lists where a person is signed in.',
    takes: whom,
    options: accountOption,
    async run(given, { api }) {
      interface Session {
        id: string;
        seenAt: string;
        ip: string | null;
        userAgent: string | null;
        clients: string[];
      }
      const items = await api.list<Session>(`${await userPath(api, given)}/sessions`);
      return listed(items, {
        ID: ({ id }) => id,
        'LAST SEEN': ({ seenAt }) => seenAt,
        IP: ({ ip }) => ip,
        CLIENTS: ({ clients }) => clients,
        BROWSER: ({ userAgent }) => userAgent?.slice(0, 60),
      });
    },
  },
  {
    noun: 'user',
    verb: 'end-sessions',
    summary: 'Ends all sessions of a person, or one.',
    takes: whom,
    options: {
      ...accountOption,
      session: { value: 'id', summary: 'Only this one.' },
    },
    async run(given, { api }) {
      const one = given.text('session');
      const path = `${await userPath(api, given)}/sessions`;
      await api.send('DELETE', one === undefined ? path : `${path}/${encodeURIComponent(one)}`);
      return { json: { ended: one ?? 'all' }, text: 'Ended.' };
    },
  },
];
