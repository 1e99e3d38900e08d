import { accountSchema, enterpriseSchema, users } from './schema.ts';
import type { Complex, Resource } from './value.ts';

/** A user as the database has them: the affiliation, and what is said of the person. */
export interface UserRow {
  id: string;
  userId: string;
  userName: string;
  givenName: string;
  familyName: string;
  displayName: string | null;
  externalId: string | null;
  title: string | null;
  language: string | null;
  active: boolean;
  provisional: boolean;
  attributes: Stored;
  emails: Complex[] | null;
  manager: { value: string; displayName: string } | null;
  entitlementCountry: string | null;
  source: string;
  version: number;
  created: Date;
  modified: Date;
  /** Null where they were not asked for. */
  groups?: { value: string; display: string }[] | null;
  locks?: string[];
  lastLogin?: Date | null;
  emailVerified?: boolean;
  termsAcceptedAt?: Date | null;
}

/** What has no column: by the names of the schema, the enterprise extension under its key. */
export interface Stored {
  name?: Complex;
  enterprise?: Complex;
  [name: string]: unknown;
}

/** What is read only where it is shown: it costs a look at another table for each user. */
export interface Parts {
  groups: boolean;
  account: boolean;
}

export const own = {
  id: 'a.id',
  userId: 'a.user_id',
  userName: 'a.user_name',
  givenName: 'a.given_name',
  familyName: 'a.family_name',
  displayName: 'a.display_name',
  externalId: 'a.external_id',
  title: 'u.job_title',
  language: 'u.language',
  active: 'a.active',
  provisional: 'a.provisional',
  attributes: 'a.attributes',
  entitlementCountry: 'u.entitlement_country',
  source: 'u.source',
  version: 'a.version',
  created: 'a.began_at',
  modified: 'a.modified_at',
};

export const accountOwn = {
  lastLogin: 'u.last_login_at',
  emailVerified: 'u.email_verified_at is not null',
};

export const named = (columns: Record<string, string>): string =>
  Object.entries(columns)
    .map(([name, expression]) => `${expression} as "${name}"`)
    .join(', ');

/** In their order by the index: rows that are sorted inside an aggregate cost more than all the rest. */
export const emailsOf = (
  id: string,
): string => `(select json_agg(json_strip_nulls(json_build_object(
     'value', e.value, 'display', e.display, 'type', e.type, 'primary', e.is_primary)))
   from (select * from affiliation_emails e where e.affiliation_id = ${id} order by e.ord) e)`;

export const managerOfOne = (id: string): string => `case when ${id} is not null then (
    select json_build_object('value', l.id, 'displayName',
      coalesce(l.display_name, nullif(trim(l.given_name || ' ' || l.family_name), ''), l.user_name))
    from affiliations l where l.id = ${id} and l.ended_at is null) end`;

export const groupsOfOne = `json_agg(json_build_object('value', g.id, 'display', g.name)
     order by g.name_key)`;

/** What decides whether a directory may change somebody. */
export interface LockedUser extends UserRow {
  email: string;
  breakGlass: boolean;
  operator: boolean;
  administrator: boolean;
  identity: string;
}

/** The columns of a `UserRow`, of `a` and `u`: for one user, or a few. */
export function userColumns({ groups, account }: Parts): string {
  return [
    named(own),
    `${emailsOf('a.id')} as emails`,
    `${managerOfOne('a.manager_id')} as manager`,
    ...(groups
      ? [
          `(select ${groupsOfOne} from group_members m join groups g on g.id = m.group_id
            where m.user_id = a.user_id and g.account_id = a.account_id) as groups`,
        ]
      : []),
    ...(account
      ? [
          `array(select l.reason from user_locks l
             where l.user_id = a.user_id and l.released_at is null order by l.reason) as locks`,
          named(accountOwn),
          `(select max(t.accepted_at) from terms_acceptances t where t.user_id = a.user_id)
             as "termsAcceptedAt"`,
        ]
      : []),
  ].join(', ');
}

/** The columns of a `LockedUser`. */
export const lockedColumns = `${userColumns({ groups: true, account: true })}, u.email,
  u.break_glass as "breakGlass", u.identity,
  exists (select from role_assignments r where r.user_id = u.id and r.role = 'operator') as operator,
  exists (select from role_assignments r where r.user_id = u.id
    and r.role in ('account_administrator', 'co_administrator')) as administrator`;

