import type { Sql } from '#platform/database/sql.ts';
import { canonicalEmail } from '../users/email.ts';
import { listIn } from './cells.ts';
import type { BulkKind, Cells } from './format.ts';

/**
 * Which rows hang together, as a number that they share; null for a row that stands alone.
 *
 * A dry run has to say what an apply will do, so a row is tried upon what the rows before it would
 * have done. To try a whole file in one transaction would hold every person of it for seconds, and the
 * embedded database for everybody: so only rows that can touch each other are tried together.
 *
 *     an address    that one row frees and another takes, or gives and another names
 *     the account   has to keep an administrator: rows that make one, or change one
 *
 * Nothing else that a row does is looked at by another: nobody is in a file twice, groups and roles are
 * there before it, and no file removes an Account Administrator. That is why only updates have chains.
 */
export async function chainsOf(
  sql: Sql,
  kind: BulkKind,
  accountId: string,
  rows: readonly Cells[],
): Promise<(number | null)[]> {
  if (kind !== 'update') return rows.map(() => null);
  const [administrators, makers] = [
    await administratorsOf(sql, accountId),
    await rolesThatMakeOne(sql),
  ];
  const keysOf = (cells: Cells): string[] => {
    const addresses = [cells['CurrentEmail'], cells['NewEmail']]
      .map(canonicalEmail)
      .filter((email) => email !== null);
    const guards =
      addresses.some((email) => administrators.has(email)) ||
      namesIn(cells['Roles'] ?? '').some((name) => makers.has(name.toLowerCase()));
    return guards ? [...addresses, ''] : addresses;
  };
  return numbered(rows.map(keysOf));
}

/** Rows that share a key, at one remove or many, have the number of the first of them. */
function numbered(keys: readonly (readonly string[])[]): (number | null)[] {
  const parent = keys.map((_, row) => row);
  const rootOf = (row: number): number => {
    let root = row;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = row; at !== root;) [parent[at], at] = [root, parent[at]!];
    return root;
  };
  const first = new Map<string, number>();
  for (const [row, own] of keys.entries())
    for (const key of own) {
      const known = first.get(key);
      if (known === undefined) first.set(key, row);
      else {
        const [one, other] = [rootOf(known), rootOf(row)];
        parent[Math.max(one, other)] = Math.min(one, other);
      }
    }
  const roots = keys.map((_, row) => rootOf(row));
  const sizes = Map.groupBy(roots, (root) => root);
  return roots.map((root) => (sizes.get(root)!.length > 1 ? root : null));
}

/** What a list names, with or without a sign. A list that cannot be read is told when it is tried. */
function namesIn(cell: string): string[] {
  try {
    const list = listIn('Roles', cell);
    return 'set' in list ? list.set : [...list.add, ...list.remove];
  } catch {
    return [];
  }
}

async function administratorsOf(sql: Sql, accountId: string): Promise<Set<string>> {
  const found = await sql.query<{ email: string }>(
    `select u.email from role_assignments r join users u on u.id = r.user_id
     where r.account_id = $1 and r.role = 'account_administrator' and u.email is not null`,
    [accountId],
  );
  return new Set(found.map(({ email }) => email));
}

/** The role of an administrator and those that bring it along, by key and by name. */
async function rolesThatMakeOne(sql: Sql): Promise<Set<string>> {
  const found = await sql.query<{ key: string; name: string }>(
    `with recursive making (key) as (
       values ('account_administrator')
       union select r.key from making m join roles r on m.key = any (r.requires)
     )
     select r.key, lower(r.name) as name from making m join roles r on r.key = m.key`,
  );
  return new Set(found.flatMap(({ key, name }) => [key.toLowerCase(), name]));
}
