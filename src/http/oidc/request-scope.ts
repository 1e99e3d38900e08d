import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '#platform/database/database.ts';
import type { Param } from '#platform/database/sql.ts';
import type { Person } from '#identity/users/person.ts';

/** Somebody else spent the code, token or request a moment earlier. Nothing of this request is kept. */
export class SpentMeanwhile extends Error {
  override readonly name = 'SpentMeanwhile';
}

export interface ArtifactRow {
  id: string;
  model: string;
  grant_id: string | null;
  session_uid: string | null;
  user_id: string | null;
  client_id: string | null;
  user_code: string | null;
  payload: object;
  expires_at: Date;
}

export interface GrantRow {
  id: string;
  user_id: string | null;
  client_id: string | null;
  payload: object;
  expires_at: Date;
}

export interface SessionRow {
  uid: string;
  /** Whether it was read before: then it is changed where it still is, never made again. */
  known: boolean;
  id_hash: string;
  user_id: string | null;
  payload: object;
  /** What changed since it was read: two tabs may each add an application at once. */
  authorizations_set: object;
  authorizations_unset: string[];
  login_at: Date | null;
  ip: string | null;
  user_agent: string | null;
  seen_at: Date;
  expires_at: Date;
}

const sessionRecord = `r(uid text, id_hash text, user_id uuid, payload jsonb,
  authorizations_set jsonb, authorizations_unset jsonb, login_at timestamptz, ip text,
  user_agent text, seen_at timestamptz, expires_at timestamptz)`;

/** What of the HTTP request the engine's tables care for. */
export interface ScopedRequest {
  ip: string | null;
  userAgent: string | null;
  /** The application an authorization request names, whose grant is read along with the session. */
  clientId: string | null;
}

/**
 * What one HTTP request reads from the engine's tables and what it wants written there.
 *
 * Reads come with what the engine will ask for next (the grant, the session and the person of a
 * token), so its next `find` costs nothing. Writes wait until the engine is done and then leave in
 * **one statement**, before the response does: so a code is spent and its tokens are made, or
 * neither; and where two requests spend the same code, one finds it spent and writes nothing
 * (performance.md section 2; oidc.md A1).
 */
export class RequestScope {
  readonly grants = new Map<string, object | null>();
  readonly sessions = new Map<string, LoadedSession>();
  readonly people = new Map<string, Person | null>();
  readonly artifacts = new Map<string, object>();

  readonly #consumed = new Set<string>();
  readonly #savedArtifacts = new Map<string, ArtifactRow>();
  readonly #savedGrants = new Map<string, GrantRow>();
  readonly #savedSessions = new Map<string, SessionRow>();
  readonly #destroyed = new Set<string>();
  readonly #revokedGrants = new Set<string>();
  readonly #destroyedGrants = new Set<string>();
  readonly #destroyedSessions = new Set<string>();

  readonly request: ScopedRequest;

  constructor(request: ScopedRequest) {
    this.request = request;
  }

  consume(id: string): void {
    this.#consumed.add(id);
  }

  save(row: ArtifactRow): void {
    this.#destroyed.delete(row.id);
    this.#savedArtifacts.set(row.id, row);
    this.artifacts.set(row.id, row.payload);
  }

  destroy(id: string): void {
    this.#savedArtifacts.delete(id);
    this.artifacts.delete(id);
    this.#destroyed.add(id);
  }

  saveGrant(row: GrantRow): void {
    this.#destroyedGrants.delete(row.id);
    this.#savedGrants.set(row.id, row);
    this.grants.set(row.id, row.payload);
  }

  destroyGrant(id: string): void {
    this.#savedGrants.delete(id);
    this.grants.set(id, null);
    this.#destroyedGrants.add(id);
  }

