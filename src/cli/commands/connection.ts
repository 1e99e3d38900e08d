import type { Api } from '../api.ts';
import { WrongUsage, type Command, type Given, type Option, type Said } from '../command.ts';
import { detailed, listed } from '../print.ts';
import { accountOption } from '../resolve.ts';
import { oneOf, within } from './typed.ts';

interface Connection {
  id: string;
  kind: string;
  preset: string;
  name: string;
  state: string;
  mode: string;
  enforcedAt: string | null;
  issuer: string | null;
  oidc: { clientId: string; redirectUri: string; jwksUri: string } | null;
  domains: string[];
  testers: string[];
  signOutUpstream: boolean;
  testedAt: string | null;
  failing: boolean;
  health: { lastFailure: string | null; lastSuccessAt: string | null };
}

interface Secret {
  id: string;
  kind: string;
  hint: string | null;
  createdAt: string;
  expiresAt: string | null;
}

const which = [{ name: 'connection', summary: 'Its id.' }];

const presets = ['entra', 'okta', 'google', 'ping', 'keycloak', 'generic'] as const;

const settings: Record<string, Option> = {
  issuer: { value: 'url', summary: 'The issuer, as the provider names itself.' },
  'client-id': { value: 'id', summary: 'What the provider calls us.' },
  domain: {
    value: 'domain',
    summary: 'A domain whose people are sent there; repeat. All of them are named at once.',
    multiple: true,
  },
  tester: {
    value: 'email',
    summary: 'Who is sent there while it is being tested; repeat.',
    multiple: true,
  },
  'sign-out': {
    value: 'where',
    summary: 'Where signing out here signs out: here, or everywhere, at the provider too.',
  },
};

function shown(connection: Connection): Said {
  const { oidc, health } = connection;
  return detailed(connection, {
    id: connection.id,
    name: connection.name,
    kind: `${connection.kind} (${connection.preset})`,
    state: connection.failing ? `${connection.state}, failing` : connection.state,
    mode: connection.enforcedAt
      ? `${connection.mode} from ${connection.enforcedAt}`
      : connection.mode,
    issuer: connection.issuer ?? 'none yet',
    ...(oidc && { 'client id': oidc.clientId || 'none yet', 'redirect uri': oidc.redirectUri }),
    domains: connection.domains,
    testers: connection.testers,
    'sign-out': connection.signOutUpstream ? 'everywhere' : 'here',
    tested: connection.testedAt ?? 'never',
    'last success': health.lastSuccessAt ?? 'never',
    ...(health.lastFailure && { 'last failure': health.lastFailure }),
  });
}

async function path(api: Api, given: Given): Promise<string> {
  return `${await within(api, given, 'connections')}/${encodeURIComponent(given.args[0]!)}`;
}

/** What was typed of the settings, and nothing else. */
function typed(given: Given): Record<string, unknown> {
  const clientId = given.text('client-id');
  const domains = given.all('domain');
  const testers = given.all('tester');
  const issuer = given.text('issuer');
  const signOut = given.text('sign-out');
  return {
    ...(issuer !== undefined && { issuer }),
    ...(clientId !== undefined && { oidc: { clientId } }),
    ...(domains && domains.length > 0 && { domains }),
    ...(testers && testers.length > 0 && { testers }),
    ...(signOut !== undefined && {
      signOutUpstream: oneOf('--sign-out', ['here', 'everywhere'], signOut) === 'everywhere',
    }),
  };
}

/** A command that does one thing to one connection, and shows it as it is then. */
function doing(
  verb: string,
  summary: string,
  options: Record<string, Option> = {},
  body: (given: Given) => object = () => ({}),
): Command {
  return {
    noun: 'connection',
    verb,
    summary,
    takes: which,
    options: { ...accountOption, ...options },
    async run(given, { api }) {
      return shown(await api.send('POST', `${await path(api, given)}/${verb}`, body(given)));
    },
  };
}

