import { secretHash } from '#platform/secrets.ts';
import { newId } from '#platform/ids.ts';
import { endSession } from '../users/sessions.ts';
import { unitOfWork, type Foundation, type Origin } from '../work.ts';
import type { Connection } from './connection.ts';

/** A provider says that somebody signed out there, or that one session ended. */
export interface UpstreamLogout {
  issuer: string;
  subject: string | null;
  sid: string | null;
  /** Names the token: it counts once. */
  jti: string;
}

/**
 * Ends here what stood on a session there, and tells the applications in it (behaviour.md F31). A
 * token that comes twice does nothing the second time: it must not end what began after it.
 *
 * Returns how many sessions ended.
 */
export async function upstreamLogout(
  foundation: Foundation,
  { id: connectionId }: Pick<Connection, 'id'>,
  { issuer, subject, sid, jti }: UpstreamLogout,
  origin: Origin,
): Promise<number> {
  const context = { actor: { type: 'system', id: 'federation' }, origin } as const;
  return unitOfWork(foundation, context, async (work) => {
    const fresh = await work.query(
      `insert into one_time_tokens (id, purpose, secret_hash, created_at, expires_at, used_at)
       values ($1, 'upstream_logout', $2, $3, $4, $3)
       on conflict (secret_hash) do nothing returning 1`,
      [
        newId(work.now.getTime()),
        secretHash(`${connectionId}:${jti}`),
        work.now,
        new Date(work.now.getTime() + 3600_000),
      ],
    );
    if (fresh.length === 0) return 0;
    const sessions = await work.query<{ uid: string }>(
      `select s.uid from oidc_sessions s
       where s.federation is not null and s.federation ->> 'connection' = $1
         and ($2::text is null or s.federation ->> 'sid' = $2)
         and ($3::text is null or s.user_id in (
           select l.user_id from federated_links l
           where l.connection_id = $1::uuid and l.issuer = $4 and l.subject = $3
             and l.unlinked_at is null))
       limit 1000`,
      [connectionId, sid, subject, issuer],
    );
    for (const { uid } of sessions) await endSession(work, uid, 'signed out at the organization');
    return sessions.length;
  });
}