  revokeGrant(id: string): void {
    for (const [key, row] of this.#savedArtifacts)
      if (row.grant_id === id) this.#savedArtifacts.delete(key);
    this.#revokedGrants.add(id);
  }

  saveSession(row: SessionRow): void {
    // A session that changes its cookie is destroyed under the old one and saved under the new one:
    // it is one row, and only its cookie changes.
    for (const hash of this.#destroyedSessions)
      if (this.sessions.get(hash)?.uid === row.uid) this.#destroyedSessions.delete(hash);
    this.#savedSessions.set(row.uid, row);
  }

  destroySession(idHash: string): void {
    for (const [uid, row] of this.#savedSessions)
      if (row.id_hash === idHash) this.#savedSessions.delete(uid);
    this.#destroyedSessions.add(idHash);
  }

  /**
   * Writes what waits, in one statement.
   *
   * @throws {SpentMeanwhile} when something to be consumed was consumed already; nothing is written.
   */
  async flush(database: Database, now: Date): Promise<void> {
    const parts: string[] = [];
    const params: Param[] = [];
    const param = (value: Param): string => `$${params.push(value)}`;
    const rows = (value: readonly object[]): string => `${param(JSON.stringify(value))}::jsonb`;

    const consumed = [...this.#consumed];
    let guard = '';
    if (consumed.length > 0) {
      const ids = param(consumed);
      const at = param(now);
      parts.push(
        `spent as (
          update oidc_artifacts set consumed_at = ${at}::timestamptz
          where id = any(${ids}::text[]) and consumed_at is null returning 1)`,
        `fresh as (select 1 where (select count(*) from spent) = cardinality(${ids}::text[]))`,
      );
      guard = ' where exists (select from fresh)';
    }
    const and = guard ? ' and exists (select from fresh)' : '';

    if (this.#revokedGrants.size > 0)
      parts.push(
        `revoked as (delete from oidc_artifacts where grant_id = any(${param([...this.#revokedGrants])}::text[])${and})`,
      );
    if (this.#destroyed.size > 0)
      parts.push(
        `gone as (delete from oidc_artifacts where id = any(${param([...this.#destroyed])}::text[])${and})`,
      );
    if (this.#destroyedGrants.size > 0)
      parts.push(
        `gone_grants as (delete from oidc_grants where id = any(${param([...this.#destroyedGrants])}::text[])${and})`,
      );
    if (this.#destroyedSessions.size > 0)
      parts.push(
        `gone_sessions as (delete from oidc_sessions where id_hash = any(${param([...this.#destroyedSessions])}::text[])${and})`,
      );
    if (this.#savedGrants.size > 0)
      parts.push(`grants as (
        insert into oidc_grants (id, user_id, client_id, payload, expires_at)
        select id, user_id, client_id, payload, expires_at
        from jsonb_to_recordset(${rows([...this.#savedGrants.values()])})
          as r(id text, user_id uuid, client_id text, payload jsonb, expires_at timestamptz)${guard}
        on conflict (id) do update set payload = excluded.payload, expires_at = excluded.expires_at)`);
    if (this.#savedArtifacts.size > 0)
      parts.push(`artifacts as (
        insert into oidc_artifacts
          (id, model, grant_id, session_uid, user_id, client_id, user_code, payload, expires_at)
        select id, model, grant_id, session_uid, user_id, client_id, user_code, payload, expires_at
        from jsonb_to_recordset(${rows([...this.#savedArtifacts.values()])})
          as r(id text, model text, grant_id text, session_uid text, user_id uuid, client_id text,
               user_code text, payload jsonb, expires_at timestamptz)${guard}
        on conflict (id) do update set
          grant_id = excluded.grant_id, session_uid = excluded.session_uid,
          user_id = excluded.user_id, payload = excluded.payload, expires_at = excluded.expires_at)`);
    const sessions = [...this.#savedSessions.values()];
    const begun = sessions.filter(({ known }) => !known);
    const changed = sessions.filter(({ known }) => known);
    if (begun.length > 0)
      parts.push(`begun as (
        insert into oidc_sessions
          (uid, id_hash, user_id, payload, authorizations, login_at, ip, user_agent, created_at,
           seen_at, expires_at)
        select uid, id_hash, user_id, payload, authorizations_set, login_at, ip, user_agent,
               seen_at, seen_at, expires_at
        from jsonb_to_recordset(${rows(begun)}) as ${sessionRecord}${guard})`);
    if (changed.length > 0)
      parts.push(`changed as (
        update oidc_sessions s set
          id_hash = r.id_hash, user_id = r.user_id, payload = r.payload,
          authorizations = (s.authorizations - array(
            select jsonb_array_elements_text(r.authorizations_unset))) || r.authorizations_set,
          login_at = r.login_at, ip = r.ip, user_agent = r.user_agent, seen_at = r.seen_at,
          expires_at = r.expires_at
        from jsonb_to_recordset(${rows(changed)}) as ${sessionRecord}
        where s.uid = r.uid${and})`);

    if (parts.length === 0) return;
    const [row] = await database.query<{ fresh: boolean }>(
      `with ${parts.join(',\n')}\nselect ${guard ? 'exists (select from fresh)' : 'true'} as fresh`,
      params,
    );
    this.#clear();
    if (!row!.fresh) throw new SpentMeanwhile('It was used by another request at the same time.');
  }

  #clear(): void {
    for (const writes of [
      this.#consumed,
      this.#savedArtifacts,
      this.#savedGrants,
      this.#savedSessions,
      this.#destroyed,
      this.#revokedGrants,
      this.#destroyedGrants,
      this.#destroyedSessions,
    ])
      writes.clear();
  }
}

/** A session as it was read: what a change is measured against. */
export interface LoadedSession {
  uid: string;
  payload: object;
  authorizations: Record<string, unknown>;
  expiresAt: Date;
}

export const requestScopes = new AsyncLocalStorage<RequestScope>();
