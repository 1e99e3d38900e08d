import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { refusals, type RefusalCode } from '#identity/refusal.ts';
import { refusalsOf, type AnyOperation, type Download } from './operation.ts';
import { downloads, operations } from './operations.ts';
import { requestProblems, statuses } from './problems.ts';

type Json = Record<string, unknown>;

/** What one operation says about itself, ready to be shown: the document and its page read this. */
export interface Described {
  id: string;
  tag: string;
  method: string;
  /** With `{name}` where a value goes. */
  path: string;
  summary: string;
  description: string | null;
  parameters: { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: Json }[];
  body: Json | null;
  bodyType: string;
  bodyRequired: boolean;
  example: unknown;
  success: { status: number; also: number | null; schema: Json | null; mediaType: string };
  problems: { status: number; code: string; detail: string }[];
}

/** Every operation there is, described from what it is made of. */
export function describeAll(): { described: Described[]; schemas: Json } {
  const schemas: Json = {};
  return {
    described: [
      ...operations.map((one) => describe(one, schemas)),
      ...downloads.map((one) => describeFile(one, schemas)),
    ],
    schemas,
  };
}

function describe(operation: AnyOperation, schemas: Json): Described {
  const { id, tag, method, path, summary, description, query, body, result } = operation;
  const unsafe = method !== 'get';
  const bodySchema = body ? schemaOf(body, schemas) : null;
  const status = result ? (operation.status ?? 200) : 204;
  return {
    id,
    tag,
    method,
    path: pathOf(path),
    summary,
    description: description ?? null,
    parameters: [
      ...namesIn(path).map((name) => ({
        name,
        in: 'path' as const,
        required: true,
        schema: { type: 'string' },
      })),
      ...(query ? fieldsOf(schemaOf(query, schemas)) : []),
      ...(unsafe ? [idempotencyParameter] : []),
    ],
    body: bodySchema,
    bodyType: operation.file?.types[0] ?? 'application/json',
    bodyRequired:
      operation.file !== undefined ||
      ((bodySchema?.['required'] as string[] | undefined) ?? []).length > 0,
    example: operation.example,
    success: {
      status,
      also: isDryRunnable(bodySchema) ? 200 : null,
      schema: result ? schemaOf(result, schemas) : null,
      mediaType: 'application/json',
    },
    problems: problemsOf(refusalsOf(operation), unsafe, operation.file !== undefined),
  };
}

function describeFile(download: Download, schemas: Json): Described {
  const { id, tag, path, summary, query, mediaType = 'text/csv' } = download;
  return {
    id,
    tag,
    method: 'get',
    path: pathOf(path),
    summary,
    description: 'A cell that a spreadsheet would take for a formula begins with an apostrophe.',
    parameters: [
      ...namesIn(path).map((name) => ({
        name,
        in: 'path' as const,
        required: true,
        schema: { type: 'string' },
      })),
      ...(query ? fieldsOf(schemaOf(query, schemas)) : []),
    ],
    body: null,
    bodyType: 'application/json',
    bodyRequired: false,
    example: undefined,
    success: { status: 200, also: null, schema: { type: 'string' }, mediaType },
    problems: problemsOf(refusalsOf(download), false),
  };
}

const idempotencyParameter = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  schema: {
    type: 'string',
    pattern: '^[\\x21-\\x7e]{1,200}$',
    description: 'The same key with the same request gets the same answer, for a day.',
  },
};

function isDryRunnable(body: Json | null): boolean {
  return 'mode' in ((body?.['properties'] as Json | undefined) ?? {});
}

/** What can be wrong with a request that changes nothing; with one that has a body, all the rest. */
const ofEveryRequest = new Set(['unauthorized', 'invalid_token', 'invalid_field', 'unavailable']);
const ofJson = new Set(['invalid_json', 'too_deep', 'duplicate_field']);

function problemsOf(
  codes: readonly RefusalCode[],
  unsafe: boolean,
  file = false,
): Described['problems'] {
  const said = codes.map((code) => ({ status: statuses[code], code, detail: refusals[code] }));
  const asked = Object.entries(requestProblems)
    .filter(([code]) => code !== 'method_not_allowed')
    .filter(([code]) => unsafe || ofEveryRequest.has(code))
    .filter(([code]) => !(file && ofJson.has(code)))
    .map(([code, { status, detail }]) => ({ status, code, detail }));
  return [...said, ...asked].sort((one, other) => one.status - other.status);
}

