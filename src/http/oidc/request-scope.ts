import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '#platform/database/database.ts';
import type { Param, Place } from '#platform/database/sql.ts';
import type { Federation } from '#identity/federation/standing.ts';
import type { Person } from '#identity/users/person.ts';
import { mergedGrant } from './merged-grant.ts';

/** Somebody else spent the code, token or request a moment earlier. Nothing of this request is kept. */
export class SpentMeanwhile extends Error {
  override readonly name = 'SpentMeanwhile';
  /** What was spent twice, as far as it came from a grant. */
  readonly spent: readonly { kind: string; grantId: string }[];

  constructor(spent: readonly { kind: string; grantId: string }[]) {
    super('It was used by another request at the same time.');
    this.spent = spent;
  }
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
  /** The payload as it is written. */
  json: string;
  /** What it stands on where a company's provider vouched for the person: JSON, or null. */
  federation: string | null;
  expires_at: Date;
}

export interface GrantRow {
  id: string;
  user_id: string | null;
  client_id: string | null;
  payload: object;
  json: string;
  expires_at: Date;
}

export interface SessionRow {
  uid: string;
  /** Whether it was read before: then it is changed where it still is, never made again. */
  known: boolean;
  id_hash: string;
  user_id: string | null;
  json: string;
  /** What changed since it was read: two tabs may each add an application at once. */
  authorizations_set: object;
  authorizations_unset: string[];
  federation: string | null;
  login_at: Date | null;
  ip: string | null;
  user_agent: string | null;
  seen_at: Date;
  expires_at: Date;
}

/** Columns and their types, in the order in which they are written. */
type Columns<Row> = readonly (readonly [name: string, type: string, value: (row: Row) => Param])[];

const artifactColumns: Columns<ArtifactRow> = [
  ['id', 'text', (row) => row.id],
  ['model', 'text', (row) => row.model],
  ['grant_id', 'text', (row) => row.grant_id],
  ['session_uid', 'text', (row) => row.session_uid],
  ['user_id', 'uuid', (row) => row.user_id],
  ['client_id', 'text', (row) => row.client_id],
  ['user_code', 'text', (row) => row.user_code],
  ['payload', 'jsonb', (row) => row.json],
  ['federation', 'jsonb', (row) => row.federation],
  ['expires_at', 'timestamptz', (row) => row.expires_at],
];

const grantColumns: Columns<GrantRow> = [
  ['id', 'text', (row) => row.id],
  ['user_id', 'uuid', (row) => row.user_id],
  ['client_id', 'text', (row) => row.client_id],
  ['payload', 'jsonb', (row) => row.json],
  ['expires_at', 'timestamptz', (row) => row.expires_at],
];

const sessionColumns: Columns<SessionRow> = [
  ['uid', 'text', (row) => row.uid],
  ['id_hash', 'text', (row) => row.id_hash],
  ['user_id', 'uuid', (row) => row.user_id],
  ['payload', 'jsonb', (row) => row.json],
  ['authorizations_set', 'jsonb', (row) => JSON.stringify(row.authorizations_set)],
  ['authorizations_unset', 'text[]', (row) => row.authorizations_unset],
  ['federation', 'jsonb', (row) => row.federation],
  ['login_at', 'timestamptz', (row) => row.login_at],
  ['ip', 'text', (row) => row.ip],
  ['user_agent', 'text', (row) => row.user_agent],
  ['seen_at', 'timestamptz', (row) => row.seen_at],
  ['expires_at', 'timestamptz', (row) => row.expires_at],
];

const names = (columns: Columns<never>): string => columns.map(([name]) => name).join(', ');

/** Saves artifacts, and again where they are known. */
const saveArtifacts = `insert into oidc_artifacts (${names(artifactColumns)})`;
const savedAgain = `
  on conflict (id) do update set
    grant_id = excluded.grant_id, session_uid = excluded.session_uid,
    user_id = excluded.user_id, payload = excluded.payload, expires_at = excluded.expires_at`;

const narrowTexts = new Map<string, string>();

/**
 * Saves so many artifacts where the one before them is not spent yet, or the session is there: a row
 * comes back for each, and none where it is not so.
 */
