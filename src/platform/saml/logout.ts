import { inflateRawSync } from 'node:zlib';
import { isSignedWith, signatureMethods } from './algorithms.ts';
import { documentLimits, guard } from './raw-guard.ts';
import { readCertificate } from './certificate.ts';
import { SamlRefused } from './refused.ts';
import { signedText } from './signer.ts';
import { checkEverywhere, checkSignedRequest, requireVersion } from './structure.ts';
import {
  attribute,
  children,
  childrenOf,
  momentOf,
  named,
  ns,
  onlyChild,
  parseXml,
  textOf,
} from './xml.ts';

/**
 * How a request came: the query of the address, as it stood there, or a document as `decodeMessage` gave
 * it.
 */
export type LogoutMessage = { query: string } | { xml: string };

/** Who may ask, and where. */
export interface ExpectedLogout {
  /** Where the request was sent: its destination. */
  sloUrl: string;
  idpEntityId: string;
  /** The pinned certificates, PEM. */
  certificates: readonly string[];
  /** Milliseconds. */
  now: number;
}

/** A provider says, and signed, that somebody signed out there. */
export interface VerifiedLogout {
  requestId: string;
  issuer: string;
  nameId: string;
  /** The sessions that ended; empty means all of the person's. */
  sessionIndexes: string[];
}

const skew = 60_000;
/** How old a request may be that says no end itself. */
const longestWay = 5 * 60_000;
const mostSessions = 50;

/**
 * Verifies a LogoutRequest of the redirect binding (SAML core 3.7.1, bindings 3.4.4.1), in the order
 * that never reads what was not checked: the signature over the query as it was sent, then form, then
 * content. One that is not signed is not read at all (security.md 2.2, D-68).
 *
 * @param query the query of the address, as it stood there
 * @throws {SamlRefused}
 */
export function verifyLogoutRequest(query: string, expected: ExpectedLogout): VerifiedLogout {
  const parameters = rawParameters(query);
  checkSignature(parameters, expected.certificates);
  const xml = inflated(decoded(parameters.get('SAMLRequest')!));
  guard(xml);
  return readRequest(parseXml(xml), expected);
}

/**
 * The same for the POST binding (SAML bindings 3.5.4): the signature stands in the document, and nothing
 * is read that it does not cover.
 *
 * @param xml as `decodeMessage` gave it
 * @throws {SamlRefused}
 */
export function verifyPostedLogoutRequest(xml: string, expected: ExpectedLogout): VerifiedLogout {
  const request = parseXml(xml);
  if (!named(request, ns.protocol, 'LogoutRequest'))
    throw new SamlRefused('structure', 'This is no LogoutRequest.');
  checkSignedRequest(request);
  if (expected.certificates.length === 0)
    throw new SamlRefused('certificate', 'No certificate of the provider is pinned.');
  const pinned = expected.certificates.map((one) => readCertificate(one).pem);
  const signed = signedText(xml, request, pinned);
  guard(signed);
  return readRequest(parseXml(signed), expected);
}

/** The parameters that matter, as they were written. @throws {SamlRefused} where one stands twice */
function rawParameters(query: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of query.split('&')) {
    const [name = '', value = ''] = part.split(/=(.*)/s);
    if (!['SAMLRequest', 'RelayState', 'SigAlg', 'Signature'].includes(name)) continue;
    if (found.has(name)) throw new SamlRefused('structure', `${name} stands twice.`);
    found.set(name, value);
  }
  if (!found.get('SAMLRequest')) throw new SamlRefused('structure', 'There is no request.');
  return found;
}

