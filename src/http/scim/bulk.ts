import { attempt } from '#identity/attempt.ts';
import type { Directory } from '#identity/scim/context.ts';
import { bad, ScimError, shown } from '#identity/scim/error.ts';
import { enterpriseSchema } from '#identity/scim/schema.ts';
import { isObject } from '#identity/scim/value.ts';
import { patchSchema } from '#identity/scim/patch.ts';
import type { Work } from '#identity/work.ts';
import type { ScimAnswer } from './answer.ts';
import type { ScimRequest, Tools } from './request.ts';
import { errorBody, toScimError } from './errors.ts';
import {
  circlesOf,
  lastOf,
  readBulk,
  reference,
  referencesIn,
  type BulkOperation,
} from './bulk-request.ts';

export const bulkResponseSchema = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';

/** More operations than these are carried out in turn with others; so few are done in a moment. */
const mostAtOnce = 50;

/** So many people are made by one statement. */
const mostTogether = 200;

type Result = { answer: ScimAnswer; id: string | null; path: string } | { error: ScimError };

/**
 * Many operations in one request (RFC 7644, section 3.7), in one transaction, each of which fails for
 * itself: what the others did stays.
 *
 * What refers to a resource that another operation makes comes after it, wherever it stands. Where
 * they refer to one another in a circle, they are made without that first, and all or none of them.
 */
export async function bulk({ body }: ScimRequest, tools: Tools): Promise<ScimAnswer> {
  const { operations, failOnErrors } = readBulk(body);
  tools.charge(operations.length - 1);
  const carriedOut = (): Promise<ScimAnswer> =>
    tools.change(async (directory) => {
      const results = new Map<number, Result>();
      const run = new Run(operations, results, tools, directory);
      const listed: Record<string, unknown>[] = [];
      let errors = 0;
      for (const at of operations.keys()) {
        await run.createFrom(at);
        await run.carryOut(at);
        const result = results.get(at)!;
        listed.push(report(operations[at]!, result, tools.base));
        if ('error' in result || result.answer.status >= 400) errors += 1;
        if (failOnErrors !== null && errors >= failOnErrors) break;
      }
      return { status: 200, body: { schemas: [bulkResponseSchema], Operations: listed } };
    });
  return operations.length > mostAtOnce ? tools.inTurn(carriedOut) : carriedOut();
}

/** The value with ids in the place of the names that are known. */
function resolved(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') {
    const [, name] = reference.exec(value) ?? [];
    return (name === undefined ? undefined : ids.get(name)) ?? value;
  }
  if (Array.isArray(value)) return value.map((one) => resolved(one, ids));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one, ids)]));
}

/** Carries operations out, each once, what they need before. */
class Run {
  readonly #operations: readonly BulkOperation[];
  readonly #results: Map<number, Result>;
  readonly #tools: Tools;
  readonly #directory: Directory;
  readonly #ids = new Map<string, string>();
  /** For each operation, those it goes in a circle with; itself too. */
  readonly #circles: readonly (readonly number[])[];
  /** Up to here each is carried out alone. */
  #alone = 0;
  /** So many are looked at together next, and after so many where nobody of them could be made. */
  #reach = mostTogether;
  #patience = 1;

  constructor(
    operations: readonly BulkOperation[],
    results: Map<number, Result>,
    tools: Tools,
    directory: Directory,
  ) {
    this.#operations = operations;
    this.#results = results;
    this.#tools = tools;
    this.#directory = directory;
    this.#circles = circlesOf(operations);
  }

