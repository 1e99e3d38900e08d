import type { Attribute, Extension, ResourceType } from './attribute.ts';
import { named, valueOf } from './schema.ts';

/** An attribute as a path names it: `name.givenName`, `urn:...:User:manager.value`. */
export interface Target {
  extension: Extension | undefined;
  attribute: Attribute;
  sub: Attribute | undefined;
}

/** A path may begin with the URN of its schema, and has a sub-attribute at most. */
const form = /^([A-Za-z$][\w$-]*)(?:\.([A-Za-z$][\w$-]*))?$/;

/**
 * The attribute of a path, or undefined where the schema has none: so a path leads nowhere else, not
 * to `__proto__`, not to a property of an array.
 */
export function resolve(type: ResourceType, path: string): Target | undefined {
  const { extension, rest } = prefix(type, path);
  const match = form.exec(rest);
  if (!match) return undefined;
  const [, name, part] = match;
  // Entra ID asks for `manager` without saying whose attribute that is.
  const places = extension ? [extension] : [undefined, ...(rest === path ? type.extensions : [])];
  for (const place of places) {
    const attribute = named(place ? place.schema.attributes : type.attributes, name!);
    if (!attribute) continue;
    if (part === undefined) return { extension: place, attribute, sub: undefined };
    const sub = attribute.subAttributes && named(attribute.subAttributes, part);
    return sub && { extension: place, attribute, sub };
  }
  return undefined;
}

/**
 * As `resolve`, and an attribute of an extension by its own name alone: Entra ID asks for `manager`
 * without its schema.
 */
export function resolveBare(type: ResourceType, path: string): Target | undefined {
  const target = resolve(type, path);
  if (target || path.includes(':')) return target;
  for (const { schema } of type.extensions) {
    const found = resolve(type, `${schema.id}:${path}`);
    if (found) return found;
  }
  return undefined;
}

/** The extension a path is in, and what of it is left. */
function prefix(
  type: ResourceType,
  path: string,
): { extension: Extension | undefined; rest: string } {
  const lower = path.toLowerCase();
  const own = `${type.schema.id.toLowerCase()}:`;
  if (lower.startsWith(own)) return { extension: undefined, rest: path.slice(own.length) };
  for (const extension of type.extensions)
    for (const id of [extension.schema.id, ...extension.aliases])
      if (lower.startsWith(`${id.toLowerCase()}:`))
        return { extension, rest: path.slice(id.length + 1) };
  return { extension: undefined, rest: path };
}

/** What is compared where a filter names the whole: `emails` is `emails.value`. */
export function compared({ attribute, sub }: Target): Attribute | undefined {
  if (sub) return sub;
  return attribute.type === 'complex' ? valueOf(attribute) : attribute;
}

/** The path as it is written in a message. */
export function written({ extension, attribute, sub }: Target): string {
  const path = sub ? `${attribute.name}.${sub.name}` : attribute.name;
  return extension ? `${extension.schema.id}:${path}` : path;
}
