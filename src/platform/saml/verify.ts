import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { decrypt } from 'xml-encryption';
import { readCertificate } from './certificate.ts';
import { guard } from './raw-guard.ts';
import { SamlRefused } from './refused.ts';
import { checkSigner } from './signer.ts';
import { checkDecrypted, checkResponse, type ResponseParts } from './structure.ts';
import {
  attribute,
  children,
  childrenOf,
  momentOf,
  named,
  ns,
  onlyChild,
  parseXml,
  serialize,
  textOf,
} from './xml.ts';

/** What a response has to be the answer to. */
export interface Expected {
  /** Our name, as the provider knows it: the audience. */
  spEntityId: string;
  /** Where the response was sent: its destination and recipient. */
  acsUrl: string;
  /**
   * The request that this browser was sent away with. Null where the document is only looked at, long
   * after and by somebody else: a sign-in always has one.
   */
  requestId: string | null;
  idpEntityId: string;
  /** The pinned certificates, PEM. No other key is believed, whatever the document brings. */
  certificates: readonly string[];
  /** Any of them may open an encrypted assertion; without one they are refused. PEM. */
  decryptionKeys: readonly string[];
  /** Milliseconds. Null looks at it as of the moment when it was issued: never in a sign-in. */
  now: number | null;
}

/** The name of a person, and whose name it is (SAML core 2.2.2). */
export interface NameId {
  value: string;
  format: string;
  qualifier: string | null;
  spQualifier: string | null;
}

/** What a provider said, and signed. */
export interface VerifiedAssertion {
  assertionId: string;
  /** When it was issued, in milliseconds. */
  issued: number;
  issuer: string;
  nameId: NameId | null;
  /** By name; each value is text as it was signed. */
  attributes: Record<string, string[]>;
  /** When the person proved who they are, in milliseconds. */
  authnInstant: number;
  authnContext: string | null;
  sessionIndex: string | null;
  sessionNotOnOrAfter: number | null;
  /** Until then the same assertion could be sent again: remember it so long. */
  replayUntil: number;
  encrypted: boolean;
}

const skew = 60_000;
const longestLife = 3600_000;
const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const success = 'urn:oasis:names:tc:SAML:2.0:status:Success';
const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';

/**
 * Verifies a response of the Web Browser SSO profile (SAML profiles 4.1.4.3), in the order that
 * never looks at what was not checked: form, signature, then only what the signature covers.
 *
 * node-saml checks the signature and says what it covers. What it would let pass (security.md 5.2:
 * recipient, destination, issuer, status, SHA-1, holder-of-key) is checked here.
 *
 * @param xml as `decodeMessage` gave it
 * @throws {SamlRefused}
 */
export async function verifyResponse(xml: string, expected: Expected): Promise<VerifiedAssertion> {
  const parts = checkResponse(parseXml(xml));
  checkEnvelope(parts, expected);
  if (!parts.assertion && !parts.encrypted)
    throw new SamlRefused('structure', 'There is no assertion.');
  const opened = parts.encrypted ? await openEncrypted(parts.encrypted, expected) : null;
  const signed = await signedAssertion(xml, parts, expected, opened);
  guard(signed);
  const assertion = parseXml(signed);
  if (!named(assertion, ns.assertion, 'Assertion'))
    throw new SamlRefused('structure', 'What is signed is no assertion.');
  if (parts.assertion && attribute(assertion, 'ID') !== attribute(parts.assertion, 'ID'))
    throw new SamlRefused('structure', 'What is signed is another assertion.');
  return readAssertion(assertion, expected, parts.encrypted !== null);
}

