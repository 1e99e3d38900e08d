import { digestMethods, signatureMethods } from './algorithms.ts';
import { SamlRefused } from './refused.ts';
import {
  attribute,
  attributesOf,
  children,
  childrenOf,
  everyElement,
  named,
  ns,
  onlyChild,
} from './xml.ts';

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const contentCiphers = new Set([
  'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
]);
const keyCiphers = new Set(['http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p']);

export interface ResponseParts {
  response: Element;
  /** The one assertion, or the one that is encrypted. */
  assertion: Element | null;
  encrypted: Element | null;
  responseSigned: boolean;
}

/**
 * What a Response may consist of, so that there is one assertion, at one place, and nothing beside
 * it that could be taken for it (signature wrapping, security.md 2.2 and 5.3, rules 3 and 4).
 *
 * @throws {SamlRefused}
 */
export function checkResponse(response: Element): ResponseParts {
  if (!named(response, ns.protocol, 'Response'))
    throw new SamlRefused('structure', 'This is no SAML Response.');
  requireVersion(response);
  checkEverywhere(response);
  for (const child of childrenOf(response)) {
    const known =
      named(child, ns.assertion, 'Issuer') ||
      named(child, ns.signature, 'Signature') ||
      named(child, ns.protocol, 'Extensions') ||
      named(child, ns.protocol, 'Status') ||
      named(child, ns.assertion, 'Assertion') ||
      named(child, ns.assertion, 'EncryptedAssertion');
    if (!known)
      throw new SamlRefused('structure', `The Response holds a ${child.localName}, unexpectedly.`);
  }
  const assertion = onlyChild(response, ns.assertion, 'Assertion');
  const encrypted = onlyChild(response, ns.assertion, 'EncryptedAssertion');
  if (assertion && encrypted)
    throw new SamlRefused('structure', 'There is an assertion beside an encrypted one.');
  const inside = everyElement(response);
  count(inside, 'Response', 1);
  count(inside, 'Assertion', assertion ? 1 : 0);
  count(inside, 'EncryptedAssertion', encrypted ? 1 : 0);
  for (const element of inside)
    if (element.localName === 'Signature' && !isOneOf(element.parentNode, response, assertion))
      throw new SamlRefused('structure', 'A signature stands where none belongs.');
  const signature = checkSignature(response);
  if (assertion) checkAssertion(assertion);
  if (encrypted) checkEncrypted(encrypted);
  return { response, assertion, encrypted, responseSigned: signature };
}

/** An assertion that was inside an encrypted one: the same rules, and its own signature. */
export function checkDecrypted(assertion: Element): void {
  if (!named(assertion, ns.assertion, 'Assertion'))
    throw new SamlRefused('structure', 'What was encrypted is no assertion.');
  checkEverywhere(assertion);
  const inside = everyElement(assertion);
  count(inside, 'Assertion', 1);
  count(inside, 'Response', 0);
  count(inside, 'EncryptedAssertion', 0);
  for (const element of inside)
    if (element.localName === 'Signature' && element.parentNode !== assertion)
      throw new SamlRefused('structure', 'A signature stands where none belongs.');
  if (!checkAssertion(assertion))
    throw new SamlRefused('unsigned', 'The assertion that was encrypted is not signed itself.');
}

/** Whether an assertion is signed. @throws {SamlRefused} where its form is not good */
function checkAssertion(assertion: Element): boolean {
  requireVersion(assertion);
  if (attribute(assertion, 'ID') === null)
    throw new SamlRefused('structure', 'The assertion has no ID.');
  return checkSignature(assertion);
}

/** A request that came by POST: one signature, its own (SAML core 5.4). @throws {SamlRefused} */
export function checkSignedRequest(request: Element): void {
  requireVersion(request);
  checkEverywhere(request);
  if (!checkSignature(request)) throw new SamlRefused('unsigned', 'It is not signed.');
  count(everyElement(request), 'Signature', 1);
}

