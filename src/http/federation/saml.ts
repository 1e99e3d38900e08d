import { randomBytes } from 'node:crypto';
import type { Clock } from '#platform/clock.ts';
import { decodeMessage } from '#platform/saml/raw-guard.ts';
import { SamlRefused } from '#platform/saml/refused.ts';
import { logoutRequest, logoutResponse } from '#platform/saml/logout-messages.ts';
import { authnRequest, type OutgoingMessage } from '#platform/saml/request.ts';
import type { SamlVerifier } from '#platform/saml/verifier.ts';
import type { VerifiedAssertion } from '#platform/saml/verify.ts';
import type { Vault } from '#platform/secrets.ts';
import { UpstreamProblem, type UpstreamAssertion } from '#identity/federation/assertion.ts';
import type { GoodOnce } from '#identity/federation/attempt.ts';
import { openSamlKeys } from '#identity/federation/saml/own-keys.ts';
import {
  destinationOf,
  ourAddresses,
  persistentNameId,
  samlProblem,
  samlProblems,
  samlSettings,
  transientNameId,
  type SamlSettings,
} from '#identity/federation/saml/settings.ts';
import type { UpstreamLogout } from '#identity/federation/logout.ts';
import type { FederationTrace } from '#identity/federation/trace.ts';
import type {
  Departure,
  LiveConnection,
  UpstreamProtocol,
  UpstreamRequest,
  UpstreamResponse,
} from '#identity/federation/upstream.ts';

export interface SamlUpstreamDependencies {
  issuer: string;
  vault: Vault;
  clock: Clock;
  verifier: SamlVerifier;
}

/** A message that a page of ours may carry, and what the browser is on its way to. */
type Carried = OutgoingMessage & { purpose: 'sign_in' | 'sign_out' };

/** An assertion is good once: `keepAssertion` spends it. */
export type SamlArrival = UpstreamAssertion & { once: GoodOnce };

const skewMs = 60_000;
const postContext = (connectionId: string): string => `saml_post:${connectionId}`;

/**
 * SAML 2.0 towards a company's provider, as service provider of the Web Browser SSO profile: requests
 * are signed, and only their answers are believed. Nobody signs in by a response that nobody asked
 * for (security.md 5.3, rule 10).
 */
export class SamlUpstream implements UpstreamProtocol {
  readonly kind = 'saml';
  readonly #dependencies: SamlUpstreamDependencies;

  constructor(dependencies: SamlUpstreamDependencies) {
    this.#dependencies = dependencies;
  }

  async depart(
    live: LiveConnection,
    request: UpstreamRequest,
    trace: FederationTrace,
  ): Promise<Departure> {
    const { issuer, vault, clock } = this.#dependencies;
    const { connection } = live;
    const settings = samlSettings(connection);
    const problem = samlProblem(connection);
    const target = destinationOf(settings);
    if (problem !== null || !target)
      throw new UpstreamProblem(
        'upstream_error',
        problem ? samlProblems[problem] : 'The binding has no address.',
      );
    const [key] = openSamlKeys(live, vault);
    if (!key) throw new UpstreamProblem('upstream_error', 'There is no key of ours to sign with.');
    const { entityId, acsUrl } = ourAddresses(issuer, connection.id);
    const id = newMessageId();
    // SAML has no word for "not older than": whoever asks for it is asked anew.
    const forceAuthn =
      request.maxAge !== null || /\b(login|select_account)\b/.test(request.prompt ?? '');
    const message = await authnRequest({
      id,
      ...target,
      spEntityId: entityId,
      acsUrl,
      relayState: request.state,
      privateKey: key.privateKey,
      nameIdFormat: settings.nameIdFormat,
      forceAuthn,
      passive: request.prompt === 'none',
      loginHint: request.loginHint,
    });
    trace.append(clock(), 'sent', {
      to: target.destination,
      binding: target.binding,
      request: id,
      issuer: entityId,
      assertionConsumerService: acsUrl,
      nameIdFormat: settings.nameIdFormat,
      forceAuthn,
      loginHint: request.loginHint,
    });
    return {
      redirectTo: this.#addressOf(connection.id, { ...message, purpose: 'sign_in' }),
      remember: {
        requestId: id,
        at: String(clock().getTime()),
        ...(forceAuthn && { anew: 'yes' }),
      },
    };
  }

