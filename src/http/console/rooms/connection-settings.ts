import { findRoles, type Role } from '#identity/access/service-roles.ts';
import { isOwned } from '#identity/domains/domain.ts';
import { listDomains } from '#identity/domains/list-domains.ts';
import {
  presetNames,
  type Connection,
  type Provisioning,
} from '#identity/federation/connection.ts';
import { findRealm } from '#identity/federation/home-realm.ts';
import { changeConnection } from '#identity/federation/manage.ts';
import {
  absentPolicies,
  usualClaims,
  type GrantMapping,
  mappedAttributes,
  type Mapping,
} from '#identity/federation/mapping.ts';
import { oidcSettings } from '#identity/federation/oidc-settings.ts';
import { reEvaluate, type Affected } from '#identity/federation/re-evaluate.ts';
import { findGroups, type Group } from '#identity/groups/groups.ts';
import { Refusal } from '#identity/refusal.ts';
import { checkedConnection } from '../../connection-input.ts';
import { countryOptions } from '../../countries.ts';
import {
  mappingPage,
  previewPage,
  repeatedFields,
  type MappingValues,
} from '../../pages/console/connection-mapping.ts';
import {
  authentications,
  connectionSettingsPage,
  type SettingsValues,
} from '../../pages/console/connection-settings.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';
import { connectionIn, idOf, one } from './connections.ts';

const fresh = { fresh: true };
const mostGroups = 2000;

/** What a connection is, and what it makes of people: changed by who sees first what that would do. */
export const connectionSettings: Room = {
  open(door) {
    door.get(`${one}/settings`, 'connections:manage', (visit) => showSettings(visit), fresh);
    door.post(`${one}/settings`, 'connections:manage', (visit) => changeSettings(visit), {
      ...fresh,
      repeated: ['domains'],
    });
    door.get(`${one}/mapping`, 'connections:manage', (visit) => showMapping(visit), fresh);
    door.post(`${one}/mapping`, 'connections:manage', (visit) => changeMapping(visit), {
      ...fresh,
      repeated: repeatedFields,
      limit: 256 * 1024,
    });
  },
};

