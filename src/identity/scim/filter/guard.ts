import { parse, type Filter } from 'scim2-parse-filter';
import { bad, shown } from '../error.ts';

/** Longer filters than a directory has reason to send. */
const longest = 8 * 1024;
const deepest = 50;
const mostTerms = 1000;

/** A filter as the grammar of RFC 7644 has it, with the texts it compares with. */
export interface Parsed {
  tree: Filter;
  /** The text of a placeholder in the tree; other texts are themselves. */
  valueOf(literal: unknown): unknown;
}

type Token =
  | { kind: 'word'; text: string }
  | { kind: 'value'; text: string }
  | { kind: 'open' | 'close' | 'in' | 'out'; text: string }
  /** What follows a value filter: `emails[...].value`. */
  | { kind: 'sub'; text: string };

/**
 * Parses a filter with scim2-parse-filter, which is shown only what it can read well: its own reader
 * of texts takes a minute for 44 characters, knows no escapes, and its parser goes as deep as it is
 * told (scim.md 5.2). So texts are read here and stand in the tree as placeholders; depth and length
 * are bounded before; and what it lets through by mistake is refused.
 *
 * @throws {ScimError} 400 `invalidFilter`
 */
export function parseFilter(filter: string): Parsed {
  if (filter.length > longest)
    throw invalid(`A filter has at most ${longest} characters; this one has ${filter.length}.`);
  const values: unknown[] = [];
  const tokens = onSameValue(tokensOf(filter, values));
  requireBounds(tokens);
  let tree: Filter;
  const text = tokens.map((token) => token.text).join(' ');
  try {
    tree = parse(text);
  } catch (error) {
    throw invalid(
      `The filter cannot be read: ${(error as Error).message.replaceAll(/"§(\d+)"/g, (_, at) => shown(values[Number(at)]))}`,
    );
  }
  return {
    tree,
    valueOf(literal) {
      const place = typeof literal === 'string' ? /^§(\d+)$/.exec(literal) : null;
      return place ? values[Number(place[1])] : literal;
    },
  };
}

function invalid(detail: string): Error {
  return bad('invalidFilter', detail);
}

const word = /[A-Za-z$][\w.:/%$-]*/y;
const bare = /[^\s()[\]"]+/y;
const otherQuotes = /^['‘“«`]/;
const operators = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le']);
const logical = new Set(['and', 'or', 'not']);
const brackets: Record<string, Token['kind']> = {
  '(': 'open',
  ')': 'close',
  '[': 'in',
  ']': 'out',
};

function tokensOf(filter: string, values: unknown[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const value = (read: unknown): void => {
    tokens.push({ kind: 'value', text: `"§${values.length}"` });
    values.push(read);
  };
  while (at < filter.length) {
    const character = filter[at]!;
    const before = tokens.at(-1);
    const compares = before?.kind === 'word' && operators.has(before.text);
    if (character === ' ') {
      at += 1;
    } else if (brackets[character]) {
      tokens.push({ kind: brackets[character], text: character });
      at += 1;
    } else if (character === '"') {
      const end = endOfText(filter, at);
      value(textAt(filter, at, end));
      at = end + 1;
    } else if (compares) {
      // Not in quotes: true, false, null, a number, or a text of who forgot them.
      bare.lastIndex = at;
      const [read] = bare.exec(filter) ?? [];
      if (read === undefined)
        throw invalid(`The filter cannot be read at ${shown(filter.slice(at))}.`);
      // Taken as it stands it would be found nowhere, and the directory would make everybody twice.
      if (otherQuotes.test(read))
        throw invalid(`A text stands in double quotes, not as ${shown(read)}.`);
      value(/^(true|false|null)$/.test(read) ? JSON.parse(read) : read);
      at += read.length;
    } else if (character === '.' && before?.kind === 'out') {
      word.lastIndex = at + 1;
      const [name] = word.exec(filter) ?? [];
      if (name === undefined)
        throw invalid(`The filter cannot be read at ${shown(filter.slice(at))}.`);
      tokens.push({ kind: 'sub', text: name });
      at += name.length + 1;
    } else {
      word.lastIndex = at;
      const [name] = word.exec(filter) ?? [];
      if (name === undefined)
        throw invalid(`The filter cannot be read at ${shown(filter.slice(at))}.`);
      const lower = name.toLowerCase();
      const keyword = operators.has(lower) || logical.has(lower) || lower === 'pr';
      // The library reads no `$` in a name.
      tokens.push({ kind: 'word', text: keyword ? lower : name.replaceAll('$', dollar) });
      at += name.length;
    }
  }
  return tokens;
}

const dollar = 'u0024_';

/** A name of the tree as it was written. */
export function nameOf(path: string): string {
  return path.replaceAll(dollar, '$');
}

function endOfText(filter: string, from: number): number {
  for (let at = from + 1; at < filter.length; at += 1) {
    if (filter[at] === '\\') at += 1;
    else if (filter[at] === '"') return at;
  }
  throw invalid('The filter cannot be read: a text has no end.');
}

function textAt(filter: string, from: number, end: number): string {
  let text: string;
  try {
    text = JSON.parse(filter.slice(from, end + 1)) as string;
  } catch {
    throw invalid('The filter cannot be read: a text is not written as in JSON.');
  }
  if (text.includes('\0') || !text.isWellFormed())
    throw invalid('The filter holds what is no text.');
  return text;
}

/**
 * `emails[type eq "work"].value eq "x"` asks for one value that is both: it becomes
 * `emails[(type eq "work") and value eq "x"]`. RFC 7644 has no such filter; Entra ID sends it.
 */
function onSameValue(tokens: readonly Token[]): Token[] {
  const result: Token[] = [];
  const opened: number[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    const next = tokens[at + 1];
    if (token.kind === 'in') opened.push(result.length);
    if (token.kind === 'out' && next?.kind === 'sub') {
      const begin = opened.pop();
      if (begin === undefined) throw invalid('The filter has a ] that nothing opens.');
      const operator = tokens[at + 2];
      const count = operator?.text === 'pr' ? 1 : 2;
      const rest = tokens.slice(at + 2, at + 2 + count);
      result.splice(begin + 1, 0, { kind: 'open', text: '(' });
      result.push(
        { kind: 'close', text: ')' },
        { kind: 'word', text: 'and' },
        { kind: 'word', text: next.text },
        ...rest,
        token,
      );
      at += 1 + count;
      continue;
    }
    if (token.kind === 'out') opened.pop();
    result.push(token);
  }
  return result;
}

function requireBounds(tokens: readonly Token[]): void {
  let depth = 0;
  let inside = false;
  let terms = 0;
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind === 'open' || kind === 'in') depth += 1;
    if (kind === 'close' || kind === 'out') depth -= 1;
    if (depth > deepest) throw invalid(`A filter has at most ${deepest} levels of brackets.`);
    if (kind === 'in') {
      if (inside) throw invalid('A filter of values holds no other.');
      inside = true;
    }
    if (kind === 'out') inside = false;
    if (kind === 'sub') throw invalid(`The filter cannot be read at ${shown(`.${text}`)}.`);
    if (text === 'not' && kind === 'word' && tokens[at + 1]?.kind !== 'open')
      throw invalid('not is followed by brackets.');
    if (kind === 'word' && (operators.has(text) || text === 'pr')) terms += 1;
  }
  if (terms > mostTerms) throw invalid(`A filter has at most ${mostTerms} terms.`);
}
