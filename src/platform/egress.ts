import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Which private places outgoing requests may go to: host names, addresses, networks. */
export interface EgressAllowance {
  allows(host: string): boolean;
}

export function egressAllowance(entries: readonly string[]): EgressAllowance {
  const names = new Set<string>();
  const networks = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (!isIP(address)) names.add(entry.toLowerCase());
    else if (bits === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(bits), family);
  }
  return {
    allows(host) {
      const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
      if (names.has(bare)) return true;
      return isIP(bare) !== 0 && networks.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4');
    },
  };
}

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * The engine's fetch. It comes with a guard that connects to public addresses only, after they were
 * resolved; places the installation allows by name are reached without it (oidc.md P9). Never
 * follows a redirect, and gives up after five seconds.
 */
export function guardedFetch(allowance: EgressAllowance): Fetch {
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { dispatcher, ...rest } = init as RequestInit & { dispatcher?: unknown };
    const guarded = allowance.allows(url.hostname) ? rest : { ...rest, dispatcher };
    return fetch(url, {
      ...guarded,
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(5000), ...(rest.signal ? [rest.signal] : [])]),
    });
  };
}

export type EgressProblem =
  | 'url'
  | 'scheme'
  | 'credentials'
  | 'port'
  | 'address'
  | 'unresolved'
  | 'too_large'
  | 'timeout';

/** Nothing was sent, or what came back was not read to its end. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code: EgressProblem;

  constructor(code: EgressProblem, message: string) {
    super(message);
    this.code = code;
  }
}

export interface OutgoingRequest {
  method?: 'GET' | 'POST' | 'HEAD';
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** For all of it, the name included. Ten seconds unless said otherwise. */
  timeoutMs?: number;
  /** How much of an answer is read. 64 KiB unless said otherwise. */
  maxBytes?: number;
  signal?: AbortSignal;
}

export interface IncomingAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export type Resolve = (host: string) => Promise<readonly string[]>;

/** Our own outgoing requests: to addresses that customers type. */
export interface Egress {
  /**
   * What is wrong with an address as it stands, before anybody resolves it.
   *
   * @throws {EgressRefused}
   */
  check(url: string | URL): URL;
  /**
   * One request. Redirects are answers like others: nobody follows them.
   *
   * @throws {EgressRefused}
   */
  send(url: string | URL, request?: OutgoingRequest): Promise<IncomingAnswer>;
}

/**
 * The attack: whoever may type an address has us ask our own network for them (security.md D-77).
 *
 * - A URL is parsed once, by the parser that the connection uses: `0x7f.1` and `2130706433` are
 *   127.0.0.1 by then.
 * - The name is resolved once, all its addresses are looked at, and the connection goes to one of
 *   those: a name that answers differently the second time is not asked a second time.
 * - What is not an ordinary public address is refused: IPv4-mapped, NAT64, 6to4, Teredo, link-local
 *   and all the rest. One such among several refuses the name.
 * - https on its usual ports only. Places named in EGRESS_ALLOW may be http, private, on any port.
 * - No connection is used twice, no proxy setting is read, no redirect is followed.
 */
export function egress(allowance: EgressAllowance, resolve: Resolve = systemResolve): Egress {
  function check(text: string | URL): URL {
    let url: URL;
    try {
      url = new URL(text);
    } catch {
      throw new EgressRefused('url', 'This is no URL.');
    }
    if (url.username || url.password)
      throw new EgressRefused('credentials', 'A URL must not hold a user name or a password.');
    const allowed = allowance.allows(url.hostname);
    if (url.protocol !== 'https:' && !(allowed && url.protocol === 'http:'))
      throw new EgressRefused('scheme', 'The URL must begin with https://.');
    if (allowed) return url;
    if (!['', '443', '8443'].includes(url.port))
      throw new EgressRefused('port', 'The port must be 443 or 8443.');
    const host = bare(url.hostname);
    if (isIP(host) && !isPublicAddress(host))
      throw new EgressRefused('address', 'The address is not a public one.');
    if (!isIP(host) && !/\.[^.]+\.?$/.test(host))
      throw new EgressRefused('address', 'The name is not a public one.');
    return url;
  }

  async function addressesOf(url: URL): Promise<readonly string[]> {
    const host = bare(url.hostname);
    const literal = isIP(host) !== 0;
    let found: readonly string[];
    try {
      found = literal ? [host] : await resolve(host);
    } catch {
      found = [];
    }
    if (found.length === 0) throw new EgressRefused('unresolved', 'The name has no address.');
    const allowed = allowance.allows(url.hostname);
    if (!allowed && found.some((one) => !isPublicAddress(one) && !allowance.allows(one)))
      throw new EgressRefused('address', 'The name leads to an address that is not a public one.');
    return found;
  }

  return {
    check,

    async send(
      text,
      { method = 'GET', headers = {}, body, timeoutMs = 10_000, maxBytes = 65_536, signal } = {},
    ) {
      const url = check(text);
      const late = AbortSignal.timeout(timeoutMs);
      const ending = signal ? AbortSignal.any([late, signal]) : late;
      try {
        const addresses = await abortable(addressesOf(url), ending);
        return await exchange(url, addresses, { method, headers, body, maxBytes, ending });
      } catch (error) {
        if (late.aborted) throw new EgressRefused('timeout', 'It took too long.');
        throw error;
      }
    },
  };
}

interface Exchange {
  method: string;
  headers: Record<string, string>;
  body: string | Buffer | undefined;
  maxBytes: number;
  ending: AbortSignal;
}

function exchange(
  url: URL,
  addresses: readonly string[],
  { method, headers, body, maxBytes, ending }: Exchange,
): Promise<IncomingAnswer> {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_host, { all }, found) => {
    if (all) found(null, pinned);
    else found(null, pinned[0]!.address, pinned[0]!.family);
  };
  return new Promise((settle, fail) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = send(
      url,
      {
        method,
        lookup,
        agent: false,
        signal: ending,
        headers: {
          'user-agent': 'Ostiary',
          accept: '*/*',
          'accept-encoding': 'identity',
          ...headers,
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        },
      },
      (response) => {
        read(response, maxBytes).then(
          (bytes) =>
            settle({ status: response.statusCode!, headers: response.headers, body: bytes }),
          fail,
        );
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}

function read(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((settle, fail) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else response.destroy(new EgressRefused('too_large', 'The answer is too long.'));
    });
    response.on('end', () => settle(Buffer.concat(chunks)));
    response.on('aborted', () => fail(new Error('The answer broke off.')));
    response.on('error', fail);
  });
}

/** A name that takes for ever to resolve does not outlive the request. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((settle, fail) => {
    const stop = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    work.then(settle, fail).finally(() => signal.removeEventListener('abort', stop));
  });
}

async function systemResolve(host: string): Promise<string[]> {
  return (await systemLookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** IPv4 as in the IANA special-purpose registry (RFC 6890), and multicast and what is reserved. */
const special4 = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special4.addSubnet(network, bits, 'ipv4');

/** What is ordinary in IPv6, and what inside it is not. */
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
const special6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const)
  special6.addSubnet(network, bits, 'ipv6');

/** Whether an address is an ordinary one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '');
  switch (isIP(plain)) {
    case 4:
      return !special4.check(plain, 'ipv4');
    case 6:
      return global6.check(plain, 'ipv6') && !special6.check(plain, 'ipv6');
    default:
      return false;
  }
}