async function showSettings(
  visit: Visit,
  {
    values,
    failure,
    errors = {},
  }: { values?: SettingsValues; failure?: Refusal; errors?: Typed['errors'] } = {},
): Promise<void> {
  const connection = await connectionIn(visit);
  const entries = await listDomains(visit.sql, visit.account.id, visit.now);
  const strong = entries.flatMap(({ domain }) =>
    isOwned(domain) && domain.proof !== 'email' ? [domain.name] : [],
  );
  visit.show(
    connectionSettingsPage({
      ...visit.page,
      connection,
      values: values ?? settingsOf(connection),
      domains: [...new Set([...connection.domains, ...strong])].sort(),
      failure: failure && reasonOf(visit, failure),
      errors,
    }),
    failure || Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function settingsOf(connection: Connection): SettingsValues {
  const { name, preset, issuer, settings, domains, testers } = connection;
  const oidc = oidcSettings(settings);
  return {
    name,
    preset,
    issuer: issuer ?? '',
    clientId: oidc.clientId,
    scopes: oidc.scopes.join(' '),
    clientAuthentication: oidc.clientAuthentication,
    userinfo: oidc.userinfo,
    sendsAuthTime: oidc.sendsAuthTime,
    domains,
    testers: testers.join('\n'),
  };
}

async function changeSettings(visit: Visit): Promise<void> {
  const { kind, issuer: before } = await connectionIn(visit);
  const typed = new Typed(visit);
  const scopes = visit
    .value('scopes')
    .split(/[\s,]+/)
    .filter(Boolean);
  if (kind === 'oidc' && (!scopes.includes('openid') || scopes.length > 20))
    typed.wrong('scopes', visit.t('connection.scopes_hint'));
  const testers = typed.text('testers', 20_000, { optional: true }).split(/[\s,]+/);
  const issuer = typed.optional('issuer', 500);
  const clientId = typed.optional('client_id', 500);
  const input = {
    name: typed.line('name'),
    preset: typed.choice('preset', presetNames),
    domains: visit
      .values('domains')
      .flatMap((name) => name.split(/[\s,]+/))
      .filter(Boolean),
    testers: testers.filter(Boolean),
    ...(kind === 'oidc' && {
      ...(issuer !== null && issuer !== before && { issuer }),
      oidc: {
        ...(clientId !== null && { clientId }),
        scopes,
        clientAuthentication: typed.choice('authentication', authentications),
        userinfo: visit.value('userinfo') === 'yes',
        sendsAuthTime: visit.value('auth_time') === 'yes',
      },
    }),
  };
  const values: SettingsValues = {
    name: visit.value('name'),
    preset: visit.value('preset'),
    issuer: visit.value('issuer'),
    clientId: visit.value('client_id'),
    scopes: visit.value('scopes'),
    clientAuthentication: visit.value('authentication'),
    userinfo: visit.value('userinfo') === 'yes',
    sendsAuthTime: visit.value('auth_time') === 'yes',
    domains: visit.values('domains'),
    testers: visit.value('testers'),
  };
  if (!typed.ok) return showSettings(visit, { values, errors: typed.errors });
  try {
    const checked = checkedConnection(visit.tools.egress, input);
    await visit.act((work, { account }) =>
      changeConnection(work, account.id, idOf(visit), checked),
    );
  } catch (error) {
    if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
    const field = blamed(visit, error);
    return showSettings(
      visit,
      field === undefined
        ? { values, failure: error }
        : { values, errors: { [field]: reasonOf(visit, error) } },
    );
  }
  visit.done(`/connections/${idOf(visit)}`, visit.t('rooms.saved'));
}

/** What is told where it was typed. */
const told = new Set([
  'invalid_value',
  'invalid_email',
  'invalid_domain',
  'domain_not_found',
  'domain_not_owned',
  'domain_not_proved',
  'domain_in_use',
  'role_not_found',
  'cannot_grant_higher_role',
]);

/** The field that a refusal is about: by what it refuses, or by the value that it names. */
function blamed({ form }: Visit, { code, details }: Refusal): string | undefined {
  const byDetail: Readonly<Record<string, string>> = {
    issuer: 'issuer',
    name: 'name',
    preset: 'preset',
    clientId: 'client_id',
    scopes: 'scopes',
    domains: 'domains',
    testers: 'testers',
  };
  const named =
    code === 'invalid_email'
      ? ['testers']
      : code.includes('domain')
        ? ['domains']
        : Object.keys(details).flatMap((key) => byDetail[key.split('.').at(-1) ?? ''] ?? []);
  return named.find((name) => name in form || name === 'domains');
}

/** Why, and what exactly: details say it in English. */
function reasonOf(visit: Visit, refusal: Refusal): string {
  const details = Object.values(refusal.details).filter((value) => typeof value === 'string');
  return [visit.reason(refusal), ...details].join(' ');
}

// --- The mapping

/** What names in a form stand for. */
interface Known {
  groups: readonly Group[];
  roles: readonly Role[];
}

async function knownTo({ sql, account }: Visit): Promise<Known> {
  const [groups, roles] = [
    await findGroups(sql, { accountId: account.id, limit: mostGroups }),
    await findRoles(sql, account.id),
  ];
  return { groups, roles: roles.filter(({ scope, builtIn }) => scope === 'account' && !builtIn) };
}

async function showMapping(
  visit: Visit,
  {
    values,
    errors = {},
    failure,
  }: { values?: MappingValues; errors?: Typed['errors']; failure?: Refusal } = {},
): Promise<void> {
  const connection = await connectionIn(visit);
  const known = await knownTo(visit);
  visit.show(
    mappingPage({
      ...visit.page,
      connection,
      values: values ?? mappingValues(connection, known),
      usual: usualClaims[connection.kind],
      countries: countryOptions(visit.t.locale),
      roles: known.roles,
      errors,
      failure: failure && reasonOf(visit, failure),
    }),
    failure || Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function mappingValues({ mapping, provisioning }: Connection, known: Known): MappingValues {
  const nameOf = (id: string): string => known.groups.find((group) => group.id === id)?.name ?? id;
  const rules = (list: readonly { value: string }[], target: (one: never) => string): string =>
    list.map((rule) => `${rule.value} = ${target(rule as never)}`).join('\n');
  const box = (value: boolean): string => (value ? 'yes' : 'no');
  return {
    ...Object.fromEntries(
      mappedAttributes.map((name) => [`a_${name}`, mapping.attributes[name]?.join(', ') ?? '']),
    ),
    mode: provisioning.mode,
    missing: provisioning.missing,
    require_country: box(provisioning.requireCountry),
    default_country: provisioning.defaultCountry ?? '',
    entitlement_country: provisioning.entitlementCountry ?? '',
    sync: box(provisioning.syncProfile),
    guests: box(provisioning.guests),
    sticks: box(provisioning.removalSticks),
    second_factor: provisioning.secondFactor,
    new_groups: provisioning.groups.map(nameOf).join('\n'),
    new_roles: provisioning.roles,
    groups_claim: mapping.groups?.claim ?? '',
    groups_absent: mapping.groups?.absent ?? 'keep',
    groups_rules: rules(mapping.groups?.rules ?? [], ({ group }: { group: string }) =>
      nameOf(group),
    ),
    roles_claim: mapping.roles?.claim ?? '',
    roles_absent: mapping.roles?.absent ?? 'keep',
    roles_rules: rules(mapping.roles?.rules ?? [], ({ role }: { role: string }) => role),
  };
}

/** What was typed, as it goes on from page to page. */
export function typedMapping(visit: Visit): MappingValues {
  const line = (name: string): readonly [string, string] => [name, visit.value(name)];
  return Object.fromEntries([
    ...mappedAttributes.map((name) => line(`a_${name}`)),
    ...boxes.map((name) => [name, visit.value(name) === 'yes' ? 'yes' : 'no'] as const),
    ...lines.map(line),
    ...repeatedFields.map((name) => [name, visit.values(name)] as const),
  ]) as MappingValues;
}

const boxes = ['require_country', 'sync', 'guests', 'sticks'] as const;
const lines = [
  'mode',
  'missing',
  'default_country',
  'entitlement_country',
  'second_factor',
  'new_groups',
  'groups_claim',
  'groups_absent',
  'groups_rules',
  'roles_claim',
  'roles_absent',
  'roles_rules',
] as const;

/** A mapping as a form says it. `typed` says what is wrong with it. */
export async function readMapping(
  visit: Visit,
  typed: Typed,
): Promise<{ mapping: Mapping; provisioning: Partial<Provisioning> }> {
  const known = await knownTo(visit);
  const countries = countryOptions(visit.t.locale).map(([code]) => code);
  const country = (name: string): string | null =>
    typed.choice(name, ['', ...countries] as readonly string[]) || null;
  const attributes: Mapping['attributes'] = {};
  for (const name of mappedAttributes) {
    const claims = (typed.optional(`a_${name}`, 3000) ?? '')
      .split(',')
      .map((claim) => claim.trim())
      .filter(Boolean);
    if (claims.length > 10 || claims.some((claim) => claim.length > 300))
      typed.wrong(`a_${name}`, visit.t('connection.too_many_claims'));
    if (claims.length > 0) attributes[name] = claims;
  }
  const groupNamed = (name: string): string | null =>
    known.groups.find((group) => group.id === name || alike(group.name, name))?.id ?? null;
  const roleNamed = (name: string): string | null =>
    known.roles.find(({ key }) => key === name)?.key ?? null;
  const newGroups = linesOf(typed.text('new_groups', 20_000, { optional: true })).map((name) => {
    const id = groupNamed(name);
    if (id === null) typed.wrong('new_groups', visit.say('connection.no_such_group', { name }));
    return id ?? '';
  });
  return {
    mapping: {
      attributes,
      groups: grants<'group'>(visit, typed, 'groups', (value, target) => {
        const group = groupNamed(target);
        return group === null ? null : { value, group };
      }),
      roles: grants<'role'>(visit, typed, 'roles', (value, target) => {
        const role = roleNamed(target);
        return role === null ? null : { value, role };
      }),
    },
    provisioning: {
      mode: typed.choice('mode', ['jit', 'jit_and_scim', 'scim_only']),
      missing: typed.choice('missing', ['ask', 'reject']),
      requireCountry: visit.value('require_country') === 'yes',
      defaultCountry: country('default_country'),
      entitlementCountry: country('entitlement_country'),
      syncProfile: visit.value('sync') === 'yes',
      guests: visit.value('guests') === 'yes',
      removalSticks: visit.value('sticks') === 'yes',
      secondFactor: typed.choice('second_factor', ['trust', 'if_missing', 'always']),
      groups: newGroups,
      roles: visit.values('new_roles').filter((key) => roleNamed(key) !== null),
    },
  };
}

function grants<Target extends 'group' | 'role'>(
  visit: Visit,
  typed: Typed,
  of: 'groups' | 'roles',
  ruleOf: (value: string, target: string) => ({ value: string } & Record<Target, string>) | null,
): GrantMapping<Target> | null {
  const claim = typed.optional(`${of}_claim`, 300);
  const absent = typed.choice(`${of}_absent`, absentPolicies);
  const rules = linesOf(typed.text(`${of}_rules`, 100_000, { optional: true })).flatMap((line) => {
    const at = line.lastIndexOf(' = ');
    const rule = at < 1 ? null : ruleOf(line.slice(0, at).trim(), line.slice(at + 3).trim());
    if (rule === null) typed.wrong(`${of}_rules`, visit.say('connection.wrong_rule', { line }));
    return rule ?? [];
  });
  if (rules.length > 500) typed.wrong(`${of}_rules`, visit.say('rooms.wrong.long', { max: 500 }));
  if (claim === null && rules.length > 0)
    typed.wrong(`${of}_claim`, visit.t('connection.claim_missing'));
  return claim === null ? null : { claim, absent, rules };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

function alike(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Tried out first, or saved at once. */
async function changeMapping(visit: Visit): Promise<void> {
  const values = typedMapping(visit);
  const typed = new Typed(visit);
  const { mapping, provisioning } = await readMapping(visit, typed);
  const next = visit.value('next');
  if (!typed.ok || next === 'edit') return showMapping(visit, { values, errors: typed.errors });
  if (next !== 'save') return preview(visit, values, { mapping, provisioning });
  try {
    await visit.act((work, { account }) =>
      changeConnection(work, account.id, idOf(visit), { mapping, provisioning }),
    );
  } catch (error) {
    if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
    return showMapping(visit, { values, failure: error });
  }
  visit.done(`/connections/${idOf(visit)}`, visit.t('rooms.saved'));
}

async function preview(
  visit: Visit,
  values: MappingValues,
  trial: { mapping: Mapping; provisioning: Partial<Provisioning> },
): Promise<void> {
  const connection = await connectionIn(visit);
  const realm = await findRealm(visit.sql, connection.id);
  if (!realm) throw new Refusal('not_found');
  const found = await reEvaluate(visit.sql, realm, trial, visit.now);
  const { groups } = await knownTo(visit);
  const named = ({ groups: of, roles }: Affected, way: 'add' | 'remove'): string[] => [
    ...of[way].map((id) => groups.find((group) => group.id === id)?.name ?? id),
    ...roles[way],
  ];
  visit.show(
    previewPage({
      ...visit.page,
      connection,
      values,
      found: {
        ...found,
        affected: found.affected.map(({ before, after, ...rest }) => ({
          ...rest,
          before: before.outcome === 'refuse' ? before.reason : before.outcome,
          after: after.outcome === 'refuse' ? after.reason : after.outcome,
          given: named({ before, after, ...rest }, 'add'),
          taken: named({ before, after, ...rest }, 'remove'),
        })),
      },
    }),
  );
}
