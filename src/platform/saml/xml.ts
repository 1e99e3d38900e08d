import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { SamlRefused } from './refused.ts';

export const ns = {
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
} as const;

/** Parses with the parser that also checks the signature: nobody reads the document differently. */
export function parseXml(xml: string): Element {
  const fail = (message: string): never => {
    throw new SamlRefused('malformed', `The document is not well-formed XML: ${message}`);
  };
  let root: Element | null = null;
  try {
    const parser = new DOMParser({
      locator: {},
      errorHandler: { warning: fail, error: fail, fatalError: fail },
    });
    root = parser.parseFromString(xml, 'text/xml').documentElement;
  } catch (error) {
    if (error instanceof SamlRefused) throw error;
    fail(error instanceof Error ? error.message : String(error));
  }
  return root ?? fail('it is empty');
}

export function isElement(node: Node): node is Element {
  return node.nodeType === 1;
}

export function childrenOf(element: Element): Element[] {
  return Array.from(element.childNodes).filter(isElement);
}

export function named(element: Element, space: string, name: string): boolean {
  return element.namespaceURI === space && element.localName === name;
}

/** The children of one name. */
export function children(element: Element, space: string, name: string): Element[] {
  return childrenOf(element).filter((child) => named(child, space, name));
}

/** The child of that name: none is null. @throws {SamlRefused} when there are several */
export function onlyChild(element: Element, space: string, name: string): Element | null {
  const found = children(element, space, name);
  if (found.length > 1)
    throw new SamlRefused('structure', `There is more than one ${name} in ${element.localName}.`);
  return found[0] ?? null;
}

/** An element and all below it. */
export function everyElement(element: Element): Element[] {
  return [element, ...childrenOf(element).flatMap(everyElement)];
}

/** The text of an element that holds nothing else. @throws {SamlRefused} */
export function textOf(element: Element): string {
  const nodes = Array.from(element.childNodes);
  if (nodes.some((node) => node.nodeType !== 3))
    throw new SamlRefused('structure', `${element.localName} holds more than text.`);
  return nodes.map((node) => node.nodeValue ?? '').join('');
}

/** An attribute without a namespace; null where it is missing or empty. */
export function attribute(element: Element, name: string): string | null {
  return element.getAttribute(name) || null;
}

export function attributesOf(element: Element): Attr[] {
  return Array.from(element.attributes);
}

/** A moment in UTC (xs:dateTime, SAML core 1.3.3), in milliseconds. @throws {SamlRefused} */
export function momentOf(text: string, what: string): number {
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(moment)) throw new SamlRefused('structure', `${what} is not a moment.`);
  return moment;
}

/** An element as text, with the namespaces that it needs. */
export function serialize(element: Element): string {
  return new XMLSerializer().serializeToString(element);
}