/** What holds of every document: absolute namespaces, and IDs that stand once. @throws {SamlRefused} */
export function checkEverywhere(root: Element): void {
  const ids = new Set<string>();
  for (const element of everyElement(root))
    for (const { name, localName, prefix, value } of attributesOf(element)) {
      if (name === 'xmlns' || prefix === 'xmlns') {
        // A relative namespace makes canonicalization fail in some tools, and pass in others.
        if (value !== '' && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(value))
          throw new SamlRefused('structure', 'A namespace is not an absolute URI.');
        continue;
      }
      if (localName.toLowerCase() !== 'id') continue;
      if (prefix) throw new SamlRefused('structure', 'An ID has a namespace of its own.');
      if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/.test(value) || ids.has(value))
        throw new SamlRefused('structure', 'An ID is not good, or stands twice.');
      ids.add(value);
    }
}

/** Whether there is a signature. @throws {SamlRefused} where it is another than the profile's */
export function checkSignature(parent: Element): boolean {
  const signature = onlyChild(parent, ns.signature, 'Signature');
  if (!signature) return false;
  for (const child of childrenOf(signature))
    if (
      !named(child, ns.signature, 'SignedInfo') &&
      !named(child, ns.signature, 'SignatureValue') &&
      !named(child, ns.signature, 'KeyInfo')
    )
      throw new SamlRefused('structure', `A signature holds a ${child.localName}, unexpectedly.`);
  const signedInfo = required(signature, 'SignedInfo');
  required(signature, 'SignatureValue');
  onlyChild(signature, ns.signature, 'KeyInfo');
  count(everyElement(signature), 'SignedInfo', 1);
  algorithm(required(signedInfo, 'CanonicalizationMethod'), new Set([exclusive]));
  algorithm(required(signedInfo, 'SignatureMethod'), signatureMethods);
  const reference = required(signedInfo, 'Reference');
  if (childrenOf(signedInfo).length !== 3)
    throw new SamlRefused('structure', 'A signature refers to more than one thing.');
  const id = attribute(parent, 'ID');
  if (id === null || attribute(reference, 'URI') !== `#${id}`)
    throw new SamlRefused('structure', 'A signature refers to something else than its parent.');
  const transforms = children(required(reference, 'Transforms'), ns.signature, 'Transform').map(
    (transform) => attribute(transform, 'Algorithm'),
  );
  if (transforms.length !== 2 || transforms[0] !== enveloped || transforms[1] !== exclusive)
    throw new SamlRefused(
      'algorithm',
      `The transforms ${transforms.join(', ')} are not those of the profile.`,
    );
  algorithm(required(reference, 'DigestMethod'), digestMethods);
  const digest = required(reference, 'DigestValue');
  if (childrenOf(digest).length > 0)
    throw new SamlRefused('structure', 'A digest holds more than text.');
  return true;
}

function checkEncrypted(encrypted: Element): void {
  const inside = everyElement(encrypted);
  count(inside, 'EncryptedData', 1);
  count(inside, 'EncryptedKey', 1);
  for (const element of inside) {
    if (element.localName !== 'EncryptionMethod') continue;
    const ofKey = (element.parentNode as Element).localName === 'EncryptedKey';
    algorithm(element, ofKey ? keyCiphers : contentCiphers);
  }
  count(inside, 'EncryptionMethod', 2);
}

function algorithm(element: Element, allowed: ReadonlySet<string>): void {
  const name = attribute(element, 'Algorithm') ?? 'none';
  if (!allowed.has(name))
    throw new SamlRefused('algorithm', `The algorithm ${name} is not accepted.`);
}

function required(parent: Element, name: string): Element {
  const child = onlyChild(parent, ns.signature, name);
  if (!child) throw new SamlRefused('structure', `A signature has no ${name}.`);
  return child;
}

/** @throws {SamlRefused} */
export function requireVersion(element: Element): void {
  if (attribute(element, 'Version') !== '2.0')
    throw new SamlRefused('structure', 'This is not SAML 2.0.');
}

/** Counts by local name: what only looks like an assertion is one to some reader. */
function count(elements: readonly Element[], name: string, wanted: number): void {
  const lower = name.toLowerCase();
  const found = elements.filter((element) => element.localName.toLowerCase() === lower).length;
  if (found !== wanted)
    throw new SamlRefused('structure', `There are ${found} of ${name}, and ${wanted} belong.`);
}

function isOneOf(node: Node | null, ...elements: (Element | null)[]): boolean {
  return elements.some((element) => element !== null && element === node);
}
