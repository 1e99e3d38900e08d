import type { AdapterPayload } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { federationStands } from '#identity/federation/standing.ts';
import { personJson, type Person } from '#identity/users/person.ts';
import { keyOf } from './stored-key.ts';

const plainToken = `
  select t.payload as token, g.payload as "grant",
    coalesce(s.expires_at > $2
      and (s.payload -> 'exp')::float8 > extract(epoch from $2::timestamptz)
      and s.payload ->> 'accountId' = t.payload ->> 'accountId'
      and s.authorizations -> (t.payload ->> 'clientId') ->> 'grantId' = t.grant_id, false)
      as "ofSession",
    ${personJson('t.user_id', '$2::timestamptz')} as person
  from oidc_artifacts t
  join oidc_grants g on g.id = t.grant_id
  left join oidc_sessions s on s.uid = t.session_uid
  where t.id = $1 and t.consumed_at is null
    and ${federationStands('t.federation', 't.user_id', '$2')}`;

/** An access token as `plain-tokens.ts` needs it, with what it stands on. */
export interface FoundToken {
  token: AdapterPayload;
  grant: AdapterPayload;
  /** Whether its session is alive and knows its grant. */
  ofSession: boolean;
  person: Person | null;
}

/**
 * Where access tokens are found without the engine: what it would make of four payloads is decided
 * where they are, and only what is told of the token travels.
 */
export function accessTokens(
  database: Database,
  clock: Clock,
): (value: string) => Promise<FoundToken | undefined> {
  return async (value) => {
    const now = clock();
    const [row] = await database.query<FoundToken>(plainToken, [keyOf('AccessToken', value), now]);
    return row;
  };
}
