import type { Api } from '../api.ts';
import type { Command, Given } from '../command.ts';
import { detailed, listed, record } from '../print.ts';
import { accountOf, accountOption } from '../resolve.ts';

interface Token {
  id: string;
  name: string;
  clientId: string | null;
  scopes: { users: boolean; groups: boolean; readOnly: boolean };
  dryRun: boolean;
  domainPolicy: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  lastUsedIp: string | null;
}

interface Line {
  id: string;
  at: string;
  token: string;
  method: string;
  target: string;
  status: number;
  meaning: {
    summary: string;
    changes: string[];
    dialect: string[];
    rule: { code: string; says: string; advice: string } | null;
  };
}

/** A request as somebody reads it who looks for the reason. */
function inWords({ meaning: { summary, changes, dialect, rule }, ...line }: Line): string {
  const { request, response } = line as { request?: unknown; response?: unknown };
  return record({
    summary,
    ...(changes.length > 0 && { changes }),
    ...(rule && { rule: rule.code, says: rule.says, 'what to do': rule.advice }),
    ...(dialect.length > 0 && { dialect }),
    asked: `${line.method} ${line.target}`,
    ...(request !== null && request !== undefined && { sent: request }),
    status: line.status,
    ...(response !== null && response !== undefined && { answered: response }),
  });
}

async function path(api: Api, given: Given): Promise<string> {
  return `/accounts/${await accountOf(api, given.text('account'))}/scim-tokens`;
}

async function one(api: Api, given: Given): Promise<string> {
  return `${await path(api, given)}/${encodeURIComponent(given.args[0]!)}`;
}

const scopesOf = ({ scopes, dryRun }: Token): string =>
  [
    ...(scopes.users ? ['users'] : []),
    ...(scopes.groups ? ['groups'] : []),
    ...(scopes.readOnly ? ['read-only'] : []),
    ...(dryRun ? ['dry-run'] : []),
  ].join(' ');

