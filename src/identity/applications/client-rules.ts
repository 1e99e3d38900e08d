/** One thing that is wrong with the metadata of a client, and where. */
export interface MetadataProblem {
  field: string;
  /** In English, for programs and those who write them. */
  problem: string;
  /** By what it is told in other languages; what the engine finds has only its words. */
  code?: MetadataFault;
  /** What was sent, where it is one of several. */
  value?: string;
}

/** What may be wrong, in English. */
const faults = {
  grant_unknown: 'is not offered.',
  response_unknown: 'is not offered: only the authorization code is.',
  machine_without_secret: 'client_credentials is for clients that authenticate themselves.',
  redirect_missing: 'An application that signs people in needs one.',
  wildcard: 'Wildcards are not allowed: each address is compared as a whole.',
  not_absolute: 'This is no absolute address.',
  fragment: 'A fragment is not allowed.',
  name_in_it: 'A name or password is not allowed in it.',
  loopback_only: 'http is allowed on loopback addresses only.',
  https_only: 'Must be https.',
  private_scheme:
    'A private-use scheme is a domain name of yours turned around, such as com.example.app.',
  no_origin: 'is no origin such as https://app.example.',
} as const;
export type MetadataFault = keyof typeof faults;

/** Which private places our own requests may go to: `EGRESS_ALLOW`. */
export interface Reachable {
  allows(host: string): boolean;
}

const grantTypes = new Set([
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
]);
const loopback = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * What we ask of every registration before the engine looks at it. The engine knows the protocol;
 * these are the house rules (oidc.md, security.md section 0): only the authorization code, never a
 * token or a password through the browser; and people are sent back only where nobody else listens.
 */
export function metadataProblems(
  metadata: Readonly<Record<string, unknown>>,
  reachable: Reachable,
): MetadataProblem[] {
  const problems: MetadataProblem[] = [];
  const say = (field: string, code: MetadataFault, value?: string): void => {
    const text = faults[code];
    // "is not offered." goes on from what it is about.
    const between = text.startsWith('is ') ? ' ' : ': ';
    const problem = value === undefined ? text : `${value}${between}${text}`;
    problems.push({ field, problem, code, ...(value !== undefined && { value }) });
  };
  const grants = strings(metadata['grant_types']) ?? ['authorization_code'];
  const method = metadata['token_endpoint_auth_method'] ?? 'client_secret_basic';
  const native = metadata['application_type'] === 'native';

  for (const grant of grants)
    if (!grantTypes.has(grant)) say('grant_types', 'grant_unknown', grant);
  for (const type of strings(metadata['response_types']) ?? [])
    if (type !== 'code' && type !== 'none') say('response_types', 'response_unknown', type);
  if (grants.includes('client_credentials') && method === 'none')
    say('grant_types', 'machine_without_secret');

  const redirects = strings(metadata['redirect_uris']) ?? [];
  if (grants.includes('authorization_code') && redirects.length === 0)
    say('redirect_uris', 'redirect_missing');
  for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const)
    for (const uri of strings(metadata[field]) ?? []) {
      const problem = redirectProblem(uri, native);
      if (problem) say(field, problem, uri);
    }
  for (const field of ['backchannel_logout_uri', 'jwks_uri'] as const) {
    const uri = metadata[field];
    const problem = typeof uri === 'string' ? callProblem(uri, reachable) : null;
    if (problem) say(field, problem);
  }
  for (const field of ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri']) {
    const uri = metadata[field];
    if (typeof uri === 'string' && plainUrl(uri)?.protocol !== 'https:') say(field, 'https_only');
  }
  for (const origin of strings(metadata['cors_origins']) ?? []) {
    const url = plainUrl(origin);
    if (!url || url.origin !== origin || (url.protocol !== 'https:' && !isLoopback(url)))
      say('cors_origins', 'no_origin', origin);
  }
  return problems;
}

/** Where people are sent with a code in their hands (RFC 8252, RFC 9700 section 2.1). */
function redirectProblem(uri: string, native: boolean): MetadataFault | null {
  if (uri.includes('*')) return 'wildcard';
  const url = plainUrl(uri);
  if (!url) return 'not_absolute';
  if (uri.includes('#')) return 'fragment';
  if (url.username || url.password || /^[a-z+.-]+:\/\/[^/?#]*@/i.test(uri)) return 'name_in_it';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:') return isLoopback(url) ? null : 'loopback_only';
  if (!native) return 'https_only';
  return /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/.test(url.protocol) ? null : 'private_scheme';
}

/** Where we call, with what we say there. */
function callProblem(uri: string, reachable: Reachable): MetadataFault | null {
  const url = plainUrl(uri);
  if (!url) return 'not_absolute';
  if (uri.includes('#')) return 'fragment';
  if (url.username || url.password) return 'name_in_it';
  if (url.protocol === 'https:') return null;
  return url.protocol === 'http:' && reachable.allows(url.hostname) ? null : 'https_only';
}

/** A URL that reads as it was typed: no spaces, controls or backslashes for a parser to repair. */
function plainUrl(text: string): URL | null {
  return /^[\x21-\x7e]+$/.test(text) && !text.includes('\\') ? URL.parse(text) : null;
}

function isLoopback(url: URL): boolean {
  return url.protocol === 'http:' && loopback.has(url.hostname);
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined;
}
