import type { SentRequest } from './exchange.ts';

/** Directories that are known by how they speak. */
export const directories = ['entra', 'okta', 'onelogin', 'jumpcloud', 'ping', 'google'] as const;
export type Directory = (typeof directories)[number];

/** As their makers call them. */
export const directoryNames: Readonly<Record<Directory, string>> = {
  entra: 'Microsoft Entra ID',
  okta: 'Okta',
  onelogin: 'OneLogin',
  jumpcloud: 'JumpCloud',
  ping: 'PingOne, PingFederate',
  google: 'Google Workspace',
};

/** What a request says of itself that the RFCs do not have, and that is understood all the same. */
export const quirks = [
  'capital_operations',
  'text_booleans',
  'dotted_names',
  'schema_names',
  'remove_with_value',
  'members_without_path',
  'plain_manager',
  'unknown_schema',
  'resource_in_patch',
  'optimized_flag',
  'bare_filter_value',
  'filtered_sub_attribute',
] as const;
export type Quirk = (typeof quirks)[number];

const agents: [RegExp, Directory][] = [
  [/okta/i, 'okta'],
  [/onelogin/i, 'onelogin'],
  [/jumpcloud/i, 'jumpcloud'],
  [/ping(one|federate|identity)|\bping\b/i, 'ping'],
  [/google|gsuite/i, 'google'],
  [/azure|microsoft|entra|\bAAD\b/i, 'entra'],
];

/** Which directory it is, as far as can be told, and how it speaks. */
export function recognise({ target, userAgent, body }: SentRequest): {
  directory: Directory | null;
  quirks: Quirk[];
} {
  const found = new Set<Quirk>();
  const query = decoded(target.slice(target.indexOf('?') + 1));
  if (/aadoptscim062020/i.test(target)) found.add('optimized_flag');
  if (/\bfilter=.*\]\.\w+ (eq|ne|co|sw)/i.test(query)) found.add('filtered_sub_attribute');
  if (/\bfilter=\S+ eq (?!"|true\b|false\b|null\b|-?\d)/i.test(query))
    found.add('bare_filter_value');
  if (isRecord(body)) lookAt(body, found);
  const agent = agents.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1] ?? null;
  return { directory: agent ?? guess(body, found), quirks: [...found] };
}

function guess(body: unknown, found: ReadonlySet<Quirk>): Directory | null {
  const text = isRecord(body) ? JSON.stringify(body['schemas'] ?? '') : '';
  if (found.has('optimized_flag') || /schemas\.microsoft\.com/i.test(text)) return 'entra';
  if (found.has('capital_operations') && found.has('text_booleans')) return 'entra';
  return null;
}

const own = /^urn:(ietf:params:scim|ostiary:)/i;

function lookAt(body: Record<string, unknown>, found: Set<Quirk>): void {
  for (const schema of list(field(body, 'schemas')))
    if (typeof schema === 'string' && !own.test(schema)) found.add('unknown_schema');
  for (const operation of list(field(body, 'Operations')).slice(0, 1000)) {
    if (!isRecord(operation)) continue;
    const op = field(operation, 'op');
    const path = field(operation, 'path');
    const value = field(operation, 'value');
    if (typeof op === 'string' && /^[A-Z]/.test(op)) found.add('capital_operations');
    if (typeof value === 'string' && /^(true|false)$/i.test(value)) found.add('text_booleans');
    if (/^remove$/i.test(String(op)) && value !== undefined && path) found.add('remove_with_value');
    if (typeof path === 'string' && /manager$/i.test(path) && typeof value === 'string')
      found.add('plain_manager');
    if (isRecord(value) && path === undefined) lookAtValue(value, found);
    // The operations of a Bulk carry requests of their own.
    const data = field(operation, 'data');
    if (isRecord(data)) lookAt(data, found);
  }
}

function lookAtValue(value: Record<string, unknown>, found: Set<Quirk>): void {
  for (const [name, inner] of Object.entries(value)) {
    if (/^urn:/i.test(name)) found.add('schema_names');
    else if (name.includes('.')) found.add('dotted_names');
    if (/^id$/i.test(name)) found.add('resource_in_patch');
    if (/^members$/i.test(name)) found.add('members_without_path');
    if (typeof inner === 'string' && /^(true|false)$/i.test(inner)) found.add('text_booleans');
  }
}

function field(object: Record<string, unknown>, name: string): unknown {
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The query as it was meant; as it was sent where that cannot be read. */
export function decoded(query: string): string {
  try {
    return decodeURIComponent(query.replaceAll('+', ' '));
  } catch {
    return query;
  }
}
