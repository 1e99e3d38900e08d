import { bad, shown } from './error.ts';
import { compared, resolve, written, type Target } from './path.ts';
import type { Attribute, ResourceType } from './attribute.ts';

/** By what a list is in order, the id aside: an expression that is never null. */
export interface Order {
  key: string;
  cast: 'text' | 'timestamptz';
  /** No index serves it: it is for so many at most, who then are sorted at each page. */
  most: number | null;
}

/** So many are sorted without an index. A million would take the database half a second a page. */
const mostSorted = 10_000;

/** Behind every text: what is not there is the last (RFC 7644, section 3.4.2.3). */
const behindAll = `U&'\\+10FFFF'`;

/**
 * @param created the column of when a resource came to be: the order where none is asked for
 * @throws {ScimError} 400 for what is no attribute, or none that is shown
 */
export function orderOf(type: ResourceType, sortBy: string | undefined, created: string): Order {
  const [order] = ordersOf([[type, created]], sortBy);
  return order!;
}

/**
 * The orders of resources of several types in one list. A type that does not have the attribute is
 * behind those that do (RFC 7644, section 3.4.2.3).
 *
 * @param types with the column of when a resource came to be
 * @throws {ScimError} 400, also where none of them has it
 */
export function ordersOf(
  types: readonly (readonly [type: ResourceType, created: string])[],
  sortBy: string | undefined,
): Order[] {
  const orders = types.map(([type, created]) => orderIn(type, sortBy, created));
  const known = orders.find((one) => one !== null);
  if (!known) throw bad('invalidValue', `sortBy: there is no attribute ${shown(sortBy)}.`);
  const nothing = known.cast === 'text' ? `${behindAll} collate "C"` : `'infinity'::timestamptz`;
  return orders.map((one) => one ?? { key: nothing, cast: known.cast, most: null });
}

function orderIn(type: ResourceType, sortBy: string | undefined, created: string): Order | null {
  if (sortBy === undefined) return { key: created, cast: 'timestamptz', most: null };
  const target = resolve(type, sortBy);
  if (!target) return null;
  const leaf = compared(target);
  if (!leaf) throw bad('invalidValue', `sortBy: ${written(target)} has parts: name one of them.`);
  if (leaf.returned === 'never' || !leaf.place?.value)
    throw bad('invalidValue', `sortBy: ${leaf.name} cannot be sorted by.`);
  if (leaf.place.sortable)
    return leaf.type === 'dateTime'
      ? { key: leaf.place.value, cast: 'timestamptz', most: null }
      : { key: leaf.place.key!, cast: 'text', most: null };
  const key = `coalesce(${valueOf(target, leaf)}, ${behindAll}) collate "C"`;
  return { key, cast: 'text', most: mostSorted };
}

/** The value as a text that is in order; of several values the primary one, or the first. */
function valueOf({ attribute }: Target, leaf: Attribute): string {
  const text = asText(leaf);
  const rows = attribute.multiValued && attribute.place?.rows;
  if (!rows) return text;
  const primary = attribute.subAttributes?.find(({ name }) => name === 'primary')?.place?.value;
  const first = primary ? `coalesce(${primary}, false) desc, ` : '';
  return `(select ${text} ${rows.ofOne} order by ${first}1 limit 1)`;
}

function asText({ type, caseExact, place }: Attribute): string {
  const { value, key } = place!;
  if (type === 'boolean') return `(${value})::text`;
  if (type === 'dateTime')
    return `to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS')`;
  return caseExact ? `nullif(${value}, '')` : (key ?? `folded(nullif(${value}, ''))`);
}

/** @throws {ScimError} `tooMany` where more would have to be sorted than is done without an index */
export function requireFew(type: ResourceType, { most }: Order, found: number): void {
  if (most === null || found <= most) return;
  throw bad(
    'tooMany',
    `sortBy: more than ${most} are not sorted by this. Narrow the filter, or sort by ${sortables(type)}.`,
  );
}

function sortables(type: ResourceType): string {
  const names = (list: readonly Attribute[], prefix = ''): string[] =>
    list.flatMap((one) => [
      ...(one.place?.sortable ? [`${prefix}${one.name}`] : []),
      ...names(one.subAttributes ?? [], `${one.name}.`),
    ]);
  return names(type.attributes).join(', ');
}