export const userTables = 'affiliations a join users u on u.id = a.user_id';

/** Of the account that is $1: who belongs to it, and who is invited. */
export const ofAccount = 'a.account_id = $1 and a.ended_at is null';

/** The resource as it is shown; what is read only is in it. */
export function userResource(row: UserRow): Resource {
  const { name, enterprise, preferredLanguage, ...stored } = row.attributes;
  const resource: Resource = { id: row.id };
  if (row.externalId !== null) resource['externalId'] = row.externalId;
  resource['meta'] = metaOf(users.name, row);
  resource['userName'] = row.userName;
  if (row.familyName !== '' || row.givenName !== '' || name)
    resource['name'] = {
      ...name,
      ...(row.familyName !== '' && { familyName: row.familyName }),
      ...(row.givenName !== '' && { givenName: row.givenName }),
    };
  if (row.displayName !== null) resource['displayName'] = row.displayName;
  if (row.title) resource['title'] = row.title;
  const language = preferredLanguage ?? row.language;
  if (language !== null && language !== undefined) resource['preferredLanguage'] = language;
  Object.assign(resource, stored);
  resource['active'] = row.active;
  if (row.emails) resource['emails'] = row.emails;
  if (row.groups) resource['groups'] = row.groups.map((one) => ({ ...one, type: 'direct' }));
  if (enterprise || row.manager)
    resource[enterpriseSchema] = {
      ...enterprise,
      ...(row.manager && { manager: row.manager }),
    };
  resource[accountSchema] = accountPart(row);
  return resource;
}

/** What a resource says about itself. */
export function metaOf(
  resourceType: string,
  { created, modified, version }: { created: Date; modified: Date; version: number },
): Complex {
  return {
    resourceType,
    created: created.toISOString(),
    lastModified: modified.toISOString(),
    version: `W/"${version}"`,
  };
}

function accountPart(row: UserRow): Complex {
  const part: Complex = { affiliation: row.provisional ? 'invited' : 'member' };
  if (row.locks) part['lockState'] = row.locks.length > 0 ? 'locked' : 'open';
  if (row.locks && row.locks.length > 0) part['lockReasons'] = row.locks;
  if (row.lastLogin) part['lastLogin'] = row.lastLogin.toISOString();
  if (row.emailVerified !== undefined) part['emailVerified'] = row.emailVerified;
  if (row.termsAcceptedAt) part['termsAcceptedAt'] = row.termsAcceptedAt.toISOString();
  part['managedBy'] = managers[row.source] ?? 'administrator';
  if (row.entitlementCountry !== null) part['entitlementCountry'] = row.entitlementCountry;
  return part;
}

/** By the source of a person; of all others an administrator is. */
export const managers: Record<string, string> = { scim: 'directory', jit: 'identity_provider' };

/** Kept in columns, in a table of their own, or not at all. */
const elsewhere = new Set([
  'id',
  'externalId',
  'meta',
  'userName',
  'displayName',
  'title',
  'active',
  'password',
  'emails',
  'groups',
  enterpriseSchema,
  accountSchema,
]);

/** What of a resource is kept in `attributes`. */
export function storedPart(resource: Resource): Stored {
  const stored: Stored = {};
  for (const [name, value] of Object.entries(resource))
    if (!elsewhere.has(name)) stored[name] = value;
  if (stored.name) {
    const { familyName: _family, givenName: _given, ...name } = stored.name;
    if (Object.keys(name).length > 0) stored.name = name;
    else delete stored.name;
  }
  const extension = resource[enterpriseSchema] as Complex | undefined;
  if (extension) {
    const { manager: _manager, ...enterprise } = extension;
    if (Object.keys(enterprise).length > 0) stored.enterprise = enterprise;
  }
  return stored;
}

/** The name of a resource in its two parts that everybody else here knows too. */
export function nameOf(resource: Resource): { givenName: string; familyName: string } {
  const { givenName = '', familyName = '' } = (resource['name'] ?? {}) as Record<string, string>;
  return { givenName, familyName };
}

export function accountOf(resource: Resource): Complex {
  return (resource[accountSchema] ?? {}) as Complex;
}

export function managerOf(resource: Resource): string | undefined {
  const enterprise = (resource[enterpriseSchema] ?? {}) as { manager?: { value?: string } };
  return enterprise.manager?.value;
}
