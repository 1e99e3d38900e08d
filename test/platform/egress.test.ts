import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { egress, egressAllowance, isPublicAddress } from '#platform/egress.ts';

const nowhere = egressAllowance([]);
const here = egressAllowance(['127.0.0.1', 'inside.test']);

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(answer: RequestListener): Promise<number> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('an address that a customer typed', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://0.0.0.0/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:1::1]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[ff02::1]/',
    'https://localhost/',
    'https://metadata/',
  ])('is refused where it leads inside: %s', async (url) => {
    const refused = await egress(nowhere, () => Promise.resolve(['127.0.0.1']))
      .send(url)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'EgressRefused', code: 'address' });
  });

  it.each([
    ['http://example.com/', 'scheme'],
    ['ftp://example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['https://example.com:22/', 'port'],
    ['https://example.com:6379/', 'port'],
    ['https://ann:secret@example.com/', 'credentials'],
    ['nothing', 'url'],
  ])('is refused where it is no ordinary one: %s', (url, code) => {
    expect(() => egress(nowhere).check(url)).toThrowError(expect.objectContaining({ code }));
  });

  it.each(['127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::a00:1', 'fe80::1%eth0', '169.254.169.254'])(
    'is refused where its name leads to %s, even as one of several',
    async (address) => {
      const guarded = egress(nowhere, () => Promise.resolve(['93.184.216.34', address]));
      await expect(guarded.send('https://hooks.example/')).rejects.toMatchObject({
        code: 'address',
      });
    },
  );

  it('is resolved once, and the connection goes to what was looked at', async () => {
    const port = await listen((_request, response) => response.end('inside'));
    let asked = 0;
    const rebinding = egress(here, () => {
      asked += 1;
      return Promise.resolve(['127.0.0.1']);
    });
    const { status, body } = await rebinding.send(`http://inside.test:${port}/`);
    expect({ status, body: body.toString(), asked }).toEqual({
      status: 200,
      body: 'inside',
      asked: 1,
    });
  });

  it('that has no address is said to have none', async () => {
    const guarded = egress(nowhere, () => Promise.reject(new Error('ENOTFOUND')));
    await expect(guarded.send('https://hooks.example/')).rejects.toMatchObject({
      code: 'unresolved',
    });
  });
});

describe('what comes back', () => {
  it('is given as it is when it points elsewhere: nobody follows', async () => {
    const port = await listen((_request, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });
    const { status } = await egress(here).send(`http://127.0.0.1:${port}/`);
    expect(status).toBe(302);
  });

  it('is read up to a limit, compressed or not', async () => {
    const port = await listen((_request, response) => response.end(Buffer.alloc(100_000)));
    await expect(egress(here).send(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: 'too_large',
    });
  });

  it('is waited for up to a limit, though a byte drips in now and then', async () => {
    const port = await listen((_request, response) => {
      const dripping = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(dripping));
    });
    await expect(
      egress(here).send(`http://127.0.0.1:${port}/`, { timeoutMs: 200 }),
    ).rejects.toMatchObject({ code: 'timeout' });
  });
});

it('knows ordinary addresses from special ones', () => {
  expect(
    ['8.8.8.8', '93.184.216.34', '2606:4700::1111', '2a00:1450::1'].map(isPublicAddress),
  ).toEqual([true, true, true, true]);
  expect(
    ['192.0.2.1', '198.18.0.1', '2001:db8::1', '::ffff:8.8.8.8', 'x'].map(isPublicAddress),
  ).toEqual([false, false, false, false, false]);
});
