import { resolve } from './path.ts';
import type { Attribute, ResourceType } from './attribute.ts';
import { accountSchema, enterpriseSchema } from './schema.ts';
import { isObject, type Complex, type Resource } from './value.ts';

/** Which attributes are wanted (RFC 7644, section 3.9): these alone, or all but these. */
export interface Wanted {
  attributes: readonly string[] | null;
  excluded: readonly string[] | null;
  /** What is shown where it was just said (RFC 7643, section 7, of `returned`). */
  said?: readonly string[];
}

export const everything: Wanted = { attributes: null, excluded: null };

/** Decides about one attribute, or one sub-attribute, by its path. */
export interface Projection {
  /** Nobody asked for anything special: what there is is shown. */
  readonly whole: boolean;
  shows(extension: string | null, attribute: Attribute, sub?: Attribute): boolean;
}

/** The same, and what is shown on request alone where a body that was sent names it. */
export function saidIn(body: unknown, type: ResourceType, wanted: Wanted): Wanted {
  if (wanted.attributes) return wanted;
  const said = type.extensions.flatMap(({ schema }) =>
    schema.attributes
      .filter(({ name, returned }) => returned === 'request' && isNamed(body, name.toLowerCase()))
      .map(({ name }) => `${schema.id}:${name}`),
  );
  return said.length > 0 ? { ...wanted, said } : wanted;
}

/** As the name of a value, or in the path of an operation. */
function isNamed(body: unknown, name: string): boolean {
  if (Array.isArray(body)) return body.some((one) => isNamed(one, name));
  if (!isObject(body)) return false;
  return Object.entries(body).some(
    ([key, value]) =>
      key.toLowerCase().endsWith(name) ||
      (typeof value === 'string'
        ? key.toLowerCase() === 'path' && value.toLowerCase().endsWith(name)
        : isNamed(value, name)),
  );
}

/** Names that the schema does not have are left aside. */
export function projection(type: ResourceType, { attributes, excluded, said }: Wanted): Projection {
  const also = said && pathsOf(type, said);
  const asked = attributes && pathsOf(type, attributes);
  const left = excluded && pathsOf(type, excluded);
  return {
    whole: asked === null && left === null && !also,
    shows(extension, attribute, sub) {
      const one = sub ?? attribute;
      if (one.returned === 'always') return true;
      if (one.returned === 'never') return false;
      const whole = `${extension ?? ''} ${attribute.name}`;
      const path = sub ? `${whole} ${sub.name}` : whole;
      if (asked) {
        if (asked.has(path) || asked.has(whole) || asked.has(extension ?? ' ')) return true;
        return !sub && [...asked].some((name) => name.startsWith(`${whole} `));
      }
      if (one.returned === 'request' && !also?.has(path)) return false;
      return !left || !(left.has(path) || left.has(extension ?? ' '));
    },
  };
}

function pathsOf(type: ResourceType, names: readonly string[]): Set<string> {
  const paths = new Set<string>();
  for (const name of names) {
    if (name.toLowerCase() === type.schema.id.toLowerCase()) paths.add(' ');
    const extension = type.extensions.find(({ schema, aliases }) =>
      [schema.id, ...aliases].some((id) => id.toLowerCase() === name.toLowerCase()),
    );
    if (extension) paths.add(extension.schema.id);
    const target = extension ? undefined : resolve(type, name);
    if (!target) continue;
    const whole = `${target.extension?.schema.id ?? ''} ${target.attribute.name}`;
    paths.add(target.sub ? `${whole} ${target.sub.name}` : whole);
  }
  return paths;
}

/**
 * The resource as a client gets it: what is wanted of it, with addresses. `base` is where the door is.
 */
export function represent(
  type: ResourceType,
  resource: Resource,
  shown: Projection,
  base: string,
): Resource {
  const whole = representWhole(type, resource, base);
  if (shown.whole) return whole;
  const extensions: [string, Complex][] = [];
  const body: Resource = {};
  for (const attribute of type.attributes) put(body, null, attribute, whole[attribute.name], shown);
  for (const { schema } of type.extensions) {
    const kept = whole[schema.id];
    if (!isObject(kept)) continue;
    const given = schema.id === accountSchema ? withAlias(kept, resource) : kept;
    const part: Complex = {};
    for (const attribute of schema.attributes)
      put(part, schema.id, attribute, given[attribute.name], shown);
    if (Object.keys(part).length > 0) extensions.push([schema.id, part]);
  }
  body['schemas'] = [type.schema.id, ...extensions.map(([id]) => id)];
  return { ...body, ...Object.fromEntries(extensions) };
}

/** All of it, as nearly always: what is kept holds nothing else. Addresses are nowhere kept. */
function representWhole(type: ResourceType, resource: Resource, base: string): Resource {
  const schemas = [type.schema.id];
  for (const { schema } of type.extensions) if (schema.id in resource) schemas.push(schema.id);
  const body: Resource = { schemas, ...resource };
  body['meta'] = {
    ...(resource['meta'] as Complex),
    location: `${base}${type.endpoint}/${String(resource['id'])}`,
  };
  const referred = (values: unknown, endpoint: string): unknown =>
    (values as Complex[]).map((one) => ({
      ...one,
      $ref: `${base}${endpoint}/${String(one['value'])}`,
    }));
  if (resource['groups']) body['groups'] = referred(resource['groups'], '/Groups');
  if (resource['members']) body['members'] = referred(resource['members'], '/Users');
  const enterprise = resource[enterpriseSchema] as Complex | undefined;
  const manager = enterprise?.['manager'] as Complex | undefined;
  if (manager)
    body[enterpriseSchema] = {
      ...enterprise,
      manager: { ...manager, $ref: `${base}/Users/${String(manager['value'])}` },
    };
  return body;
}

/** `isSoftDeleted` is `active` by another name. */
export function withAlias(account: Complex, resource: Resource): Complex {
  return { ...account, isSoftDeleted: resource['active'] === false };
}

function put(
  target: Complex,
  extension: string | null,
  attribute: Attribute,
  value: unknown,
  shown: Projection,
): void {
  if (value === undefined || !shown.shows(extension, attribute)) return;
  if (!attribute.subAttributes) {
    target[attribute.name] = value;
    return;
  }
  const part = (one: unknown): Complex => {
    const result: Complex = {};
    for (const sub of attribute.subAttributes!) {
      const found = (one as Complex)[sub.name];
      if (found !== undefined && shown.shows(extension, attribute, sub)) result[sub.name] = found;
    }
    return result;
  };
  if (!Array.isArray(value)) {
    const result = part(value);
    if (Object.keys(result).length > 0) target[attribute.name] = result;
    return;
  }
  const results = value.map(part).filter((one) => Object.keys(one).length > 0);
  if (results.length > 0) target[attribute.name] = results;
}