  /**
   * Makes who is to be made from here on by the statements one takes, as far as they stand behind one
   * another and there is nothing else to be decided about them.
   */
  async createFrom(at: number): Promise<void> {
    if (at < this.#alone || this.#results.has(at)) return;
    const window = this.#operations.slice(at, at + this.#reach);
    const end = window.findIndex((one, after) => !isCreation(one) || this.#results.has(at + after));
    const many = end === -1 ? window : window.slice(0, end);
    if (many.length < 2) return;
    const answers = await this.#createFirst(many);
    for (const [after, answer] of answers.entries()) {
      const id = lastOf(answer.headers!['Location']!);
      this.#results.set(at + after, { answer, id, path: many[after]!.path });
      this.#ids.set(many[after]!.bulkId!, id);
    }
    const next = at + answers.length;
    // Where most have to be looked at alone, looking for others would cost more than it saves.
    const all = answers.length === many.length;
    this.#reach = all ? mostTogether : Math.max(2, 2 * answers.length);
    this.#patience = answers.length > 0 ? 1 : Math.min(2 * this.#patience, mostTogether);
    this.#alone = all ? next : next + this.#patience;
  }

  async #createFirst(many: readonly BulkOperation[]): Promise<ScimAnswer[]> {
    const { createFirst } = this.#tools.route('POST', '/Users');
    if (!createFirst) return [];
    try {
      return await attempt(this.#directory.work, (work) =>
        createFirst(
          { ...this.#directory, work },
          many.map(({ data }) => data),
          this.#tools.base,
        ),
      );
    } catch (error) {
      if (toScimError(error)) return [];
      throw error;
    }
  }

  async carryOut(at: number): Promise<void> {
    if (this.#results.has(at)) return;
    const circle = this.#circles[at]!;
    for (const member of circle)
      for (const need of this.#operations[member]!.needs)
        if (!circle.includes(need)) await this.carryOut(need);
    try {
      await attempt(this.#directory.work, async (work) => {
        for (const member of circle) this.#results.set(member, await this.#one(member, work));
        if (circle.length > 1 || this.#operations[at]!.needs.includes(at))
          await this.#close(circle, work);
      });
    } catch (error) {
      const known = toScimError(error, { deleting: this.#operations[at]!.method === 'DELETE' });
      if (!known) throw error;
      for (const member of circle) {
        this.#forget(member);
        const failed = error instanceof InCircle && error.at !== member;
        this.#results.set(member, {
          error: failed
            ? new ScimError(409, 'What this operation refers to could not be made.')
            : known,
        });
      }
    }
  }

  #forget(at: number): void {
    const { bulkId, method } = this.#operations[at]!;
    if (method === 'POST' && bulkId !== undefined) this.#ids.delete(bulkId);
  }

  async #one(at: number, work: Work): Promise<Result> {
    const operation = this.#operations[at]!;
    const { method, path, data, bulkId, version, wrong, needs } = operation;
    if (wrong) throw inCircle(at, wrong);
    for (const need of needs) {
      const result = this.#results.get(need);
      if (result && 'error' in result)
        throw inCircle(
          at,
          bad('invalidValue', `What bulkId ${shown(this.#operations[need]!.bulkId)} makes failed.`),
        );
    }
    try {
      const known = resolved(data, this.#ids);
      const there = resolvedPath(path, this.#ids);
      const answer = await this.#send(
        work,
        method,
        there,
        method === 'POST' ? withoutReferences(known) : known,
        version,
      );
      const id = lastOf(answer.headers?.['Location'] ?? '') || null;
      if (method === 'POST' && bulkId !== undefined && id !== null) this.#ids.set(bulkId, id);
      return { answer, id, path: there };
    } catch (error) {
      const known = toScimError(error, { deleting: method === 'DELETE' });
      throw known ? inCircle(at, known) : error;
    }
  }

  /** All of a circle are made: now each is told of those that were not there yet. */
  async #close(circle: readonly number[], work: Work): Promise<void> {
    for (const at of circle) {
      const { path, data } = this.#operations[at]!;
      const result = this.#results.get(at)!;
      if (!('id' in result) || result.id === null) continue;
      const left = leftOut(resolved(data, this.#ids), data, path);
      if (left.length === 0) continue;
      const told = await this.#send(
        work,
        'PATCH',
        `${path}/${result.id}`,
        { schemas: [patchSchema], Operations: left },
        undefined,
      );
      result.answer.headers = { ...result.answer.headers, ETag: told.headers?.['ETag'] ?? '' };
    }
  }

  async #send(
    work: Work,
    method: string,
    path: string,
    body: unknown,
    version: string | undefined,
  ): Promise<ScimAnswer> {
    const request = { method, path, query: '', body, ifMatch: version, ifNoneMatch: undefined };
    return this.#tools.route(method, path).handle(request, {
      ...this.#tools,
      change: (command) => command({ ...this.#directory, work }),
      changeUserAtOnce: undefined,
    });
  }
}

/** Such as may be made together with others: nothing is known yet that speaks against it. */
function isCreation({ method, path, wrong, needs }: BulkOperation): boolean {
  return method === 'POST' && /^\/Users$/i.test(path) && wrong === null && needs.length === 0;
}

/** Which operation of a circle it was that failed: the others fail for its sake. */
class InCircle extends ScimError {
  readonly at: number;

  constructor(at: number, { status, message, scimType, reason, headers }: ScimError) {
    super(status, message, { scimType, reason, headers });
    this.at = at;
  }
}

function inCircle(at: number, error: ScimError): InCircle {
  return new InCircle(at, error);
}

function resolvedPath(path: string, ids: ReadonlyMap<string, string>): string {
  const last = lastOf(path);
  return `${path.slice(0, -last.length)}${String(resolved(last, ids))}`;
}

/** What refers to nothing yet is left out: a member, a manager. */
function withoutReferences(data: unknown): unknown {
  if (Array.isArray(data))
    return data.filter((one) => referencesIn(one).length === 0).map(withoutReferences);
  if (!isObject(data)) return data;
  return Object.fromEntries(
    Object.entries(data)
      .filter(([, one]) => typeof one !== 'string' || !reference.test(one))
      .map(([name, one]) => [name, withoutReferences(one)] as const)
      .filter(([name, one]) => !(name.toLowerCase() === 'manager' && isEmpty(one))),
  );
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** The PATCH that makes up for what was left out of `given`; `known` is the same with its ids. */
function leftOut(known: unknown, given: unknown, path: string): Record<string, unknown>[] {
  if (!isObject(known) || !isObject(given)) return [];
  const operations: Record<string, unknown>[] = [];
  const named = (value: Record<string, unknown>, wanted: string): string | undefined =>
    Object.keys(value).find((name) => name.toLowerCase() === wanted.toLowerCase());
  if (/^\/Groups$/i.test(path)) {
    const members = named(known, 'members');
    if (members !== undefined && referencesIn(given[members]).length > 0)
      operations.push({ op: 'add', path: 'members', value: known[members] });
    return operations;
  }
  const extension = named(known, enterpriseSchema);
  const part = extension === undefined ? undefined : known[extension];
  const before = extension === undefined ? undefined : given[extension];
  if (isObject(part) && isObject(before)) {
    const manager = named(part, 'manager');
    if (manager !== undefined && referencesIn(before[manager]).length > 0)
      operations.push({
        op: 'replace',
        path: `${enterpriseSchema}:manager`,
        value: part[manager],
      });
  }
  return operations;
}

function report(
  { method, bulkId, path }: BulkOperation,
  result: Result,
  base: string,
): Record<string, unknown> {
  const shared = { method, ...(bulkId !== undefined && { bulkId }) };
  if ('error' in result) {
    const { error } = result;
    return {
      ...shared,
      ...(method !== 'POST' && { location: `${base}${path}` }),
      status: String(error.status),
      response: errorBody(error),
    };
  }
  const { status, headers = {}, body } = result.answer;
  const version = headers['ETag'];
  return {
    ...shared,
    location: headers['Location'] ?? `${base}${result.path}`,
    ...(version !== undefined && { version }),
    status: String(status),
    ...(status >= 400 && { response: body }),
  };
}
