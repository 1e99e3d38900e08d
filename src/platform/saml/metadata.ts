import { readCertificate } from './certificate.ts';
import { guard } from './raw-guard.ts';
import { SamlRefused } from './refused.ts';
import {
  attribute,
  children,
  everyElement,
  momentOf,
  named,
  ns,
  onlyChild,
  parseXml,
  textOf,
} from './xml.ts';

export const bindings = {
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
} as const;

/** What the metadata of an identity provider says (SAML metadata 2.4.3). */
export interface IdpMetadata {
  entityId: string;
  /** Where requests are sent, by binding. */
  signOn: { redirect: string | null; post: string | null };
  /** Where the person is sent to sign out there; answers go elsewhere where it says so, by binding. */
  signOut: {
    redirect: string | null;
    post: string | null;
    answers: string | null;
    postAnswers: string | null;
  };
  /** PEM, of keys that sign. */
  certificates: string[];
  /** What was left out, and why: a key that is too short, for instance. */
  leftOut: string[];
  wantsSignedRequests: boolean;
  nameIdFormats: string[];
  validUntil: number | null;
}

/**
 * Reads metadata of one identity provider. The document itself is not trusted for anything: it was
 * pasted by an administrator, or fetched by https, and its keys are pinned once a person agreed.
 *
 * @throws {SamlRefused}
 */
export function readMetadata(xml: string): IdpMetadata {
  const text = xml.trim();
  guard(text, { comments: true });
  const entities = everyElement(parseXml(text)).filter(
    (element) =>
      named(element, ns.metadata, 'EntityDescriptor') &&
      children(element, ns.metadata, 'IDPSSODescriptor').length > 0,
  );
  const [entity, ...others] = entities;
  if (!entity)
    throw new SamlRefused('structure', 'This is no metadata of a SAML 2.0 identity provider.');
  if (others.length > 0)
    throw new SamlRefused('structure', 'The metadata describes several identity providers.');
  const entityId = attribute(entity, 'entityID');
  if (entityId === null || entityId.length > 1024)
    throw new SamlRefused('structure', 'The metadata has no entityID.');
  const idp = onlyChild(entity, ns.metadata, 'IDPSSODescriptor')!;
  const signOn = endpoints(idp, 'SingleSignOnService');
  if (!signOn.redirect && !signOn.post)
    throw new SamlRefused(
      'structure',
      'The provider offers neither the redirect nor the POST binding.',
    );
  const answers = endpoints(idp, 'SingleLogoutService', 'ResponseLocation');
  const until = attribute(entity, 'validUntil') ?? attribute(idp, 'validUntil');
  return {
    entityId,
    signOn,
    signOut: {
      ...endpoints(idp, 'SingleLogoutService'),
      answers: answers.redirect,
      postAnswers: answers.post,
    },
    ...keys(idp),
    wantsSignedRequests: /^(true|1)$/.test(attribute(idp, 'WantAuthnRequestsSigned') ?? ''),
    nameIdFormats: children(idp, ns.metadata, 'NameIDFormat').map((one) => textOf(one).trim()),
    validUntil: until === null ? null : momentOf(until, 'validUntil'),
  };
}

function endpoints(
  idp: Element,
  name: string,
  place = 'Location',
): { redirect: string | null; post: string | null } {
  const found = { redirect: null as string | null, post: null as string | null };
  for (const service of children(idp, ns.metadata, name)) {
    const location = attribute(service, place);
    if (location === null || !/^https?:\/\//i.test(location) || !URL.canParse(location)) continue;
    const binding = attribute(service, 'Binding');
    if (binding === bindings.redirect) found.redirect ??= location;
    if (binding === bindings.post) found.post ??= location;
  }
  return found;
}

function keys(idp: Element): { certificates: string[]; leftOut: string[] } {
  const certificates = new Map<string, string>();
  const leftOut: string[] = [];
  for (const descriptor of children(idp, ns.metadata, 'KeyDescriptor')) {
    const use = attribute(descriptor, 'use');
    if (use !== null && use !== 'signing') continue;
    const texts = everyElement(descriptor)
      .filter((element) => named(element, ns.signature, 'X509Certificate'))
      .map(textOf);
    for (const text of texts)
      try {
        const { pem, fingerprint } = readCertificate(text);
        certificates.set(fingerprint, pem);
      } catch (error) {
        if (!(error instanceof SamlRefused)) throw error;
        leftOut.push(error.message);
      }
  }
  return { certificates: [...certificates.values()], leftOut };
}
