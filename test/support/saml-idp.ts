import { hash, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { encrypt } from 'xml-encryption';
import { SignedXml } from 'xml-crypto';
import { newOwnKey, type OwnKey } from '#platform/saml/own-key.ts';
import { escapeXml } from '#platform/saml/request.ts';

const keys = new Map<string, Promise<OwnKey>>();

/** A key by name: made once, since making one takes its time. */
export function keyOf(name: string): Promise<OwnKey> {
  let key = keys.get(name);
  if (!key) keys.set(name, (key = newOwnKey(name, new Date())));
  return key;
}

/** What an honest response says, unless a test says otherwise. Null leaves a thing out. */
export interface Said {
  idp: string;
  sp: string;
  acs: string;
  inResponseTo: string | null;
  responseInResponseTo: string | null;
  responseIssuer: string | null;
  assertionIssuer: string | null;
  destination: string | null;
  recipient: string | null;
  audience: string | null;
  method: string;
  status: string;
  nameId: string | null;
  nameIdFormat: string;
  attributes: Record<string, readonly string[]>;
  issued: Date;
  notBefore: Date | null;
  notOnOrAfter: Date | null;
  confirmedUntil: Date | null;
  authnInstant: Date;
  sessionEnds: Date | null;
  authnContext: string;
  responseId: string;
  assertionId: string;
  /** Stands in the assertion before its Subject, and in the Response at its end. */
  extra: { inAssertion?: string; inResponse?: string; conditions?: string };
}

export const sha256 = {
  signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  digest: 'http://www.w3.org/2001/04/xmlenc#sha256',
  c14n: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  transforms: [
    'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
    'http://www.w3.org/2001/10/xml-exc-c14n#',
  ],
};

/** What xml-crypto cannot sign with by itself. */
const more = 'http://www.w3.org/2001/04/xmldsig-more#';
const moreSignatures = Object.fromEntries(
  ['rsa-sha384', 'ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'].map((name) => [
    more + name,
    class {
      getAlgorithmName = (): string => more + name;
      getSignature = (signed: string, key: string): string =>
        sign(name.slice(-6), Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString(
          'base64',
        );
      verifySignature = (): boolean => false;
    },
  ]),
);
const moreDigests = {
  [`${more}sha384`]: class {
    getAlgorithmName = (): string => `${more}sha384`;
    getHash = (xml: string): string => hash('sha384', xml, 'base64');
  },
};

const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';

export function newSamlId(): string {
  return `_${randomBytes(16).toString('hex')}`;
}

/** What an honest provider says about Ann. */
export function honest(
  said: Partial<Said> & Pick<Said, 'idp' | 'sp' | 'acs' | 'inResponseTo'>,
): Said {
  const issued = said.issued ?? new Date();
  const later = (minutes: number): Date => new Date(issued.getTime() + minutes * 60_000);
  return {
    responseInResponseTo: said.inResponseTo,
    responseIssuer: said.idp,
    assertionIssuer: said.idp,
    destination: said.acs,
    recipient: said.acs,
    audience: said.sp,
    method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
    status: 'urn:oasis:names:tc:SAML:2.0:status:Success',
    nameId: 'S-1-ann',
    nameIdFormat: persistent,
    attributes: {
      email: ['ann@acme.example'],
      givenName: ['Ann'],
      surname: ['Archer'],
      country: ['US'],
    },
    notBefore: later(-1),
    notOnOrAfter: later(5),
    confirmedUntil: later(5),
    authnInstant: later(-1),
    sessionEnds: null,
    authnContext: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    responseId: newSamlId(),
    assertionId: newSamlId(),
    extra: {},
    ...said,
    issued,
  };
}

const when = (date: Date): string => date.toISOString();
const attr = (name: string, value: string | null): string =>
  value === null ? '' : ` ${name}="${escapeXml(value)}"`;

export function assertionXml(said: Said): string {
  const attributes = Object.entries(said.attributes)
    .map(
      ([name, values]) =>
        `<saml:Attribute Name="${escapeXml(name)}">${values
          .map((value) => `<saml:AttributeValue>${escapeXml(value)}</saml:AttributeValue>`)
          .join('')}</saml:Attribute>`,
    )
    .join('');
  return [
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${said.assertionId}" Version="2.0" IssueInstant="${when(said.issued)}">`,
    said.assertionIssuer === null
      ? ''
      : `<saml:Issuer>${escapeXml(said.assertionIssuer)}</saml:Issuer>`,
    said.extra.inAssertion ?? '',
    '<saml:Subject>',
    said.nameId === null
      ? ''
      : `<saml:NameID Format="${said.nameIdFormat}">${escapeXml(said.nameId)}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="${said.method}"><saml:SubjectConfirmationData${attr('InResponseTo', said.inResponseTo)}${attr('Recipient', said.recipient)}${attr('NotOnOrAfter', said.confirmedUntil && when(said.confirmedUntil))}/></saml:SubjectConfirmation>`,
    '</saml:Subject>',
    `<saml:Conditions${attr('NotBefore', said.notBefore && when(said.notBefore))}${attr('NotOnOrAfter', said.notOnOrAfter && when(said.notOnOrAfter))}>`,
    said.audience === null
      ? ''
      : `<saml:AudienceRestriction><saml:Audience>${escapeXml(said.audience)}</saml:Audience></saml:AudienceRestriction>`,
    said.extra.conditions ?? '',
    '</saml:Conditions>',
    `<saml:AuthnStatement AuthnInstant="${when(said.authnInstant)}" SessionIndex="s1"${attr('SessionNotOnOrAfter', said.sessionEnds && when(said.sessionEnds))}><saml:AuthnContext><saml:AuthnContextClassRef>${said.authnContext}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    attributes && `<saml:AttributeStatement>${attributes}</saml:AttributeStatement>`,
    '</saml:Assertion>',
  ].join('');
}

/** A Response around an assertion, or around whatever else. */
export function responseXml(said: Said, assertion: string): string {
  return [
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${said.responseId}" Version="2.0" IssueInstant="${when(said.issued)}"${attr('Destination', said.destination)}${attr('InResponseTo', said.responseInResponseTo)}>`,
    said.responseIssuer === null
      ? ''
      : `<saml:Issuer>${escapeXml(said.responseIssuer)}</saml:Issuer>`,
    `<samlp:Status><samlp:StatusCode Value="${said.status}"/></samlp:Status>`,
    assertion,
    said.extra.inResponse ?? '',
    '</samlp:Response>',
  ].join('');
}

/** Signs the element of that ID, as SAML core 5 has it: the signature follows the issuer. */
export function signElement(
  xml: string,
  id: string,
  key: Pick<OwnKey, 'privateKey' | 'certificate'>,
  algorithms: typeof sha256 = sha256,
): string {
  const signer = new SignedXml({
    privateKey: key.privateKey,
    publicCert: key.certificate,
    signatureAlgorithm: algorithms.signature,
    canonicalizationAlgorithm: algorithms.c14n,
  });
  Object.assign(signer.SignatureAlgorithms, moreSignatures);
  Object.assign(signer.HashAlgorithms, moreDigests);
  signer.addReference({
    xpath: `//*[@ID='${id}']`,
    transforms: algorithms.transforms,
    digestAlgorithm: algorithms.digest,
  });
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `//*[@ID='${id}']/*[1]`, action: 'after' },
  });
  return signer.getSignedXml();
}

