import { bad, shown } from '#identity/scim/error.ts';
import type { ListRequest } from '#identity/scim/list.ts';
import type { Wanted } from '#identity/scim/projection.ts';
import { fieldsOf, isObject, requireSchema } from '#identity/scim/value.ts';

export const defaultPageSize = 100;
export const maxPageSize = 200;
export const searchSchema = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

type Parameters = Record<string, unknown>;

/**
 * Between the words of a filter is `%20` or `+`. Where it is the one, the other is itself: programs that
 * write `%20` do not think of the plus in `ann+test@acme.example`, and would not find who is there.
 */
const spaceIsWritten = /%20(?:eq|ne|co|sw|ew|gt|ge|lt|le)%20/i;

/** What the address says; a name that comes twice could be read in two ways. */
export function queryOf(query: string): Parameters {
  const parameters: Parameters = {};
  const written = spaceIsWritten.test(query) ? query.replaceAll('+', '%2B') : query;
  for (const [name, value] of new URLSearchParams(written)) {
    const known = names.get(name.toLowerCase());
    // Microsoft's own `aadOptscim062020`, and whatever else there may be, is not for us.
    if (!known) continue;
    if (known in parameters) throw bad('invalidSyntax', `${known} is there twice.`);
    if (value.includes('\0') || !value.isWellFormed())
      throw bad('invalidValue', `${known} holds what is no text.`);
    parameters[known] = value;
  }
  return parameters;
}

const names = new Map(
  [
    'filter',
    'sortBy',
    'sortOrder',
    'startIndex',
    'count',
    'cursor',
    'attributes',
    'excludedAttributes',
  ].map((name) => [name.toLowerCase(), name]),
);

/** The body of a `.search` (RFC 7644, section 3.4.3): the same names, with JSON's types. */
export function searchOf(body: unknown): Parameters {
  if (!isObject(body)) throw bad('invalidSyntax', 'The body must be a JSON object.');
  requireSchema(body, searchSchema);
  const parameters: Parameters = {};
  for (const [name, value] of fieldsOf(body, '')) {
    const known = names.get(name.toLowerCase());
    if (known && value !== null) parameters[known] = value;
  }
  return parameters;
}

/** @throws {ScimError} 400 */
export function listRequestOf(parameters: Parameters): ListRequest {
  const cursor = textIn(parameters, 'cursor');
  if (cursor !== undefined && parameters['startIndex'] !== undefined)
    throw bad('invalidValue', 'startIndex: a list that is gone through by cursors has none.');
  const count = integerIn(
    parameters,
    'count',
    cursor === undefined ? 'invalidValue' : 'invalidCount',
  );
  // RFC 9865, section 2: to go on from no page at all is not possible.
  if (cursor !== undefined && count !== undefined && count < 1)
    throw bad('invalidCount', 'count: with a cursor it is 1 or more.');
  return {
    filter: textIn(parameters, 'filter') || undefined,
    sortBy: textIn(parameters, 'sortBy') || undefined,
    descending: descendingIn(parameters),
    startIndex: Math.max(1, integerIn(parameters, 'startIndex', 'invalidValue') ?? 1),
    count: Math.min(maxPageSize, Math.max(0, count ?? defaultPageSize)),
    cursor,
    wanted: wantedOf(parameters),
  };
}

/** @throws {ScimError} 400 where both are there */
export function wantedOf(parameters: Parameters): Wanted {
  const attributes = namesIn(parameters, 'attributes');
  const excluded = namesIn(parameters, 'excludedAttributes');
  if (attributes && excluded)
    throw bad('invalidValue', 'attributes and excludedAttributes exclude each other.');
  return { attributes, excluded };
}

function textIn(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw bad('invalidValue', `${name}: a text is expected.`);
  if (value.includes('\0') || !value.isWellFormed())
    throw bad('invalidValue', `${name} holds what is no text.`);
  return value;
}

function integerIn(
  parameters: Parameters,
  name: string,
  scimType: 'invalidValue' | 'invalidCount',
): number | undefined {
  const value = parameters[name];
  if (value === undefined || value === '') return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^[+-]?\d{1,9}$/.test(text))
    throw bad(scimType, `${name}: a whole number of at most nine digits is expected.`);
  return Number(text);
}

function descendingIn(parameters: Parameters): boolean {
  const order = textIn(parameters, 'sortOrder')?.toLowerCase();
  if (order === undefined || order === '' || order === 'ascending') return false;
  if (order === 'descending') return true;
  throw bad('invalidValue', `sortOrder: ascending or descending, not ${shown(order)}.`);
}

/** Names with commas between them, or a list of names. */
function namesIn(parameters: Parameters, name: string): string[] | null {
  const value = parameters[name];
  if (value === undefined) return null;
  const list: unknown[] = typeof value === 'string' ? value.split(',') : (value as unknown[]);
  if (!Array.isArray(list) || list.some((one) => typeof one !== 'string'))
    throw bad('invalidValue', `${name}: names of attributes are expected.`);
  if (list.length > 200) throw bad('invalidValue', `${name}: at most 200 names are taken.`);
  const found = (list as string[]).map((one) => one.trim()).filter((one) => one !== '');
  return found.length > 0 ? found : null;
}
