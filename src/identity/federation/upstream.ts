import type { UpstreamAssertion } from './assertion.ts';
import type { Connection, ConnectionKind, ConnectionSecret } from './connection.ts';
import type { FederationTrace } from './trace.ts';

/** A connection with what its protocol needs to speak for us. */
export interface LiveConnection {
  connection: Connection;
  /** Those that are alive, the newest first, sealed. */
  secrets: readonly ConnectionSecret[];
}

/** What the application wanted, as far as it is the provider's business. */
export interface UpstreamRequest {
  /** Opaque and unguessable: `state`, RelayState. */
  state: string;
  /** The address that was typed. */
  loginHint: string | null;
  prompt: string | null;
  /** Seconds. */
  maxAge: number | null;
  acrValues: string | null;
}

export interface Departure {
  /** Where the browser goes. */
  redirectTo: URL;
  /** What is wanted back when it returns: nonce, verifier, request id. Kept sealed. */
  remember: Record<string, string>;
}

/** What came back, whichever way it came. */
export interface UpstreamResponse {
  /** The address it came to, with its query: as OpenID Connect sends it. */
  url: URL;
  /** Fields of the form: as SAML sends it. */
  form: Readonly<Record<string, string>> | null;
}

/**
 * A protocol in which a company's provider says who somebody is. It sends and verifies, and decides
 * nothing: what an assertion means for us is the same in all of them.
 */
export interface UpstreamProtocol {
  readonly kind: ConnectionKind;
  /**
   * @param trace is given the step `sent`.
   * @throws {UpstreamProblem} where the provider cannot be asked now.
   */
  depart(
    live: LiveConnection,
    request: UpstreamRequest,
    trace: FederationTrace,
  ): Promise<Departure>;
  /**
   * @param trace is given the step `received`, redacted, also when it fails.
   * @throws {UpstreamProblem} where nothing came back that says who this is.
   */
  arrive(
    live: LiveConnection,
    response: UpstreamResponse,
    remembered: Readonly<Record<string, string>>,
    trace: FederationTrace,
  ): Promise<UpstreamAssertion>;
  /**
   * Where the browser goes so that the person is signed out there too; null where the provider offers
   * no such thing.
   *
   * @param hint `signOut` of the assertion that brought them in, or nothing
   * @param state comes back with the browser
   * @throws {UpstreamProblem} where it cannot be known now
   */
  signOut(
    live: LiveConnection,
    hint: Readonly<Record<string, string>>,
    state: string,
  ): Promise<URL | null>;
}
