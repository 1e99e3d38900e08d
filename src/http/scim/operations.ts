import { bad, notFound, ScimError } from '#identity/scim/error.ts';
import { names, type Conditions } from '#identity/scim/etag.ts';
import type { Ahead } from '#identity/scim/ahead.ts';
import { aheadOf, list, type ListPlan, type ListRequest } from '#identity/scim/list.ts';
import { changeAhead } from '#identity/scim/at-once.ts';
import { hasPasswords } from '#identity/scim/user-values.ts';
import type { ResourceType } from '#identity/scim/attribute.ts';
import { groups, resourceTypes, users } from '#identity/scim/schema.ts';
import type { ScimCaller } from '#identity/scim/caller.ts';
import {
  changeUser,
  createUser,
  readUser,
  removeUser,
  replaceUser,
  userAhead,
} from '#identity/scim/users.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Resource } from '#identity/scim/value.ts';
import type { Directory } from '#identity/scim/context.ts';
import { createNewcomers } from '#identity/scim/newcomers.ts';
import { patchUser } from '#identity/scim/patch.ts';
import {
  changeGroup,
  createGroup,
  membersAttribute,
  readGroup,
  removeGroup,
  replaceGroup,
} from '#identity/scim/groups.ts';
import { projection, saidIn, type Wanted } from '#identity/scim/projection.ts';
import { listAnswer, locationOf, resourceAnswer, versionOf, type ScimAnswer } from './answer.ts';
import { bulk } from './bulk.ts';
import { errorBody } from './errors.ts';
import {
  resourceTypeDocument,
  schemaDocument,
  schemas,
  serviceProviderConfig,
  wholeList,
} from './discovery.ts';
import type { Route, Tools } from './request.ts';
import { listRequestOf, queryOf, searchOf, wantedOf } from './parameters.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Handlers = Partial<Record<Method, Route['handle']>>;

/** What is done with the resources of one type: `T` is the transaction or none. */
export interface Resources {
  type: ResourceType;
  read(sql: Sql, accountId: string, id: string, wanted: Wanted): Promise<Resource>;
  create(directory: Directory, body: unknown): Promise<Resource>;
  /** Creates the first of many, as far as they need no looking at of their own. */
  createFirst?(directory: Directory, bodies: readonly unknown[]): Promise<Resource[]>;
  replace(directory: Directory, id: string, body: unknown, when: Conditions): Promise<Resource>;
  /** Gives what is wanted of the resource, where anything is named. */
  patch(
    directory: Directory,
    id: string,
    body: unknown,
    when: Conditions,
    wanted: Wanted,
  ): Promise<Resource>;
  /** The same the quick way; null where it is not for that. */
  patchAtOnce?(
    tools: Tools,
    id: string,
    body: unknown,
    when: Conditions,
  ): Promise<Resource | null> | undefined;
  /** Says why it is still there, where it is. */
  remove(directory: Directory, id: string, when: Conditions): Promise<ScimError | null>;
  /** Entra ID asks for 204 after a change of a group; Okta for the user after one of a user. */
  patchStatus: 200 | 204;
}

export const userResources: Resources = {
  type: users,
  read: (sql, accountId, id) => readUser(sql, accountId, id),
  create: createUser,
  createFirst: createNewcomers,
  replace: replaceUser,
  patch: (directory, id, body, when) =>
    changeUser(directory, id, (before) => patchUser(before, body), when),
  patchAtOnce: ({ changeUserAtOnce }, id, body, when) =>
    changeUserAtOnce?.(id, (before) => patchUser(before, body), when),
  remove: removeUser,
  patchStatus: 200,
};

export const groupResources: Resources = {
  type: groups,
  read: (sql, accountId, id, wanted) =>
    readGroup(sql, accountId, id, { members: showsMembers(wanted) }),
  create: createGroup,
  replace: replaceGroup,
  patch: (directory, id, body, when, wanted) =>
    changeGroup(directory, id, body, when, {
      members: wanted.attributes !== null && showsMembers(wanted),
    }),
  remove: removeGroup,
  patchStatus: 204,
};

/** There may be ten thousand of them: they are read where they are shown. */
function showsMembers(wanted: Wanted): boolean {
  return projection(groups, wanted).shows(null, membersAttribute);
}

/**
 * What is at an address of this door.
 *
 * @throws {ScimError} 403, 404, 405, 501
 */
