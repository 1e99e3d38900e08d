import { bad, shown } from './error.ts';
import type { Attribute, Extension, ResourceType } from './attribute.ts';
import { named } from './schema.ts';

/** A resource with the names of its schema alone; those of an extension under its URN. */
export type Resource = Record<string, unknown>;
export type Complex = Record<string, unknown>;

const longestText = 10_000;
/** Of what there are several of; the members of a group are as many as the body holds. */
const mostValues = 100;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The resource a client sent: names in any letter case, what the schema does not know left out, what
 * is ours to say left out, null and nothing as not there (RFC 7643, section 2.5).
 *
 * @throws {ScimError} 400 `invalidSyntax`, `invalidValue`, naming the attribute
 */
export function readResource(type: ResourceType, body: unknown): Resource {
  if (!isObject(body)) throw bad('invalidSyntax', 'The body must be a JSON object.');
  requireSchema(body, type.schema.id);
  const resource: Resource = {};
  for (const [name, value] of fieldsOf(body, '')) {
    if (name.toLowerCase() === 'schemas') continue;
    const attribute = named(type.attributes, name);
    if (attribute) {
      assign(resource, attribute.name, coerce(attribute, value, attribute.name));
      continue;
    }
    const extension = extensionNamed(type, name);
    if (extension) assign(resource, extension.schema.id, readExtension(extension, value, resource));
  }
  return resource;
}

function readExtension(extension: Extension, value: unknown, resource: Resource): unknown {
  const { id, attributes } = extension.schema;
  if (value === null) return resource[id];
  if (!isObject(value)) throw bad('invalidValue', `${id}: an object is expected.`);
  const read: Complex = isObject(resource[id]) ? resource[id] : {};
  for (const [name, one] of fieldsOf(value, id)) {
    const attribute = named(attributes, name);
    if (attribute) assign(read, attribute.name, coerce(attribute, one, `${id}:${attribute.name}`));
  }
  return Object.keys(read).length > 0 ? read : undefined;
}

/** @throws {ScimError} `invalidSyntax` unless `schemas` names it, in any letter case */
export function requireSchema(body: Record<string, unknown>, id: string): void {
  const [, schemas] = Object.entries(body).find(([name]) => name.toLowerCase() === 'schemas') ?? [];
  const names = Array.isArray(schemas) ? schemas : [];
  if (!names.some((one) => typeof one === 'string' && one.toLowerCase() === id.toLowerCase()))
    throw bad('invalidSyntax', `schemas: ${id} is missing.`);
}

export function extensionNamed(type: ResourceType, name: string): Extension | undefined {
  const wanted = name.toLowerCase();
  return type.extensions.find(({ schema, aliases }) =>
    [schema.id, ...aliases].some((one) => one.toLowerCase() === wanted),
  );
}

/** The fields of an object. Two spellings of one name could be read in two ways. */
export function fieldsOf(value: Record<string, unknown>, where: string): [string, unknown][] {
  const seen = new Set<string>();
  for (const name of Object.keys(value)) {
    const lower = name.toLowerCase();
    if (seen.has(lower))
      throw bad('invalidSyntax', `${where ? `${where}: ` : ''}${shown(name)} is there twice.`);
    seen.add(lower);
  }
  return Object.entries(value);
}

/** Sets what is assigned, and takes away what is not. */
export function assign(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) delete target[name];
  else target[name] = value;
}

/**
 * A value as its attribute has it; undefined where it is unassigned, or not for a client to say.
 *
 * @throws {ScimError} 400 `invalidValue`
 */
export function coerce(attribute: Attribute, value: unknown, path: string): unknown {
  if (attribute.mutability === 'readOnly') return undefined;
  if (value === null || value === undefined) return undefined;
  return attribute.multiValued
    ? coerceAll(attribute, value, path)
    : coerceOne(attribute, value, path);
}

function coerceAll(attribute: Attribute, value: unknown, path: string): unknown {
  if (!Array.isArray(value)) throw bad('invalidValue', `${path}: an array is expected.`);
  if (value.length > mostValues && attribute.name !== 'members')
    throw bad('invalidValue', `${path}: more than ${mostValues} values are not taken.`);
  const read = value
    .map((one, index) => coerceOne(attribute, one, `${path}[${index}]`))
    .filter((one) => one !== undefined);
  requireOnePrimary(read, path);
  return read.length > 0 ? read : undefined;
}

