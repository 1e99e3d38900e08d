import { createSign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { escapeXml } from './request.ts';

const method = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
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
  spEntityId: string;
  relayState: string | null;
  /** Signs it: RSA, PEM. */
  privateKey: string;
  now: Date;
}

/** Asks a provider to end a person's session there (SAML core 3.7.1). Where the browser goes. */
export function logoutRequestUrl(out: Outgoing & { person: NamedByProvider }): URL {
  const { person } = out;
  const optional = (name: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${name}="${escapeXml(value)}"`;
  const notOnOrAfter = new Date(out.now.getTime() + 5 * 60_000).toISOString();
  return redirect('SAMLRequest', out, [
    opening('LogoutRequest', out, ` NotOnOrAfter="${notOnOrAfter}"`),
    `<saml:NameID Format="${escapeXml(person.format)}"${optional('NameQualifier', person.nameQualifier)}${optional('SPNameQualifier', person.spNameQualifier)}>${escapeXml(person.nameId)}</saml:NameID>`,
    person.sessionIndex === undefined
      ? ''
      : `<samlp:SessionIndex>${escapeXml(person.sessionIndex)}</samlp:SessionIndex>`,
    '</samlp:LogoutRequest>',
  ]);
}

/** Tells a provider that nobody is signed in here by its word any more (SAML core 3.7.2). */
export function logoutResponseUrl(out: Outgoing & { inResponseTo: string }): URL {
  return redirect('SAMLResponse', out, [
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

/** The redirect binding: deflated, and signed as it stands in the query (SAML bindings 3.4.4.1). */
function redirect(
  field: 'SAMLRequest' | 'SAMLResponse',
  { destination, relayState, privateKey }: Outgoing,
  xml: readonly string[],
): URL {
  const parameters: [string, string][] = [
    [field, deflateRawSync(xml.join('')).toString('base64')],
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