/** What is signed is the query itself, in this order (SAML bindings 3.4.4.1). */
function checkSignature(parameters: Map<string, string>, certificates: readonly string[]): void {
  const method = text(parameters.get('SigAlg') ?? '');
  const value = parameters.get('Signature') ?? '';
  if (value === '' || method === '') throw new SamlRefused('unsigned', 'It is not signed.');
  if (!signatureMethods.has(method))
    throw new SamlRefused('algorithm', `The algorithm ${method} is not accepted.`);
  if (certificates.length === 0)
    throw new SamlRefused('certificate', 'No certificate of the provider is pinned.');
  const signed = ['SAMLRequest', 'RelayState', 'SigAlg']
    .filter((name) => parameters.has(name))
    .map((name) => `${name}=${parameters.get(name)}`)
    .join('&');
  const signature = decoded(value);
  if (
    !certificates.some((one) => isSignedWith(method, readCertificate(one).pem, signed, signature))
  )
    throw new SamlRefused('signature', 'The signature is not one of the pinned certificates.');
}

function text(written: string): string {
  try {
    return decodeURIComponent(written.replaceAll('+', ' '));
  } catch {
    throw new SamlRefused('encoding', 'A parameter is not encoded as it has to be.');
  }
}

function decoded(written: string): Buffer {
  const base64 = text(written).replace(/[\r\n]/g, '');
  if (base64.length > documentLimits.bytes || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw new SamlRefused('encoding', 'A parameter is not Base64.');
  return Buffer.from(base64, 'base64');
}

/** @throws {SamlRefused} also for what grows beyond what a document may be (D-18) */
function inflated(deflated: Buffer): string {
  try {
    const bytes = inflateRawSync(deflated, { maxOutputLength: documentLimits.bytes });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new SamlRefused('too_large', 'The document is longer than 256 KB.');
    throw new SamlRefused('encoding', 'The request is not deflated UTF-8.');
  }
}

function readRequest(request: Element, expected: ExpectedLogout): VerifiedLogout {
  const { sloUrl, idpEntityId, now } = expected;
  if (!named(request, ns.protocol, 'LogoutRequest'))
    throw new SamlRefused('structure', 'This is no LogoutRequest.');
  requireVersion(request);
  checkEverywhere(request);
  for (const child of childrenOf(request))
    if (
      !named(child, ns.assertion, 'Issuer') &&
      !named(child, ns.protocol, 'Extensions') &&
      !named(child, ns.assertion, 'NameID') &&
      !named(child, ns.protocol, 'SessionIndex')
    )
      throw new SamlRefused('structure', `The request holds a ${child.localName}, unexpectedly.`);
  const requestId = attribute(request, 'ID');
  if (requestId === null) throw new SamlRefused('structure', 'The request has no ID.');
  const issuer = onlyChild(request, ns.assertion, 'Issuer');
  const from = issuer ? textOf(issuer).trim() : '';
  if (from !== idpEntityId)
    throw new SamlRefused('issuer', `It was issued by ${from || 'nobody'}, not ${idpEntityId}.`);
  const destination = attribute(request, 'Destination');
  if (destination !== sloUrl)
    throw new SamlRefused('destination', `It was made for ${destination ?? 'nobody'}.`);
  checkMoments(request, now);
  const nameId = onlyChild(request, ns.assertion, 'NameID');
  const name = nameId ? textOf(nameId).trim() : '';
  if (name === '' || name.length > 1024)
    throw new SamlRefused('subject', 'The request names nobody by a NameID.');
  const sessions = children(request, ns.protocol, 'SessionIndex');
  if (sessions.length > mostSessions)
    throw new SamlRefused('too_complex', 'The request names too many sessions.');
  return {
    requestId,
    issuer: from,
    nameId: name,
    sessionIndexes: sessions.map((one) => textOf(one).trim().slice(0, 255)),
  };
}

function checkMoments(request: Element, now: number): void {
  const issued = momentOf(attribute(request, 'IssueInstant') ?? '', 'IssueInstant');
  if (issued > now + skew) throw new SamlRefused('not_yet_valid', 'It was issued in the future.');
  const ends = attribute(request, 'NotOnOrAfter');
  const until = ends === null ? Infinity : momentOf(ends, 'NotOnOrAfter');
  if (Math.min(until, issued + longestWay) + skew <= now)
    throw new SamlRefused('expired', 'The request is too old.');
}
