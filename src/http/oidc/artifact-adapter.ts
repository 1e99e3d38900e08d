import { errors, Provider, type AdapterPayload } from 'oidc-provider';
import { soughtFor } from '#identity/federation/home-realm.ts';
import { federationStands, handedOn, type Federation } from '#identity/federation/standing.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { personJson, type Person } from '#identity/users/person.ts';
import { Base, scoped, storable, type AdapterDependencies } from './adapter-base.ts';
import { provedNow } from './proved-now.ts';
import type { RequestScope } from './request-scope.ts';
import type { SessionRead } from './session-adapter.ts';
import { hashed, keyOf, opaqueLengths, rowKey } from './stored-key.ts';

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

export class ArtifactAdapter extends Base {
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
      scope.found(row.id, payload);
      return { ...payload, jti: id ?? hashed + row.id };
    });
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    // What a person types is a secret too; who asks by it brings it along.
    const { jti: _jti, consumed: _consumed, userCode, ...rest } = payload;
    // The page of a sign-in finds the company's connection with the sign-in itself.
    const hinted = this.model === 'Interaction' && canonicalEmail(rest.params?.['login_hint']);
    if (hinted) rest['sought'] = soughtFor(hinted);
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

export class DeviceCodeAdapter extends ArtifactAdapter {
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
export class ReplayAdapter extends ArtifactAdapter {
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
