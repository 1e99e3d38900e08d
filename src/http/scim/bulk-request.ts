import { bad, ScimError, shown } from '#identity/scim/error.ts';
import { fieldsOf, isObject, requireSchema } from '#identity/scim/value.ts';
import { bulkLimits } from './limits.ts';

export const bulkRequestSchema = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

/** One operation of a Bulk request (RFC 7644, section 3.7). */
export interface BulkOperation {
  method: string;
  path: string;
  bulkId: string | undefined;
  version: string | undefined;
  data: unknown;
  /** Why it cannot be carried out, whatever the others do. */
  wrong: ScimError | null;
  /** The operations it refers to. */
  needs: number[];
}

/** What a Bulk request asks for. @throws {ScimError} 400, 413 */
export function readBulk(body: unknown): {
  operations: BulkOperation[];
  failOnErrors: number | null;
} {
  if (!isObject(body)) throw bad('invalidSyntax', 'The body must be a JSON object.');
  requireSchema(body, bulkRequestSchema);
  const fields = new Map(fieldsOf(body, '').map(([name, value]) => [name.toLowerCase(), value]));
  const given = fields.get('operations');
  if (!Array.isArray(given))
    throw bad('invalidSyntax', 'Operations: an array of operations is expected.');
  if (given.length > bulkLimits.operations)
    throw new ScimError(
      413,
      `At most ${bulkLimits.operations} operations are taken (maxOperations); these are ${given.length}.`,
    );
  const failOnErrors = fields.get('failonerrors') ?? null;
  if (failOnErrors !== null && !(Number.isInteger(failOnErrors) && Number(failOnErrors) >= 1))
    throw bad('invalidValue', 'failOnErrors: a whole number of at least 1 is expected.');
  return { operations: readAll(given), failOnErrors: failOnErrors as number | null };
}

function readAll(given: readonly unknown[]): BulkOperation[] {
  const operations = given.map((one, index) => readOne(one, `Operations[${index}]`));
  const made = new Map<string, number>();
  for (const [at, one] of operations.entries()) {
    if (one.method !== 'POST' || one.bulkId === undefined) continue;
    if (made.has(one.bulkId))
      one.wrong ??= bad('invalidValue', `bulkId: ${shown(one.bulkId)} is there twice.`);
    else made.set(one.bulkId, at);
  }
  for (const one of operations) {
    const named = new Set([...referencesIn(one.data), ...referencesIn(lastOf(one.path))]);
    for (const name of named) {
      const at = made.get(name);
      if (at === undefined)
        one.wrong ??= bad('invalidValue', `There is no operation with bulkId ${shown(name)}.`);
      else one.needs.push(at);
    }
  }
  return operations;
}

const methods = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function readOne(given: unknown, where: string): BulkOperation {
  if (!isObject(given)) throw bad('invalidSyntax', `${where}: an object is expected.`);
  const fields = new Map(
    fieldsOf(given, where).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const text = (name: string): string | undefined => {
    const value = fields.get(name.toLowerCase()) ?? undefined;
    if (value !== undefined && typeof value !== 'string')
      throw bad('invalidSyntax', `${where}.${name}: a text is expected.`);
    return value;
  };
  const method = (text('method') ?? '').toUpperCase();
  const path = text('path') ?? '';
  const bulkId = text('bulkId');
  const data = fields.get('data');
  return {
    method,
    path,
    bulkId,
    version: text('version'),
    data,
    wrong: whatIsWrong(),
    needs: [],
  };

  function whatIsWrong(): ScimError | null {
    if (!methods.has(method))
      return bad('invalidSyntax', `${where}.method: POST, PUT, PATCH or DELETE.`);
    const form = method === 'POST' ? /^\/(Users|Groups)$/i : /^\/(Users|Groups)\/[^/?#]+$/i;
    if (!form.test(path) || path.toLowerCase().endsWith('/.search'))
      return bad('invalidSyntax', `${where}.path: ${shown(path)} is not for ${method} here.`);
    if (method === 'POST' && bulkId === undefined)
      return bad('invalidSyntax', `${where}.bulkId: it is required with POST.`);
    if (method !== 'DELETE' && data === undefined)
      return bad('invalidSyntax', `${where}.data is missing.`);
    return null;
  }
}

/** The last part of a path. */
export function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `bulkId:` and the name of an operation. */
export const reference = /^bulkId:(.+)$/is;

/** The names of operations in a value, wherever they stand. */
export function referencesIn(value: unknown): string[] {
  if (typeof value === 'string') return reference.exec(value)?.slice(1, 2) ?? [];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return isObject(value) ? Object.values(value).flatMap(referencesIn) : [];
}

/** For each operation those that reach it and are reached by it (Tarjan's components). */
export function circlesOf(operations: readonly BulkOperation[]): number[][] {
  const circles: number[][] = [];
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const visit = (at: number): void => {
    order.set(at, order.size);
    low.set(at, order.get(at)!);
    open.push(at);
    for (const need of operations[at]!.needs) {
      if (!order.has(need)) {
        visit(need);
        low.set(at, Math.min(low.get(at)!, low.get(need)!));
      } else if (open.includes(need)) low.set(at, Math.min(low.get(at)!, order.get(need)!));
    }
    if (low.get(at) !== order.get(at)) return;
    const circle = open.splice(open.indexOf(at)).sort((one, other) => one - other);
    for (const member of circle) circles[member] = circle;
  };
  for (const at of operations.keys()) if (!order.has(at)) visit(at);
  return circles;
}
