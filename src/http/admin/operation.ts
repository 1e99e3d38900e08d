import type { z } from 'zod';
import type { EgressAllowance } from '#platform/egress.ts';
import type { SamlVerifier } from '#platform/saml/verifier.ts';
import type { Vault } from '#platform/secrets.ts';
import type { Sql } from '#platform/database/sql.ts';
import {
  rights,
  type Asking,
  type Capability,
  type PermittedAccount,
  type Right,
} from '#identity/access/rights.ts';
import type { ApiToken } from '#identity/access/api-token.ts';
import type { Connection } from '#identity/federation/connection.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import type { Pasted, PastedText } from '#identity/federation/simulate.ts';
import type { ProofNetwork } from '#identity/domains/look-for-proof.ts';
import type { Recorder } from '#identity/scim/recorder.ts';
import type { Rehearse } from '#identity/scim/replay.ts';
import type { Refusal, RefusalCode } from '#identity/refusal.ts';
import type { Person } from '#identity/users/person.ts';
import type { Foundation, Work, WorkContext } from '#identity/work.ts';
import type { Cursor } from '../cursor.ts';

export type Method = 'get' | 'post' | 'patch' | 'delete';

/** What operations need beside the transaction. */
export interface Tools {
  vault: Vault;
  egress: EgressAllowance;
  foundation: Foundation;
  /** Where the proofs of domains are looked for. */
  proofs: ProofNetwork;
  /** What directories sent, and how it is asked again. */
  directories: Recorder & { rehearse: Rehearse };
  /** Reads and verifies what SAML providers publish. */
  saml: SamlVerifier;
  /** Connections to companies' own identity providers, as they are set up. */
  federation: {
    /** @throws {Refusal} `provider_unreachable` */
    look(connection: Connection): Promise<void>;
    /** @throws {Refusal} `invalid_value`, which says why what was pasted is not read */
    read(realm: Realm, pasted: PastedText): Promise<Pasted>;
    /** A link for a test sign-in. */
    testLink(connectionId: string): { url: string; expiresAt: Date };
  };
  /** How an address that was erased is known again. */
  addressMark(email: string): string;
  /** What the engine says about the metadata of a client, or null when it would take it. */
  clientProblem(id: string, name: string, metadata: Record<string, unknown>): string | null;
}

type IfIn<Path extends string, Name extends string, Then> = Path extends
  | `${string}:${Name}/${string}`
  | `${string}:${Name}`
  ? Then
  : undefined;

export interface Asked<Path extends string, Query, Body, Prepared> {
  token: ApiToken;
  asking: Asking;
  /** What stands in the path, decoded. */
  params: Record<string, string>;
  query: Query;
  body: Body;
  /** The account in the path, which the caller may do this in. */
  account: IfIn<Path, 'accountId', PermittedAccount>;
  /** The person in the path, whom the caller may do this to. */
  person: IfIn<Path, 'userId', Person>;
  cursor: Cursor;
  tools: Tools;
  prepared: Prepared;
}

/** What is known before the transaction. */
export interface Preparing<Query, Body> {
  asking: Asking;
  context: WorkContext;
  params: Record<string, string>;
  query: Query;
  body: Body;
  tools: Tools;
}

/**
 * One thing the API does: its address, who may, what goes in, what comes out, what can go wrong, and
 * the code. The route, the check, the document and its page are all made from this.
 *
 * An `:accountId` in the path is checked against the token, a `:userId` against the account and the
 * rank of the person, both inside the transaction and before `handle`, so neither can be forgotten.
 */
export interface Operation<
  Path extends string = string,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Prepared = unknown,
> {
  /** Its name in the document: `lockUser`. */
  id: string;
  tag: string;
  method: Method;
  path: Path;
  summary: string;
  /** What else there is to know. */
  description?: string;
  right: Capability;
  /** Whom a `:userId` names: somebody in the account, one who left it, or for `handle` to judge. */
  whom?: 'member' | 'former' | 'unchecked';
  query?: Query;
  body?: Body;
  /** The body is a file of one of these types, taken as text: at most so many bytes. Else it is JSON. */
  file?: { types: readonly string[]; limit: number };
  /** A body that shows what one is like. */
  example?: unknown;
  /** Null where there is nothing to say. */
  result: Result | null;
  /** What it answers with; `created` may say that it was not, as a dry run does. */
  status?: 200 | 201 | 202 | 204;
  refusals?: readonly RefusalCode[];
  /** What every process has to hear once it is committed. */
  afterwards?: 'clients_changed' | 'keys_changed';
  /**
   * What takes its time and must not hold a transaction, done before it. Nobody has been asked yet
   * whether the caller may do this here: whoever looks at an account asks that first.
   */
  prepare?(asked: Preparing<z.output<Query>, z.output<Body>>): Promise<Prepared>;
  /** It was refused, and nothing was kept: what is to be counted all the same. */
  refused?(refusal: Refusal, asked: Preparing<z.output<Query>, z.output<Body>>): Promise<void>;
  handle(
    work: Work,
    asked: Asked<Path, z.output<Query>, z.output<Body>, Prepared>,
  ): Promise<Handled<Result>>;
}

type Handled<Result extends z.ZodType> = z.output<Result> | void;

/** A file that is written while it is read: no transaction, a page at a time. */
export interface Download {
  id: string;
  tag: string;
  path: string;
  summary: string;
  right: Capability;
  fileName: string;
  refusals?: readonly RefusalCode[];
  /** `text/csv`, unless it says otherwise. */
  mediaType?: string;
  query?: z.ZodType;
  /** What is written down before the first row leaves. */
  begun?(work: Work, asked: AskedFile): Promise<void> | void;
  rows(sql: Sql, asked: AskedFile): AsyncIterable<string>;
}

/** What is known of a request for a file. An account in the path is one that the caller may see. */
export interface AskedFile {
  asking: Asking;
  accountId: string | null;
  /** What stands in the path, decoded. */
  params: Record<string, string>;
  query: Record<string, unknown>;
  tools: Tools;
}

export type AnyOperation = Operation<string, z.ZodType, z.ZodType, z.ZodType, never>;

export function operation<
  const Path extends string,
  Result extends z.ZodType,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Prepared = undefined,
>(definition: Operation<Path, Query, Body, Result, Prepared>): AnyOperation {
  return definition as unknown as AnyOperation;
}

/** The refusals of an operation or a file: its own, and what its path, its right and its query bring. */
export function refusalsOf({
  path,
  right,
  refusals = [],
  whom,
  query,
  method = 'get',
}: Pick<AnyOperation, 'path' | 'right' | 'refusals' | 'whom' | 'query'> & {
  method?: Method;
}): RefusalCode[] {
  const { roles, onHold, person, members }: Right = rights[right];
  const operatorsAlone = roles.every((role) => role === 'operator');
  const codes: RefusalCode[] = ['permission_denied', 'invalid_value', 'rate_limited'];
  if (path.includes(':accountId')) codes.push('account_not_found');
  if (path.includes(':accountId') && !onHold && !operatorsAlone) codes.push('account_on_hold');
  if (path.includes(':userId')) codes.push('user_not_found');
  if (path.includes(':userId') && person && whom !== 'unchecked')
    codes.push('cannot_act_on_higher_role', ...(members ? (['only_invited'] as const) : []));
  if (query && 'cursor' in (query as z.ZodObject).shape) codes.push('invalid_cursor');
  if (method !== 'get') codes.push('idempotency_conflict', 'version_conflict');
  return [...new Set([...codes, ...refusals])];
}
