import { SamlRefused } from './refused.ts';

/** What a document may be before anybody parses it. Those of real providers have 50 to 60 elements. */
export const documentLimits = { bytes: 256 * 1024, elements: 1500, depth: 24, attributes: 64 };

/**
 * The text of a `SAMLResponse` of the POST binding (SAML bindings 3.5.4), once nothing in it can
 * surprise a parser.
 *
 * @throws {SamlRefused}
 */
export function decodeMessage(encoded: string): string {
  const compact = encoded.replace(/[\r\n\t ]/g, '');
  if (compact.length > Math.ceil(documentLimits.bytes / 3) * 4)
    throw new SamlRefused('too_large', 'The document is longer than 256 KB.');
  if (compact === '' || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact))
    throw new SamlRefused('encoding', 'The document is not Base64.');
  let xml: string;
  try {
    xml = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(compact, 'base64'));
  } catch {
    throw new SamlRefused('encoding', 'The document is not UTF-8.');
  }
  guard(xml);
  return xml;
}

/**
 * Looks at the characters alone, once, from left to right: what can make a parser slow, or make two
 * parsers read two things, is not there (security.md 5.3, rule 1). Comments cut texts in two,
 * DOCTYPE brings entities, CDATA and processing instructions hide.
 *
 * @param comments whether they may stand there, as they do in metadata that people write
 * @throws {SamlRefused}
 */
export function guard(xml: string, { comments = false }: { comments?: boolean } = {}): void {
  if (Buffer.byteLength(xml) > documentLimits.bytes)
    throw new SamlRefused('too_large', 'The document is longer than 256 KB.');
  // oxlint-disable-next-line no-control-regex -- what XML 1.0, section 2.2, does not allow
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(xml) || !xml.isWellFormed())
    throw new SamlRefused('encoding', 'The document holds characters that XML does not allow.');
  const text = withoutDeclaration(xml);
  let elements = 0;
  let depth = 0;
  let at = text.indexOf('<');
  while (at !== -1) {
    const next = text[at + 1] ?? '';
    if (comments && text.startsWith('<!--', at)) {
      const closed = text.indexOf('-->', at + 4);
      if (closed === -1) throw new SamlRefused('malformed', 'A comment does not end.');
      at = text.indexOf('<', closed);
      continue;
    }
    if (next === '!' || next === '?')
      throw new SamlRefused(
        'markup',
        'The document holds a comment, CDATA, DOCTYPE, entity or processing instruction.',
      );
    const end = endOfTag(text, at + 1);
    if (next === '/') depth -= 1;
    else {
      elements += 1;
      if (text[end - 1] !== '/') depth += 1;
    }
    if (elements > documentLimits.elements)
      throw new SamlRefused('too_complex', 'The document has more than 1500 elements.');
    if (depth > documentLimits.depth)
      throw new SamlRefused('too_complex', 'The document is nested too deeply.');
    if (depth < 0) throw new SamlRefused('malformed', 'The document is not well-formed XML.');
    at = text.indexOf('<', end);
  }
  if (elements === 0 || depth !== 0)
    throw new SamlRefused('malformed', 'The document is not well-formed XML.');
}

function withoutDeclaration(xml: string): string {
  const [declaration] = /^\ufeff?\s*<\?xml\s[^<>?]{0,200}\?>/.exec(xml) ?? [];
  if (declaration === undefined) return xml;
  const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
  if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding))
    throw new SamlRefused('encoding', 'The document says that it is not UTF-8.');
  return xml.slice(declaration.length);
}

/** Where a tag ends: a `>` within a quoted value is none. */
function endOfTag(text: string, from: number): number {
  let quote = '';
  let attributes = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]!;
    if (quote) {
      if (character === quote) quote = '';
      else if (character === '<') break;
    } else if (character === '"' || character === "'") {
      quote = character;
      attributes += 1;
      if (attributes > documentLimits.attributes)
        throw new SamlRefused('too_complex', 'An element has too many attributes.');
    } else if (character === '>') return at;
    else if (character === '<') break;
  }
  throw new SamlRefused('malformed', 'The document is not well-formed XML.');
}