export function routeOf(method: string, path: string, caller: ScimCaller): Route {
  const asked = method === 'HEAD' ? 'GET' : method;
  const [handlers, needs, createFirst] = handlersAt(path, caller);
  requireScope(caller, needs, asked, path);
  const handle = handlers[asked as Method];
  if (!handle)
    throw new ScimError(405, `${method} is not for this address.`, {
      headers: { Allow: Object.keys(handlers).join(', ') },
    });
  return {
    takesBody: asked === 'POST' || asked === 'PUT' || asked === 'PATCH',
    handle,
    createFirst: asked === 'POST' ? createFirst : undefined,
  };
}

type Needs = 'users' | 'groups' | 'any';

/** Reading, also where it is asked by POST. */
function requireScope(caller: ScimCaller, needs: Needs, method: string, path: string): void {
  const { scopes } = caller;
  if (needs !== 'any' && !scopes[needs])
    throw tooNarrow(`This token does not reach ${needs}.`, 'scope');
  const reads = method === 'GET' || path.toLowerCase().endsWith('/.search');
  if (scopes.readOnly && !reads) throw tooNarrow('This token only reads.', 'read_only');
}

/** RFC 6750, section 3.1. */
function tooNarrow(detail: string, reason: string): ScimError {
  const headers = { 'WWW-Authenticate': 'Bearer realm="scim", error="insufficient_scope"' };
  return new ScimError(403, detail, { reason, headers });
}

/** The types this token reaches. */
function reached({ scopes }: ScimCaller): ResourceType[] {
  return resourceTypes.filter((type) => (type === users ? scopes.users : scopes.groups));
}

function handlersAt(path: string, caller: ScimCaller): [Handlers, Needs, Route['createFirst']?] {
  const [first = '', second, ...more] = path.split('/').slice(1);
  if (more.length > 0) throw notFound();
  const [name, rest] = [first.toLowerCase(), second];
  if (name === '' && rest === undefined) return [{ GET: listHandler(reached(caller)) }, 'any'];
  if (name === '.search' && rest === undefined)
    return [{ POST: searchHandler(reached(caller)) }, 'any'];
  if (name === 'me') throw new ScimError(501, 'A directory is nobody: there is no /Me here.');
  if (name === 'bulk' && rest === undefined) return [{ POST: bulk }, 'any'];
  if (name === 'serviceproviderconfig' && rest === undefined)
    return [{ GET: ({ query }, tools) => configuration(query, tools) }, 'any'];
  if (name === 'resourcetypes') return [discoveryHandlers('ResourceTypes', rest), 'any'];
  if (name === 'schemas') return [discoveryHandlers('Schemas', rest), 'any'];
  if (name === 'users')
    return [resourceHandlers(userResources, rest), 'users', creating(userResources)];
  if (name === 'groups')
    return [resourceHandlers(groupResources, rest), 'groups', creating(groupResources)];
  throw notFound();
}

/**
 * RFC 7644, section 4: what asks for some of what a server says about itself is refused; paging is not
 * looked at.
 *
 * @throws {ScimError} 403
 */
function requireUnfiltered(what: string, query: string): void {
  if ('filter' in queryOf(query)) throw new ScimError(403, `${what} cannot be filtered.`);
}

/** Passwords are set where there is anybody who has one here (scim.md 5.10). */
async function configuration(
  query: string,
  { foundation, caller, base }: Tools,
): Promise<ScimAnswer> {
  requireUnfiltered('ServiceProviderConfig', query);
  const changePassword = await hasPasswords(foundation.database, caller.accountId);
  return { status: 200, body: serviceProviderConfig(base, caller, { changePassword }) };
}

function discoveryHandlers(of: 'Schemas' | 'ResourceTypes', id: string | undefined): Handlers {
  const wanted = id === undefined ? undefined : decoded(id).toLowerCase();
  return {
    GET({ query }, { base }) {
      requireUnfiltered(of, query);
      const all =
        of === 'Schemas'
          ? schemas.map((one) => schemaDocument(one, base))
          : resourceTypes.map((one) => resourceTypeDocument(one, base));
      if (wanted === undefined) return { status: 200, body: wholeList(all) };
      const found = all.find((one) => String(one['id']).toLowerCase() === wanted);
      if (!found) throw notFound();
      return { status: 200, body: found };
    },
  };
}

