import { SAML, type SamlConfig } from '@node-saml/node-saml';
import { certificateBody } from './own-key.ts';
import { bindings } from './metadata.ts';

/** A request to a provider to say who somebody is (SAML core 3.4.1). */
export interface AuthnRequest {
  id: string;
  /** Where it goes: the provider's address for the binding. */
  destination: string;
  binding: 'redirect' | 'post';
  spEntityId: string;
  acsUrl: string;
  /** Opaque: what the response brings back (SAML bindings 3.4.3, at most 80 bytes). */
  relayState: string;
  /** Signs it. PEM. */
  privateKey: string;
  nameIdFormat: string | null;
  /** The person has to prove it anew, not by a session there. */
  forceAuthn: boolean;
  /** The provider must not ask anything. */
  passive: boolean;
  /** For providers that take it beside the request, as Entra and Okta do. */
  loginHint: string | null;
}

/** Where the browser is to go, and, for the POST binding, the fields it brings. */
export interface OutgoingMessage {
  url: string;
  /** Null for the redirect binding. */
  form: Record<string, string> | null;
}

/** Signs a request, and puts it into the form of its binding. */
export async function authnRequest(request: AuthnRequest): Promise<OutgoingMessage> {
  const { binding, destination, relayState, loginHint } = request;
  const config: SamlConfig = {
    entryPoint: destination,
    callbackUrl: request.acsUrl,
    issuer: request.spEntityId,
    // node-saml wants one, though a request has nothing to do with it.
    idpCert: 'AAAA',
    privateKey: request.privateKey,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    generateUniqueId: () => request.id,
    identifierFormat: request.nameIdFormat,
    forceAuthn: request.forceAuthn,
    passive: request.passive,
    disableRequestedAuthnContext: true,
    authnRequestBinding: binding === 'post' ? 'HTTP-POST' : 'HTTP-Redirect',
    // Only the redirect binding is deflated (SAML bindings 3.4.4.1, 3.5.4).
    skipRequestCompression: binding === 'post',
  };
  const saml = new SAML(config);
  if (binding === 'post') {
    const { SAMLRequest } = await saml.getAuthorizeMessageAsync(relayState);
    return { url: destination, form: { SAMLRequest: String(SAMLRequest), RelayState: relayState } };
  }
  const url = await saml.getAuthorizeUrlAsync(relayState, undefined, {
    additionalParams: loginHint === null ? {} : { login_hint: loginHint },
  });
  return { url, form: null };
}

export interface SpMetadata {
  entityId: string;
  acsUrl: string;
  /** Where requests and answers about the end of a session come to, by redirect or POST. */
  sloUrl: string;
  /** PEM, the current one first, then one that comes. */
  signing: readonly string[];
  /** PEM; none where assertions are not to be encrypted. */
  encryption: readonly string[];
  nameIdFormat: string | null;
}

/** Our own metadata for one connection (SAML metadata 2.4.4). */
export function spMetadata(our: SpMetadata): string {
  const key = (use: string, pem: string, methods = ''): string =>
    `<md:KeyDescriptor use="${use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificateBody(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>${methods}</md:KeyDescriptor>`;
  const methods = [
    'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    'http://www.w3.org/2009/xmlenc11#aes128-gcm',
    'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  ]
    .map((one) => `<md:EncryptionMethod Algorithm="${one}"/>`)
    .join('');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${escapeXml(our.entityId)}">`,
    '<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">',
    ...our.signing.map((pem) => key('signing', pem)),
    ...our.encryption.map((pem) => key('encryption', pem, methods)),
    ...[bindings.redirect, bindings.post].map(
      (one) => `<md:SingleLogoutService Binding="${one}" Location="${escapeXml(our.sloUrl)}"/>`,
    ),
    ...(our.nameIdFormat === null
      ? []
      : [`<md:NameIDFormat>${escapeXml(our.nameIdFormat)}</md:NameIDFormat>`]),
    `<md:AssertionConsumerService Binding="${bindings.post}" Location="${escapeXml(our.acsUrl)}" index="0" isDefault="true"/>`,
    '</md:SPSSODescriptor>',
    '</md:EntityDescriptor>',
    '',
  ].join('\n');
}

/** Text as it stands in XML, in an attribute too. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\n\t\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