export interface Signing {
  key: Pick<OwnKey, 'privateKey' | 'certificate'>;
  sign?: 'assertion' | 'response' | 'both' | 'none';
  algorithms?: typeof sha256;
  /** Encrypts the assertion to this certificate, after it was signed or not. */
  encryptTo?: string | null;
  cipher?: string;
  keyCipher?: string;
}

/** A whole response, signed as most providers do. */
export async function samlResponse(
  said: Said,
  {
    key,
    sign = 'assertion',
    algorithms = sha256,
    encryptTo = null,
    cipher = 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyCipher = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  }: Signing,
): Promise<string> {
  let assertion = assertionXml(said);
  if (sign === 'assertion' || sign === 'both')
    assertion = signElement(assertion, said.assertionId, key, algorithms);
  if (encryptTo !== null) {
    const encrypted = await promisify(encrypt)(assertion, {
      rsa_pub: encryptTo,
      pem: encryptTo,
      encryptionAlgorithm: cipher,
      keyEncryptionAlgorithm: keyCipher,
    } as never);
    assertion = `<saml:EncryptedAssertion>${encrypted}</saml:EncryptedAssertion>`;
  }
  const response = responseXml(said, assertion);
  return sign === 'response' || sign === 'both'
    ? signElement(response, said.responseId, key, algorithms)
    : response;
}

export function base64(xml: string): string {
  return Buffer.from(xml).toString('base64');
}
