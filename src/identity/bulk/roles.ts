import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/**
 * The keys of the roles that a list names, by key or by what people are shown.
 *
 * @throws {Refusal} `role_not_found`
 */
export async function roleKeys(work: Work, named: readonly string[]): Promise<string[]> {
  if (named.length === 0) return [];
  const known = await work.query<{ key: string; name: string }>(
    `select key, name from roles
     where scope <> 'group' and (key = any ($1::text[]) or lower(name) = any ($2::text[]))`,
    [[...named], named.map((name) => name.toLowerCase())],
  );
  return [
    ...new Set(
      named.map((name) => {
        const found =
          known.find(({ key }) => key === name) ??
          known.find((role) => role.name.toLowerCase() === name.toLowerCase());
        if (!found)
          throw new Refusal('role_not_found', { role: name }, [], `There is no role ${name}.`);
        return found.key;
      }),
    ),
  ];
}

/**
 * The ids of the groups that a list names.
 *
 * @throws {Refusal} `not_found`
 */
export async function groupIds(
  work: Work,
  accountId: string,
  named: readonly string[],
): Promise<string[]> {
  if (named.length === 0) return [];
  const known = await work.query<{ id: string; name: string }>(
    `select id, lower(name) as name from groups
     where account_id = $1 and (id::text = any ($2::text[]) or lower(name) in (
       select lower(n) from unnest($2::text[]) n))`,
    [accountId, [...named]],
  );
  return [
    ...new Set(
      named.map((name) => {
        const found = known.find((group) => group.id === name || group.name === name.toLowerCase());
        if (!found)
          throw new Refusal('not_found', { group: name }, [], `There is no group ${name}.`);
        return found.id;
      }),
    ),
  ];
}
