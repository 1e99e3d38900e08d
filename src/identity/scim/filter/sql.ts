import type { Param } from '#platform/database/sql.ts';
import { isId } from '#platform/ids.ts';
import type { ResourceType } from '../attribute.ts';
import { keyOf, type Comparison, type Condition, type Leaf } from './condition.ts';

/** Collects the parameters of a statement. */
export class Params {
  readonly values: Param[];

  constructor(...first: Param[]) {
    this.values = first;
  }

  /** The placeholder of a value. */
  add(value: Param, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/**
 * The condition as SQL over one resource, `a` or `g`: with placeholders alone for what came from
 * outside, and in the forms an index serves. `$1` is the account.
 */
export function conditionSql(condition: Condition, type: ResourceType, params: Params): string {
  const id = type.name === 'User' ? 'a.id' : 'g.id';
  return sql(condition);

  function sql(one: Condition): string {
    switch (one.op) {
      case 'and':
      case 'or':
        return `(${one.of.map(sql).join(` ${one.op} `)})`;
      case 'not':
        return `(not coalesce(${sql(one.of)}, false))`;
      case 'present':
        return present(one.leaf);
      case 'compare':
        return compare(one.leaf, one.operator, one.value, params);
      case 'among':
        return among(one.leaf, one.values, params);
      case 'some':
        return some(one);
      default:
        return 'false';
    }
  }

  /**
   * Joined to the resource by a list of ids where an index finds the values: an `or` with another
   * column then still is two looks at indexes, and not one at everything (scim.md 5.1).
   */
  function some({ attribute, of }: Extract<Condition, { op: 'some' }>): string {
    const { ofOne, ofAll } = attribute.place!.rows!;
    if (of && ofAll && isFound(of, ofAll.indexed))
      return `(${id} = any (array(select ${ofAll.id} ${ofAll.from} and ${sql(of)})))`;
    return `exists (select ${ofOne}${of ? ` and ${sql(of)}` : ''})`;
  }
}

/** Whether an index on one of these leads to the rows. */
function isFound(condition: Condition, indexed: readonly string[]): boolean {
  if (condition.op === 'and') return condition.of.some((one) => isFound(one, indexed));
  if (condition.op === 'or') return condition.of.every((one) => isFound(one, indexed));
  const quick =
    condition.op === 'among' ||
    (condition.op === 'compare' && (condition.operator === 'eq' || condition.operator === 'sw'));
  return quick && indexed.includes(condition.leaf.at.at(-1) ?? '');
}

/** Whether the statement is the same one in all but its values: only then it is planned once. */
export function isPlain(condition: Condition): boolean {
  switch (condition.op) {
    case 'and':
    case 'or':
      return condition.of.every(isPlain);
    case 'some':
      return condition.of !== null && isPlain(condition.of);
    case 'compare':
      return condition.operator === 'eq';
    case 'among':
      return true;
    default:
      return false;
  }
}

function valueSql({ attribute }: Leaf): string {
  return attribute.place!.value!;
}

function keySql({ attribute }: Leaf): string {
  const { key, value } = attribute.place!;
  if (attribute.caseExact) return value!;
  return key ?? `folded(${value})`;
}

function present(leaf: Leaf): string {
  const value = valueSql(leaf);
  const { type } = leaf.attribute;
  if (type === 'boolean' || type === 'dateTime') return `(${value} is not null)`;
  return `(${value} is not null and ${value} <> '')`;
}

const signs: Partial<Record<Comparison, string>> = { gt: '>', ge: '>=', lt: '<', le: '<=' };

function compare(
  leaf: Leaf,
  operator: Comparison,
  value: string | boolean | Date,
  params: Params,
): string {
  if (typeof value === 'boolean') {
    const wanted = operator === 'eq' ? value : !value;
    return `(${valueSql(leaf)} = ${wanted})`;
  }
  if (value instanceof Date) {
    const sign = operator === 'eq' ? '=' : operator === 'ne' ? '<>' : signs[operator]!;
    return `(${valueSql(leaf)} ${sign} ${params.add(value, 'timestamptz')})`;
  }
  const { uuid } = leaf.attribute.place!;
  if (uuid && operator === 'eq')
    return isId(value) ? `(${uuid} = ${params.add(value, 'uuid')})` : 'false';
  const key = keySql(leaf);
  const wanted = keyOf(leaf.attribute, value);
  switch (operator) {
    case 'eq':
      return `(${key} = ${params.add(wanted, 'text')})`;
    case 'ne':
      return `(${present(leaf)} and ${key} <> ${params.add(wanted, 'text')})`;
    // As a range, which an index serves whatever the value is.
    case 'sw':
      return `(${key} >= ${params.add(wanted, 'text')} collate "C" and ${key} < ${params.add(`${wanted}\u{10ffff}`, 'text')} collate "C")`;
    case 'co':
      return `(${key} like ${params.add(`%${escaped(wanted)}%`, 'text')})`;
    case 'ew':
      return `(${key} like ${params.add(`%${escaped(wanted)}`, 'text')})`;
    default:
      return `(${key} ${signs[operator]} ${params.add(wanted, 'text')} collate "C" and ${present(leaf)})`;
  }
}

function among(leaf: Leaf, values: readonly string[], params: Params): string {
  const { uuid } = leaf.attribute.place!;
  if (uuid) return `(${uuid} = any (${params.add(values.filter(isId), 'uuid[]')}))`;
  const keys = values.map((value) => keyOf(leaf.attribute, value));
  return `(${keySql(leaf)} = any (${params.add(keys, 'text[]')}))`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
}
