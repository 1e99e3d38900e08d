import { describe, expect, it as alone } from 'vitest';
import { rights, type AdministeringRole, type Capability } from '#identity/access/rights.ts';
import type { Agent } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import type { World } from '#test/support/world.ts';
import { consoleRoutes, type ConsoleDependencies } from '../../src/http/console/console.ts';
import type { Door } from '../../src/http/console/room.ts';
import { rooms } from '../../src/http/console/rooms.ts';
import { downloads, operations } from '../../src/http/admin/operations.ts';
import { caller } from './admin/support.ts';
import { open } from './console/support.ts';

/**
 * Behaviour.md, section 7, row by row: who may what, and which rights the row is made of. `OP`, `AA`,
 * `CO`, `FC` and `GM` are its columns; what people do to themselves is no administration.
 */
const rows: readonly [row: string, may: string, ...rights: Capability[]][] = [
  ['Create, hold, merge, split, close accounts', 'OP', 'accounts:create', 'accounts:hold'],
  ['… and list and move them', 'OP', 'accounts:list', 'accounts:move', 'accounts:close'],
  ['View account overview, administrators', 'OP AA CO FC', 'account:read'],
  ['… its name', 'OP AA CO FC GM', 'account:name'],
  ['Edit account number, countries', 'OP', 'account:edit'],
  ['Edit account name', 'OP AA', 'account:rename'],
  ['List, search, export users', 'OP AA CO', 'users:read', 'explain:read'],
  ['Own group', 'OP AA CO GM', 'groups:own', 'groups:own_members'],
  ['Add, invite users', 'OP AA CO', 'users:add'],
  ['Approve, reject registrations', 'OP AA CO', 'approvals:decide'],
  ['Edit user profile, entitlement country', 'OP AA CO', 'users:edit', 'users:entitlement'],
  ['Assign roles', 'OP AA CO', 'users:roles', 'roles:read'],
  ['Define roles', 'OP', 'roles:define'],
  ['Lock, unlock users', 'OP AA CO', 'users:lock', 'users:unlock', 'users:end_sessions'],
  ['Delete (unaffiliate), restore users', 'OP AA CO', 'users:remove', 'users:restore'],
  ['Send password reset', 'OP AA CO', 'users:reset_password'],
  ['Reset MFA, per-user MFA required', 'OP AA CO', 'users:reset_factors', 'users:require_factor'],
  ['Past the identity provider', 'OP AA', 'users:break_glass'],
  ['Domains: list', 'OP AA CO', 'domains:read'],
  ['Domains, account and domain MFA policy', 'OP AA', 'domains:manage'],
  ['Trust, release requests', 'OP AA', 'domains:requests'],
  ['Vouch for and transfer domains', 'OP', 'domains:attest', 'domains:transfer'],
  ['Connections', 'OP AA', 'connections:read', 'connections:manage'],
  ['Connections: health', 'OP AA CO', 'connections:health'],
  ['SCIM tokens', 'OP AA', 'scim_tokens:read', 'scim_tokens:manage', 'scim_tokens:revoke'],
  ['API tokens', 'OP AA', 'api_tokens:read', 'api_tokens:manage', 'api_tokens:revoke'],
  ['Webhooks', 'OP AA', 'webhooks:read', 'webhooks:manage'],
  ['Groups: create, edit, delete', 'OP AA CO', 'groups:read', 'groups:manage'],
  ['Fulfillment contacts', 'OP AA CO FC', 'contacts:read', 'contacts:manage'],
  ['Bulk jobs', 'OP AA CO', 'bulk:read', 'bulk:manage'],
  ['Audit log of the account', 'OP AA CO', 'audit:read', 'audit:verify', 'reports:read'],
  ['Audit log of all', 'OP', 'audit:read_all', 'reports:read_all'],
  ['Terms documents: read', 'OP AA CO', 'terms:read'],
  ['Terms documents: publish', 'OP', 'terms:publish'],
  ['OIDC clients', 'OP', 'clients:manage', 'resources:manage', 'keys:manage'],
  ['The installation’s own', 'OP', 'operator_tokens:manage', 'installation_webhooks:manage'],
  ['Mail that came back', 'OP', 'mail:read', 'mail:manage', 'mail:report'],
  ['Erasure: approve', 'OP AA', 'erasures:read', 'erasures:decide'],
  ['Erasure: execute', 'OP', 'erasures:operate'],
  ['What a token itself is', 'OP AA CO', 'token:read'],
];

const columns: Record<AdministeringRole, string> = {
  operator: 'OP',
  account_administrator: 'AA',
  co_administrator: 'CO',
  fulfillment_contact: 'FC',
  group_manager: 'GM',
};

