import type { Router } from '@koa/router';
import type { Context, ParameterizedContext } from 'koa';
import type { Level, Method } from '#identity/sign-in/assurance.ts';
import type { Person } from '#identity/users/person.ts';

type Ctx = Context | ParameterizedContext;

/** Who is signed in in this browser, as they are now. */
export interface CurrentSession {
  uid: string;
  person: Person;
  /** When the person last proved who they are, in seconds since 1970. */
  signedInAt: number;
  /** How strongly they proved it. */
  level: Level;
}

/** A path of ours. */
type Back = () => Promise<string>;

/** The engine's sessions, as our own pages use them. */
export interface Sessions {
  /** The session of this browser whose person may be in, or null. */
  current(ctx: Ctx): Promise<CurrentSession | null>;
  /**
   * The same, for a page that needs it. Null when the browser was sent to sign in: it comes back to
   * this address, having met terms, locks and whatever else a sign-in asks.
   *
   * @param secondFactor who has a second factor must have shown it in this session.
   * @param back where they come back to instead, asked when they are sent away.
   */
  require(
    ctx: Ctx,
    options?: { secondFactor?: boolean; back?: Back | undefined },
  ): Promise<CurrentSession | null>;
  /**
   * The same, for what must not be done by whoever finds a browser open: the person has proved who
   * they are within the last minutes (`STEP_UP_MINUTES`), with a second factor where they have one.
   */
  stepUp(ctx: Ctx, options?: { back?: Back | undefined }): Promise<CurrentSession | null>;
  /** Whether `stepUp` would ask for nothing: what a form may do, or `step_up_required`. */
  isProvedAnew(session: CurrentSession): boolean;
  /** Sends the browser to `path` of ours by way of a sign-in that `stepUp` accepts. */
  proveAnew(ctx: Ctx, path: string, session: CurrentSession | null): void;
  /** Sends the browser to sign in, and back to `path` of ours. */
  signIn(
    ctx: Ctx,
    path: string,
    options?: { loginHint?: string; anew?: boolean; secondFactor?: boolean },
  ): void;
  /** A second factor was set up, and thereby shown, in this session. */
  strengthen(session: CurrentSession, method: Method): Promise<void>;
  /** The way back from a sign-in of our own. */
  routes(): Router;
}
