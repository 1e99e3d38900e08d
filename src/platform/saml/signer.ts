import { SignedXml } from 'xml-crypto';
import { isSignedWith } from './algorithms.ts';
import { SamlRefused } from './refused.ts';
import { ns, onlyChild } from './xml.ts';

/** What xml-crypto compares with the signature's value; pinned exactly in package.json. */
interface WithSignedInfo {
  getCanonSignedInfoXml(document: Document): string;
}

/**
 * Has one of the pinned keys made the signature of this element? Whether the element is what was signed
 * is not looked at: that costs twenty times as much for a large document, and is done for those only
 * that a provider has signed at all.
 *
 * @param element that holds a signature whose form was checked
 * @throws {SamlRefused}
 */
export function checkSigner(element: Element, certificates: readonly string[]): void {
  const signature = onlyChild(element, ns.signature, 'Signature');
  if (!signature) throw new SamlRefused('unsigned', `The ${element.localName} is not signed.`);
  const read = new SignedXml();
  read.loadSignature(signature);
  const signed = (read as unknown as WithSignedInfo).getCanonSignedInfoXml(element.ownerDocument);
  const { signatureAlgorithm: method = '', signatureValue } = read as SignedXml & {
    signatureValue: string;
  };
  const value = Buffer.from(signatureValue, 'base64');
  if (!certificates.some((one) => isSignedWith(method, one, signed, value)))
    throw new SamlRefused(
      'signature',
      `The signature of the ${element.localName} is not one of the pinned certificates.`,
    );
}

/**
 * The text that the signature of an element covers, in canonical form and without the signature: what is
 * read, and nothing else.
 *
 * @param xml the document, as it was parsed
 * @param element its root, whose signature has the form of the profile
 * @throws {SamlRefused}
 */
export function signedText(xml: string, element: Element, certificates: readonly string[]): string {
  checkSigner(element, certificates);
  const signature = onlyChild(element, ns.signature, 'Signature')!;
  for (const publicCert of certificates)
    try {
      const read = new SignedXml({ publicCert, getCertFromKeyInfo: () => null });
      read.loadSignature(signature);
      // Line ends as a parser has them (XML 1.0, section 2.11).
      if (!read.checkSignature(xml.replace(/\r\n?/g, '\n'))) continue;
      const [text, ...others] = read.getSignedReferences();
      if (text !== undefined && others.length === 0) return text;
    } catch {
      // Of several certificates that are pinned, one is right.
    }
  throw new SamlRefused('signature', 'What the signature covers was changed.');
}