const may = new Map(rows.flatMap(([, who, ...of]) => of.map((one) => [one, who.split(' ')])));
const isFor = (role: AdministeringRole, right: Capability): boolean =>
  may.get(right)!.includes(columns[role]);

alone('the matrix says of each right who has it', () => {
  expect([...may.keys()].sort()).toEqual(Object.keys(rights).sort());
  for (const [right, { roles }] of Object.entries(rights))
    expect([right, roles.map((role) => columns[role]).sort()]).toEqual([
      right,
      may.get(right as Capability)!.toSorted(),
    ]);
});

/** Acme, and those of its people who administer a part of it, or nothing. */
async function castOf(given: World) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const people = {
    co_administrator: await given.user('cora@acme.example', {
      of: acme,
      roles: ['co_administrator'],
    }),
    fulfillment_contact: await given.user('fred@acme.example', { of: acme }),
    group_manager: await given.user('gina@acme.example', { of: acme }),
  } as const;
  const nobody = await given.user('ned@acme.example', { of: acme });
  await given.rows(
    `insert into fulfillment_contacts (id, account_id, user_id, created_at)
     values (gen_random_uuid(), $1::uuid, $2::uuid, now())`,
    [acme.id, people.fulfillment_contact.id],
  );
  await given.rows(
    `with g as (
       insert into groups (id, account_id, name, created_at, updated_at)
       values (gen_random_uuid(), $1::uuid, 'Design', now(), now()) returning id),
     m as (
       insert into group_members (group_id, user_id, added_at)
       select id, $2::uuid, now() from g)
     insert into role_assignments (id, user_id, role, account_id, group_id, granted_by, granted_at)
     select gen_random_uuid(), $2::uuid, 'group_manager', $1::uuid, g.id, '{}', now() from g`,
    [acme.id, people.group_manager.id],
  );
  return { acme, people, nobody };
}

const unknown = '01a201aa-a637-7dcc-b569-3b562a947439';
const needed = 'kind=add&on=2026-01-01&email=ann@acme.example&q=ann';