/** Status, issuer and addressee of the Response itself. Signed or not, they must not be others. */
function checkEnvelope({ response }: ResponseParts, expected: Expected): void {
  const status = onlyChild(response, ns.protocol, 'Status');
  const code = status && onlyChild(status, ns.protocol, 'StatusCode');
  const value = code && attribute(code, 'Value');
  if (value !== success) {
    const detail = code && onlyChild(code, ns.protocol, 'StatusCode');
    const message = status && onlyChild(status, ns.protocol, 'StatusMessage');
    const said = [value, detail && attribute(detail, 'Value'), message && textOf(message)];
    throw new SamlRefused(
      'status',
      said
        .filter(Boolean)
        .map((one) => one!.replace('urn:oasis:names:tc:SAML:2.0:status:', ''))
        .join(': ') || 'The response has no status.',
    );
  }
  checkIssuer(response, expected, false);
  const destination = attribute(response, 'Destination');
  if (destination !== null && destination !== expected.acsUrl)
    throw new SamlRefused('destination', `It was made for ${destination}.`);
  const inResponseTo = attribute(response, 'InResponseTo');
  if (expected.requestId !== null && inResponseTo !== expected.requestId)
    throw new SamlRefused('in_response_to', 'It does not answer the request of this browser.');
}

/** What was encrypted, and the key that opened it. */
interface Opened {
  assertion: Element;
  key: string;
}

/** What was encrypted is looked at as closely as what was not, before anybody reads it. */
async function openEncrypted(encrypted: Element, { decryptionKeys }: Expected): Promise<Opened> {
  if (decryptionKeys.length === 0)
    throw new SamlRefused(
      'decryption',
      'The assertion is encrypted, and we publish no key for it.',
    );
  const xml = serialize(encrypted);
  for (const key of decryptionKeys) {
    const opened = await decrypted(xml, key);
    if (opened === null) continue;
    guard(opened);
    const assertion = parseXml(opened);
    checkDecrypted(assertion);
    return { assertion, key };
  }
  throw new SamlRefused('decryption', 'The assertion cannot be decrypted with our key.');
}

function decrypted(xml: string, key: string): Promise<string | null> {
  return new Promise((settle) => {
    decrypt(xml, { key, disallowDecryptionWithInsecureAlgorithm: true }, (error, result) =>
      settle(error ? null : result),
    );
  });
}

/** The text of the assertion that the signature covers. @throws {SamlRefused} */
async function signedAssertion(
  xml: string,
  { response, assertion, responseSigned }: ResponseParts,
  expected: Expected,
  opened: Opened | null,
): Promise<string> {
  const assertionSigned =
    opened !== null ||
    (assertion !== null && onlyChild(assertion, ns.signature, 'Signature') !== null);
  if (!responseSigned && !assertionSigned)
    throw new SamlRefused('unsigned', 'Neither the response nor the assertion is signed.');
  if (expected.certificates.length === 0)
    throw new SamlRefused('certificate', 'No certificate of the provider is pinned.');
  const pinned = expected.certificates.map((one) => readCertificate(one).pem);
  if (responseSigned) checkSigner(response, pinned);
  if (assertionSigned) checkSigner(opened?.assertion ?? assertion!, pinned);
  const saml = new SAML({
    callbackUrl: expected.acsUrl,
    issuer: expected.spEntityId,
    audience: false,
    idpCert: pinned,
    decryptionPvk: opened?.key,
    // Both signatures have to be good where there are both.
    wantAuthnResponseSigned: responseSigned,
    wantAssertionsSigned: assertionSigned,
    validateInResponseTo: ValidateInResponseTo.never,
    // The moments are compared with our own clock, below.
    acceptedClockSkewMs: -1,
  });
  try {
    const { profile } = await saml.validatePostResponseAsync({
      SAMLResponse: Buffer.from(xml).toString('base64'),
    });
    const text = profile?.getAssertionXml?.();
    if (!text) throw new Error('nothing is signed');
    return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (!/signature|signed/i.test(why))
      throw new SamlRefused('structure', `The assertion cannot be read (${why}).`);
    throw new SamlRefused('signature', `What the signature covers was changed (${why}).`);
  }
}

/** What is expected, at a moment. */
type AtMoment = Expected & { now: number };

