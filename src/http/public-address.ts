import { BlockList, isIP } from 'node:net';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import { Problem } from './problem.ts';

/**
 * Pins the address of this server to the one that is configured. Every link is built from it, so a
 * request that names another host gets no answer (security.md D-71), and what a proxy says about
 * host and protocol is not listened to at all.
 */
export function pinAddress(app: Koa, issuer: string): Middleware {
  const { host, hostname, protocol, origin } = new URL(issuer);
  const scheme = protocol.slice(0, -1);
  Object.defineProperties(app.request, {
    host: { get: () => host },
    hostname: { get: () => hostname },
    protocol: { get: () => scheme },
    secure: { get: () => scheme === 'https' },
    origin: { get: () => origin },
  });

  return (ctx, next) => {
    const target = ctx.req.url ?? '';
    if (!target.startsWith('/') || target.startsWith('//'))
      throw new Problem(400, 'invalid_request', 'The request does not name a path of this server.');
    const named = ctx.req.headers.host;
    if (named !== host && named?.toLowerCase() !== host && !isProbe(ctx.path))
      throw new Problem(421, 'misdirected_request', `This server answers for ${host} alone.`);
    return next();
  };
}

/** Asked by machines that know the address of this process only. Nothing in the answer depends on it. */
function isProbe(path: string): boolean {
  return path === '/healthz' || path === '/readyz' || path === '/metrics';
}

/**
 * Who asks: the address the connection comes from, or, where that is a proxy we were told of, the
 * last address in X-Forwarded-For that is none. What stands before it was written by the client
 * itself and counts for nothing (security.md D-52).
 */
export function clientAddress(trustedProxies: readonly string[]): Middleware {
  const trusted = new BlockList();
  for (const proxy of trustedProxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  return (ctx, next) => {
    let address = plain(ctx.req.socket.remoteAddress ?? '');
    if (trustedProxies.length === 0) {
      ctx.request.ip = address;
      return next();
    }
    const chain = String(ctx.req.headers['x-forwarded-for'] ?? '').split(',');
    while (isTrusted(address) && chain.length > 0) {
      const before = plain(chain.pop()!.trim());
      if (!isIP(before)) break;
      address = before;
    }
    ctx.request.ip = address;
    return next();
  };
}

/** An IPv4 address that came in over an IPv6 socket is that IPv4 address. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
