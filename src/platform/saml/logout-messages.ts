import { createSign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';
import { escapeXml, type OutgoingMessage } from './request.ts';

const method = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const success = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/** Who is meant, in the words of the provider's own assertion. */
export interface NamedByProvider {
  nameId: string;
  format: string;
  nameQualifier?: string | undefined;
  spNameQualifier?: string | undefined;
  sessionIndex?: string | undefined;
}

interface Outgoing {
  id: string;
  destination: string;
  binding: 'redirect' | 'post';
  spEntityId: string;
  relayState: string | null;
  /** Signs it: RSA, PEM. */
  privateKey: string;
  now: Date;
}

/** Asks a provider to end a person's session there (SAML core 3.7.1). */
export function logoutRequest(out: Outgoing & { person: NamedByProvider }): OutgoingMessage {
  const { person } = out;
  const optional = (name: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${name}="${escapeXml(value)}"`;
  const notOnOrAfter = new Date(out.now.getTime() + 5 * 60_000).toISOString();
  return message('SAMLRequest', out, [
    opening('LogoutRequest', out, ` NotOnOrAfter="${notOnOrAfter}"`),
    `<saml:NameID Format="${escapeXml(person.format)}"${optional('NameQualifier', person.nameQualifier)}${optional('SPNameQualifier', person.spNameQualifier)}>${escapeXml(person.nameId)}</saml:NameID>`,
    person.sessionIndex === undefined
      ? ''
      : `<samlp:SessionIndex>${escapeXml(person.sessionIndex)}</samlp:SessionIndex>`,
    '</samlp:LogoutRequest>',
  ]);
}

/** Tells a provider that nobody is signed in here by its word any more (SAML core 3.7.2). */
export function logoutResponse(out: Outgoing & { inResponseTo: string }): OutgoingMessage {
  return message('SAMLResponse', out, [
    opening('LogoutResponse', out, ` InResponseTo="${escapeXml(out.inResponseTo)}"`),
    `<samlp:Status><samlp:StatusCode Value="${success}"/></samlp:Status>`,
    '</samlp:LogoutResponse>',
  ]);
}

function opening(
  name: string,
  { id, destination, spEntityId, now }: Outgoing,
  more: string,
): string {
  return `<samlp:${name} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${now.toISOString()}" Destination="${escapeXml(destination)}"${more}><saml:Issuer>${escapeXml(spEntityId)}</saml:Issuer>`;
}

function message(
  field: 'SAMLRequest' | 'SAMLResponse',
  out: Outgoing,
  parts: readonly string[],
): OutgoingMessage {
  const xml = parts.join('');
  return out.binding === 'post'
    ? posted(field, out, xml)
    : { url: redirect(field, out, xml).href, form: null };
}

/** The POST binding: signed within, after the issuer (SAML core 5.4, bindings 3.5.4). */
function posted(
  field: 'SAMLRequest' | 'SAMLResponse',
  { id, destination, relayState, privateKey }: Outgoing,
  xml: string,
): OutgoingMessage {
  const signer = new SignedXml({
    privateKey,
    signatureAlgorithm: method,
    canonicalizationAlgorithm: exclusive,
  });
  const it = `/*[@ID='${id}']`;
  signer.addReference({
    xpath: it,
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${it}/*[1]`, action: 'after' },
  });
  return {
    url: destination,
    form: {
      [field]: Buffer.from(signer.getSignedXml()).toString('base64'),
      ...(relayState !== null && { RelayState: relayState }),
    },
  };
}

/** The redirect binding: deflated, and signed as it stands in the query (SAML bindings 3.4.4.1). */
function redirect(
  field: 'SAMLRequest' | 'SAMLResponse',
  { destination, relayState, privateKey }: Outgoing,
  xml: string,
): URL {
  const parameters: [string, string][] = [
    [field, deflateRawSync(xml).toString('base64')],
    ...(relayState === null ? [] : [['RelayState', relayState] as [string, string]]),
    ['SigAlg', method],
  ];
  const signed = parameters.map(([name, value]) => `${name}=${encoded(value)}`).join('&');
  const signature = createSign('sha256').update(signed).sign(privateKey, 'base64');
  const url = new URL(destination);
  const query = `${signed}&Signature=${encoded(signature)}`;
  url.search = url.search === '' ? query : `${url.search.slice(1)}&${query}`;
  return url;
}

/** As an address keeps it: what is signed must not be written differently afterwards. */
function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll("'", '%27');
}
