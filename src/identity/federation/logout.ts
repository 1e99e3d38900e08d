import { newId } from '#platform/ids.ts';
import { secretHash, type Vault } from '#platform/secrets.ts';
import { endSession } from '../users/sessions.ts';
import { unitOfWork, type Foundation, type Origin } from '../work.ts';
import type { UpstreamAssertion } from './assertion.ts';
import type { Connection } from './connection.ts';
import type { Federation } from './standing.ts';

/** A provider says that somebody signed out there, or that one session ended. */
export interface UpstreamLogout {
  issuer: string;
  /** By their stable name; null where the provider says it otherwise, or not. */
  subject: string | null;
  /** By the NameID of the assertion that brought them in. */
  nameId: string | null;
  /** The sessions, as the provider calls them; none means all of the person's. */
  sids: readonly string[];
  /** Names the message: it counts once. */
  jti: string;
}

/**
 * Ends here what stood on a session there, and tells the applications in it (behaviour.md F31). A
 * message that comes twice does nothing the second time: it must not end what began after it.
 *
 * Returns how many sessions ended.
 */
export async function upstreamLogout(
  foundation: Foundation,
  { id: connectionId }: Pick<Connection, 'id'>,
  { issuer, subject, nameId, sids, jti }: UpstreamLogout,
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
         and (cardinality($2::text[]) = 0 or s.federation ->> 'sid' = any ($2))
         and ($3::text is null or s.user_id in (
           select l.user_id from federated_links l
           where l.connection_id = $1::uuid and l.issuer = $4 and l.subject = $3
             and l.unlinked_at is null))
         and ($5::text is null or s.federation ->> 'name' = $5)
       limit 1000`,
      [connectionId, [...sids], subject, issuer, nameId && nameMark(connectionId, nameId)],
    );
    for (const { uid } of sessions) await endSession(work, uid, 'signed out at the organization');
    return sessions.length;
  });
}

/**
 * What a session keeps for its end: by what name the provider will end it, and, where signing out here
 * signs out there too, what the provider has to be told then, sealed.
 */
export function forSignOut(
  vault: Vault,
  { id, signOutUpstream }: Pick<Connection, 'id' | 'signOutUpstream'>,
  { signOut }: Pick<UpstreamAssertion, 'signOut'>,
): Pick<Federation, 'name' | 'hint'> {
  if (!signOut) return {};
  const { nameId } = signOut;
  return {
    ...(nameId !== undefined && { name: nameMark(id, nameId) }),
    ...(signOutUpstream && { hint: vault.seal(JSON.stringify(signOut), hintContext(id)) }),
  };
}

/** What the provider has to be told; nothing where the session kept nothing. */
export function openHint(
  vault: Vault,
  { connection, hint }: Pick<Federation, 'connection' | 'hint'>,
): Readonly<Record<string, string>> {
  if (hint === undefined) return {};
  try {
    return JSON.parse(vault.open(hint, hintContext(connection))) as Record<string, string>;
  } catch {
    // Sealed by a secret that is gone meanwhile.
    return {};
  }
}

function nameMark(connectionId: string, nameId: string): string {
  return secretHash(`name:${connectionId}:${nameId}`);
}

function hintContext(connectionId: string): string {
  return `federated_session:${connectionId}`;
}
