import { isId } from '#platform/ids.ts';
import type { Api } from './api.ts';
import { WrongUsage, type Given, type Option } from './command.ts';
import { Refused } from './refused.ts';

/** The option of every command that works within an account. */
export const accountOption: Record<'account', Option> = {
  account: {
    value: 'id, number, name or domain',
    summary: 'The account. The token of an account needs none.',
  },
};

interface AccountFound {
  id: string;
  number: string | null;
  name: string;
  domains: string[];
}

/** The id of the account that is meant. */
export async function accountOf(api: Api, named: string | undefined): Promise<string> {
  if (named !== undefined && hasFormOfId(named)) return named;
  const { accountId } = await api.get<{ accountId: string | null }>('/token');
  if (named === undefined) {
    if (accountId !== null) return accountId;
    throw new WrongUsage('Which account? Give --account.');
  }
  const candidates =
    accountId === null
      ? await api.list<AccountFound>('/accounts', { q: named, limit: '200' })
      : [await api.get<AccountFound>(`/accounts/${accountId}`)];
  const wanted = named.toLowerCase();
  const found = candidates.filter(
    ({ number, name, domains }) =>
      number === named || name.toLowerCase() === wanted || domains.includes(wanted),
  );
  if (found.length === 1) return found[0]!.id;
  throw new Refused(
    'account_not_found',
    found.length === 0
      ? `There is no account ${named}.`
      : `Several accounts are called ${named}: ${found.map(({ id }) => id).join(', ')}`,
  );
}

/** The path of the person that is meant, by id or e-mail address. */
export async function userPath(api: Api, given: Given): Promise<string> {
  const account = await accountOf(api, given.text('account'));
  const users = `/accounts/${account}/users`;
  const named = given.args[0]!;
  if (hasFormOfId(named)) return `${users}/${named}`;
  const found = await api.list<{ id: string; email: string | null }>(users, {
    q: named,
    limit: '200',
  });
  const user = found.find(({ email }) => email?.toLowerCase() === named.toLowerCase());
  if (!user) throw new Refused('user_not_found', `There is no user ${named} in this account.`);
  return `${users}/${user.id}`;
}

/** Whether an id is typed, and no name or address. */
export function hasFormOfId(text: string): boolean {
  return isId(text);
}
