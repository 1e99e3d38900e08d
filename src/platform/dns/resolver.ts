import { getServers } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

/** What one resolver says about a name. */
export type DnsAnswer =
  | { kind: 'found'; values: readonly string[] }
  /** The name, or this kind of record, is not there: NXDOMAIN, or NOERROR with nothing in it. */
  | { kind: 'none' }
  /** It did not say: SERVFAIL, refused, no answer in time. That proves nothing, either way. */
  | { kind: 'unknown'; reason: string };

/** One resolver. Each question is asked anew: nothing is kept between two of them. */
export interface DnsResolver {
  readonly server: string;
  /** The text records of this very name; what is found behind an alias (CNAME) does not count. */
  txt(name: string): Promise<DnsAnswer>;
  addresses(name: string): Promise<DnsAnswer>;
}

export interface DnsTimes {
  /** How long one question may take, second try and TCP included. */
  limitMs: number;
}

/**
 * The resolvers named in DNS_SERVERS (`host:port`), or those of the system.
 *
 * The attack: whoever holds a name that a wildcard alias of somebody else's domain leads to could
 * publish a token there. So a name that is an alias has no text of its own.
 */
export function dnsResolvers(
  servers: readonly string[],
  { limitMs }: DnsTimes = { limitMs: 4500 },
): DnsResolver[] {
  const named = servers.length > 0 ? servers : getServers();
  return named.map((server) => dnsResolver(server, limitMs));
}

function dnsResolver(server: string, limitMs: number): DnsResolver {
  async function ask(question: (resolver: Resolver) => Promise<string[]>): Promise<DnsAnswer> {
    // c-ares doubles the wait with each try: a third of the time, then two.
    const resolver = new Resolver({ timeout: Math.floor(limitMs / 3), tries: 2 });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new TimedOut()), limitMs);
    try {
      const asking = addressed(server).then((address) => {
        resolver.setServers([address]);
        return question(resolver);
      });
      const values = await Promise.race([asking, late.promise]);
      return values.length > 0 ? { kind: 'found', values } : { kind: 'none' };
    } catch (error) {
      const { code = 'EFAILED' } = error as { code?: string };
      return absent.has(code) ? { kind: 'none' } : { kind: 'unknown', reason: code };
    } finally {
      clearTimeout(timer);
      resolver.cancel();
    }
  }

  return {
    server,

    async txt(name) {
      const [texts, alias] = await Promise.all([
        ask(async (resolver) => (await resolver.resolveTxt(name)).map((parts) => parts.join(''))),
        ask((resolver) => resolver.resolveCname(name)),
      ]);
      return texts.kind === 'found' && alias.kind === 'found' ? { kind: 'none' } : texts;
    },

    async addresses(name) {
      const [four, six] = await Promise.all([
        ask((resolver) => resolver.resolve4(name)),
        ask((resolver) => resolver.resolve6(name)),
      ]);
      const values = [four, six].flatMap((answer) =>
        answer.kind === 'found' ? answer.values : [],
      );
      if (values.length > 0) return { kind: 'found', values };
      return four.kind === 'unknown' ? four : six;
    },
  };
}

/** NXDOMAIN, and NOERROR without a record. */
const absent = new Set(['ENOTFOUND', 'ENODATA']);

class TimedOut extends Error {
  readonly code = 'ETIMEOUT';
}

/** A server is told by its address; a name, such as that of another container, is looked up first. */
async function addressed(server: string): Promise<string> {
  if (isIP(server)) return server;
  const split = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(server);
  const host = split?.[1] ?? split?.[2];
  if (!host) throw new Error(`${server} is no resolver: host:port is expected.`);
  const { address, family } = isIP(host)
    ? { address: host, family: isIP(host) }
    : await lookup(host);
  return `${family === 6 ? `[${address}]` : address}:${split?.[3] ?? 53}`;
}
