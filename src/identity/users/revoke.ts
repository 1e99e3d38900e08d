import type { Work } from '../work.ts';
import { tellSessionEnded } from './tell-session-ended.ts';

/**
 * Puts a person out, everywhere, at once: sessions, grants, codes and tokens, devices that were
 * trusted, links that were sent; and each application they are signed in to is told (OpenID Connect
 * Back-Channel Logout 1.0). In the transaction of what caused it, so that neither is done without
 * the other (security.md 3.7).
 *
 * What cannot be called back are JWT access tokens, which live 300 seconds.
 */
export async function revokeAccess(
  work: Work,
  userId: string,
  {
    keepSession = null,
    keepDevices = false,
  }: { keepSession?: string | null; keepDevices?: boolean } = {},
): Promise<void> {
  const signedIn = await work.query<{ client_id: string; sid: string | null; session_uid: string }>(
    `select a.key as client_id, a.value ->> 'sid' as sid, s.uid as session_uid
     from oidc_sessions s, jsonb_each(s.authorizations) a
     join clients c on c.id = a.key
     where s.user_id = $1 and s.uid <> $2 and c.metadata ? 'backchannel_logout_uri'`,
    [userId, keepSession ?? ''],
  );
  await work.query(
    `delete from oidc_artifacts
     where user_id = $1 and ($2 = '' or coalesce(session_uid, '') <> $2)`,
    [userId, keepSession ?? ''],
  );
  await work.query(
    `delete from oidc_grants g where g.user_id = $1 and not exists (
       select from oidc_sessions s, jsonb_each(s.authorizations) a
       where s.uid = $2 and a.value ->> 'grantId' = g.id)`,
    [userId, keepSession ?? ''],
  );
  await work.query('delete from oidc_sessions where user_id = $1 and uid <> $2', [
    userId,
    keepSession ?? '',
  ]);
  await work.query('delete from one_time_tokens where user_id = $1 and used_at is null', [userId]);
  if (!keepDevices) await work.query('delete from trusted_devices where user_id = $1', [userId]);
  for (const { client_id: clientId, sid, session_uid: session } of signedIn)
    tellSessionEnded(work, { clientId, userId, sid, session });
}
