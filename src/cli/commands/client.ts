import type { Command, Given, Option, Said } from '../command.ts';
import { WrongUsage } from '../command.ts';
import { detailed, listed } from '../print.ts';

interface Client {
  id: string;
  name: string;
  metadata: Record<string, unknown>;
  firstParty: boolean;
  requiresAccount: boolean;
  resources: string[];
  disabledAt: string | null;
  secret?: string | null;
}

function shown(client: Client): Said {
  const { metadata } = client;
  return detailed(client, {
    client_id: client.id,
    ...(client.secret && { client_secret: client.secret }),
    name: client.name,
    'redirect to': metadata['redirect_uris'],
    grants: metadata['grant_types'] ?? ['authorization_code'],
    'first party': client.firstParty,
    'needs account': client.requiresAccount,
    resources: client.resources,
    disabled: client.disabledAt ?? 'no',
  });
}

const which = [{ name: 'client', summary: 'Its client_id.' }];

const settings: Record<string, Option> = {
  'redirect-uri': { value: 'address', summary: 'Where people go back to; repeat.', multiple: true },
  'post-logout-redirect-uri': {
    value: 'address',
    summary: 'Where they go after signing out; repeat.',
    multiple: true,
  },
  'grant-type': { value: 'grant', summary: 'Such as refresh_token; repeat.', multiple: true },
  native: { summary: 'A program on a device, not a web application.' },
  public: { summary: 'Cannot keep a secret.' },
  scope: { value: 'scopes', summary: 'What it may ask for, separated by spaces.' },
  'backchannel-logout-uri': { value: 'address', summary: 'Where it hears who was signed out.' },
  metadata: { value: 'json', summary: 'More of OpenID Connect client metadata, as JSON.' },
  'first-party': { summary: 'Its users are not asked for consent.' },
  'any-user': { summary: 'Takes people who belong to no account.' },
  resource: {
    value: 'identifier',
    summary: 'An API it may ask tokens for; repeat.',
    multiple: true,
  },
};

function metadataOf(given: Given): Record<string, unknown> {
  const lists = {
    redirect_uris: given.all('redirect-uri'),
    post_logout_redirect_uris: given.all('post-logout-redirect-uri'),
    grant_types: given.all('grant-type'),
  };
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, values]) => values.length > 0)),
    ...(given.on('native') && { application_type: 'native' }),
    ...(given.on('public') && { token_endpoint_auth_method: 'none' }),
    ...(given.text('scope') && { scope: given.text('scope') }),
    ...(given.text('backchannel-logout-uri') && {
      backchannel_logout_uri: given.text('backchannel-logout-uri'),
    }),
    ...jsonIn(given.text('metadata')),
  };
}

function jsonIn(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new WrongUsage('--metadata is no JSON.');
  }
}

function policyOf(given: Given): Record<string, unknown> {
  return {
    ...(given.on('first-party') && { firstParty: true }),
    ...(given.on('any-user') && { requiresAccount: false }),
    ...(given.all('resource').length > 0 && { resources: given.all('resource') }),
  };
}

function path(given: Given): string {
  return `/clients/${encodeURIComponent(given.args[0]!)}`;
}

export const clientCommands: Command[] = [
  {
    noun: 'client',
    verb: 'create',
    summary: 'Registers an application. Its secret is shown once.',
    options: {
      name: { value: 'name', summary: 'What people see.', required: true },
      id: { value: 'id', summary: 'Its client_id; made up when left out.' },
      ...settings,
    },
    async run(given, { api }) {
      return shown(
        await api.send('POST', '/clients', {
          id: given.text('id'),
          name: given.text('name'),
          ...policyOf(given),
          metadata: metadataOf(given),
        }),
      );
    },
  },
  {
    noun: 'client',
    verb: 'list',
    summary: 'Lists applications.',
    options: { q: { value: 'text', summary: 'Part of the id or the name.' } },
    async run(given, { api }) {
      const items = await api.list<Client>('/clients', { q: given.text('q'), limit: '200' });
      return listed(items, {
        CLIENT_ID: ({ id }) => id,
        NAME: ({ name }) => name,
        'FIRST PARTY': ({ firstParty }) => firstParty,
        DISABLED: ({ disabledAt }) => disabledAt ?? 'no',
      });
    },
  },
  {
    noun: 'client',
    verb: 'show',
    summary: 'Shows an application.',
    takes: which,
    async run(given, { api }) {
      return shown(await api.get(path(given)));
    },
  },
  {
    noun: 'client',
    verb: 'change',
    summary: 'Changes an application. What is not given stays.',
    takes: which,
    options: {
      name: { value: 'name', summary: 'The new name.' },
      ...settings,
      disable: { summary: 'Nobody signs in to it.' },
      enable: { summary: 'Ends that.' },
    },
    async run(given, { api }) {
      const before = await api.get<Client>(path(given));
      const metadata = metadataOf(given);
      return shown(
        await api.send('PATCH', path(given), {
          name: given.text('name'),
          ...policyOf(given),
          ...(Object.keys(metadata).length > 0 && {
            metadata: { ...before.metadata, ...metadata },
          }),
          ...(given.on('disable') && { disabled: true }),
          ...(given.on('enable') && { disabled: false }),
        }),
      );
    },
  },
  {
    noun: 'client',
    verb: 'remove',
    summary: 'Removes an application, with every grant and token that it has.',
    takes: which,
    async run(given, { api }) {
      await api.send('DELETE', path(given));
      return { json: { removed: given.args[0] }, text: 'Removed.' };
    },
  },
  {
    noun: 'client',
    verb: 'secrets',
    summary: 'Lists the secrets of an application, by their last characters.',
    takes: which,
    async run(given, { api }) {
      interface Secret {
        id: string;
        hint: string;
        createdAt: string;
        expiresAt: string | null;
      }
      const items = await api.list<Secret>(`${path(given)}/secrets`);
      return listed(items, {
        ID: ({ id }) => id,
        ENDS: ({ hint }) => `...${hint}`,
        MADE: ({ createdAt }) => createdAt,
        EXPIRES: ({ expiresAt }) => expiresAt ?? 'never',
      });
    },
  },
  {
    noun: 'client',
    verb: 'add-secret',
    summary: 'Gives an application another secret. It is shown once.',
    takes: which,
    options: { expires: { value: 'time', summary: 'Such as 2027-01-01T00:00:00Z.' } },
    async run(given, { api }) {
      const made = await api.send('POST', `${path(given)}/secrets`, {
        expiresAt: given.text('expires'),
      });
      return detailed(made);
    },
  },
  {
    noun: 'client',
    verb: 'revoke-secret',
    summary: 'Revokes a secret of an application.',
    takes: [...which, { name: 'secret', summary: 'The id of the secret.' }],
    async run(given, { api }) {
      await api.send('DELETE', `${path(given)}/secrets/${encodeURIComponent(given.args[1]!)}`);
      return { json: { revoked: given.args[1] }, text: 'Revoked.' };
    },
  },
];
