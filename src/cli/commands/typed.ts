import type { Api } from '../api.ts';
import { WrongUsage, type Command, type Given } from '../command.ts';
import { accountOf, hasFormOfId, userPath } from '../resolve.ts';

/** What is typed in more than one command: choices, several at once, things of an account, new people. */

/** @throws {WrongUsage} for what is none of the choices. */
export function oneOf<Choice extends string>(
  what: string,
  choices: readonly Choice[],
  typed: string | undefined,
): Choice {
  const found = choices.find((one) => one === typed);
  if (found === undefined)
    throw new WrongUsage(`${what} must be one of: ${choices.join(', ')}. It is ${typed}.`);
  return found;
}

/** Several in one argument, with commas between them. @throws {WrongUsage} */
export function several(what: string, typed: string): string[] {
  const items = typed.split(/[\s,]+/).filter((one) => one !== '');
  if (items.length === 0) throw new WrongUsage(`${what} names nothing.`);
  return items;
}

/** Where the things of a kind are, within the account that is meant. */
export async function within(api: Api, given: Given, kind: string): Promise<string> {
  return `/accounts/${await accountOf(api, given.text('account'))}/${kind}`;
}

/** The id of a member, by id or e-mail address. */
export async function userId(api: Api, given: Given, named: string): Promise<string> {
  if (hasFormOfId(named)) return named;
  return (await userPath(api, { ...given, args: [named] })).split('/').at(-1)!;
}

export async function userIds(api: Api, given: Given, typed: string): Promise<string[]> {
  const ids: string[] = [];
  for (const named of several('<users>', typed)) ids.push(await userId(api, given, named));
  return ids;
}

/** Who a new person is, beside the address. */
export const personOptions = {
  'given-name': { value: 'name', summary: 'Their given name.', required: true },
  'family-name': { value: 'name', summary: 'Their family name.', required: true },
  country: { value: 'code', summary: 'Their country, as two letters.', required: true },
  'entitlement-country': { value: 'code', summary: 'Where they are entitled.' },
  role: { value: 'role', summary: 'A role they get; repeat.', multiple: true },
  group: { value: 'group', summary: 'A group they join; repeat.', multiple: true },
} satisfies Command['options'];

/** A new person, as the API takes one. */
export function typedPerson(given: Given): Record<string, unknown> {
  return {
    email: given.text('email'),
    givenName: given.text('given-name'),
    familyName: given.text('family-name'),
    country: given.text('country'),
    entitlementCountry: given.text('entitlement-country'),
    roles: given.all('role'),
    groups: given.all('group'),
  };
}