export const connectionCommands: Command[] = [
  {
    noun: 'connection',
    verb: 'list',
    summary: "Lists an account's connections to its identity providers.",
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Connection>(await within(api, given, 'connections'));
      return listed(items, {
        ID: ({ id }) => id,
        NAME: ({ name }) => name,
        KIND: ({ kind }) => kind,
        STATE: ({ state, failing }) => (failing ? `${state}, failing` : state),
        MODE: ({ mode }) => mode,
        DOMAINS: ({ domains }) => domains.join(' '),
      });
    },
  },
  {
    noun: 'connection',
    verb: 'show',
    summary: 'Shows a connection.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      return shown(await api.get(await path(api, given)));
    },
  },
  {
    noun: 'connection',
    verb: 'create',
    summary: 'Sets up a connection, as a draft: nobody is sent there yet.',
    takes: [{ name: 'name', summary: 'What it is called.' }],
    options: {
      ...accountOption,
      ...settings,
      kind: { value: 'kind', summary: 'oidc, unless it is saml.' },
      preset: { value: 'preset', summary: `Whose it is: ${presets.join(', ')}.` },
      'client-secret': { value: 'secret', summary: 'What we prove ourselves with.' },
    },
    async run(given, { api }) {
      const preset = given.text('preset');
      const clientSecret = given.text('client-secret');
      return shown(
        await api.send('POST', await within(api, given, 'connections'), {
          kind: oneOf('--kind', ['oidc', 'saml'], given.text('kind') ?? 'oidc'),
          name: given.args[0],
          ...(preset !== undefined && { preset: oneOf('--preset', presets, preset) }),
          ...(clientSecret !== undefined && { clientSecret }),
          ...typed(given),
        }),
      );
    },
  },
  {
    noun: 'connection',
    verb: 'change',
    summary: 'Changes a connection, or from when on passwords are refused.',
    takes: which,
    options: {
      ...accountOption,
      ...settings,
      name: { value: 'name', summary: 'What it is called.' },
      mode: { value: 'mode', summary: 'optional, or enforced: passwords end.' },
      from: { value: 'time', summary: 'When, with enforced; in 24 hours if left out.' },
      immediately: { summary: 'At once, with enforced: nobody is told before.' },
    },
    async run(given, { api }) {
      const mode = given.text('mode');
      const name = given.text('name');
      const from = given.text('from');
      const body = {
        ...typed(given),
        ...(name !== undefined && { name }),
        ...(mode !== undefined && { mode: oneOf('--mode', ['optional', 'enforced'], mode) }),
        ...(from !== undefined && { enforcedAt: from }),
        ...(given.on('immediately') && { immediately: true }),
      };
      if (Object.keys(body).length === 0) throw new WrongUsage('Say what is to be changed.');
      return shown(await api.send('PATCH', await path(api, given), body));
    },
  },
  {
    noun: 'connection',
    verb: 'test',
    summary: 'Looks whether the provider answers, and gives a link for a test sign-in.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const test = await api.send<{ connection: Connection; url: string; expiresAt: string }>(
        'POST',
        `${await path(api, given)}/test`,
        {},
      );
      return {
        json: test,
        text: `${shown(test.connection).text}\n\nOpen this until ${test.expiresAt}; it signs nobody in:\n${test.url}`,
      };
    },
  },
  doing(
    'activate',
    'Sends everybody of its domains there from now on.',
    {
      'without-break-glass': {
        summary: 'Although no administrator could come in if the provider failed.',
      },
    },
    (given) => ({ withoutBreakGlass: given.on('without-break-glass') }),
  ),
  doing(
    'disable',
    'Sends nobody there any more. Who came in by it is out.',
    { reason: { value: 'text', summary: 'Why, for the audit log.' } },
    (given) => {
      const reason = given.text('reason');
      return reason === undefined ? {} : { reason };
    },
  ),
  {
    noun: 'connection',
    verb: 'remove',
    summary: 'Removes a connection that is not active.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      await api.send('DELETE', await path(api, given));
      return { json: {}, text: 'Removed.' };
    },
  },
  {
    noun: 'connection',
    verb: 'secrets',
    summary: 'Lists what we prove ourselves to the provider with.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Secret>(`${await path(api, given)}/secrets`);
      return listed(items, {
        ID: ({ id }) => id,
        KIND: ({ kind }) => kind,
        'ENDS WITH': ({ hint }) => hint,
        SINCE: ({ createdAt }) => createdAt,
        UNTIL: ({ expiresAt }) => expiresAt,
      });
    },
  },
  {
    noun: 'connection',
    verb: 'add-secret',
    summary: 'Adds a client secret, or makes a key where none is given. Two may be alive at once.',
    takes: which,
    options: {
      ...accountOption,
      'client-secret': { value: 'secret', summary: 'From the provider.' },
      until: { value: 'time', summary: 'When the provider lets it end.' },
    },
    async run(given, { api }) {
      const value = given.text('client-secret');
      const until = given.text('until');
      const made = await api.send<Secret>(
        'POST',
        `${await path(api, given)}/secrets`,
        value === undefined
          ? { kind: 'private_key' }
          : { kind: 'client_secret', value, ...(until !== undefined && { expiresAt: until }) },
      );
      return detailed(made, { id: made.id, kind: made.kind });
    },
  },
  {
    noun: 'connection',
    verb: 'revoke-secret',
    summary: 'Takes a secret or a key away.',
    takes: [...which, { name: 'secret', summary: 'The id of the secret.' }],
    options: accountOption,
    async run(given, { api }) {
      await api.send(
        'DELETE',
        `${await path(api, given)}/secrets/${encodeURIComponent(given.args[1]!)}`,
      );
      return { json: {}, text: 'Revoked.' };
    },
  },
];
