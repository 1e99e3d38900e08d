/**
 * What a company's provider said about a person, once the protocol has verified it: signature, audience,
 * time, nonce, replay. The same for OpenID Connect and SAML; what it means for us is decided after.
 */
export interface UpstreamAssertion {
  /** The concrete issuer: of the ID token, or of the SAML assertion. Never one that we assume. */
  issuer: string;
  /** The stable name of the person there: `sub`, a persistent NameID or an immutable attribute. */
  subject: string;
  /** Claims of the ID token and userinfo, or SAML attributes by name. A list where there are several. */
  claims: Readonly<Record<string, unknown>>;
  /** How the person was proved there, in the provider's own words; null where it does not say. */
  acr: string | null;
  amr: readonly string[];
  /** When they were proved there, in seconds since 1970; null where it does not say. */
  authTime: number | null;
  /** What the provider calls its session: `sid`, or SessionIndex. For logout. */
  sessionIndex: string | null;
  /**
   * When the session there ends, in seconds, where the provider says so (`session_expiry`, OpenID IPSIE
   * SL1; `SessionNotOnOrAfter`, SAML core 2.7.2): nothing here stands on it any longer than that.
   */
  sessionEnds?: number | null;
  /**
   * What the provider has to be told when the person signs out: the ID token, or the name it gave them
   * (`nameId`). For its protocol, which alone understands it.
   */
  signOut?: Readonly<Record<string, string>>;
}

/** Why a provider's answer is none, in words that a trace and an audit row keep and nobody else sees. */
export type UpstreamProblemCode =
  /** It said no: `access_denied`, a SAML status. `detail` is its own code. */
  | 'upstream_denied'
  /** It said that something is wrong on its side or with our request. */
  | 'upstream_error'
  /** No connection, too slow, not what it should be: its endpoints do not answer as they must. */
  | 'upstream_unreachable'
  /** Too many wait for it already, or it failed too often a moment ago. */
  | 'upstream_busy'
  /** What it sent does not verify. */
  | 'response_invalid'
  /** It was sent before. */
  | 'response_replayed'
  /** The response belongs to no attempt of this browser, or to one that is over. */
  | 'attempt_unknown';

/** Nothing came back that says who this is. */
export class UpstreamProblem extends Error {
  override readonly name = 'UpstreamProblem';
  readonly code: UpstreamProblemCode;
  /** For administrators: what exactly, never a secret. */
  readonly detail: string;

  constructor(code: UpstreamProblemCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}
