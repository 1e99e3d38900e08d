import { byteOrderMark, csvRow, type CsvValue } from '#platform/csv.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { LockReason } from '../users/locks.ts';
import { statusSql } from '../users/status.ts';
import type { Affiliation, Source } from '../users/user.ts';
import { openLocks, pageOfUsers, type UserFilter } from '../users/user-filter.ts';
import { listCell } from './cells.ts';
import { compactColumns } from './format.ts';

export const exportFormats = ['full', 'compact'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/**
 * The people of an account as a file, a page at a time: however many there are, a page is all that is
 * in memory. Nobody is left out without a word (behaviour.md F18).
 *
 *     full      everybody, those who were invited and those who wait for approval too
 *     compact   what an update takes: everybody an update can be about. Read back, nothing changes.
 */
export async function* exportUsers(
  sql: Sql,
  accountId: string,
  format: ExportFormat,
  now: Date,
): AsyncGenerator<string> {
  const columns = format === 'full' ? full : compact;
  yield byteOrderMark + csvRow(Object.keys(columns));
  yield* people(sql, { accountId }, Object.values(columns), now);
  if (format === 'full')
    yield* people(sql, { accountId, status: 'pending-approval' }, Object.values(columns), now);
}

const pageSize = 500;

async function* people(
  sql: Sql,
  filter: Pick<UserFilter, 'accountId' | 'status'>,
  cells: readonly ((person: Exported) => CsvValue)[],
  now: Date,
): AsyncGenerator<string> {
  for (let after: string | undefined; ;) {
    const page = pageOfUsers({ ...filter, after, limit: pageSize }, now);
    const rows = await sql.query<Exported>(statement(page.text), page.params);
    if (rows.length > 0)
      yield rows.map((person) => csvRow(cells.map((cell) => cell(person)))).join('');
    if (rows.length < pageSize) return;
    after = rows.at(-1)!.position;
  }
}

interface Exported {
  id: string;
  email: string | null;
  communicationEmail: string | null;
  givenName: string;
  familyName: string;
  status: string;
  reasons: LockReason[];
  /** Locked in the books, not merely asked to wait. */
  locked: boolean;
  affiliation: Affiliation;
  source: Source;
  federated: boolean;
  roles: string[];
  allRoles: string[];
  groups: string[];
  contact: boolean;
  country: string | null;
  entitlementCountry: string | null;
  language: string | null;
  secondFactor: boolean;
  createdAt: Date;
  lastLoginAt: Date | null;
  termsVersion: string | null;
  termsAcceptedAt: Date | null;
  invitationExpiresAt: Date | null;
  position: string;
}

const compactCells: Record<string, (person: Exported) => CsvValue> = {
  CurrentEmail: ({ email }) => email,
  NewEmail: () => '',
  FirstName: ({ givenName }) => givenName,
  LastName: ({ familyName }) => familyName,
  CommunicationEmail: ({ communicationEmail }) => communicationEmail,
  ProfileCountry: ({ country }) => country,
  EntitlementCountry: ({ entitlementCountry }) => entitlementCountry,
  Language: ({ language }) => language,
  Roles: ({ roles }) => listCell(roles),
  Groups: ({ groups }) => listCell(groups),
  Locked: ({ locked }) => locked,
};

const compact = Object.fromEntries(
  compactColumns.map((column) => [column, compactCells[column]!] as const),
);

const full: Record<string, (person: Exported) => CsvValue> = {
  Id: ({ id }) => id,
  Email: ({ email }) => email,
  CommunicationEmail: ({ communicationEmail }) => communicationEmail,
  FirstName: ({ givenName }) => givenName,
  LastName: ({ familyName }) => familyName,
  Status: ({ status }) => status,
  LockReasons: ({ reasons }) => listCell(reasons),
  Affiliation: ({ affiliation }) => affiliation,
  Source: ({ source }) => sourceNames[source],
  Federated: ({ federated }) => federated,
  Roles: ({ allRoles }) => listCell(allRoles),
  Groups: ({ groups }) => listCell(groups),
  FulfillmentContact: ({ contact }) => contact,
  ProfileCountry: ({ country }) => country,
  EntitlementCountry: ({ entitlementCountry }) => entitlementCountry,
  MfaEnrolled: ({ secondFactor }) => secondFactor,
  CreatedAt: ({ createdAt }) => createdAt,
  LastLoginAt: ({ lastLoginAt }) => lastLoginAt,
  TermsVersion: ({ termsVersion }) => termsVersion,
  TermsAcceptedAt: ({ termsAcceptedAt }) => termsAcceptedAt,
  InvitationExpiresAt: ({ invitationExpiresAt }) => invitationExpiresAt,
};

/** Whoever was not made by a machine or a file was made here. */
const sourceNames: Record<Source, string> = {
  local: 'local',
  registration: 'local',
  admin: 'local',
  import: 'import',
  jit: 'jit',
  scim: 'scim',
};

function statement(page: string): string {
  return `
    select u.id, u.email_display as email, u.communication_email as "communicationEmail",
      u.given_name as "givenName", u.family_name as "familyName",
      ${statusSql('l.reasons')} as status, l.reasons, l.locked, u.affiliation, u.source,
      exists (select from connection_domains b join connections c on c.id = b.connection_id
        where b.domain = split_part(u.email, '@', 2) and c.account_id = $1 and c.state = 'active'
          and c.deleted_at is null) as federated,
      array(select r.role from role_assignments r
        where r.user_id = u.id and r.account_id = $1 and r.group_id is null
        order by r.role) as roles,
      array(select distinct r.role from role_assignments r where r.user_id = u.id
        order by r.role) as "allRoles",
      array(select g.name from group_members m join groups g on g.id = m.group_id
        where m.user_id = u.id and g.account_id = $1 order by lower(g.name)) as groups,
      exists (select from fulfillment_contacts f where f.user_id = u.id and f.account_id = $1)
        as contact,
      u.country, u.entitlement_country as "entitlementCountry", u.language,
      u.second_factor_at is not null as "secondFactor",
      u.created_at as "createdAt", u.last_login_at as "lastLoginAt",
      t.version as "termsVersion", t.accepted_at as "termsAcceptedAt",
      case when u.affiliation = 'provisional' then (
        select max(i.expires_at) from invitations i
        where i.email = u.email and i.account_id = $1 and i.state = 'pending')
      end as "invitationExpiresAt", page.position
    from (${page}) page
    join users u on u.id = page.id left join accounts a on a.id = u.account_id
    cross join lateral (
      select coalesce(array_agg(k.reason), '{}') as reasons,
        count(*) filter (where k.set_by is not null) > 0 as locked
      from (${openLocks}) k
    ) l
    left join lateral (
      select v.version, x.accepted_at from terms_acceptances x
      join terms_versions v on v.id = x.version_id and v.kind = 'tos'
      where x.user_id = u.id order by x.accepted_at desc limit 1
    ) t on true
    order by page.place`;
}
