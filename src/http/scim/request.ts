import type { Sql } from '#platform/database/sql.ts';
import type { ScimCaller } from '#identity/scim/caller.ts';
import type { Directory } from '#identity/scim/context.ts';
import type { ListPlan, ListRequest } from '#identity/scim/list.ts';
import type { Conditions } from '#identity/scim/etag.ts';
import type { Resource } from '#identity/scim/value.ts';
import type { Totals } from '#identity/scim/totals.ts';
import type { Foundation } from '#identity/work.ts';
import type { ScimAnswer } from './answer.ts';

/** One request of a directory, as far as SCIM goes: also an operation of a Bulk request. */
export interface ScimRequest {
  method: string;
  /** Behind `/scim/v2`, such as `/Users/2819c223`. */
  path: string;
  query: string;
  body: unknown;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
}

/** What an operation is carried out with. */
export interface Tools {
  foundation: Foundation;
  /** What questions are asked with: it may know the answer to the first. */
  sql: Sql;
  /** The question as it was read before it was known who asks. */
  list: ListRequest | undefined;
  plan: ListPlan | undefined;
  caller: ScimCaller;
  /** The address of this door. */
  base: string;
  cursorKeys: readonly Buffer[];
  totals: Totals;
  now: Date;
  /** Runs a change: in one transaction, tried again where it collided with another. */
  change<T>(command: (directory: Directory) => Promise<T>): Promise<T>;
  /** The quick way of a change, where there is one: null where it is not for this, and nothing happened. */
  changeUserAtOnce:
    | ((
        id: string,
        change: (before: Resource) => Resource,
        conditions: Conditions,
      ) => Promise<Resource | null>)
    | undefined;
  /** Runs what holds a connection for seconds, when it is its turn. */
  inTurn<T>(run: () => Promise<T>): Promise<T>;
  /** What is at another address of this door, for this caller. */
  route(method: string, path: string): Route;
  /** Says how much work a request turned out to be. */
  charge(more: number): void;
}

/** What an address and a method lead to. */
export interface Route {
  takesBody: boolean;
  handle(request: ScimRequest, tools: Tools): Promise<ScimAnswer> | ScimAnswer;
  /** Creates the first of many, by few statements; whose turn is next is for `handle`. */
  createFirst?:
    | ((directory: Directory, bodies: readonly unknown[], base: string) => Promise<ScimAnswer[]>)
    | undefined;
}
