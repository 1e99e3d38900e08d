import type { Param } from '#platform/database/sql.ts';
import type { SourcedAttribute } from './authority.ts';
import { type Conditions, requireMatch } from './etag.ts';
import { accountSchema, enterpriseSchema, users } from './schema.ts';
import {
  accountOf,
  managerOf,
  nameOf,
  storedPart,
  userResource,
  type LockedUser,
  type Stored,
  type UserRow,
} from './user-record.ts';
import { countryOf, languageOf, phoneOf, requireUserValues } from './user-values.ts';
import { assign, same, type Complex, type Resource } from './value.ts';

/** What a change makes of a user: pure, whichever way it is then written. */
export interface Changed {
  before: Resource;
  after: Resource;
  /** The attributes that are not what they were. */
  names: string[];
}

/**
 * What `change` makes of the user.
 *
 * @throws {ScimError} 400, 412
 */
export function changedBy(
  change: (before: Resource) => Resource,
  row: LockedUser,
  conditions: Conditions,
): Changed {
  requireMatch(conditions, row.version);
  const before = userResource(row);
  const after = change(before);
  requireUserValues(after);
  settleActive(after);
  after['active'] ??= before['active'];
  return { before, after, names: changedNames(before, after) };
}

/** `isSoftDeleted` is another word for not active; who says it means it. It is nowhere kept. */
export function settleActive(resource: Resource): void {
  const { isSoftDeleted: deleted, ...account } = accountOf(resource);
  if (typeof deleted !== 'boolean') return;
  resource['active'] = !deleted;
  resource[accountSchema] = account;
}

/** What a directory that brings somebody makes of them: they keep what it does not say. */
export function broughtBy(given: Resource, before: Resource): Resource {
  const after: Resource = { ...before, ...given };
  const name = { ...(before['name'] as Complex), ...(given['name'] as Complex) };
  assign(after, 'name', Object.keys(name).length > 0 ? name : undefined);
  after[accountSchema] = { ...accountOf(before), ...accountOf(given) };
  after['active'] = given['active'] ?? true;
  return after;
}

/** What is read only is the same on both sides. */
export function changedNames(before: Resource, after: Resource): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const name of ['meta', 'groups', 'id']) names.delete(name);
  return [...names].filter((name) => !same(comparable(name, before), comparable(name, after)));
}

function comparable(name: string, resource: Resource): unknown {
  if (name === accountSchema) return accountOf(resource)['entitlementCountry'];
  if (name !== enterpriseSchema) return resource[name];
  const part = { ...(resource[name] as Complex | undefined), manager: managerOf(resource) };
  if (part.manager === undefined) delete part.manager;
  return Object.keys(part).length > 0 ? part : undefined;
}

/** What is said of the person themselves, beside their address, and not of their place. */
export function saidOfPerson(
  row: LockedUser,
  before: Resource,
  after: Resource,
  first = false,
): SourcedAttribute[] {
  const name = nameOf(after);
  const moved = (list: string): boolean => !same(before[list], after[list]);
  const said: Partial<Record<SourcedAttribute, boolean>> = {
    email: first && row.source !== 'scim',
    givenName:
      name.givenName !== row.givenName || (first && row.source !== 'scim' && name.givenName !== ''),
    familyName:
      name.familyName !== row.familyName ||
      (first && row.source !== 'scim' && name.familyName !== ''),
    jobTitle: textOf(after, 'title') !== (row.title || null),
    language: languageOf(after, row.language) !== row.language,
    phone: moved('phoneNumbers') && phoneOf(after) !== null,
    country: moved('addresses') && countryOf(after) !== null,
  };
  return (Object.keys(said) as SourcedAttribute[]).filter((one) => said[one]);
}

/** What is set of an affiliation, by `wordsOf`. `$1` is its id. */
export const setWords = `
  external_id = $2, display_name = $3, display_name_key = coalesce(folded($3), U&'\\+10FFFF'),
  manager_id = $4, attributes = $5, provisioned_by = $6, modified_at = $7, version = version + 1`;

export function wordsOf(
  row: UserRow,
  after: Resource,
  manager: Complex | null,
  tokenId: string,
  now: Date,
): Param[] {
  return [
    row.id,
    textOf(after, 'externalId'),
    textOf(after, 'displayName'),
    (manager?.['value'] as string | undefined) ?? null,
    JSON.stringify(kept(row, after)),
    tokenId,
    now,
  ];
}

/** What is kept of a resource. A language that only the person chose stays theirs. */
function kept(row: UserRow, after: Resource): Stored {
  const stored = storedPart(after);
  const own = !('preferredLanguage' in row.attributes);
  if (own && stored['preferredLanguage'] === row.language) delete stored['preferredLanguage'];
  return stored;
}

export interface Now {
  version: number;
  modified: Date;
}

/** Where nobody else can have written: it is known what the next version is. */
export function oneMore({ version }: UserRow, modified: Date): Now {
  return { version: version + 1, modified };
}

/** The details of the audit row about it. */
export function inRecord(names: readonly string[]): Record<string, unknown> {
  const called: Record<string, string> = {
    [enterpriseSchema]: 'enterprise',
    [accountSchema]: 'account',
  };
  return { changed: names.map((name) => called[name] ?? name), by: 'directory' };
}

/** The resource after it was written. */
export function finished(
  after: Resource,
  { created }: UserRow,
  leader: Complex | null,
  { version, modified }: Now,
): Resource {
  const { password: _password, ...result } = after;
  const enterprise = result[enterpriseSchema];
  if (enterprise) {
    const parts: Complex = { ...(enterprise as Complex) };
    assign(parts, 'manager', leader ?? undefined);
    result[enterpriseSchema] = parts;
  }
  result[accountSchema] = { ...accountOf(after), managedBy: 'directory' };
  result['emails'] ??= [{ value: String(result['userName']), type: 'work', primary: true }];
  result['meta'] = {
    resourceType: users.name,
    created: created.toISOString(),
    lastModified: modified.toISOString(),
    version: `W/"${version}"`,
  };
  return result;
}

/** The lock of the directory came or went. */
export function showLocks(result: Resource, row: UserRow): void {
  const others = (row.locks ?? []).filter((one) => one !== 'directory');
  const reasons = result['active'] || row.provisional ? others : [...others, 'directory'].sort();
  const part = result[accountSchema] as Complex;
  assign(part, 'lockReasons', reasons.length > 0 ? reasons : undefined);
  part['lockState'] = reasons.length > 0 ? 'locked' : 'open';
}

export function textOf(resource: Resource, name: string): string | null {
  const value = resource[name];
  return typeof value === 'string' ? value : null;
}
