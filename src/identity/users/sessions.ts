import type { Sql } from '#platform/database/sql.ts';
import type { Work } from '../work.ts';
import { revokeAccess } from './revoke.ts';
import { tellSessionEnded } from './tell-session-ended.ts';

export interface SessionRecord {
  id: string;
  createdAt: Date;
  seenAt: Date;
  expiresAt: Date;
  ip: string | null;
  userAgent: string | null;
  /** The applications that are signed in to with it. */
  clients: string[];
}

/** Where a person is signed in at this moment, the last used first. */
export function sessionsOf(sql: Sql, userId: string, now: Date): Promise<SessionRecord[]> {
  return sql.query<SessionRecord>(
    `select s.uid as id, s.created_at as "createdAt", s.seen_at as "seenAt",
            s.expires_at as "expiresAt", s.ip, s.user_agent as "userAgent",
            array(select jsonb_object_keys(s.authorizations)) as clients
     from oidc_sessions s where s.user_id = $1 and s.expires_at > $2
     order by s.seen_at desc, s.uid limit 200`,
    [userId, now],
  );
}

/**
 * Ends one session of a person and tells the applications in it, as when somebody else signs in in
 * the same browser, or the person ends it from another device. Tokens bound to it are dead with it.
 */
export async function endSession(work: Work, uid: string, reason: string): Promise<void> {
  // The session before its grants: in this order a request that adds to them takes both. And what is told
  // is told of what goes, not of what was there before the row was waited for.
  const [session] = await work.query<{
    user_id: string | null;
    authorizations: Record<
      string,
      { sid?: string | null; grantId?: string; persistsLogout?: boolean }
    >;
    told: string[];
  }>(
    `with gone as (delete from oidc_sessions where uid = $1 returning user_id, authorizations)
     select g.user_id, g.authorizations, array(
       select c.id from jsonb_object_keys(g.authorizations) a join clients c on c.id = a
       where c.metadata ? 'backchannel_logout_uri') as told
     from gone g`,
    [uid],
  );
  // Grants that outlive a session by the person's wish (offline_access) stay.
  const grants = Object.values(session?.authorizations ?? {})
    .filter(({ persistsLogout }) => persistsLogout !== true)
    .flatMap(({ grantId }) => grantId ?? []);
  if (grants.length > 0)
    await work.query('delete from oidc_grants where id = any ($1::text[])', [grants]);
  const userId = session?.user_id;
  if (!userId) return;
  for (const clientId of session.told)
    tellSessionEnded(work, {
      clientId,
      userId,
      sid: session.authorizations[clientId]?.sid ?? null,
      session: uid,
    });
  work.record('session.ended', { type: 'session', id: uid }, { user: userId, reason });
}

/**
 * A person signs out everywhere but here: also of what goes on without a session. Whoever took a
 * refresh token along would stay for months otherwise.
 *
 * @param here the session that stays, with what it gave.
 */
export async function endOtherSessions(work: Work, userId: string, here: string): Promise<void> {
  await revokeAccess(work, userId, { keepSession: here, keepDevices: true });
  work.record(
    'session.ended',
    { type: 'user', id: userId },
    { user: userId, reason: 'ended in the profile', all: true },
  );
}

/** An administrator ends all sessions of a person, and every token given out in their name. */
export async function endEverySession(
  work: Work,
  userId: string,
  accountId: string,
): Promise<void> {
  await revokeAccess(work, userId, { keepDevices: true });
  work.record(
    'session.ended',
    { type: 'user', id: userId },
    { user: userId, reason: 'administrator', all: true },
    accountId,
  );
}
