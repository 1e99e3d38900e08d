import type { Sql } from '#platform/database/sql.ts';
import type { Actor } from '../access/actor.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/**
 * WHOSE WORD IT IS. Each attribute of a person comes from somewhere: a directory that speaks SCIM, the
 * provider they sign in at, an administrator, or themselves. What stands in `attribute_sources` says
 * so; where it says nothing, it is who made the person.
 *
 * A directory's word holds while the account has one: what it says about who somebody is cannot be
 * changed at another door, because the next synchronization would undo it, and nobody would know why.
 * The same holds for a provider while the person is linked to it.
 */
export const attributeSources = [
  'directory',
  'identity_provider',
  'administrator',
  'person',
] as const;
export type AttributeSource = (typeof attributeSources)[number];

export const sourcedAttributes = [
  'email',
  'givenName',
  'familyName',
  'jobTitle',
  'phone',
  'country',
  'language',
  'communicationEmail',
] as const;
export type SourcedAttribute = (typeof sourcedAttributes)[number];

/** What a directory decides alone. The rest people adjust to themselves. */
const binding: ReadonlySet<string> = new Set(['email', 'givenName', 'familyName', 'jobTitle']);

/** What providers decide alone: of the names and the address they vouch. */
const vouched: ReadonlySet<string> = new Set(['email', 'givenName', 'familyName']);

export interface AttributeAuthority {
  attribute: SourcedAttribute;
  source: AttributeSource;
  /** The name of the directory or connection; null for people. */
  name: string | null;
  since: Date | null;
  /** It is changed there alone. */
  managed: boolean;
}

interface Claim {
  source: AttributeSource;
  by: string | null;
  at: string;
}

interface Row {
  source: string;
  claims: Partial<Record<SourcedAttribute, Claim>>;
  created_at: Date;
  directories: { id: string; name: string }[];
  providers: { id: string; name: string }[];
}

/** Where each attribute of a person comes from, and whether it is changed there alone. */
export async function authoritiesOf(sql: Sql, userId: string): Promise<AttributeAuthority[]> {
  const [row] = await sql.query<Row>(statement, [userId]);
  if (!row) return [];
  return sourcedAttributes.map((attribute) => {
    const claim = row.claims[attribute];
    const source = claim?.source ?? sourceOfPerson(row.source, attribute);
    const candidates =
      source === 'directory'
        ? row.directories
        : source === 'identity_provider'
          ? row.providers
          : [];
    const known = candidates.find(({ id }) => id === claim?.by) ?? candidates[0];
    const alone = source === 'directory' ? binding : vouched;
    return {
      attribute,
      source,
      name: known?.name ?? null,
      since: claim ? new Date(claim.at) : row.created_at,
      managed: known !== undefined && alone.has(attribute),
    };
  });
}

/**
 * Of a person `u`: a directory of the account they are in now has written them. What the directory of
 * a former account said about them binds nobody here.
 */
const written = `exists (select from affiliations a
    join scim_tokens p on p.id = a.provisioned_by and p.account_id = a.account_id
    where a.user_id = u.id and a.account_id = u.account_id and a.ended_at is null)`;

/**
 * A directory's word stays while the account has one, whichever of its tokens it came by: also while
 * a token is over and nobody has noticed. Whoever gives the directory up revokes it.
 */
const statement = `
  select u.source, u.attribute_sources as claims, u.created_at,
    coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) order by t.id desc)
      from scim_tokens t
      where t.account_id = u.account_id and t.users and not t.read_only and not t.dry_run
        and t.revoked_at is null and ${written}), '[]') as directories,
    coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name))
      from federated_links k join connections c on c.id = k.connection_id
      where k.user_id = u.id and k.unlinked_at is null and c.account_id = u.account_id
        and c.state = 'active' and c.deleted_at is null), '[]') as providers
  from users u where u.id = $1`;

