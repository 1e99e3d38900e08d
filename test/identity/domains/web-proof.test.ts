import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lookForProof, type Finding } from '#identity/domains/look-for-proof.ts';
import { proofNetwork } from '#identity/domains/proof-network.ts';
import { egressAllowance } from '#platform/egress.ts';
import { selfSigned } from '#test/support/certificate.ts';
import { FakeDns } from '#test/support/dns.ts';

const challenge = 'd41d8cd98f00b204e9800998ecf8427e';
const value = `ostiary-domain-verification=${challenge}`;
const name = 'c.test';
const path = '/.well-known/ostiary-domain-verification.txt';

type Site = (request: IncomingMessage, response: ServerResponse) => void;

let dns: FakeDns;
let trusted: Server;
let untrusted: Server;
let site: Site;
const before = getCACertificates('default');

beforeAll(async () => {
  dns = await FakeDns.start();
  const good = selfSigned(name);
  setDefaultCACertificates([...before, good.cert]);
  trusted = createServer(good, (request, response) => site(request, response));
  untrusted = createServer(selfSigned(name), (request, response) => site(request, response));
  for (const server of [trusted, untrusted])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  setDefaultCACertificates(before);
  trusted.closeAllConnections();
  trusted.close();
  untrusted.close();
  await dns.stop();
});
beforeEach(() => {
  dns.zones.clear();
  dns.set(name, { a: ['127.0.0.1'] });
  site = (_, response) => response.end(`${value}\n`);
});

async function look({ server = trusted, inside = false } = {}): Promise<Finding> {
  const network = {
    ...proofNetwork([dns.server], egressAllowance(inside ? [] : [name])),
    ...(!inside && { httpsPort: (server.address() as AddressInfo).port }),
  };
  const [finding] = await lookForProof(network, { name, challenge }, ['https']);
  return finding!;
}

describe('the file on the web server of an organization', () => {
  it('proves the domain, at its place and with this very line', async () => {
    const asked: string[] = [];
    site = (request, response) => {
      asked.push(`${request.method} ${request.headers.host} ${request.url}`);
      response.end(`# another\r\n${value}\r\n`);
    };
    expect(await look()).toMatchObject({ method: 'https', outcome: 'found' });
    expect(asked).toEqual([`GET ${name}:${(trusted.address() as AddressInfo).port} ${path}`]);
  });

  it.each([`${value}x`, value.slice(0, -1), challenge, `<p>${value}</p>`, '', `x${value}`])(
    'is not %j',
    async (text) => {
      site = (_, response) => response.end(text);
      expect((await look()).outcome).toBe('missing');
    },
  );

  it('may have moved on the same host, and not to another', async () => {
    site = (request, response) => {
      if (request.url === '/elsewhere') response.end(value);
      else response.writeHead(302, { location: '/elsewhere' }).end();
    };
    expect((await look()).outcome).toBe('found');
    for (const location of [
      'https://www.c.test/x',
      'http://c.test/x',
      'https://c.test/x',
      '//evil.test',
      'https://evil.test/',
    ]) {
      site = (_, response) => response.writeHead(302, { location }).end(value);
      expect([location, (await look()).outcome]).toEqual([location, 'missing']);
    }
    site = (request, response) => response.writeHead(302, { location: `${request.url}x` }).end();
    expect((await look()).outcome).toBe('missing');
  });

  it('is gone when the server says so, and not when it is in trouble', async () => {
    for (const [status, outcome] of [
      [404, 'missing'],
      [410, 'missing'],
      [403, 'missing'],
      [500, 'unknown'],
      [503, 'unknown'],
      [429, 'unknown'],
    ] as const) {
      site = (_, response) => response.writeHead(status).end(value);
      expect([status, (await look()).outcome]).toEqual([status, outcome]);
    }
  });

  it('is believed over a connection that is really the domain’s alone', async () => {
    expect((await look({ server: untrusted })).outcome).toBe('unknown');
  });

  it('is short, and nobody reads on', async () => {
    site = (_, response) => response.end(`${'x'.repeat(5000)}\n${value}`);
    expect((await look()).outcome).toBe('missing');
    site = (_, response) => {
      response.on('error', () => {});
      const more = (): void => {
        if (!response.destroyed && response.write('x'.repeat(1000))) setImmediate(more);
      };
      more();
    };
    expect((await look()).outcome).toBe('missing');
  });

  it('is waited for five seconds', async () => {
    site = () => {};
    const began = performance.now();
    expect((await look()).outcome).toBe('unknown');
    expect(performance.now() - began).toBeLessThan(7000);
  });

  it('is not looked for inside our own network', async () => {
    let asked = 0;
    site = (_, response) => {
      asked += 1;
      response.end(value);
    };
    for (const inside of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '0.0.0.0']) {
      dns.set(name, { a: ['93.184.216.34', inside] });
      expect(await look({ inside: true })).toMatchObject({
        outcome: 'unknown',
        answers: [{ answer: 'address' }],
      });
    }
    expect(asked).toBe(0);
  });

  it('is gone with the name, and not when nobody can say where the name is', async () => {
    dns.zones.clear();
    expect((await look()).outcome).toBe('missing');
    dns.set(name, { fails: 'SERVFAIL' });
    expect((await look()).outcome).toBe('unknown');
  });
});
