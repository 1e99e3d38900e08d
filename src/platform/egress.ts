import { BlockList, isIP } from 'node:net';

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
