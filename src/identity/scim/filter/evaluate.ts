import { isObject } from '../value.ts';
import { keyOf, type Comparison, type Condition, type Leaf } from './condition.ts';

/** Whether a condition holds of a resource, or of one of several values, in memory. */
export function holds(condition: Condition, of: unknown): boolean {
  switch (condition.op) {
    case 'and':
      return condition.of.every((one) => holds(one, of));
    case 'or':
      return condition.of.some((one) => holds(one, of));
    case 'not':
      return !holds(condition.of, of);
    case 'present':
      return isPresent(valueAt(of, condition.leaf.at));
    case 'some': {
      const values = valueAt(of, condition.at);
      const inner = condition.of;
      return Array.isArray(values) && values.some((one) => inner === null || holds(inner, one));
    }
    case 'compare':
      return compares(condition.leaf, condition.operator, condition.value, of);
    case 'among': {
      const { leaf, values } = condition;
      return values.some((value) => compares(leaf, 'eq', value, of));
    }
    default:
      return false;
  }
}

function valueAt(of: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    of,
  );
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function compares(
  { attribute, at }: Leaf,
  operator: Comparison,
  wanted: string | boolean | Date,
  of: unknown,
): boolean {
  const value = valueAt(of, at);
  if (!isPresent(value)) return false;
  if (typeof wanted === 'boolean') return (value === wanted) === (operator === 'eq');
  if (wanted instanceof Date)
    return ordered(operator, new Date(value as string).getTime() - wanted.getTime());
  const one = keyOf(attribute, String(value));
  const other = keyOf(attribute, wanted);
  if (operator === 'co') return one.includes(other);
  if (operator === 'sw') return one.startsWith(other);
  if (operator === 'ew') return one.endsWith(other);
  return ordered(operator, Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

function ordered(operator: Comparison, difference: number): boolean {
  switch (operator) {
    case 'eq':
      return difference === 0;
    case 'ne':
      return difference !== 0;
    case 'gt':
      return difference > 0;
    case 'ge':
      return difference >= 0;
    case 'lt':
      return difference < 0;
    default:
      return difference <= 0;
  }
}