function resourceHandlers(resources: Resources, id: string | undefined): Handlers {
  const { type } = resources;
  if (id === undefined || id === '')
    return {
      GET: listHandler([type]),
      async POST(request, tools) {
        const wanted = wantedOf(queryOf(request.query));
        const resource = await tools.change((directory) =>
          resources.create(directory, request.body),
        );
        const shown = saidIn(request.body, type, wanted);
        return resourceAnswer(type, resource, { status: 201, wanted: shown, base: tools.base });
      },
    };
  if (id.toLowerCase() === '.search') return { POST: searchHandler([type]) };
  const one = decoded(id);
  return {
    async GET(request, { sql, caller, base }) {
      const wanted = wantedOf(queryOf(request.query));
      const resource = await resources.read(sql, caller.accountId, one, wanted);
      if (names(request.ifNoneMatch, versionOf(resource)))
        return resourceAnswer(type, resource, { status: 304, wanted, base });
      return resourceAnswer(type, resource, { wanted, base });
    },
    async PUT(request, tools) {
      const wanted = wantedOf(queryOf(request.query));
      const resource = await tools.change((directory) =>
        resources.replace(directory, one, request.body, request),
      );
      const shown = saidIn(request.body, type, wanted);
      return resourceAnswer(type, resource, { wanted: shown, base: tools.base });
    },
    async PATCH(request, tools) {
      const wanted = wantedOf(queryOf(request.query));
      const resource =
        (await resources.patchAtOnce?.(tools, one, request.body, request)) ??
        (await tools.change((directory) =>
          resources.patch(directory, one, request.body, request, wanted),
        ));
      // Whoever names attributes wants to see them.
      const status = wanted.attributes ? 200 : resources.patchStatus;
      const shown = saidIn(request.body, type, wanted);
      return resourceAnswer(type, resource, { status, wanted: shown, base: tools.base });
    },
    async DELETE(request, tools) {
      const kept = await tools.change((directory) => resources.remove(directory, one, request));
      return kept ? { status: kept.status, body: errorBody(kept) } : { status: 204 };
    },
  };
}

/** Without the resources themselves: a Bulk response says of each where it is, and its version. */
function creating({ type, createFirst }: Resources): Route['createFirst'] {
  return (
    createFirst &&
    (async (directory, bodies, base) => {
      const made = await createFirst(directory, bodies);
      return made.map((resource) => ({
        status: 201,
        headers: { ETag: versionOf(resource), Location: locationOf(type, resource, base) },
      }));
    })
  );
}

function listHandler(types: readonly ResourceType[]): Route['handle'] {
  return (request, tools) =>
    listed(types, tools.list ?? listRequestOf(queryOf(request.query)), tools);
}

function searchHandler(types: readonly ResourceType[]): Route['handle'] {
  return (request, tools) => listed(types, listRequestOf(searchOf(request.body)), tools);
}

async function listed(
  types: readonly ResourceType[],
  request: ListRequest,
  { sql, plan, caller, cursorKeys, totals, now, base }: Tools,
): Promise<ScimAnswer> {
  if (types.length === 0) throw bad('invalidValue', 'This token reaches nothing.');
  const context = { sql, accountId: caller.accountId, cursorKeys, totals, base, now, plan };
  return listAnswer(await list(context, types, request), request, base);
}

/** What a request reads, as far as that can be told before it is known who asks. */
export interface AskedAhead {
  statement: Ahead;
  list?: ListRequest;
  plan?: ListPlan;
}

/**
 * What is nearly always asked: one person, by id or by the name only they have. Whatever is wrong with
 * a request is told later, when it is known who asks.
 */
export function askedAhead(
  method: string,
  path: string,
  query: string,
  base: string,
): AskedAhead | null {
  if (method !== 'GET' && method !== 'PATCH') return null;
  const [, id] = /^\/users\/([0-9a-f-]{36})$/i.exec(path) ?? [];
  if (id !== undefined) {
    const statement = method === 'GET' ? userAhead(id) : changeAhead(id);
    return statement && { statement };
  }
  if (method !== 'GET' || query === '' || !/^\/users$/i.test(path)) return null;
  try {
    const request = listRequestOf(queryOf(query));
    const plan = aheadOf(users, request, base);
    return plan && { statement: plan.page, list: request, plan };
  } catch {
    return null;
  }
}

/** @throws {ScimError} 404 for what is no text */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw notFound();
  }
}
