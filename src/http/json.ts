import type { Context, ParameterizedContext } from 'koa';
import { readText } from './body.ts';
import { Problem } from './problem.ts';

/** One megabyte: the largest body a program has reason to send. */
const jsonLimit = 1024 * 1024;
const depthLimit = 32;

export interface JsonOptions {
  limit?: number;
  /** Media types that are taken. */
  types?: readonly string[];
  /** Is given the text before it is looked at. */
  heard?(text: string): void;
}

/**
 * The body as JSON, or undefined where there is none. What could be read in two ways is refused: a
 * name that comes twice, text that is not Unicode. So is what costs more than it is worth: nesting
 * without end. And `__proto__`, which is no field of anything.
 *
 * @throws {Problem} 400, 413 or 415
 */
export async function readJson(
  ctx: Context | ParameterizedContext,
  { limit = jsonLimit, types = ['application/json'], heard }: JsonOptions = {},
): Promise<unknown> {
  const text = await readText(ctx.req, limit);
  if (text === '') return undefined;
  heard?.(text);
  if (!ctx.is([...types]))
    throw new Problem(415, 'unsupported_media_type', `Send ${types.join(' or ')}.`);
  requireSound(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(400, 'invalid_json', `The body is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Looks at the text once, before `JSON.parse` builds anything from it: that would go as deep as the
 * text says, and keep the last of two equal names without a word.
 */
function requireSound(text: string): void {
  // One set of names for each object that is open, null for each array.
  const open: (Set<string> | null)[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === openBrace || character === openBracket) {
      if (open.length === depthLimit)
        throw new Problem(400, 'too_deep', `More than ${depthLimit} levels are not taken.`);
      open.push(character === openBrace ? new Set() : null);
    } else if (character === closeBrace || character === closeBracket) {
      open.pop();
    } else if (character === quote) {
      const end = endOfString(text, at + 1);
      const names = open.at(-1);
      const value = stringAt(text, at, end);
      if (names && isName(text, end)) {
        if (names.has(value))
          throw new Problem(400, 'duplicate_field', `${shown(value)} was sent twice.`);
        if (value === '__proto__')
          throw new Problem(400, 'invalid_field', '__proto__ is no field.');
        names.add(value);
      }
      at = end;
    }
    at += 1;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Where the string that began before `from` ends. */
function endOfString(text: string, from: number): number {
  let at = from;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end === -1)
      throw new Problem(400, 'invalid_json', 'The body is not JSON: a text has no end.');
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end;
    at = end + 1;
  }
}

/** The text from quote to quote, as it is meant. */
function stringAt(text: string, from: number, end: number): string {
  const raw = text.slice(from + 1, end);
  if (!raw.includes('\\')) return raw;
  let value: string;
  try {
    value = JSON.parse(text.slice(from, end + 1)) as string;
  } catch {
    throw new Problem(400, 'invalid_json', 'The body is not JSON: a text is not well written.');
  }
  // PostgreSQL has no place for either.
  if (value.includes('\0') || !value.isWellFormed())
    throw new Problem(400, 'invalid_field', 'A text holds what is not text.');
  return value;
}

function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}
