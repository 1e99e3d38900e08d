import type { Sql } from '#platform/database/sql.ts';
import { withoutSecrets } from '../events/event.ts';
import { Refusal } from '../refusal.ts';

/** How many rows of the audit log a person gets. */
const mostEvents = 10_000;

/**
 * Everything that is kept about a person, for themselves (GDPR, articles 15 and 20): as JSON, with
 * names that say what they are. No secret is in it, and no note that administrators wrote for each
 * other; who did something is told by what they are, not who.
 *
 * @throws {Refusal} `user_not_found`
 */
export async function exportPerson(sql: Sql, userId: string, now: Date): Promise<object> {
  const [profile] = await sql.query(
    `select u.id, u.email_display as email, u.given_name as "givenName",
       u.family_name as "familyName", u.country, u.language, u.phone, u.job_title as "jobTitle",
       u.communication_email as "communicationEmail", u.identity, u.affiliation, u.source,
       u.entitlement_country as "entitlementCountry",
       u.email_verified_at as "emailVerifiedAt", u.last_login_at as "lastLoginAt",
       u.last_seen_at as "lastSeenAt", u.created_at as "createdAt", u.updated_at as "updatedAt",
       (select jsonb_build_object('id', a.id, 'number', a.number, 'name', a.name)
        from accounts a where a.id = u.account_id) as account
     from users u where u.id = $1 and u.identity <> 'erased'`,
    [userId],
  );
  if (!profile) throw new Refusal('user_not_found');
  const list = (text: string): Promise<Record<string, unknown>[]> => sql.query(text, [userId]);
  const events = await sql.query<{ details: unknown }>(
    `select e.at, e.action, e.account_id as account,
       case when e.actor ->> 'id' = $1 then 'yourself' else e.actor ->> 'type' end as by,
       case when e.target_id = $1 then 'yourself' else e.target_type end as target,
       case when e.actor ->> 'id' = $1 then e.ip end as ip,
       case when e.actor ->> 'id' = $1 then e.user_agent end as "userAgent",
       e.reference, e.details - 'note' as details
     from audit_events e
     where e.target_id = $1 or e.actor ->> 'id' = $1
     order by e.id desc limit $2`,
    [userId, mostEvents],
  );
  return {
    madeAt: now.toISOString(),
    profile,
    affiliations: await list(
      `select a.name as account, f.reason, f.began_at as "beganAt", f.ended_at as "endedAt"
       from affiliations f join accounts a on a.id = f.account_id
       where f.user_id = $1 and not f.provisional order by f.began_at`,
    ),
    roles: await list(
      `select r.role, g.name as group, r.granted_at as "grantedAt"
       from role_assignments r left join groups g on g.id = r.group_id
       where r.user_id = $1 order by r.role`,
    ),
    groups: await list(
      `select g.name, m.added_at as "addedAt" from group_members m
       join groups g on g.id = m.group_id where m.user_id = $1 order by g.name`,
    ),
    fulfillmentContact: await list(
      `select a.name as account, f.country, f.created_at as "createdAt"
       from fulfillment_contacts f join accounts a on a.id = f.account_id where f.user_id = $1`,
    ),
    locks: await list(
      `select reason, set_at as "setAt", until, released_at as "releasedAt"
       from user_locks where user_id = $1 order by set_at`,
    ),
    password: (await list('select set_at as "setAt" from passwords where user_id = $1'))[0] ?? null,
    secondFactors: await list(
      `select kind, name, created_at as "createdAt", last_used_at as "lastUsedAt"
       from factors where user_id = $1 order by created_at`,
    ),
    sessions: await list(
      `select created_at as "createdAt", seen_at as "seenAt", expires_at as "expiresAt", ip,
         user_agent as "userAgent",
         array(select jsonb_object_keys(authorizations)) as applications
       from oidc_sessions where user_id = $1 order by created_at`,
    ),
    devices: await list(
      `select user_agent as "userAgent", created_at as "createdAt", last_used_at as "lastUsedAt"
       from trusted_devices where user_id = $1 order by created_at`,
    ),
    consents: await list(
      `select c.name as application, s.scopes, s.claims, s.granted_at as "grantedAt"
       from consents s join clients c on c.id = s.client_id where s.user_id = $1 order by c.name`,
    ),
    terms: await list(
      `select v.kind, v.version, t.locale, t.sha256, t.accepted_at as "acceptedAt", t.ip,
         t.user_agent as "userAgent", t.client_id as application
       from terms_acceptances t join terms_versions v on v.id = t.version_id
       where t.user_id = $1 order by t.accepted_at`,
    ),
    approvals: await list(
      `select a.name as account, q.state, q.requested_at as "requestedAt",
         q.decided_at as "decidedAt", q.message
       from approval_requests q join accounts a on a.id = q.account_id
       where q.user_id = $1 order by q.requested_at`,
    ),
    invitations: await list(
      `select a.name as account, i.state, i.created_at as "createdAt", i.decided_at as "decidedAt"
       from invitations i join accounts a on a.id = i.account_id
       join users u on u.email = i.email where u.id = $1 order by i.created_at`,
    ),
    erasures: await list(
      `select state, requested_at as "requestedAt", due_at as "dueAt", decided_at as "decidedAt"
       from erasure_requests where user_id = $1 order by requested_at`,
    ),
    events: events.map((event) => ({ ...event, details: withoutSecrets(event.details) })),
  };
}
