import { hash } from 'node:crypto';
import { errors, Provider, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { federationStands, handedOn, type Federation } from '#identity/federation/standing.ts';
import { personJson, type Person } from '#identity/users/person.ts';
import { RequestScope, requestScopes, type LoadedSession } from './request-scope.ts';

/**
 * Where oidc-provider keeps its sessions, grants, codes and tokens.
 *
 * What a naive adapter lacks, and this one has (oidc.md section 3):
 * - a code or refresh token is consumed once, however many requests try at the same time;
 * - two tabs that sign in to two applications at once both end up in the session;
 * - ids that are bearer secrets are kept as SHA-256 only;
 * - revoking is one statement, and so is everything that one request writes.
 */
export interface AdapterDependencies {
  database: Database;
  clock: Clock;
  /** The metadata of a client as the engine wants it, or undefined. */
  clientMetadata(id: string): Promise<AdapterPayload | undefined>;
}

/** How long the opaque values of a kind are: `find` knows a stranger's by its length. */
export const opaqueLengths: Readonly<Record<string, number>> = {
  AccessToken: 43,
  RefreshToken: 44,
  ClientCredentials: 45,
};

export function adapterFactory(dependencies: AdapterDependencies): (model: string) => Adapter {
  return (model) => {
    switch (model) {
      case 'Client':
        return new ClientAdapter(dependencies);
      case 'Session':
        return new SessionAdapter(dependencies);
      case 'Grant':
        return new GrantAdapter(dependencies);
      case 'ReplayDetection':
        return new ReplayAdapter(dependencies, model);
      case 'DeviceCode':
        return new DeviceCodeAdapter(dependencies, model);
      default:
        return new ArtifactAdapter(dependencies, model);
    }
  };
}

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

/** The key under which a bearer secret is kept. */
export function keyOf(model: string, id: string): string {
  return hash('sha256', `${model}:${id}`, 'base64url');
}

/**
 * The engine looks some rows up by another column and then wants to save them: it gets the hash in
 * place of the secret nobody knows any more, marked so that it cannot be mistaken for one.
 */
const hashed = 'h:';

function rowKey(model: string, id: string): string {
  return id.startsWith(hashed) ? id.slice(hashed.length) : keyOf(model, id);
}

/** Does `act` within the request's scope, or, outside a request, in one of its own that it flushes. */
async function scoped<T>(
  { database, clock }: AdapterDependencies,
  act: (scope: RequestScope) => T | Promise<T>,
): Promise<T> {
  const scope = requestScopes.getStore();
  if (scope) return act(scope);
  const own = new RequestScope({ ip: null, userAgent: null, clientId: null });
  const result = await act(own);
  await own.flush(database, clock());
  return result;
}

/** The payload as JSON. @throws an OAuth error where it holds what PostgreSQL's jsonb cannot. */
function storable(payload: object): string {
  const json = JSON.stringify(payload);
  if (/\\u0000|\\ud[89a-f]/.test(json))
    throw new errors.InvalidRequest('a parameter contains characters that are not allowed');
  return json;
}

abstract class Base implements Adapter {
  protected readonly dependencies: AdapterDependencies;

  constructor(dependencies: AdapterDependencies) {
    this.dependencies = dependencies;
  }

  protected expiry(expiresIn: number): Date {
    return new Date(this.dependencies.clock().getTime() + expiresIn * 1000);
  }

  abstract find(id: string): Promise<AdapterPayload | undefined>;
  abstract upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void>;
  abstract destroy(id: string): Promise<void>;

  findByUid(): Promise<AdapterPayload | undefined> {
    return Promise.resolve(undefined);
  }
  findByUserCode(_userCode: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(undefined);
  }
  consume(_id: string): Promise<void> {
    return Promise.resolve();
  }
  revokeByGrantId(_grantId: string): Promise<void> {
    return Promise.resolve();
  }
}

/** Clients are managed by our own API; the engine only reads them. */
class ClientAdapter extends Base {
  find(id: string): Promise<AdapterPayload | undefined> {
    return this.dependencies.clientMetadata(id);
  }
  upsert(): Promise<void> {
    return Promise.reject(new Error('Clients are managed by the administration API.'));
  }
  destroy(): Promise<void> {
    return Promise.reject(new Error('Clients are managed by the administration API.'));
  }
}

class GrantAdapter extends Base {
  async find(id: string): Promise<AdapterPayload | undefined> {
    return scoped(this.dependencies, async (scope) => {
      let payload = scope.grants.get(id);
      if (payload === undefined) {
        const [row] = await this.dependencies.database.query<{ payload: object }>(
          'select payload from oidc_grants where id = $1',
          [id],
        );
        payload = row?.payload ?? null;
        scope.grants.set(id, payload);
      }
      return payload ? { ...payload, jti: id } : undefined;
    });
  }

  async upsert(
    id: string,
    { jti: _jti, ...payload }: AdapterPayload,
    expiresIn: number,
  ): Promise<void> {
    await scoped(this.dependencies, (scope) =>
      scope.saveGrant({
        id,
        user_id: payload.accountId ?? null,
        client_id: payload.clientId ?? null,
        payload,
        json: storable(payload),
        expires_at: this.expiry(expiresIn),
      }),
    );
  }

  async destroy(id: string): Promise<void> {
    await scoped(this.dependencies, (scope) => scope.destroyGrant(id));
  }
}

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

class SessionAdapter extends Base {
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

function sameButForTime(one: object, other: object): boolean {
  const timeless = (payload: object): [string, unknown][] =>
    Object.entries(payload).filter(
      ([key, value]) => key !== 'iat' && key !== 'exp' && value !== undefined,
    );
  const before = new Map(timeless(one));
  const after = timeless(other);
  return (
    before.size === after.length &&
    after.every(([key, value]) => {
      const was = before.get(key);
      return was === value || JSON.stringify(was) === JSON.stringify(value);
    })
  );
}

/** Whose it is; of an interaction, who has just proved who they are. */
const personOfArtifact = `coalesce(t.user_id, (t.payload #>> '{result,login,accountId}')::uuid)`;
const artifactColumns = `
  t.id, t.payload, t.consumed_at, t.grant_id, t.session_uid, ${personOfArtifact} as person_id,
  g.payload as grant_payload,
  s.uid, s.id_hash, s.payload as session_payload, s.authorizations, s.expires_at as session_expires_at,
  t.federation, s.federation as session_federation,
  ${personJson(personOfArtifact, '$2::timestamptz')} as person`;
const artifactJoins = `
  left join oidc_grants g on g.id = t.grant_id
  left join oidc_sessions s on s.uid = t.session_uid`;

const artifactById = `
  select ${artifactColumns} from oidc_artifacts t ${artifactJoins}
  where t.id = $1 and ${federationStands('t.federation', 't.user_id', '$2')}`;
const artifactByUserCode = `
  select ${artifactColumns} from oidc_artifacts t ${artifactJoins}
  where t.user_code = $1 and ${federationStands('t.federation', 't.user_id', '$2')}`;

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

interface ArtifactRead {
  id: string;
  payload: AdapterPayload;
  consumed_at: Date | null;
  grant_id: string | null;
  grant_payload: object | null;
  session_uid: string | null;
  person_id: string | null;
  uid: string | null;
  id_hash: string | null;
  session_payload: AdapterPayload | null;
  authorizations: SessionRead['authorizations'] | null;
  session_expires_at: Date | null;
  federation: Federation | null;
  session_federation: Federation | null;
  person: Person | null;
}

/** What is redeemed at the token endpoint: what comes of it stands on what it stood on. */
const redeemable = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode']);

/**
 * What the person's proof of this request stands on: null where they proved themselves here, undefined
 * where they did not prove anything now.
 */
function provedNow(): Federation | null | undefined {
  const login = Provider.ctx?.oidc.result?.login as { federation?: Federation } | undefined;
  return login && (login.federation ?? null);
}

class ArtifactAdapter extends Base {
  protected readonly model: string;

  constructor(dependencies: AdapterDependencies, model: string) {
    super(dependencies);
    this.model = model;
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const length = opaqueLengths[this.model];
    if (length !== undefined && id.length !== length) return undefined;
    return this.read(artifactById, keyOf(this.model, id), id);
  }

  protected async read(
    statement: string,
    key: string,
    id?: string,
  ): Promise<AdapterPayload | undefined> {
    return scoped(this.dependencies, async (scope) => {
      const known = scope.artifacts.get(key);
      if (known && id) return { ...known, jti: id };

      const [row] = await this.dependencies.database.query<ArtifactRead>(statement, [
        key,
        this.dependencies.clock(),
      ]);
      if (!row) return undefined;
      if (row.grant_id) scope.grants.set(row.grant_id, row.grant_payload);
      if (row.person_id) scope.people.set(row.person_id, row.person);
      if (row.uid && row.id_hash)
        scope.sessions.set(row.id_hash, {
          uid: row.uid,
          payload: row.session_payload!,
          authorizations: row.authorizations!,
          federation: row.session_federation,
          expiresAt: row.session_expires_at!,
        });
      if (redeemable.has(this.model) && Provider.ctx?.oidc.route === 'token')
        scope.redeemed = row.federation;
      const payload = {
        ...row.payload,
        ...(row.consumed_at && { consumed: Math.floor(row.consumed_at.getTime() / 1000) }),
      };
      scope.artifacts.set(row.id, payload);
      return { ...payload, jti: id ?? hashed + row.id };
    });
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    // What a person types is a secret too; who asks by it brings it along.
    const { jti: _jti, consumed: _consumed, userCode, ...rest } = payload;
    await scoped(this.dependencies, (scope) => {
      const federation = rest.accountId ? this.#federationOf(scope, rest.sessionUid) : null;
      scope.save({
        federation: federation && JSON.stringify(handedOn(federation)),
        id: rowKey(this.model, id),
        model: this.model,
        grant_id: rest.grantId ?? null,
        session_uid: rest.sessionUid ?? rest.session?.uid ?? null,
        user_id: rest.accountId ?? loggedIn(rest),
        client_id: rest.clientId ?? (rest.params?.client_id as string | undefined) ?? null,
        user_code: userCode ? keyOf('UserCode', userCode) : null,
        payload: rest,
        json: storable(rest),
        expires_at: this.expiry(expiresIn),
      });
    });
  }

  /** A code stands on what the session stands on; a token on what it was redeemed for. */
  #federationOf(scope: RequestScope, sessionUid: string | undefined): Federation | null {
    const proved = provedNow();
    if (proved !== undefined) return proved;
    if (scope.redeemed !== undefined) return scope.redeemed;
    const session = [...scope.sessions.values()].find(({ uid }) => uid === sessionUid);
    return session?.federation ?? null;
  }

  override async consume(id: string): Promise<void> {
    await scoped(this.dependencies, (scope) => scope.consume(rowKey(this.model, id)));
  }

  async destroy(id: string): Promise<void> {
    const key = rowKey(this.model, id);
    // The outcome of a sign-in is good once, and not after its person was put out.
    await scoped(this.dependencies, (scope) =>
      this.model === 'Interaction' ? scope.take(key) : scope.destroy(key),
    );
  }

  override async revokeByGrantId(grantId: string): Promise<void> {
    await scoped(this.dependencies, (scope) => scope.revokeGrant(grantId));
  }
}

/** Who signed in, of an interaction that says so. */
function loggedIn({ result }: AdapterPayload): string | null {
  const { accountId } = (result as { login?: { accountId?: string } } | undefined)?.login ?? {};
  return accountId ?? null;
}

/** Seconds a device waits between two questions (RFC 8628, section 3.2). */
export const pollInterval = 5;

class DeviceCodeAdapter extends ArtifactAdapter {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const polled = Provider.ctx?.oidc.route === 'token';
    // The code comes back by its hash when the person who typed the user code has signed in. A device
    // has to bring the code itself: who reads hashes in the database must not get in with them.
    if (id.startsWith(hashed) && !polled)
      return this.read(artifactById, id.slice(hashed.length), id);
    const code = await super.find(id);
    if (polled && code) await this.#pace(id, code);
    return code;
  }

  override async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const code = await this.read(artifactByUserCode, keyOf('UserCode', userCode));
    return code && { ...code, userCode };
  }

  /** A device that asks too often is told so, for as long as nobody has decided. */
  async #pace(id: string, { clientId, accountId, error, polledAt }: AdapterPayload): Promise<void> {
    if (accountId || error || Provider.ctx?.oidc.client?.clientId !== clientId) return;
    const { database, clock } = this.dependencies;
    const now = clock().getTime();
    await database.query(
      `update oidc_artifacts set payload = jsonb_set(payload, '{polledAt}', to_jsonb($2::int8))
       where id = $1`,
      [keyOf(this.model, id), now],
    );
    if (typeof polledAt === 'number' && now - polledAt < pollInterval * 1000)
      throw new errors.SlowDown();
  }
}

/**
 * Proofs and assertions that may be used once. The engine asks `find` and then saves: two requests
 * could both find nothing. So `find` is the one that claims: it inserts, and who finds the row there
 * already was second (oidc.md A6).
 */
class ReplayAdapter extends ArtifactAdapter {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const { database, clock } = this.dependencies;
    const now = clock();
    const rows = await database.query(
      `insert into oidc_artifacts as t (id, model, payload, expires_at)
       values ($1, 'ReplayDetection', '{}', $2)
       on conflict (id) do update set expires_at = excluded.expires_at where t.expires_at < $3
       returning 1`,
      [keyOf(this.model, id), new Date(now.getTime() + 10 * 60_000), now],
    );
    if (rows.length > 0) return undefined;
    return { jti: id, kind: 'ReplayDetection', exp: Math.floor(now.getTime() / 1000) + 600 };
  }
}
