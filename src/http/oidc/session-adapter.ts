import type { AdapterPayload } from 'oidc-provider';
import { federationStands, type Federation } from '#identity/federation/standing.ts';
import { personJson, type Person } from '#identity/users/person.ts';
import { Base, scoped, storable } from './adapter-base.ts';
import { provedNow } from './proved-now.ts';
import type { LoadedSession, RequestScope } from './request-scope.ts';
import { hashed, keyOf, rowKey } from './stored-key.ts';

const sessionColumns = `
  s.uid, s.id_hash, s.payload, s.authorizations, s.federation, s.user_id, s.expires_at,
  ${personJson('s.user_id', '$2::timestamptz')} as person`;

const sessionById = `
  select ${sessionColumns}, g.id as grant_id, g.payload as grant_payload
  from oidc_sessions s
  left join oidc_grants g on g.id = s.authorizations -> $3 ->> 'grantId'
  where s.id_hash = $1 and s.expires_at > $2
    and ${federationStands('s.federation', 's.user_id', '$2')}`;

const sessionByUid = `
  select ${sessionColumns} from oidc_sessions s
  where s.uid = $1 and ${federationStands('s.federation', 's.user_id', '$2')}`;

export interface SessionRead {
  uid: string;
  id_hash: string;
  payload: AdapterPayload;
  authorizations: Record<string, { sid?: string; grantId?: string; persistsLogout?: boolean }>;
  federation: Federation | null;
  user_id: string | null;
  expires_at: Date;
  person: Person | null;
  grant_id?: string | null;
  grant_payload?: object | null;
}

export class SessionAdapter extends Base {
  async find(id: string): Promise<AdapterPayload | undefined> {
    return scoped(this.dependencies, async (scope) => {
      const [row] = await this.dependencies.database.query<SessionRead>(sessionById, [
        keyOf('Session', id),
        this.dependencies.clock(),
        scope.request.clientId ?? '',
      ]);
      if (!row) return undefined;
      if (row.grant_id) scope.grants.set(row.grant_id, row.grant_payload ?? null);
      return rememberSession(scope, row, id);
    });
  }

  override async findByUid(uid?: string): Promise<AdapterPayload | undefined> {
    return scoped(this.dependencies, async (scope) => {
      for (const [idHash, session] of scope.sessions)
        if (session.uid === uid)
          return sessionPayload(session.payload, session.authorizations, hashed + idHash);
      const [row] = await this.dependencies.database.query<SessionRead>(sessionByUid, [
        uid ?? '',
        this.dependencies.clock(),
      ]);
      return row && rememberSession(scope, row, hashed + row.id_hash);
    });
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    await scoped(this.dependencies, (scope) => {
      const { jti: _jti, authorizations = {}, ...rest } = payload;
      const idHash = rowKey('Session', id);
      const loaded = [...scope.sessions.values()].find(({ uid }) => uid === rest.uid);
      const before = loaded?.authorizations ?? {};
      const expiresAt = this.expiry(expiresIn);
      const proved = provedNow();
      const federation = proved === undefined ? (loaded?.federation ?? null) : proved;
      if (
        loaded &&
        scope.sessions.has(idHash) &&
        sameButForTime(loaded.payload, rest) &&
        JSON.stringify(before) === JSON.stringify(authorizations) &&
        expiresAt.getTime() - loaded.expiresAt.getTime() < expiresIn * 100
      )
        return;
      scope.saveSession({
        uid: rest.uid!,
        known: loaded !== undefined,
        id_hash: idHash,
        user_id: rest.accountId ?? null,
        json: storable(rest),
        authorizations_set: Object.fromEntries(
          Object.entries(authorizations).filter(
            ([clientId, value]) => JSON.stringify(value) !== JSON.stringify(before[clientId]),
          ),
        ),
        authorizations_unset: Object.keys(before).filter(
          (clientId) => !(clientId in authorizations),
        ),
        federation: federation && JSON.stringify(federation),
        login_at: rest.loginTs ? new Date(rest.loginTs * 1000) : null,
        ip: scope.request.ip,
        user_agent: scope.request.userAgent,
        seen_at: this.dependencies.clock(),
        expires_at: expiresAt,
      });
    });
  }

  async destroy(id: string): Promise<void> {
    await scoped(this.dependencies, (scope) => scope.destroySession(rowKey('Session', id)));
  }
}

function rememberSession(scope: RequestScope, row: SessionRead, jti: string): AdapterPayload {
  scope.sessions.set(row.id_hash, {
    uid: row.uid,
    payload: row.payload,
    authorizations: row.authorizations,
    federation: row.federation,
    expiresAt: row.expires_at,
  });
  if (row.user_id) scope.people.set(row.user_id, row.person);
  return sessionPayload(row.payload, row.authorizations, jti);
}

/** A copy of its own for the engine, which changes what it is given. */
function sessionPayload(
  payload: object,
  authorizations: LoadedSession['authorizations'],
  jti: string,
): AdapterPayload {
  const copy: AdapterPayload = { ...payload, jti };
  const clients = Object.entries(authorizations);
  if (clients.length > 0)
    copy.authorizations = Object.fromEntries(
      clients.map(([client, authorization]) => [client, { ...authorization }]),
    );
  return copy;
}

/** Times aside, and what is undefined: JSON leaves that out. */
function sameButForTime(one: object, other: object): boolean {
  const before = one as Record<string, unknown>;
  const after = other as Record<string, unknown>;
  for (const key of Object.keys(before))
    if (!isTime(key) && before[key] !== undefined && after[key] === undefined) return false;
  for (const key of Object.keys(after)) {
    const was = before[key];
    const is = after[key];
    if (isTime(key) || is === was || is === undefined) continue;
    if (JSON.stringify(was) !== JSON.stringify(is)) return false;
  }
  return true;
}

function isTime(key: string): boolean {
  return key === 'iat' || key === 'exp';
}