/** Who made the person said who they are; the rest is theirs until somebody says it. */
function sourceOfPerson(source: string, attribute: SourcedAttribute): AttributeSource {
  if (source === 'registration' || !vouched.has(attribute)) return 'person';
  if (source === 'scim') return 'directory';
  return source === 'jit' ? 'identity_provider' : 'administrator';
}

/** The attributes that are changed elsewhere alone. */
export async function managedAttributes(sql: Sql, userId: string): Promise<string[]> {
  const all = await authoritiesOf(sql, userId);
  return all.filter(({ managed }) => managed).map(({ attribute }) => attribute);
}

/**
 * Refuses to change what is decided elsewhere, and says where.
 *
 * @param names of attributes that are to be changed
 * @throws {Refusal} `managed_by_directory`
 */
export async function requireUnmanaged(
  sql: Sql,
  userId: string,
  names: readonly string[],
): Promise<void> {
  if (!names.some((name) => binding.has(name))) return;
  const all = await authoritiesOf(sql, userId);
  const kept = all.filter(({ attribute, managed }) => managed && names.includes(attribute));
  if (kept.length === 0) return;
  const [{ source, name } = kept[0]!] = kept;
  const fields = kept.map(({ attribute }) => attribute);
  const what = fields.map((field) => spoken[field] ?? field).join(', ');
  const where = source === 'directory' ? `the directory ${name}` : `the identity provider ${name}`;
  throw new Refusal(
    'managed_by_directory',
    { fields, source, name },
    [],
    `${what[0]!.toUpperCase()}${what.slice(1)}: managed by ${where} of the organization. Change it there.`,
  );
}

const spoken: Partial<Record<string, string>> = {
  email: 'e-mail address',
  givenName: 'given name',
  familyName: 'family name',
  jobTitle: 'job title',
};

/** Whose word it is that this actor writes about a person. */
export function sourceOf(actor: Actor, userId: string): AttributeSource {
  if (actor.type === 'scim_token') return 'directory';
  if (actor.type === 'anonymous') return 'person';
  return actor.type === 'user' && actor.id === userId ? 'person' : 'administrator';
}

/** For `attribute_sources || $n` in a statement that writes the attributes themselves. */
export function claims(
  names: readonly SourcedAttribute[],
  source: AttributeSource,
  by: string | null,
  now: Date,
): string {
  const claim: Claim = { source, by, at: now.toISOString() };
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, claim])));
}

/** Writes down where attributes of a person come from now: from who acts, unless it is said. */
export async function claimAttributes(
  work: Work,
  userId: string,
  names: readonly SourcedAttribute[],
  {
    source = sourceOf(work.actor, userId),
    by = source === 'directory' && work.actor.type === 'scim_token' ? work.actor.id : null,
  }: { source?: AttributeSource; by?: string | null } = {},
): Promise<void> {
  if (names.length === 0) return;
  await work.query(
    'update users set attribute_sources = attribute_sources || $2::jsonb where id = $1',
    [userId, claims(names, source, by, work.now)],
  );
}

/** The name of the directory that keeps the groups of an account, or null where none does any more. */
export async function directoryOfGroups(sql: Sql, accountId: string): Promise<string | null> {
  const [directory] = await sql.query<{ name: string }>(
    `select t.name from scim_tokens t
     where t.account_id = $1 and t.groups and not t.read_only and not t.dry_run
       and t.revoked_at is null
     order by t.id desc limit 1`,
    [accountId],
  );
  return directory?.name ?? null;
}

/**
 * For a statement that reads a person `u`: the names of what a directory decides about them, as a
 * JSON array. A provider's word about these is not taken over.
 */
export const ofDirectorySql = `
  case when ${written} and exists (select from scim_tokens t where t.account_id = u.account_id
      and t.users and not t.read_only and not t.dry_run and t.revoked_at is null)
    then coalesce((select jsonb_agg(k.name)
      from unnest(array['${[...binding].join("', '")}']) as k(name)
      where coalesce(u.attribute_sources -> k.name ->> 'source',
        case when u.source = 'scim' and k.name <> 'jobTitle' then 'directory' end) = 'directory'),
      '[]')
    else '[]' end`;