function readAssertion(assertion: Element, asked: Expected, encrypted: boolean): VerifiedAssertion {
  const issued = momentOf(attribute(assertion, 'IssueInstant') ?? '', 'IssueInstant');
  const now = asked.now ?? issued;
  const expected = { ...asked, now };
  const issuer = checkIssuer(assertion, expected, true);
  if (issued > now + skew) throw new SamlRefused('not_yet_valid', 'It was issued in the future.');
  const subject = onlyChild(assertion, ns.assertion, 'Subject');
  if (!subject) throw new SamlRefused('subject', 'The assertion is about nobody.');
  const confirmedUntil = checkConfirmation(subject, expected);
  const validUntil = checkConditions(assertion, issued, expected);
  return {
    assertionId: attribute(assertion, 'ID')!,
    issued,
    issuer,
    nameId: nameIdOf(subject),
    attributes: attributesOfPerson(assertion),
    ...authentication(assertion, now),
    replayUntil: Math.max(confirmedUntil, validUntil) + skew,
    encrypted,
  };
}

function checkIssuer(element: Element, { idpEntityId }: Expected, mustBe: true): string;
function checkIssuer(element: Element, { idpEntityId }: Expected, mustBe: false): string | null;
function checkIssuer(element: Element, { idpEntityId }: Expected, mustBe: boolean): string | null {
  const issuer = onlyChild(element, ns.assertion, 'Issuer');
  if (!issuer && !mustBe) return null;
  const text = issuer ? textOf(issuer).trim() : '';
  if (text !== idpEntityId)
    throw new SamlRefused('issuer', `It was issued by ${text || 'nobody'}, not ${idpEntityId}.`);
  return text;
}

/** One bearer confirmation has to fit in everything. Returns until when it holds. */
function checkConfirmation(subject: Element, expected: AtMoment): number {
  const problems: SamlRefused[] = [];
  const confirmations = children(subject, ns.assertion, 'SubjectConfirmation').filter(
    (one) => attribute(one, 'Method') === bearer,
  );
  for (const confirmation of confirmations.slice(0, 4))
    try {
      return checkBearer(confirmation, expected);
    } catch (error) {
      if (!(error instanceof SamlRefused)) throw error;
      problems.push(error);
    }
  throw problems[0] ?? new SamlRefused('confirmation', 'There is no bearer confirmation.');
}

function checkBearer(confirmation: Element, { acsUrl, requestId, now }: AtMoment): number {
  const data = onlyChild(confirmation, ns.assertion, 'SubjectConfirmationData');
  if (!data) throw new SamlRefused('confirmation', 'The confirmation says nothing.');
  const recipient = attribute(data, 'Recipient');
  if (recipient !== acsUrl)
    throw new SamlRefused('recipient', `It was made for ${recipient ?? 'nobody'}, not ${acsUrl}.`);
  if (requestId !== null && attribute(data, 'InResponseTo') !== requestId)
    throw new SamlRefused('in_response_to', 'It does not answer the request of this browser.');
  const until = momentOf(attribute(data, 'NotOnOrAfter') ?? '', 'NotOnOrAfter');
  if (until + skew <= now) throw new SamlRefused('expired', 'The confirmation has ended.');
  const from = attribute(data, 'NotBefore');
  if (from !== null && momentOf(from, 'NotBefore') > now + skew)
    throw new SamlRefused('not_yet_valid', 'The confirmation has not begun.');
  return until;
}