export const scimTokenCommands: Command[] = [
  {
    noun: 'scim-token',
    verb: 'create',
    summary: 'Makes a token for a directory that speaks SCIM. It is shown once.',
    options: {
      name: { value: 'name', summary: 'Which directory it is for.', required: true },
      ...accountOption,
      'users-only': { summary: 'It reaches no groups.' },
      'groups-only': { summary: 'It reaches no people.' },
      'read-only': { summary: 'It changes nothing.' },
      'dry-run': { summary: 'It is answered as if, and changes nothing.' },
      'any-domain': {
        summary: 'Addresses of any domain that nobody else owns, not only of yours.',
      },
      'own-people': {
        summary: 'It locks and removes only people whom a directory brought or took over.',
      },
      'classic-config': { summary: 'For strict clients of RFC 7643.' },
      expires: { value: 'time', summary: 'Such as 2027-01-01T00:00:00Z; in a year if not said.' },
      client: {
        value: 'client',
        summary: 'A client of ours in place of a secret. Operators only.',
      },
    },
    async run(given, { api }) {
      const made = await api.send('POST', await path(api, given), {
        name: given.text('name'),
        scopes: {
          users: !given.on('groups-only'),
          groups: !given.on('users-only'),
          readOnly: given.on('read-only'),
        },
        dryRun: given.on('dry-run'),
        domainPolicy: given.on('any-domain') ? 'any_unowned' : 'owned',
        departurePolicy: given.on('own-people') ? 'own_people' : 'everybody',
        classicConfig: given.on('classic-config'),
        expiresAt: given.text('expires'),
        clientId: given.text('client'),
      });
      return detailed(made);
    },
  },
  {
    noun: 'scim-token',
    verb: 'list',
    summary: 'Lists the SCIM tokens that are alive.',
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Token>(await path(api, given));
      return listed(items, {
        ID: ({ id }) => id,
        NAME: ({ name }) => name,
        REACHES: scopesOf,
        EXPIRES: ({ expiresAt }) => expiresAt ?? 'with its client',
        'LAST USED': ({ lastUsedAt, lastUsedIp }) =>
          lastUsedAt === null ? 'never' : `${lastUsedAt} ${lastUsedIp ?? ''}`.trim(),
      });
    },
  },
  {
    noun: 'scim-token',
    verb: 'limits',
    summary: 'Sets how many people a directory may put out before it is held.',
    takes: [{ name: 'token', summary: 'The id of the token.' }],
    options: {
      ...accountOption,
      number: { value: 'number', summary: 'So many people within the window.' },
      share: { value: 'percent', summary: 'Or so many in a hundred of the account.' },
      minutes: { value: 'minutes', summary: 'How long the window is.' },
    },
    async run(given, { api }) {
      const limits = Object.fromEntries(
        ['number', 'share', 'minutes']
          .filter((name) => given.text(name) !== undefined)
          .map((name) => [name, Number(given.text(name))]),
      );
      const token = await api.send('PATCH', await one(api, given), { limits });
      return detailed(token);
    },
  },
  ...(['release', 'keep'] as const).map((decision): Command => ({
    noun: 'scim-token',
    verb: decision,
    summary:
      decision === 'release'
        ? 'Lets a directory that is held go on.'
        : 'Keeps a directory held that would put out too many people.',
    takes: [{ name: 'token', summary: 'The id of the token.' }],
    options: {
      ...accountOption,
      ...(decision === 'release' && {
        allow: { value: 'number', summary: 'For so many people; a whole window if not said.' },
      }),
    },
    async run(given, { api }) {
      const allow = decision === 'release' ? given.text('allow') : undefined;
      const token = await api.send('POST', `${await one(api, given)}/hold`, {
        decision,
        ...(allow !== undefined && { allow: Number(allow) }),
      });
      return detailed(token);
    },
  })),
  {
    noun: 'scim-token',
    verb: 'health',
    summary: 'Says how each directory is doing.',
    options: accountOption,
    async run(given, { api }) {
      interface Health {
        tokenId: string;
        name: string;
        state: string;
        says: string;
        lastSyncAt: string | null;
        requests: number;
        errors: number;
        daysLeft: number | null;
      }
      const account = await accountOf(api, given.text('account'));
      const items = await api.list<Health>(`/accounts/${account}/scim-health`);
      return listed(items, {
        NAME: ({ name }) => name,
        STATE: ({ state }) => state,
        'LAST SYNC': ({ lastSyncAt }) => lastSyncAt ?? 'never',
        'ERRORS IN A DAY': ({ errors, requests }) => `${errors} of ${requests}`,
        'DAYS LEFT': ({ daysLeft }) => daysLeft,
        MEANS: ({ says }) => says,
      });
    },
  },
  {
    noun: 'scim-token',
    verb: 'log',
    summary: 'Lists what directories sent, the latest first, and what came of it.',
    options: {
      ...accountOption,
      token: { value: 'token', summary: 'Only of this one.' },
      person: { value: 'person', summary: 'An e-mail address, an id or a name.' },
      outcome: { value: 'outcome', summary: 'Such as refused, failed, held or changed.' },
      since: { value: 'time', summary: 'Such as 2027-01-01T00:00:00Z.' },
    },
    async run(given, { api }) {
      const account = await accountOf(api, given.text('account'));
      const { items } = await api.get<{ items: Line[] }>(`/accounts/${account}/scim-requests`, {
        token: given.text('token'),
        person: given.text('person'),
        outcome: given.text('outcome'),
        since: given.text('since'),
      });
      return listed(items, {
        ID: ({ id }) => id,
        AT: ({ at }) => at,
        FROM: ({ token }) => token,
        STATUS: ({ status }) => status,
        WHAT: ({ meaning }) => meaning.summary,
      });
    },
  },
  {
    noun: 'scim-token',
    verb: 'request',
    summary: 'Shows one request of a directory, what it meant, and what to do about it.',
    takes: [{ name: 'request', summary: 'The id of the request, from the log.' }],
    options: accountOption,
    async run(given, { api }) {
      const account = await accountOf(api, given.text('account'));
      const found = await api.get<Line & { request: unknown; response: unknown }>(
        `/accounts/${account}/scim-requests/${encodeURIComponent(given.args[0]!)}`,
      );
      return { json: found, text: inWords(found) };
    },
  },
  {
    noun: 'scim-token',
    verb: 'replay',
    summary: 'Asks again what a directory asked, as a dry run, and shows what would come of it.',
    takes: [{ name: 'request', summary: 'The id of the request, from the log.' }],
    options: accountOption,
    async run(given, { api }) {
      const account = await accountOf(api, given.text('account'));
      const again = await api.send<{
        status: number;
        statusThen: number;
        meaning: Line['meaning'];
        response: unknown;
      }>('POST', `/accounts/${account}/scim-requests/${encodeURIComponent(given.args[0]!)}/replay`);
      const { meaning, status, statusThen, response } = again;
      return detailed(again, {
        summary: meaning.summary,
        ...(meaning.changes.length > 0 && { 'would change': meaning.changes }),
        ...(meaning.rule && { 'what to do': meaning.rule.advice }),
        'status now': status,
        'status then': statusThen,
        ...(response !== null && { answered: response }),
      });
    },
  },
  {
    noun: 'scim-token',
    verb: 'revoke',
    summary: 'Revokes a SCIM token: it opens nothing from now on.',
    takes: [{ name: 'token', summary: 'The id of the token.' }],
    options: accountOption,
    async run(given, { api }) {
      await api.send('DELETE', await one(api, given));
      return { json: { revoked: given.args[0] }, text: 'Revoked.' };
    },
  },
];
