import type { Router } from '@koa/router';
import type { Context, ParameterizedContext } from 'koa';
import type { Person } from '#identity/users/person.ts';

type Ctx = Context | ParameterizedContext;

/** Who is signed in in this browser, as they are now. */
export interface CurrentSession {
  uid: string;
  person: Person;
  /** When the person last proved who they are, in seconds since 1970. */
  signedInAt: number;
}

/** The engine's sessions, as our own pages use them. */
export interface Sessions {
  /** The session of this browser whose person may be in, or null. */
  current(ctx: Ctx): Promise<CurrentSession | null>;
  /**
   * The same, for a page that needs it. Null when the browser was sent to sign in: it comes back to
   * this address, having met terms, locks and whatever else a sign-in asks.
   *
   * @param freshWithin seconds within which the person must have proved who they are.
   */
  require(ctx: Ctx, options?: { freshWithin?: number }): Promise<CurrentSession | null>;
  /** Sends the browser to sign in, and back to `path` of ours. */
  signIn(ctx: Ctx, path: string, options?: { loginHint?: string; maxAge?: number }): void;
  /** The way back from a sign-in of our own. */
  routes(): Router;
}