  async arrive(
    live: LiveConnection,
    { form }: UpstreamResponse,
    remembered: Readonly<Record<string, string>>,
    trace: FederationTrace,
  ): Promise<SamlArrival> {
    const { clock } = this.#dependencies;
    const { connection } = live;
    try {
      const verified = await this.#verify(live, form?.['SAMLResponse'] ?? '', remembered);
      const claims = claimsOf(verified);
      const received: Record<string, unknown> = {
        issuer: verified.issuer,
        nameId: verified.nameId,
        claims,
        authnContext: verified.authnContext,
        authnInstant: new Date(verified.authnInstant).toISOString(),
        sessionNotOnOrAfter:
          verified.sessionNotOnOrAfter && new Date(verified.sessionNotOnOrAfter).toISOString(),
        encrypted: verified.encrypted,
      };
      trace.append(clock(), 'received', received);
      if (remembered['anew'] && verified.authnInstant < Number(remembered['at']) - skewMs)
        throw new UpstreamProblem(
          'response_invalid',
          'The provider was told to ask the person anew, and did not.',
        );
      const subject = subjectOf(samlSettings(connection), verified);
      received['subject'] = subject;
      return {
        issuer: verified.issuer,
        subject,
        claims,
        acr: verified.authnContext,
        amr: [],
        authTime: Math.floor(verified.authnInstant / 1000),
        sessionIndex: verified.sessionIndex,
        sessionEnds: verified.sessionNotOnOrAfter && verified.sessionNotOnOrAfter / 1000,
        signOut: namedBy(verified),
        once: { id: verified.assertionId, until: new Date(verified.replayUntil) },
      };
    } catch (error) {
      const problem = problemOf(error);
      trace.append(clock(), 'received', { problem: problem.code, detail: problem.detail });
      throw problem;
    }
  }

  /** A LogoutRequest, signed. Null where the provider takes none, or named nobody. */
  async signOut(
    live: LiveConnection,
    { nameId, format, ...rest }: Readonly<Record<string, string>>,
    state: string,
  ): Promise<URL | null> {
    const target = signOutAddress(samlSettings(live.connection));
    const from = this.#sender(live);
    if (target === null || nameId === undefined || format === undefined || !from) return null;
    const message = logoutRequest({
      ...from,
      ...target,
      id: newMessageId(),
      relayState: state,
      person: { ...rest, nameId, format },
    });
    return this.#addressOf(live.connection.id, { ...message, purpose: 'sign_out' });
  }

  /**
   * Verifies a LogoutRequest of the provider. `answer` gives where the browser brings the news that it
   * was done; null where the provider named no address for it.
   *
   * @param sent the query of the address it came to, as it stood there, or the field of a form
   * @throws {UpstreamProblem}
   */
  async logout(
    live: LiveConnection,
    sent: { query: string } | { field: string },
  ): Promise<{ said: UpstreamLogout; answer(relayState: string): URL | null }> {
    const { issuer, verifier, clock } = this.#dependencies;
    const { connection } = live;
    const settings = samlSettings(connection);
    try {
      const message = 'query' in sent ? sent : { xml: decodeMessage(sent.field) };
      const verified = await verifier.logout(message, {
        sloUrl: ourAddresses(issuer, connection.id).sloUrl,
        idpEntityId: connection.issuer ?? '',
        certificates: settings.certificates.map(({ pem }) => pem),
        now: clock().getTime(),
      });
      return {
        said: {
          issuer: verified.issuer,
          subject: null,
          nameId: verified.nameId,
          sids: verified.sessionIndexes,
          jti: verified.requestId,
        },
        answer: (relayState) => {
          const target = answerAddress(settings);
          const from = this.#sender(live);
          if (target === null || !from) return null;
          const response = logoutResponse({
            ...from,
            ...target,
            id: newMessageId(),
            relayState: relayState === '' || relayState.length > 1024 ? null : relayState,
            inResponseTo: verified.requestId,
          });
          return this.#addressOf(connection.id, { ...response, purpose: 'sign_out' });
        },
      };
    } catch (error) {
      throw problemOf(error);
    }
  }

  /** Who we are in a message, and the key that shows it. */
  #sender(live: LiveConnection) {
    const { issuer, vault, clock } = this.#dependencies;
    const [key] = openSamlKeys(live, vault);
    if (!key) return null;
    const { entityId } = ourAddresses(issuer, live.connection.id);
    return { spEntityId: entityId, privateKey: key.privateKey, now: clock() };
  }

  /** The form that a page of ours sends for the browser; null for an address that is not of our making. */
  openPost(connectionId: string, sealed: string): Carried | null {
    try {
      return JSON.parse(
        this.#dependencies.vault.open(sealed, postContext(connectionId)),
      ) as Carried;
    } catch {
      return null;
    }
  }

  /**
   * Reads a response that somebody pasted, to see what it would come to. It is verified as in a
   * sign-in, but for what only the moment and the browser know: whether it is over, which request it
   * answers, whether it was used. Nothing is kept, and nobody signs in by it.
   *
   * @throws {UpstreamProblem}
   */
  async read(
    live: LiveConnection,
    encoded: string,
  ): Promise<{ assertion: UpstreamAssertion; issuedAt: Date }> {
    try {
      const verified = await this.#verify(live, encoded, null);
      return {
        assertion: {
          issuer: verified.issuer,
          subject: subjectOf(samlSettings(live.connection), verified),
          claims: claimsOf(verified),
          acr: verified.authnContext,
          amr: [],
          authTime: Math.floor(verified.authnInstant / 1000),
          sessionIndex: null,
        },
        issuedAt: new Date(verified.issued),
      };
    } catch (error) {
      throw problemOf(error);
    }
  }

  async #verify(
    live: LiveConnection,
    encoded: string,
    /** Null where it is only read. */
    remembered: Readonly<Record<string, string>> | null,
  ): Promise<VerifiedAssertion> {
    const { issuer, vault, verifier, clock } = this.#dependencies;
    const { connection } = live;
    const { certificates, encryption } = samlSettings(connection);
    const { entityId, acsUrl } = ourAddresses(issuer, connection.id);
    return verifier.verify(decodeMessage(encoded), {
      spEntityId: entityId,
      acsUrl,
      requestId: remembered && (remembered['requestId'] ?? ''),
      idpEntityId: connection.issuer ?? '',
      certificates: certificates.map(({ pem }) => pem),
      decryptionKeys: encryption
        ? openSamlKeys(live, vault).map(({ privateKey }) => privateKey)
        : [],
      now: remembered && clock().getTime(),
    });
  }

  /** The POST binding begins at a page of ours. What it holds is sealed: nobody else makes one. */
  #addressOf(connectionId: string, message: Carried): URL {
    if (!message.form) return new URL(message.url);
    const { issuer, vault } = this.#dependencies;
    const url = new URL(`/federation/${connectionId}/post`, issuer);
    url.searchParams.set('m', vault.seal(JSON.stringify(message), postContext(connectionId)));
    return url;
  }
}