describe('nobody does what is not theirs', () => {
  it('over the API', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const wrong: unknown[] = [];
    for (const role of ['account_administrator', 'co_administrator'] as const) {
      const as = caller(program, await given.apiToken(acme, role));
      for (const one of [...operations, ...downloads]) {
        const { id, path, right, query } = one;
        const method = 'method' in one ? one.method : 'get';
        if (isFor(role, right) && method !== 'get') continue;
        const filled = path
          .replace(':accountId', acme.id)
          .replace(':domain', 'nowhere.example')
          .replaceAll(/:\w+/g, unknown);
        const shape = Object.keys((query as { shape?: object } | undefined)?.shape ?? {});
        const asked = new URLSearchParams(needed);
        for (const [name] of new URLSearchParams(needed))
          if (!shape.includes(name)) asked.delete(name);
        const address = asked.size > 0 ? `${filled}?${asked}` : filled;
        const example = 'example' in one ? (one.example ?? {}) : {};
        const answer =
          typeof example === 'string'
            ? await as.file(address, example)
            : await as.send(method.toUpperCase(), address, method === 'get' ? undefined : example);
        const refused = answer.status === 403 && answer.json.code === 'permission_denied';
        if (refused === isFor(role, right)) wrong.push([role, id, answer.status]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('at the console', async ({ given, server }) => {
    const { people, nobody } = await castOf(given);
    const routes: [path: string, right: Capability][] = [];
    const door: Door = { get: (path, right) => void routes.push([path, right]), post: () => {} };
    for (const room of rooms) room.open(door);

    const wrong: unknown[] = [];
    for (const [role, person] of Object.entries({ ...people, nobody })) {
      const browser = server.agent();
      await open(browser, '/account', person);
      for (const [path, right] of routes) {
        if (role !== 'nobody' && isFor(role as AdministeringRole, right)) continue;
        const filled = path
          .replace(':domain', 'nowhere.example')
          .replace(/:client\b/, 'nobody')
          .replaceAll(/:\w+/g, unknown);
        const answer = await browser.get(`/console${filled}`);
        if (answer.status !== 403) wrong.push([role, path, answer.status]);
      }
    }
    expect(wrong).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('at the console, by a form', async ({ given, server, program }) => {
    const { acme, people, nobody } = await castOf(given);
    const { ids, fields } = await thingsOf(given, program, acme);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const senders = {
      ...people,
      member: nobody,
      guest: await given.user('gast@elsewhere.example', { of: acme }),
      elsewhere: await given.user('eve@beta.example', {
        of: beta,
        roles: ['account_administrator'],
      }),
      operator: await given.user('otto@ostiary.example', { roles: ['operator'] }),
    };
    const asked = new Map<string, Capability>();
    const door: Door = { get: () => {}, post: (path, right) => void asked.set(path, right) };
    for (const room of rooms) room.open(door);
    const routes = consoleRoutes({ foundation: given.foundation } as ConsoleDependencies)
      .stack.filter(({ methods }) => methods.includes('POST'))
      .map(({ path }) => String(path).slice('/console'.length));
    expect(routes.toSorted()).toEqual([...asked.keys()].toSorted());

    const wrong: unknown[] = [];
    for (const [who, person] of Object.entries(senders)) {
      const browser = server.agent();
      const home = await open(browser, '', person);
      // Who has no page there has no form either: they try with one of their profile.
      const page = home.url.pathname.startsWith('/console') ? home : await browser.get('/profile');
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const before = await worldOf(given);
      for (const path of routes) {
        const right = asked.get(path)!;
        if (who in columns && who !== 'operator' && isFor(who as AdministeringRole, right))
          continue;
        // Their own account is theirs; and an operator needs none for what is the installation's.
        const named = /:|\/do\//.test(path);
        if (who === 'elsewhere' && isFor('account_administrator', right) && !named) continue;
        if (who === 'operator' && (/^\/(installation|accounts|acting|roles)/.test(path) || !csrf))
          continue;
        const address = path.replaceAll(/:\w+/g, (name) => ids[name.slice(1)] ?? unknown);
        const form = { ...fields, csrf };
        const answer = await browser.post(`/console${address}`, { form });
        const refused =
          who === 'operator'
            ? answer.location?.pathname === '/console/accounts' || answer.status >= 400
            : who === 'elsewhere' && isFor('account_administrator', right)
              ? answer.status >= 400
              : answer.status === 403;
        if (!refused) wrong.push([who, path, answer.status, answer.location?.href]);
      }
      const changed = await changedSince(given, before);
      if (changed.length > 0) wrong.push([who, changed]);
    }
    expect(wrong).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

/** One of each of what Acme can have, by the name it has in an address; and what a form could say. */
async function thingsOf(
  given: World,
  program: Agent,
  acme: { id: string },
): Promise<{ ids: Record<string, string>; fields: Record<string, string> }> {
  const admin = caller(program, await given.apiToken(acme));
  const at = `/accounts/${acme.id}`;
  const ann = await given.user('ann@acme.example', { of: acme });
  const idOf = async (path: string, body: object): Promise<string> => {
    const made = await admin.post(`${at}${path}`, body);
    expect([path, made.status, made.text]).toEqual([path, 201, made.text]);
    return made.json.id as string;
  };
  const connection = await idOf('/connections', { kind: 'oidc', name: 'Okta' });
  const ids: Record<string, string> = {
    userId: ann.id,
    domain: 'acme.example',
    groupId: await idOf('/groups', { name: 'Bridges' }),
    webhookId: await idOf('/webhooks', { url: 'https://hooks.acme.example/', actions: ['user.*'] }),
    tokenId: await idOf('/scim-tokens', { name: 'Entra' }),
    connectionId: connection,
    invitationId: await idOf('/invitations', {
      email: 'ivy@elsewhere.example',
      givenName: 'Ivy',
      familyName: 'Ink',
      country: 'US',
    }),
    contactId: (await given.rows<{ id: string }>('select id from fulfillment_contacts'))[0]!.id,
    requestId: await given.waiting(await given.user('wim@mail.example'), acme),
  };
  const fields = {
    ids: ann.id,
    user: ann.id,
    add: ann.id,
    email: 'new@acme.example',
    givenName: 'New',
    familyName: 'Name',
    country: 'US',
    name: 'Changed',
    key: 'changed',
    reason: 'Because',
    note: 'Because',
    give: 'co_administrator',
    domain: 'more.example',
    decision: 'release',
  };
  return { ids, fields };
}

/** Everything that is kept, but for who is signed in. */
async function worldOf(given: World): Promise<Map<string, string>> {
  const tables = await given.rows<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public'
       and tablename !~ '^(oidc_|attempt_counters|kept_forms|mikro|trusted_devices)'`,
  );
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name,
         md5(coalesce(string_agg(t::text, '' order by t::text), '')) as print from ${name} t`,
  );
  const rows = await given.rows<{ name: string; print: string }>(parts.join(' union all '));
  return new Map(rows.map(({ name, print }) => [name, print]));
}

async function changedSince(given: World, before: Map<string, string>): Promise<string[]> {
  const now = await worldOf(given);
  return [...now.keys()].filter((name) => now.get(name) !== before.get(name));
}