/** The OpenAPI 3.1 document, made from the operations themselves: it cannot say what they don't do. */
export function openApi(issuer: string): Json {
  const { described, schemas } = describeAll();
  const paths: Record<string, Json> = {};
  for (const one of described) {
    const path = (paths[`/api/v1${one.path}`] ??= {});
    path[one.method] = operationObject(one);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ostiary administration API',
      version: '1',
      description:
        'Errors are application/problem+json (RFC 9457); what they can be is in the field `code`.',
    },
    servers: [{ url: issuer }],
    security: [{ token: [] }],
    tags: [...new Set(described.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { ...schemas, Problem: problemSchema },
    },
  };
}

function operationObject(one: Described): Json {
  const byStatus = Map.groupBy(one.problems, ({ status }) => status);
  const success = {
    description: STATUS_CODES[one.success.status],
    ...(one.success.schema && {
      content: { [one.success.mediaType]: { schema: one.success.schema } },
    }),
  };
  return {
    operationId: one.id,
    tags: [one.tag],
    summary: one.summary,
    ...(one.description && { description: one.description }),
    parameters: one.parameters.map(({ schema, ...parameter }) => {
      const { description, ...rest } = schema;
      return { ...parameter, ...(description !== undefined && { description }), schema: rest };
    }),
    ...(one.body && {
      requestBody: {
        required: one.bodyRequired,
        content: {
          [one.bodyType]: {
            schema: one.body,
            ...(one.example !== undefined && { example: one.example }),
          },
        },
      },
    }),
    responses: {
      [one.success.status]: success,
      ...(one.success.also && { [one.success.also]: { ...success, description: 'A dry run' } }),
      ...Object.fromEntries(
        [...byStatus].map(([status, problems]) => [
          status,
          {
            description: problems.map(({ code, detail }) => `\`${code}\`: ${detail}`).join('\n\n'),
            content: {
              'application/problem+json': {
                schema: {
                  allOf: [
                    { $ref: '#/components/schemas/Problem' },
                    { properties: { code: { enum: problems.map(({ code }) => code) } } },
                  ],
                },
              },
            },
          },
        ]),
      ),
    },
  };
}

const problemSchema: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'actions', 'errors', 'ref'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'Leads to the code in the documentation.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'What a program goes by.' },
    detail: { type: 'string', description: 'For people; may change.' },
    actions: {
      type: 'array',
      description: 'What can be done instead.',
      items: {
        type: 'object',
        required: ['rel', 'method', 'href'],
        properties: {
          rel: { type: 'string' },
          method: { type: 'string' },
          href: { type: 'string', format: 'uri' },
        },
      },
    },
    errors: {
      type: 'array',
      description: 'Each place of the request that is wrong.',
      items: {
        type: 'object',
        required: ['in', 'field', 'message'],
        properties: {
          in: { enum: ['query', 'body'] },
          field: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
    details: { type: 'object', description: 'What the problem is about.' },
    ref: { type: 'string', description: 'By this, support finds the request.' },
  },
};

/** The schema as JSON Schema, seen from outside; what has a name is put aside and referred to. */
function schemaOf(schema: z.ZodType, schemas: Json): Json {
  const wrapped = z.toJSONSchema(z.object({ schema }), {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // The pattern says what the format says, in three hundred letters.
      if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid')
        delete jsonSchema.pattern;
    },
  });
  for (const [name, definition] of Object.entries(wrapped.$defs ?? {}))
    schemas[name] = renamed(definition);
  return renamed(wrapped.properties!['schema']) as Json;
}

function renamed(schema: unknown): unknown {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'),
    (key, value: unknown) => (key === 'id' && typeof value === 'string' ? undefined : value),
  );
}

function fieldsOf(schema: Json): Described['parameters'] {
  const required = (schema['required'] as string[] | undefined) ?? [];
  return Object.entries(schema['properties'] as Record<string, Json>).map(([name, field]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: field,
  }));
}

function namesIn(path: string): string[] {
  return Array.from(path.matchAll(/:(\w+)/g), (match) => match[1]!);
}

function pathOf(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}