/** Returns until when the assertion holds. */
function checkConditions(
  assertion: Element,
  issued: number,
  { spEntityId, now }: AtMoment,
): number {
  const conditions = onlyChild(assertion, ns.assertion, 'Conditions');
  if (!conditions) throw new SamlRefused('conditions', 'The assertion has no Conditions.');
  for (const child of childrenOf(conditions))
    if (
      !named(child, ns.assertion, 'AudienceRestriction') &&
      !named(child, ns.assertion, 'OneTimeUse') &&
      !named(child, ns.assertion, 'ProxyRestriction')
    )
      throw new SamlRefused('conditions', `The condition ${child.localName} is not understood.`);
  const until = momentOf(attribute(conditions, 'NotOnOrAfter') ?? '', 'NotOnOrAfter');
  if (until + skew <= now) throw new SamlRefused('expired', 'The assertion has ended.');
  if (until - issued > longestLife + skew)
    throw new SamlRefused('conditions', 'The assertion is made for longer than an hour.');
  const from = attribute(conditions, 'NotBefore');
  if (from !== null && momentOf(from, 'NotBefore') > now + skew)
    throw new SamlRefused('not_yet_valid', 'The assertion has not begun.');
  const restrictions = children(conditions, ns.assertion, 'AudienceRestriction');
  if (restrictions.length === 0)
    throw new SamlRefused('audience', 'The assertion does not say for whom it is.');
  for (const restriction of restrictions) {
    const audiences = children(restriction, ns.assertion, 'Audience').map((one) =>
      textOf(one).trim(),
    );
    if (!audiences.includes(spEntityId))
      throw new SamlRefused(
        'audience',
        `It is for ${audiences.slice(0, 3).join(', ') || 'nobody'}, not ${spEntityId}.`,
      );
  }
  return until;
}

function authentication(
  assertion: Element,
  now: number,
): Pick<
  VerifiedAssertion,
  'authnInstant' | 'authnContext' | 'sessionIndex' | 'sessionNotOnOrAfter'
> {
  const [statement, ...others] = children(assertion, ns.assertion, 'AuthnStatement');
  if (!statement || others.length > 0)
    throw new SamlRefused('session', 'The assertion does not say, once, how the person signed in.');
  const authnInstant = momentOf(attribute(statement, 'AuthnInstant') ?? '', 'AuthnInstant');
  if (authnInstant > now + skew)
    throw new SamlRefused('not_yet_valid', 'The person signed in in the future.');
  const ends = attribute(statement, 'SessionNotOnOrAfter');
  const sessionNotOnOrAfter = ends === null ? null : momentOf(ends, 'SessionNotOnOrAfter');
  if (sessionNotOnOrAfter !== null && sessionNotOnOrAfter + skew <= now)
    throw new SamlRefused('session', 'The session at the provider has ended.');
  const context = onlyChild(statement, ns.assertion, 'AuthnContext');
  const reference = context && onlyChild(context, ns.assertion, 'AuthnContextClassRef');
  return {
    authnInstant,
    authnContext: reference ? textOf(reference).trim().slice(0, 255) : null,
    sessionIndex: attribute(statement, 'SessionIndex')?.slice(0, 255) ?? null,
    sessionNotOnOrAfter,
  };
}

function nameIdOf(subject: Element): VerifiedAssertion['nameId'] {
  const nameId = onlyChild(subject, ns.assertion, 'NameID');
  if (!nameId) return null;
  const value = textOf(nameId).trim();
  if (value === '' || value.length > 1024)
    throw new SamlRefused('subject', 'The NameID is empty, or longer than 1024 characters.');
  return {
    value,
    format: attribute(nameId, 'Format') ?? unspecified,
    qualifier: attribute(nameId, 'NameQualifier'),
    spQualifier: attribute(nameId, 'SPNameQualifier'),
  };
}

/** The attributes whose values are text. What holds elements of its own is left out. */
function attributesOfPerson(assertion: Element): Record<string, string[]> {
  const found: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const statement of children(assertion, ns.assertion, 'AttributeStatement'))
    for (const one of children(statement, ns.assertion, 'Attribute')) {
      const name = attribute(one, 'Name');
      if (name === null) continue;
      const values = children(one, ns.assertion, 'AttributeValue')
        .filter((value) => childrenOf(value).length === 0)
        .map(textOf);
      (found[name] ??= []).push(...values);
    }
  return { ...found };
}
