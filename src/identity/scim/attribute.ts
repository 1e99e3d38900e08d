/** How an attribute is described, for the table of them. */
export type AttributeType = 'string' | 'boolean' | 'dateTime' | 'reference' | 'binary' | 'complex';

export interface Attribute {
  name: string;
  type: AttributeType;
  description: string;
  multiValued: boolean;
  required: boolean;
  caseExact: boolean;
  mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly';
  returned: 'always' | 'never' | 'default' | 'request';
  uniqueness: 'none' | 'server' | 'global';
  canonicalValues?: readonly string[];
  referenceTypes?: readonly string[];
  /** So many characters are taken, where they are fewer than of any text. */
  longest?: number;
  subAttributes?: readonly Attribute[];
  place?: Place;
  /** Not in `/Schemas`: common to every resource (RFC 7643, section 3.1). */
  common?: boolean;
}

/** Where an attribute is found in SQL. `a` is the affiliation, `u` the person, `g` the group. */
export interface Place {
  /** The expression of the value. Without one it is made anew for each answer, and not looked for. */
  value?: string;
  /** Of what is compared where letter case means nothing; what is left out is folded at each use. */
  key?: string;
  /** The key is indexed with the account and an id behind it: it can be sorted by. */
  sortable?: boolean;
  /** The column of type uuid behind the value, which an index serves. */
  uuid?: string;
  /** The text is an address, and compared as one. */
  address?: boolean;
  /** For what there are several of: rows, each `e`, of one resource. */
  rows?: Rows;
}

export interface Rows {
  /** `from ... where ...` of the rows of one resource. */
  ofOne: string;
  /** The same for the whole account ($1), and the column of the resource's id, where an index serves. */
  ofAll?: { from: string; id: string; indexed: readonly string[] };
}

export interface Schema {
  id: string;
  name: string;
  description: string;
  attributes: readonly Attribute[];
}

export interface Extension {
  schema: Schema;
  /** Under which its attributes are kept. */
  key: string;
  /** Other names clients have for the same. */
  aliases: readonly string[];
}

export interface ResourceType {
  name: 'User' | 'Group';
  endpoint: '/Users' | '/Groups';
  description: string;
  schema: Schema;
  extensions: readonly Extension[];
  /** Those of every resource, then those of the schema. */
  attributes: readonly Attribute[];
}

type Options = Partial<Omit<Attribute, 'name' | 'type'>>;

export function attribute(name: string, type: AttributeType, options: Options = {}): Attribute {
  return {
    name,
    type,
    description: '',
    multiValued: false,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...options,
  };
}

export const text = (name: string, description: string, options: Options = {}): Attribute =>
  attribute(name, 'string', { description, ...options });

export const flag = (name: string, description: string, options: Options = {}): Attribute =>
  attribute(name, 'boolean', { description, ...options });

export const moment = (name: string, description: string, options: Options = {}): Attribute =>
  attribute(name, 'dateTime', { description, mutability: 'readOnly', ...options });

export const group = (
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  options: Options = {},
): Attribute => attribute(name, 'complex', { description, subAttributes, ...options });

/** Several values with the sub-attributes of RFC 7643, section 2.4. */
export function values(
  name: string,
  description: string,
  {
    value = text('value', 'The value.'),
    types,
    ...options
  }: Options & { value?: Attribute; types?: readonly string[] } = {},
): Attribute {
  return group(
    name,
    description,
    [
      value,
      text('display', 'A name for people.'),
      text('type', 'What it is for.', types ? { canonicalValues: types } : {}),
      flag('primary', 'Whether it is the first to be used. One value at most is.'),
    ],
    { multiValued: true, ...options },
  );
}

export const readOnly = { mutability: 'readOnly' } as const;

/** What has no place of its own is kept in the affiliation's `attributes`, under its own name. */
export function placed(
  attributes: readonly Attribute[],
  path: readonly string[] = [],
): Attribute[] {
  return attributes.map((one) => {
    const here = [...path, one.name];
    if (one.multiValued && !one.place)
      return {
        ...one,
        place: {
          rows: {
            ofOne: `from jsonb_array_elements(coalesce(a.attributes #> '{${here.join(',')}}', '[]')) e where true`,
          },
        },
        subAttributes: one.subAttributes!.map((sub) => ({
          ...sub,
          place: { value: jsonText('e', [sub.name], sub.type) },
        })),
      };
    if (one.multiValued)
      return one.subAttributes
        ? {
            ...one,
            subAttributes: one.subAttributes.map((sub) => ({
              ...sub,
              place: sub.place ?? { value: columnOf(sub) },
            })),
          }
        : one;
    if (one.subAttributes) return { ...one, subAttributes: placed(one.subAttributes, here) };
    return { ...one, place: one.place ?? { value: jsonText('a.attributes', here, one.type) } };
  });
}

function jsonText(root: string, path: readonly string[], type: AttributeType): string {
  const found = `${root} #>> '{${path.join(',')}}'`;
  return type === 'boolean' ? `(${found})::boolean` : `(${found})`;
}

function columnOf({ name }: Attribute): string {
  return name === 'primary' ? 'e.is_primary' : `e.${name}`;
}
