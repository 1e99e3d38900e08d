import type { Filter } from 'scim2-parse-filter';
import { canonicalEmail } from '../../users/email.ts';
import { bad, shown } from '../error.ts';
import { compared, resolveBare, written } from '../path.ts';
import type { Attribute, ResourceType } from '../attribute.ts';
import { named } from '../schema.ts';
import { nameOf, parseFilter, type Parsed } from './guard.ts';

export type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'lt' | 'ge' | 'le';

/** One attribute with a single value: of a resource, or of one of several values. */
export interface Leaf {
  attribute: Attribute;
  /** Where it stands, from the resource or from the value. */
  at: readonly string[];
}

/**
 * A filter whose attributes are known and whose values have their types: what SQL is made of, and
 * what is evaluated in memory.
 */
export type Condition =
  | { op: 'and' | 'or'; of: readonly Condition[] }
  | { op: 'not'; of: Condition }
  /** One of several values is so; or there is one, with null. */
  | { op: 'some'; attribute: Attribute; at: readonly string[]; of: Condition | null }
  | { op: 'present'; leaf: Leaf }
  | { op: 'compare'; operator: Comparison; leaf: Leaf; value: string | boolean | Date }
  /** Equal to one of them. */
  | { op: 'among'; leaf: Leaf; values: readonly string[] }
  | { op: 'never' };

/** More than this are not looked for at once. Equal attributes that are ored count as one. */
const mostTerms = 100;

/**
 * @param unknown takes the attributes that the schema has not: what is said of them is never true (in a
 * search of every resource type, RFC 7644, section 3.4.2.1). Without it they are an error.
 * @throws {ScimError} 400 `invalidFilter`
 */
export function readFilter(type: ResourceType, filter: string, unknown?: Set<string>): Condition {
  const parsed = parseFilter(filter);
  return bounded(new Reader(type, parsed, unknown).read(parsed.tree));
}

/** The filter inside the brackets of a path: `type eq "work"` of `emails[type eq "work"]`. */
export function readValueFilter(
  type: ResourceType,
  attribute: Attribute,
  filter: string,
): Condition {
  const parsed = parseFilter(filter);
  return bounded(new Reader(type, parsed).inside(parsed.tree, attribute));
}

function bounded(condition: Condition): Condition {
  const collapsed = collapse(condition);
  const terms = count(collapsed);
  if (terms > mostTerms)
    throw bad('invalidFilter', `A filter has at most ${mostTerms} terms; this one has ${terms}.`);
  return collapsed;
}

function count(condition: Condition): number {
  switch (condition.op) {
    case 'and':
    case 'or':
      return condition.of.reduce((sum, one) => sum + count(one), 0);
    case 'not':
      return count(condition.of);
    case 'some':
      return condition.of ? count(condition.of) : 1;
    default:
      return 1;
  }
}

class Reader {
  readonly #type: ResourceType;
  readonly #parsed: Parsed;
  readonly #unknown: Set<string> | undefined;

  constructor(type: ResourceType, parsed: Parsed, unknown?: Set<string>) {
    this.#type = type;
    this.#parsed = parsed;
    this.#unknown = unknown;
  }