type Address = { destination: string; binding: 'redirect' | 'post' };

/** Where the provider is asked to end a session; null where it takes no such request. */
function signOutAddress({ signOut: { redirect, post } }: SamlSettings): Address | null {
  if (redirect !== null) return { destination: redirect, binding: 'redirect' };
  return post === null ? null : { destination: post, binding: 'post' };
}

/** Where it wants to hear that a session ended here. */
function answerAddress(settings: SamlSettings): Address | null {
  const { redirect, answers, postAnswers } = settings.signOut;
  if (redirect === null && answers) return { destination: answers, binding: 'redirect' };
  const asked = signOutAddress(settings);
  if (asked === null) return postAnswers ? { destination: postAnswers, binding: 'post' } : null;
  const elsewhere = asked.binding === 'redirect' ? answers : postAnswers;
  return { ...asked, destination: elsewhere ?? asked.destination };
}

/** SAML IDs begin with no digit, and hold 160 bits (SAML core 1.3.4). */
function newMessageId(): string {
  return `_${randomBytes(20).toString('hex')}`;
}

/** The words in which the provider wants to hear of the person again. */
function namedBy({ nameId, sessionIndex }: VerifiedAssertion): Record<string, string> {
  if (!nameId) return {};
  const { value, format, qualifier, spQualifier } = nameId;
  return {
    nameId: value,
    format,
    ...(qualifier !== null && { nameQualifier: qualifier }),
    ...(spQualifier !== null && { spNameQualifier: spQualifier }),
    ...(sessionIndex !== null && { sessionIndex }),
  };
}

/** Attributes by name, and the NameID beside them, where a mapping wants it. */
function claimsOf({ attributes, nameId }: VerifiedAssertion): Record<string, unknown> {
  const claims: Record<string, unknown> = Object.fromEntries(
    Object.entries(attributes).map(([name, values]) => [
      name,
      values.length === 1 ? values[0] : values,
    ]),
  );
  if (nameId && claims['NameID'] === undefined) claims['NameID'] = nameId.value;
  return claims;
}

/**
 * The stable name of a person (security.md 3.3): a persistent NameID or the attribute that was chosen.
 * A transient one names nobody the second time; an address may go to somebody else.
 */
function subjectOf(settings: SamlSettings, { nameId, attributes }: VerifiedAssertion): string {
  const { subjectAttribute, mutableSubject } = settings;
  if (subjectAttribute !== null) {
    const values = attributes[subjectAttribute] ?? [];
    const [value = ''] = values;
    if (values.length !== 1 || value.trim() === '' || value.length > 1024)
      throw new UpstreamProblem(
        'response_invalid',
        `The attribute ${subjectAttribute} must name the person, once.`,
      );
    return value.trim();
  }
  if (!nameId) throw new UpstreamProblem('response_invalid', 'There is no NameID.');
  if (nameId.format === transientNameId)
    throw new UpstreamProblem('response_invalid', 'The NameID is transient: it names nobody.');
  if (nameId.format !== persistentNameId && !mutableSubject)
    throw new UpstreamProblem(
      'response_invalid',
      `The NameID has the format ${nameId.format}, which may change hands. Have the provider send a persistent one, choose an attribute that never changes, or accept the risk.`,
    );
  return nameId.value;
}

function problemOf(error: unknown): UpstreamProblem {
  if (error instanceof UpstreamProblem) return error;
  if (!(error instanceof SamlRefused)) throw error;
  const { code, message } = error;
  if (code === 'status') {
    // What else a provider says of itself is that our request, or the provider, is not in order.
    const denied = /AuthnFailed|RequestDenied|NoPassive|NoAuthnContext|UnknownPrincipal/;
    const said = denied.test(message) ? 'upstream_denied' : 'upstream_error';
    return new UpstreamProblem(said, message, { cause: error });
  }
  if (code === 'busy') return new UpstreamProblem('upstream_busy', message, { cause: error });
  return new UpstreamProblem('response_invalid', `${code}: ${message}`, { cause: error });
}
