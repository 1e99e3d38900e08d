import type { Sql } from '#platform/database/sql.ts';
import type { Suppression } from '../mail/suppression.ts';

/** What an administrator may know of a person beyond the list: read for one person, in one statement. */
export interface UserDetails {
  phone: string | null;
  jobTitle: string | null;
  communicationEmail: string | null;
  /** Its reader has still to say yes: until then mail goes to the address of the sign-in. */
  communicationWaits: boolean;
  emailVerifiedAt: Date | null;
  lastSeenAt: Date | null;
  entitlementPinned: boolean;
  breakGlass: boolean;
  passwordSetAt: Date | null;
  factors: {
    id: string;
    kind: 'totp' | 'passkey';
    name: string;
    createdAt: Date;
    lastUsedAt: Date | null;
  }[];
  /** Who they are to their company's identity provider. */
  links: { id: string; connection: string; subject: string; linkedAt: Date; lastUsedAt: Date }[];
  /** When they belonged to this account. What they did elsewhere is none of its business. */
  affiliations: { reason: string; beganAt: Date; endedAt: Date | null }[];
  terms: { title: string; version: string; acceptedAt: Date }[];
  invitation: { id: string; sentAt: Date; expiresAt: Date } | null;
  /** Why no mails are sent to them. */
  suppressed: Suppression | null;
  /** Groups they look after. */
  manages: { id: string; name: string }[];
}

/** @param accountId the account that asks. The person is known to be one of its people. */
export async function userDetails(
  sql: Sql,
  accountId: string,
  userId: string,
): Promise<UserDetails> {
  const [row] = await sql.query<Raw>(
    `select u.phone, u.job_title as "jobTitle", u.communication_email as "communicationEmail",
       u.communication_email is distinct from u.communication_proved as "communicationWaits",
       u.email_verified_at as "emailVerifiedAt", u.last_seen_at as "lastSeenAt",
       u.entitlement_pinned as "entitlementPinned", u.break_glass as "breakGlass",
       (select p.set_at from passwords p where p.user_id = u.id) as "passwordSetAt",
       ${list(`select f.id, f.kind, f.name, f.created_at as "createdAt",
           f.last_used_at as "lastUsedAt"
         from factors f where f.user_id = u.id order by f.created_at`)} as factors,
       ${list(`select l.id, c.name as connection, l.subject, l.linked_at as "linkedAt",
           l.last_used_at as "lastUsedAt"
         from federated_links l join connections c on c.id = l.connection_id
         where l.user_id = u.id and l.unlinked_at is null and c.account_id = $1
         order by l.linked_at`)} as links,
       ${list(`select a.reason, a.began_at as "beganAt", a.ended_at as "endedAt"
         from affiliations a where a.user_id = u.id and a.account_id = $1
         order by a.began_at desc limit 20`)} as affiliations,
       ${list(`select distinct on (v.id) t.title, v.version, k.accepted_at as "acceptedAt"
         from terms_acceptances k join terms_versions v on v.id = k.version_id
         join terms_texts t on t.version_id = v.id and t.locale = k.locale
         where k.user_id = u.id order by v.id desc limit 20`)} as terms,
       (select to_jsonb(i) from (
         select i.id, i.sent_at as "sentAt", i.expires_at as "expiresAt" from invitations i
         where i.account_id = $1 and i.email = u.email and i.state = 'pending' limit 1) i)
         as invitation,
       (select to_jsonb(s) from (
         select s.reason, s.code, s.since, s.last_at as "lastAt" from suppressed_addresses s
         where s.email = u.email) s) as suppressed,
       ${list(`select g.id, g.name from role_assignments r join groups g on g.id = r.group_id
         where r.user_id = u.id and r.role = 'group_manager' and g.account_id = $1
         order by g.name`)} as manages
     from users u where u.id = $2`,
    [accountId, userId],
  );
  const { factors, links, affiliations, terms, invitation, suppressed, ...rest } = row!;
  return {
    ...rest,
    factors: factors.map((one) => dated(one, ['createdAt', 'lastUsedAt'])),
    links: links.map((one) => dated(one, ['linkedAt', 'lastUsedAt'])),
    affiliations: affiliations.map((one) => dated(one, ['beganAt', 'endedAt'])),
    terms: terms.map((one) => dated(one, ['acceptedAt'])),
    suppressed: suppressed && dated(suppressed, ['since', 'lastAt']),
    invitation: invitation && dated(invitation, ['sentAt', 'expiresAt']),
  };
}

type Raw = UserDetails;

function list(select: string): string {
  return `coalesce((select jsonb_agg(to_jsonb(x)) from (${select}) x), '[]')`;
}

/** JSON knows no moments: what is one comes as text. */
function dated<Row extends object>(row: Row, moments: readonly (keyof Row)[]): Row {
  const made = { ...row };
  for (const key of moments)
    if (made[key] !== null) made[key] = new Date(made[key] as string) as Row[keyof Row];
  return made;
}
