/** One thing that is wrong with the metadata of a client, and where. */
export interface MetadataProblem {
  field: string;
  problem: string;
}

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
  const say = (field: string, problem: string): void => {
    problems.push({ field, problem });
  };
  const grants = strings(metadata['grant_types']) ?? ['authorization_code'];
  const method = metadata['token_endpoint_auth_method'] ?? 'client_secret_basic';
  const native = metadata['application_type'] === 'native';

  for (const grant of grants)
    if (!grantTypes.has(grant)) say('grant_types', `${grant} is not offered.`);
  for (const type of strings(metadata['response_types']) ?? [])
    if (type !== 'code' && type !== 'none')
      say('response_types', `${type} is not offered: only the authorization code is.`);
  if (grants.includes('client_credentials') && method === 'none')
    say('grant_types', 'client_credentials is for clients that authenticate themselves.');

  const redirects = strings(metadata['redirect_uris']) ?? [];
  if (grants.includes('authorization_code') && redirects.length === 0)
    say('redirect_uris', 'An application that signs people in needs one.');
  for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const)
    for (const uri of strings(metadata[field]) ?? []) {
      const problem = redirectProblem(uri, native);
      if (problem) say(field, `${uri}: ${problem}`);
    }
  for (const field of ['backchannel_logout_uri', 'jwks_uri'] as const) {
    const uri = metadata[field];
    const problem = typeof uri === 'string' ? callProblem(uri, reachable) : null;
    if (problem) say(field, problem);
  }
  for (const field of ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri']) {
    const uri = metadata[field];
    if (typeof uri === 'string' && plainUrl(uri)?.protocol !== 'https:')
      say(field, 'Must be an https address.');
  }
  for (const origin of strings(metadata['cors_origins']) ?? []) {
    const url = plainUrl(origin);
    if (!url || url.origin !== origin || (url.protocol !== 'https:' && !isLoopback(url)))
      say('cors_origins', `${origin} is no origin such as https://app.example.`);
  }
  return problems;
}

/** Where people are sent with a code in their hands (RFC 8252, RFC 9700 section 2.1). */
function redirectProblem(uri: string, native: boolean): string | null {
  if (uri.includes('*')) return 'Wildcards are not allowed: each address is compared as a whole.';
  const url = plainUrl(uri);
  if (!url) return 'This is no absolute address.';
  if (uri.includes('#')) return 'A fragment is not allowed.';
  if (url.username || url.password || /^[a-z+.-]+:\/\/[^/?#]*@/i.test(uri))
    return 'A name or password is not allowed in it.';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:')
    return isLoopback(url) ? null : 'http is allowed on loopback addresses only.';
  if (!native) return 'Must be https.';
  return /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/.test(url.protocol)
    ? null
    : 'A private-use scheme is a domain name of yours turned around, such as com.example.app.';
}

/** Where we call, with what we say there. */
function callProblem(uri: string, reachable: Reachable): string | null {
  const url = plainUrl(uri);
  if (!url) return 'This is no absolute address.';
  if (uri.includes('#')) return 'A fragment is not allowed.';
  if (url.username || url.password) return 'A name or password is not allowed in it.';
  if (url.protocol === 'https:') return null;
  return url.protocol === 'http:' && reachable.allows(url.hostname) ? null : 'Must be https.';
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