function narrowText(
  artifacts: number,
  condition: 'spent' | 'standing' | '',
  areNew: boolean,
): string {
  const key = `${condition}${artifacts}${areNew}`;
  let text = narrowTexts.get(key);
  if (text === undefined) {
    const width = artifactColumns.length;
    const after = artifacts * width;
    const rows = Array.from({ length: artifacts }, (_, row) =>
      artifactColumns.map(([, type], column) => `$${row * width + column + 1}::${type}`).join(', '),
    );
    const conditions = {
      '': '',
      spent: `with one as (
        update oidc_artifacts set consumed_at = $${after + 2}::timestamptz
        where id = $${after + 1} and consumed_at is null returning 1)`,
      standing: `with one as (
        select 1 from oidc_sessions where uid = $${after + 1} for key share)`,
    };
    const from = condition === '' ? '' : ' from one';
    const values =
      artifacts === 1
        ? `select ${rows[0]}${from}`
        : `select r.* from (values (${rows.join('), (')})) as r${condition === '' ? '' : ', one'}`;
    text = `${conditions[condition]} ${saveArtifacts} ${values} ${areNew ? '' : savedAgain} returning 1`;
    narrowTexts.set(key, text);
  }
  return text;
}

/** Made by one request for the next: lost in a crash, the person or the device begins again. */
const fleeting = new Set(['AuthorizationCode', 'Interaction', 'PushedAuthorizationRequest']);

