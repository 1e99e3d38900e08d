/** A part of the engine that has no types of its own. Its version is pinned exactly. */
declare module 'oidc-provider/lib/actions/end_session.js' {
  import type { KoaContextWithOIDC } from 'oidc-provider';

  /** The steps of the address where a sign-out is confirmed; the last one carries it out. */
  export const confirm: ((ctx: KoaContextWithOIDC) => Promise<void>)[];
}
