import type { Work } from '../work.ts';
import { tellSessionEnded } from './tell-session-ended.ts';

/** Links that let nobody in: they take back what somebody did in the person's name. */
const undoing = ['email_revert', 'erasure_cancel'];

/**
 * Puts a person out, everywhere, at once: sessions, grants, codes and tokens, sign-ins under way,
 * devices that were trusted, links that were sent; and each application they are signed in to is told
 * (OpenID Connect Back-Channel Logout 1.0). In the transaction of what caused it, so that neither is
 * done without the other (security.md 3.7).
 *
 * What cannot be called back are JWT access tokens, which live 300 seconds.
 *
 * The order is that of a sign-in which ends at this moment: it takes the person's row, spends what it
 * stands on, then makes a session, then a grant. So it finds that they were put out, or nothing left to
 * stand on, or all that it made goes here.
 *
 * @param undoable whether links stay by which the person takes a change back: whoever stole a user
 * account must not cut them off by one more change.
 */
export async function revokeAccess(
  work: Work,
  userId: string,
  {
    keepSession = null,
    keepDevices = false,
    undoable = true,
  }: { keepSession?: string | null; keepDevices?: boolean; undoable?: boolean } = {},
): Promise<void> {
  const kept = keepSession ?? '';
  await work.query('update users set put_out = put_out + 1 where id = $1', [userId]);
  await work.query(
    `delete from oidc_artifacts
     where user_id = $1 and ($2 = '' or coalesce(session_uid, '') <> $2)`,
    [userId, kept],
  );
  // Told of what goes, and not of what was there before the row was waited for.
  const signedIn = await work.query<{ client_id: string; sid: string | null; session_uid: string }>(
    `with gone as (
       delete from oidc_sessions where user_id = $1 and uid <> $2 returning uid, authorizations)
     select a.key as client_id, a.value ->> 'sid' as sid, s.uid as session_uid
     from gone s, jsonb_each(s.authorizations) a
     join clients c on c.id = a.key
     where c.metadata ? 'backchannel_logout_uri'`,
    [userId, kept],
  );
  await work.query(
    `delete from oidc_grants g where g.user_id = $1 and not exists (
       select from oidc_sessions s, jsonb_each(s.authorizations) a
       where s.uid = $2 and a.value ->> 'grantId' = g.id)`,
    [userId, kept],
  );
  await work.query(
    `delete from one_time_tokens
     where user_id = $1 and used_at is null and not purpose = any ($2::text[])`,
    [userId, undoable ? undoing : []],
  );
  if (!keepDevices) await work.query('delete from trusted_devices where user_id = $1', [userId]);
  for (const { client_id: clientId, sid, session_uid: session } of signedIn)
    tellSessionEnded(work, { clientId, userId, sid, session });
}