/** What a person showed in the request itself, as parts of the statement that writes what it gave. */
export interface Proof {
  /** A statement that gives a row where the person is as they were when it was decided. */
  stands(place: Place, now: Date): string;
  /** What else is written, under the condition `given`. */
  parts(place: Place, given: string): string[];
}

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
  /** What the code or token that is being redeemed stands on; undefined where none is. */
  redeemed: Federation | null | undefined;

  /** The grant of a session that begins with this request. */
  #begun: string | undefined;
  /** What was there before this request. */
  readonly #found = new Set<string>();
  /** Made when something is to be written: most requests only read. */
  #writes: Writes | undefined;

  readonly request: ScopedRequest;
  readonly #proof: Proof | undefined;

  /** @param proof what a person showed in this very request: it is written with what comes of it. */
  constructor(request: ScopedRequest, proof?: Proof) {
    this.request = request;
    this.#proof = proof;
  }

  #waiting(): Writes {
    return (this.#writes ??= new Writes());
  }

  #grantOf(id: string): { kind: string; grantId: string }[] {
    const { kind, grantId } = (this.artifacts.get(id) ?? {}) as { kind?: string; grantId?: string };
    return kind !== undefined && grantId !== undefined ? [{ kind, grantId }] : [];
  }

  /** A session that begins with this request has no grants yet: nothing is to be looked for. */
  beginsWith(sessionUid: string, grantId: string): void {
    for (const { uid } of this.sessions.values()) if (uid === sessionUid) return;
    if (this.grants.has(grantId)) return;
    this.grants.set(grantId, null);
    this.#begun = grantId;
  }

  /** Whether nobody can have made these artifacts before: then nothing is said of what is there. */
  #areNew({ savedArtifacts }: Writes): boolean {
    for (const { id, model } of savedArtifacts.values())
      if (!madeOnce.has(model) || this.#found.has(id)) return false;
    return true;
  }

  /** An artifact that was read. */
  found(id: string, payload: object): void {
    this.artifacts.set(id, payload);
    this.#found.add(id);
  }

  consume(id: string): void {
    this.#waiting().consumed.add(id);
  }

  /**
   * Destroys the outcome of a sign-in, which has to be there still: where it is gone, nothing of this
   * request is kept. Who proves in this request who they are stands on that, and on no outcome.
   */
  take(id: string): void {
    if (this.#proof) return this.destroy(id);
    this.artifacts.delete(id);
    this.#waiting().taken.add(id);
  }

  save(row: ArtifactRow): void {
    this.#waiting().destroyed.delete(row.id);
    this.#waiting().savedArtifacts.set(row.id, row);
    this.artifacts.set(row.id, row.payload);
  }

  destroy(id: string): void {
    this.#waiting().savedArtifacts.delete(id);
    this.artifacts.delete(id);
    this.#waiting().destroyed.add(id);
  }

  saveGrant(row: GrantRow): void {
    this.#waiting().destroyedGrants.delete(row.id);
    this.#waiting().savedGrants.set(row.id, row);
    this.grants.set(row.id, row.payload);
  }

  destroyGrant(id: string): void {
    this.#waiting().savedGrants.delete(id);
    this.grants.set(id, null);
    this.#waiting().destroyedGrants.add(id);
  }

  revokeGrant(id: string): void {
    for (const [key, row] of this.#waiting().savedArtifacts)
      if (row.grant_id === id) this.#waiting().savedArtifacts.delete(key);
    this.#waiting().revokedGrants.add(id);
  }

  saveSession(row: SessionRow): void {
    // A session that changes its cookie is destroyed under the old one and saved under the new one:
    // it is one row, and only its cookie changes.
    for (const hash of this.#waiting().destroyedSessions)
      if (this.sessions.get(hash)?.uid === row.uid) this.#waiting().destroyedSessions.delete(hash);
    this.#waiting().savedSessions.set(row.uid, row);
  }

  destroySession(idHash: string): void {
    for (const [uid, row] of this.#waiting().savedSessions)
      if (row.id_hash === idHash) this.#waiting().savedSessions.delete(uid);
    this.#waiting().destroyedSessions.add(idHash);
  }

  /** The sessions, begun before this request, in which it gives something. */
  #standsOn({ savedArtifacts, savedSessions }: Writes): string[] {
    const known = new Set<string>();
    for (const { model, session_uid: uid, user_id: user } of savedArtifacts.values())
      if (uid !== null && user !== null && givenInSession.has(model))
        if (savedSessions.get(uid)?.known !== false) known.add(uid);
    return [...known];
  }

  /**
   * What nearly every request of an application comes to, as the statement that costs least: artifacts
   * alone, for one that is spent, in one session that has to be there, or for nothing.
   */
  #narrow(
    writes: Writes,
    now: Date,
  ): { text: string; params: Param[]; fleeting: boolean } | undefined {
    const { savedArtifacts, consumed } = writes;
    if (savedArtifacts.size === 0 || !writes.areArtifactsAlone()) return undefined;
    const standing = this.#standsOn(writes);
    if (consumed.size + standing.length > 1) return undefined;
    const params: Param[] = [];
    for (const row of savedArtifacts.values())
      for (const [, , value] of artifactColumns) params.push(value(row));
    const [spent] = consumed;
    if (spent !== undefined) params.push(spent, now);
    if (standing.length > 0) params.push(standing[0]!);
    return {
      text: narrowText(
        savedArtifacts.size,
        spent === undefined ? (standing.length > 0 ? 'standing' : '') : 'spent',
        this.#areNew(writes),
      ),
      params,
      fleeting: spent === undefined && writes.areFleeting(),
    };
  }

  /**
   * Writes what waits, in one statement.
   *
   * @throws {SpentMeanwhile} when something to be consumed was consumed already, or what it stands on is
   * gone: a sign-in's outcome, or the session whose person was put out. Nothing is written.
   */
  async flush(database: Database, now: Date): Promise<void> {
    const proof = this.#proof;
    const writes = proof ? this.#waiting() : this.#writes;
    if (!writes) return;
    const narrow = proof ? undefined : this.#narrow(writes, now);
    if (narrow) {
      const [row] = await database.query(narrow.text, narrow.params, {
        fleeting: narrow.fleeting,
      });
      this.#writes = undefined;
      if (!row) throw new SpentMeanwhile([...writes.consumed].flatMap((id) => this.#grantOf(id)));
      return;
    }
    const parts: string[] = [];
    const params: Param[] = [];
    const param: Place = (value) => `$${params.push(value)}`;
    /** Equality where there is one: PostgreSQL plans `any` anew each time. */
    const oneOf = (column: string, values: readonly string[]): string =>
      values.length === 1
        ? `${column} = ${param(values[0]!)}`
        : `${column} = any(${param(values)}::text[])`;
    const rows = <Row>(columns: Columns<Row>, values: Iterable<Row>): string =>
      `(values ${Array.from(
        values,
        (row) =>
          `(${columns.map(([, type, value]) => `${param(value(row))}::${type}`).join(', ')})`,
      ).join(', ')}) as r(${columns.map(([name]) => name).join(', ')})`;

    const consumed = [...writes.consumed];
    const taken = [...writes.taken];
    const standing = this.#standsOn(writes);
    const conditions: string[] = [];
    /** What this request stands on, and how many rows of it there have to be. In this order: see `revokeAccess`. */
    const require = (name: string, statement: string, rows: number): void => {
      parts.push(`${name} as (${statement})`);
      conditions.push(`(select count(*) from ${name}) = ${rows}`);
    };
    if (proof) require('proved', proof.stands(param, now), 1);
    if (consumed.length > 0)
      require('spent', `update oidc_artifacts set consumed_at = ${param(now)}::timestamptz
         where ${oneOf('id', consumed)} and consumed_at is null returning 1`, consumed.length);
    if (taken.length > 0)
      require('taken', `delete from oidc_artifacts where ${oneOf('id', taken)} returning 1`, taken.length);
    if (standing.length > 0)
      require('standing', `select 1 from oidc_sessions where ${oneOf('uid', standing)} for key share`, standing.length);
    const guard = conditions.length > 0 ? ' where exists (select from fresh)' : '';
    if (guard) parts.push(`fresh as (select 1 where ${conditions.join(' and ')})`);
    const and = guard ? ' and exists (select from fresh)' : '';
    const guards = parts.length;
    if (proof) parts.push(...proof.parts(param, 'exists (select from fresh)'));

    if (writes.revokedGrants.size > 0)
      parts.push(
        `revoked as (delete from oidc_artifacts where ${oneOf('grant_id', [...writes.revokedGrants])}${and})`,
      );
    if (writes.destroyed.size > 0)
      parts.push(
        `gone as (delete from oidc_artifacts where ${oneOf('id', [...writes.destroyed])}${and})`,
      );
    if (writes.destroyedGrants.size > 0)
      parts.push(
        `gone_grants as (delete from oidc_grants where ${oneOf('id', [...writes.destroyedGrants])}${and})`,
      );
    if (writes.destroyedSessions.size > 0)
      parts.push(
        `gone_sessions as (delete from oidc_sessions where ${oneOf('id_hash', [...writes.destroyedSessions])}${and})`,
      );
    if (writes.savedGrants.size > 0)
      parts.push(`grants as (
        insert into oidc_grants as g (id, user_id, client_id, payload, expires_at)
        select * from ${rows(grantColumns, writes.savedGrants.values())}${guard}
        ${
          this.#begun !== undefined &&
          writes.savedGrants.size === 1 &&
          writes.savedGrants.has(this.#begun)
            ? ''
            : `on conflict (id) do update set
          payload = ${mergedGrant(param(now))}, expires_at = excluded.expires_at`
        })`);
    if (writes.savedArtifacts.size > 0)
      parts.push(`artifacts as (
        ${saveArtifacts}
        select * from ${rows(artifactColumns, writes.savedArtifacts.values())}${guard}
        ${this.#areNew(writes) ? '' : savedAgain})`);
    const sessions = [...writes.savedSessions.values()];
    const begun = sessions.filter(({ known }) => !known);
    const changed = sessions.filter(({ known }) => known);
    if (begun.length > 0)
      parts.push(`begun as (
        insert into oidc_sessions
          (uid, id_hash, user_id, payload, authorizations, federation, login_at, ip, user_agent,
           created_at, seen_at, expires_at)
        select uid, id_hash, user_id, payload, authorizations_set, federation, login_at, ip,
               user_agent, seen_at, seen_at, expires_at
        from ${rows(sessionColumns, begun)}${guard})`);
    if (changed.length > 0)
      parts.push(`changed as (
        update oidc_sessions s set
          id_hash = r.id_hash, user_id = r.user_id, payload = r.payload,
          authorizations = (s.authorizations - r.authorizations_unset) || r.authorizations_set,
          federation = r.federation, login_at = r.login_at, ip = r.ip, user_agent = r.user_agent, seen_at = r.seen_at,
          expires_at = r.expires_at
        from ${rows(sessionColumns, changed)}
        where s.uid = r.uid${and})`);

    if (parts.length === 0) return;
    const fleetingAlone =
      !proof &&
      parts.length === guards + 1 &&
      consumed.length + taken.length === 0 &&
      writes.areFleeting();
    const [row] = await database.query<{ fresh: boolean }>(
      `with ${parts.join(',\n')}\nselect ${guard ? 'exists (select from fresh)' : 'true'} as fresh`,
      params,
      { fleeting: fleetingAlone },
    );
    this.#writes = undefined;
    if (!row!.fresh) throw new SpentMeanwhile(consumed.flatMap((id) => this.#grantOf(id)));
  }
}

/** What is saved under a name made by chance, and again only by who has read it. */
const madeOnce = new Set([
  'AccessToken',
  'AuthorizationCode',
  'ClientCredentials',
  'Interaction',
  'PushedAuthorizationRequest',
  'RefreshToken',
]);

/** What is given to an application in a session. */
const givenInSession = new Set(['AuthorizationCode', 'DeviceCode']);

/** What waits to be written. */
class Writes {
  readonly consumed = new Set<string>();
  readonly taken = new Set<string>();
  readonly savedArtifacts = new Map<string, ArtifactRow>();
  readonly savedGrants = new Map<string, GrantRow>();
  readonly savedSessions = new Map<string, SessionRow>();
  readonly destroyed = new Set<string>();
  readonly revokedGrants = new Set<string>();
  readonly destroyedGrants = new Set<string>();
  readonly destroyedSessions = new Set<string>();

  areArtifactsAlone(): boolean {
    return (
      this.taken.size +
        this.savedGrants.size +
        this.savedSessions.size +
        this.destroyed.size +
        this.revokedGrants.size +
        this.destroyedGrants.size +
        this.destroyedSessions.size ===
      0
    );
  }

  /** Whether the artifacts were made just now and nobody relies on them yet. */
  areFleeting(): boolean {
    for (const { model } of this.savedArtifacts.values()) if (!fleeting.has(model)) return false;
    return this.savedArtifacts.size > 0;
  }
}

/** A session as it was read: what a change is measured against. */
export interface LoadedSession {
  uid: string;
  payload: object;
  authorizations: Record<string, object>;
  federation: Federation | null;
  expiresAt: Date;
}

export const requestScopes = new AsyncLocalStorage<RequestScope>();