/** @throws {ScimError} `invalidValue` where two claim to be the first */
export function requireOnePrimary(values: readonly unknown[], path: string): void {
  if (values.filter((one) => isObject(one) && one['primary'] === true).length > 1)
    throw bad('invalidValue', `${path}: only one value may be primary.`);
}

/** One value, also one of several. */
export function coerceOne(attribute: Attribute, value: unknown, path: string): unknown {
  if (value === null) return undefined;
  switch (attribute.type) {
    case 'complex':
      return coerceComplex(attribute, value, path);
    case 'boolean':
      return coerceFlag(value, path);
    case 'binary':
      return coerceBinary(value, path);
    case 'reference':
      return coerceReference(attribute, value, path);
    default:
      return coerceText(value, path, attribute.longest);
  }
}

/** An id alone stands for a member or a manager; a manager may come in an array (Entra ID). */
const shorthand = new Set(['manager', 'members']);

function coerceComplex(attribute: Attribute, given: unknown, path: string): unknown {
  let value = given;
  if (shorthand.has(attribute.name)) {
    if (!attribute.multiValued && Array.isArray(value) && value.length <= 1)
      value = value[0] ?? null;
    if (typeof value === 'string') value = { value };
    if (value === null) return undefined;
  }
  if (!isObject(value)) throw bad('invalidValue', `${path}: an object is expected.`);
  const read: Complex = {};
  let emptied = false;
  for (const [name, one] of fieldsOf(value, path)) {
    const sub = named(attribute.subAttributes!, name);
    if (!sub || sub.mutability === 'readOnly') continue;
    const set = coerceOne(sub, one, `${path}.${sub.name}`);
    assign(read, sub.name, set);
    emptied ||= sub.required && set === undefined;
  }
  // A member who is nobody is a mistake: a list that comes to be empty by it would put everybody out.
  if (attribute.name === 'members' && read['value'] === undefined)
    throw bad('invalidValue', `${path}.value is missing.`);
  // An address that is said to be none: a form with an empty field.
  if (emptied) return undefined;
  return Object.keys(read).length > 0 ? read : undefined;
}

function coerceFlag(value: unknown, path: string): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : undefined;
  if (text === '') return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw bad('invalidValue', `${path}: true or false is expected, not ${shown(value)}.`);
}

function coerceBinary(value: unknown, path: string): string | undefined {
  const text = coerceText(value, path);
  if (text !== undefined && !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text))
    throw bad('invalidValue', `${path}: base64 is expected.`);
  return text;
}

/** No address has these in it. Without a beginning it may be (RFC 7643, section 2.3.7): `www.acme.example`. */
const noAddress = /[\s<>"{}|\\^`]/;

/** What is no address is refused: it would make a list of people one that strict clients cannot read. */
function coerceReference(
  { referenceTypes }: Attribute,
  value: unknown,
  path: string,
): string | undefined {
  const text = coerceText(value, path);
  if (text !== undefined && referenceTypes?.includes('external') && noAddress.test(text))
    throw bad('invalidValue', `${path}: the address of a page is expected, not ${shown(text)}.`);
  return text;
}

function coerceText(value: unknown, path: string, longest?: number): string | undefined {
  if (typeof value !== 'string') throw bad('invalidValue', `${path}: a text is expected.`);
  const most = longest ?? longestText;
  // A ligature may stand for many letters in an index.
  if (value.length > most || (longest !== undefined && sizeOfKey(value) > longest * 4))
    throw bad('invalidValue', `${path}: more than ${most} characters are not taken.`);
  // PostgreSQL has no place for either.
  if (value.includes('\0') || !value.isWellFormed())
    throw bad('invalidValue', `${path}: it holds what is no text.`);
  return value === '' ? undefined : value;
}

function sizeOfKey(text: string): number {
  return Buffer.byteLength(text.normalize('NFKC').toLowerCase());
}

/** Whether two values are the same, in whatever order their fields stand. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => same(value, other[index]));
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name]))
  );
}
