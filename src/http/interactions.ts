import type { Context, ParameterizedContext } from 'koa';
import type { Client } from '#identity/applications/client.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import type { PartialProof } from '#identity/sign-in/proof.ts';
import type { SignInEntry } from '#identity/sign-in/signed-in.ts';
import type { Person } from '#identity/users/person.ts';

/** What the engine stopped for, and what it wants to hear: one sign-in at one application. */
export interface Interaction {
  uid: string;
  prompt: { name: string; reasons: readonly string[]; details: Record<string, unknown> };
  /** The parameters of the authorization request. */
  params: Record<string, unknown>;
  client: Client | undefined;
  /** Who is signed in in this browser, as they are now. */
  person: Person | null;
  sessionUid: string | null;
  /** When the person last proved who they are, in seconds since 1970. */
  signedInAt: number | null;
  /** How they proved it: the `acr` of the session. */
  sessionAcr: string | null;
  /** What was proved in this sign-in so far, where more is asked. Use `known` of the desk. */
  proof: PartialProof | null;
  /** The address typed so far, in canonical form. */
  identifier: string | null;
  /** What earlier steps of the same request gave. */
  lastSubmission: Record<string, unknown>;
  /** Where an address leads (`homeRealm`), as far as that was read along. */
  leads?: { email: string; realm: Realm | null } | undefined;
}

/**
 * The engine's interactions, as the pages use them. A sign-in belongs to the browser that began it:
 * its cookie must come along (security.md D-62).
 */
export interface Interactions {
  /** The interaction of this address and this browser, or null when there is none any more. */
  load(
    ctx: Context | ParameterizedContext,
    uid: string,
    options?: LoadOptions,
  ): Promise<Interaction | null>;
  /** Which application an interaction belongs to, whoever asks: for what is begun on its way. */
  clientOf(uid: string): Promise<string | null>;
  /** Keeps the address that was typed. */
  identify(interaction: Interaction, identifier: string): Promise<void>;
  /** Keeps what was proved, or forgets it. */
  keep(interaction: Interaction, proof: PartialProof | null): Promise<void>;
  /**
   * Tells the engine the outcome. Returns where the browser goes on.
   *
   * @param forgetSession the session the request came with is no more: it was ended, or another
   * person signed in.
   */
  finish(
    interaction: Interaction,
    result: Record<string, unknown>,
    options?: { forgetSession?: boolean },
  ): Promise<string>;
  /**
   * Tells the engine that somebody proved who they are, and sends the browser on: to the application,
   * or to what is asked next.
   *
   * Returns false where they were put out meanwhile: then nothing is kept, and they are asked again.
   */
  signIn(ctx: Context, interaction: Interaction, signIn: SignIn): Promise<boolean>;
}

export interface LoadOptions {
  /** Reads along where the address leads that was typed, or that the application hints at. */
  leads?: boolean;
}

/** A person, as they were read when they proved who they are. */
export interface SignIn {
  person: Person;
  /** What the session says of it, in the engine's words. */
  login: Record<string, unknown>;
  /** What is written down with it; null where that is done. */
  entry: SignInEntry | null;
  /** As of `finish`. */
  forgetSession: boolean;
}
