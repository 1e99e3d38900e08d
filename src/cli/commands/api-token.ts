import { userInfo } from 'node:os';
import { systemClock } from '#platform/clock.ts';
import { vault } from '#platform/secrets.ts';
import { unitOfWork } from '#identity/work.ts';
import type { Command, Given, Said } from '../command.ts';
import type { Ground } from '../ground.ts';
import type { Api } from '../api.ts';
import { detailed, listed } from '../print.ts';
import { accountOf, accountOption } from '../resolve.ts';

const whose = {
  ...accountOption,
  operator: { summary: 'A token that may do everything, of no account.' },
};

async function path(api: Api, given: Given): Promise<string> {
  return given.on('operator')
    ? '/api-tokens'
    : `/accounts/${await accountOf(api, given.text('account'))}/api-tokens`;
}

/** Whoever may write to the database may do everything anyway; this writes it down. */
async function firstToken(ground: Ground, name: string): Promise<Said> {
  const { createApiToken } = await import('#identity/access/api-token.ts');
  const { secrets, issuer } = ground.config();
  const database = await ground.openDatabase();
  try {
    const { token, secret } = await unitOfWork(
      { database, vault: vault(secrets), clock: systemClock, issuer },
      { actor: { type: 'command_line', id: userInfo().username } },
      (work) => createApiToken(work, { name, accountId: null, role: 'operator' }),
    );
    const made = { id: token.id, name, role: token.role, secret };
    return detailed(made);
  } finally {
    await database.close();
  }
}

export const apiTokenCommands: Command[] = [
  {
    noun: 'api-token',
    verb: 'create',
    summary: 'Makes a token for the API. It is shown once.',
    options: {
      name: { value: 'name', summary: 'What it is for.', required: true },
      ...whose,
      role: { value: 'role', summary: 'account_administrator (default) or co_administrator.' },
      scope: {
        value: 'right',
        summary: 'Only this of what the role may, such as users:read or users:*; repeat.',
        multiple: true,
      },
      expires: { value: 'time', summary: 'Such as 2027-01-01T00:00:00Z.' },
      first: {
        summary:
          'The first one of an installation: an operator token, made on the database itself, because nobody could ask the API for it.',
      },
    },
    async run(given, { api, ground }) {
      if (given.on('first')) return firstToken(ground, given.text('name')!);
      const made = await api.send('POST', await path(api, given), {
        name: given.text('name'),
        role: given.text('role'),
        scopes: given.all('scope'),
        expiresAt: given.text('expires'),
      });
      return detailed(made);
    },
  },
  {
    noun: 'api-token',
    verb: 'list',
    summary: 'Lists the tokens that are alive.',
    options: whose,
    async run(given, { api }) {
      interface Token {
        id: string;
        name: string;
        role: string;
        expiresAt: string | null;
        lastUsedAt: string | null;
      }
      const items = await api.list<Token>(await path(api, given));
      return listed(items, {
        ID: ({ id }) => id,
        NAME: ({ name }) => name,
        ROLE: ({ role }) => role,
        EXPIRES: ({ expiresAt }) => expiresAt ?? 'never',
        'LAST USED': ({ lastUsedAt }) => lastUsedAt ?? 'never',
      });
    },
  },
  {
    noun: 'api-token',
    verb: 'revoke',
    summary: 'Revokes a token: it opens nothing from now on.',
    takes: [{ name: 'token', summary: 'The id of the token.' }],
    options: whose,
    async run(given, { api }) {
      await api.send('DELETE', `${await path(api, given)}/${encodeURIComponent(given.args[0]!)}`);
      return { json: { revoked: given.args[0] }, text: 'Revoked.' };
    },
  },
];