  read(node: Filter): Condition {
    if ('filters' in node) return { op: node.op, of: node.filters.map((one) => this.read(one)) };
    if ('filter' in node) return { op: 'not', of: this.read(node.filter) };
    const target = resolveBare(this.#type, nameOf(node.attrPath));
    if (!target) return this.#nothing(node.attrPath);
    const { extension, attribute, sub } = target;
    const base = extension ? [extension.schema.id, attribute.name] : [attribute.name];
    const name = written(target);

    if (node.op === '[]') {
      if (!attribute.subAttributes || sub)
        throw bad('invalidFilter', `${name} has no values to be filtered.`);
      if (!attribute.multiValued) return this.inside(node.valFilter, attribute, base);
      return { op: 'some', attribute, at: base, of: this.inside(node.valFilter, attribute) };
    }
    const leaf = compared(target);
    if (!leaf) {
      if (node.op !== 'pr') throw bad('invalidFilter', `${name} has parts: name one of them.`);
      if (attribute.multiValued) return { op: 'some', attribute, at: base, of: null };
      const parts = attribute
        .subAttributes!.filter(({ place }) => place?.value !== undefined)
        .map((one) => this.#leaf(one, [...base, one.name]));
      return { op: 'or', of: parts.map((one) => ({ op: 'present', leaf: one })) };
    }
    if (!attribute.multiValued)
      return this.#term(
        node,
        this.#leaf(leaf, leaf === attribute ? base : [...base, leaf.name]),
        name,
      );
    const one = this.#leaf(leaf, leaf === attribute ? [] : [leaf.name]);
    const some = (of: Condition): Condition => ({ op: 'some', attribute, at: base, of });
    // Different is what has values, none of which is this one.
    if (node.op === 'ne')
      return {
        op: 'and',
        of: [
          some({ op: 'present', leaf: one }),
          { op: 'not', of: some(this.#term({ ...node, op: 'eq' }, one, name)) },
        ],
      };
    return some(this.#term(node, one, name));
  }

  /** A condition on one value of an attribute. `base` is where it stands, for one that is single. */
  inside(node: Filter, attribute: Attribute, base: readonly string[] = []): Condition {
    if ('filters' in node)
      return { op: node.op, of: node.filters.map((one) => this.inside(one, attribute, base)) };
    if ('filter' in node) return { op: 'not', of: this.inside(node.filter, attribute, base) };
    const path = nameOf(node.attrPath);
    const sub = attribute.subAttributes && named(attribute.subAttributes, path);
    if (!sub || node.op === '[]') return this.#nothing(`${attribute.name}.${path}`);
    return this.#term(node, this.#leaf(sub, [...base, sub.name]), `${attribute.name}.${sub.name}`);
  }

  #nothing(path: string): Condition {
    const name = nameOf(path);
    if (!this.#unknown) throw bad('invalidFilter', `There is no attribute ${shown(name)}.`);
    this.#unknown.add(name.toLowerCase());
    return { op: 'never' };
  }

  #leaf(attribute: Attribute, at: readonly string[]): Leaf {
    if (attribute.returned === 'never' || attribute.place?.value === undefined)
      throw bad('invalidFilter', `${attribute.name} cannot be filtered by.`);
    return { attribute, at };
  }

  #term(node: Filter, leaf: Leaf, name: string): Condition {
    if (node.op === 'pr') return { op: 'present', leaf };
    if (!('compValue' in node)) throw bad('invalidFilter', `${name} cannot be compared so.`);
    const operator = node.op;
    const given = this.#parsed.valueOf(node.compValue);
    // Nothing is what is not there (RFC 7643, section 2.5); every text is behind it.
    if (given === null || given === '') {
      if (operator === 'eq') return { op: 'not', of: { op: 'present', leaf } };
      if (operator === 'ne') return { op: 'present', leaf };
      if (given === null) throw bad('invalidFilter', `${name} ${operator} takes a value.`);
    }
    const operators = permitted[leaf.attribute.type];
    if (!operators?.includes(operator))
      throw bad('invalidFilter', `${name} is a ${leaf.attribute.type}: it has no ${operator}.`);
    if (given === '')
      return operator === 'lt' || operator === 'le' ? { op: 'never' } : { op: 'present', leaf };
    return { op: 'compare', operator, leaf, value: valueFor(leaf.attribute, given, name) };
  }
}

const texts: readonly Comparison[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le'];
const permitted: Partial<Record<Attribute['type'], readonly Comparison[]>> = {
  string: texts,
  reference: texts,
  binary: ['eq', 'ne'],
  boolean: ['eq', 'ne'],
  dateTime: ['eq', 'ne', 'gt', 'lt', 'ge', 'le'],
};

const instant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;

function valueFor(attribute: Attribute, given: unknown, name: string): string | boolean | Date {
  const text = String(given);
  if (attribute.type === 'boolean') {
    const lower = text.toLowerCase();
    if (lower !== 'true' && lower !== 'false')
      throw bad('invalidFilter', `${name} is true or false, not ${shown(text)}.`);
    return lower === 'true';
  }
  if (attribute.type === 'dateTime') {
    const [, clock, zone] = instant.exec(text) ?? [];
    // A moment that does not say where is meant as ours are written, not as the server's clock hangs.
    const time = instant.test(text) ? new Date(clock && !zone ? `${text}Z` : text) : null;
    if (!time || Number.isNaN(time.getTime()))
      throw bad('invalidFilter', `${name} is a moment of ISO 8601, not ${shown(text)}.`);
    return time;
  }
  return text;
}

/** The form in which a text is compared with others of its attribute. */
export function keyOf(attribute: Attribute, text: string): string {
  if (attribute.caseExact) return text;
  if (attribute.place?.address) return canonicalEmail(text) ?? folded(text);
  return folded(text);
}

/** Where letter case means nothing. The same in SQL: `folded`. */
export function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** `a eq 1 or a eq 2` becomes one look at an index: `a among (1, 2)`. */
function collapse(condition: Condition): Condition {
  switch (condition.op) {
    case 'not':
      return { ...condition, of: collapse(condition.of) };
    case 'some':
      return { ...condition, of: condition.of && collapse(condition.of) };
    case 'and':
      return { ...condition, of: condition.of.map(collapse) };
    case 'or':
      return joined(
        condition.of.flatMap((one) => {
          const inner = collapse(one);
          return inner.op === 'or' ? inner.of : [inner];
        }),
      );
    default:
      return condition;
  }
}

function joined(terms: readonly Condition[]): Condition {
  const among = new Map<
    string,
    { leaf: Leaf; values: string[]; wrap: (of: Condition) => Condition }
  >();
  const rest: Condition[] = [];
  for (const term of terms) {
    const inner = term.op === 'some' && term.of ? term.of : term;
    if (
      (inner.op !== 'compare' || inner.operator !== 'eq' || typeof inner.value !== 'string') &&
      inner.op !== 'among'
    ) {
      rest.push(term);
      continue;
    }
    const outer = term.op === 'some' ? term.at.join(' ') : '';
    const key = `${outer}[${inner.leaf.at.join(' ')}`;
    const known = among.get(key) ?? {
      leaf: inner.leaf,
      values: [],
      wrap: (of: Condition): Condition => (term.op === 'some' ? { ...term, of } : of),
    };
    known.values.push(...(inner.op === 'among' ? inner.values : [inner.value as string]));
    among.set(key, known);
  }
  const collected = [...among.values()].map(({ leaf, values, wrap }) =>
    wrap(
      values.length === 1
        ? { op: 'compare', operator: 'eq', leaf, value: values[0]! }
        : { op: 'among', leaf, values },
    ),
  );
  const all = [...collected, ...rest];
  return all.length === 1 ? all[0]! : { op: 'or', of: all };
}
