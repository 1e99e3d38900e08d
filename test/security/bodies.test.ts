import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import type { Log } from '#platform/observability/log.ts';
import { it } from '#test/support/it.ts';
import { startServer } from '#test/support/server.ts';
import { authorizeUrl } from '#test/support/sign-in.ts';

/** Sends bytes as they are, and gives back all that comes. */
function wire(base: URL, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(base.port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(answer) : reject(error),
    );
  });
}

const head = (base: URL, path: string, ...more: string[]) =>
  [`POST ${path} HTTP/1.1`, `Host: ${base.host}`, 'Connection: close', ...more, '', ''].join(
    '\r\n',
  );

describe('a body (D-78)', () => {
  it('that is no form of ours is refused before it costs anything', async ({ given, server }) => {
    const browser = server.agent();
    const page = await browser.follow(
      await browser.get(authorizeUrl(await given.client(), { login_hint: 'ann@acme.example' })),
    );
    const { csrf } = page.forms[0]!.fields;
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const doors = [
      page.forms[0]!.action,
      '/forgot-password',
      '/forgot-password/code',
      '/reset-password',
      '/activate',
    ];
    for (const door of doors)
      for (const [why, status, request] of [
        ['100 KB', 413, { body: `csrf=${csrf}&password=${'x'.repeat(100_000)}`, headers: type }],
        ['5 MB', 413, { body: 'x'.repeat(5_000_000), headers: type }],
        [
          'bytes that are not UTF-8',
          400,
          { body: Buffer.from([0x70, 0x3d, 0xff, 0xfe]), headers: type },
        ],
        [
          'half a character',
          400,
          { body: Buffer.from('p=\u{1f427}').subarray(0, 5), headers: type },
        ],
        [
          'gzip',
          415,
          { body: gzipSync('csrf=x'), headers: { ...type, 'content-encoding': 'gzip' } },
        ],
        [
          'a bomb',
          415,
          {
            body: gzipSync(Buffer.alloc(10_000_000)),
            headers: { ...type, 'content-encoding': 'gzip' },
          },
        ],
        ['JSON', 415, { json: { csrf } }],
        [
          'deep JSON',
          415,
          { body: '['.repeat(50_000), headers: { 'content-type': 'application/json' } },
        ],
        ['nothing', 415, {}],
        ['an empty form', 403, { body: '', headers: { ...type, 'content-length': '0' } }],
        ['a field twice', 400, { body: `csrf=${csrf}&csrf=${csrf}`, headers: type }],
        ['a NUL', 400, { body: `csrf=${csrf}&email=a%00b`, headers: type }],
        [
          'ten thousand fields',
          403,
          { body: Array.from({ length: 9000 }, (_, n) => `${n}=`).join('&'), headers: type },
        ],
        ['a field called __proto__', 403, { body: '__proto__=1&constructor=2', headers: type }],
      ] as const) {
        const began = performance.now();
        const answer = await browser.post(door, request as never).catch((error: Error) => error);
        if (answer instanceof Error) {
          expect(why).toBe('5 MB');
          continue;
        }
        expect(answer.status, `${why} at ${door}`).toBe(status);
        expect(performance.now() - began).toBeLessThan(2000);
      }
    expect(server.errors).toEqual([]);
  }, 60_000);

  it('without a length is read, and cut off when it does not end', async ({ given, server }) => {
    await given.client();
    const base = new URL(server.url);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    const chunked = `${head(base, '/forgot-password', type, 'Transfer-Encoding: chunked')}4\r\nx=yz\r\n0\r\n\r\n`;
    expect(await wire(base, chunked)).toMatch(/^HTTP\/1\.1 403 /);
    const endless = head(base, '/forgot-password', type, 'Transfer-Encoding: chunked');
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    expect(await wire(base, endless + chunk.repeat(3))).toMatch(/^HTTP\/1\.1 413 /);
    expect(server.errors).toEqual([]);
  });

  it('that could be read in two ways is not read at all', async ({ given, server }) => {
    await given.client();
    const base = new URL(server.url);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    for (const lines of [
      [type, 'Content-Length: 3', 'Transfer-Encoding: chunked'],
      [type, 'Content-Length: 3', 'Content-Length: 4'],
      [type, 'Content-Length: -1'],
      [type, 'Content-Length: 3x'],
      [type, 'Transfer-Encoding: xchunked'],
    ])
      expect(
        await wire(base, `${head(base, '/forgot-password', ...lines)}x=y`),
        lines.join(),
      ).toMatch(/^HTTP\/1\.1 400 /);
    expect(server.errors).toEqual([]);
  });

  it('that is cut off half-way leaves nothing', async ({ given, server }) => {
    await given.client();
    const base = new URL(server.url);
    const socket = connect(Number(base.port), '127.0.0.1');
    socket.write(
      `${head(base, '/forgot-password', 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 500')}email=`,
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.errors).toEqual([]);
  });
});

describe('an address (D-71)', () => {
  it('of another server gets no answer from us', async ({ given, server }) => {
    await given.client();
    const base = new URL(server.url);
    const ask = (target: string, host: string) =>
      wire(base, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of [
      'evil.example',
      `evil.example:${base.port}`,
      `${base.host}.evil.example`,
      `a@${base.host}`,
      `${base.host}@evil.example`,
      '127.0.0.1',
      '',
    ])
      expect(await ask('/forgot-password', host), host).toMatch(/^HTTP\/1\.1 (421|400) /);
    for (const target of [
      `http://evil.example/forgot-password`,
      `http://${base.host}/forgot-password`,
      `//evil.example/`,
      '*',
    ])
      expect(await ask(target, base.host), target).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask('/forgot-password', base.host.toUpperCase())).toMatch(/^HTTP\/1\.1 200 /);
    // The document that clients read before everything else, too.
    await ask('/.well-known/openid-configuration', base.host);
    expect(await ask('/.well-known/openid-configuration', 'evil.example')).toMatch(
      /^HTTP\/1\.1 421 /,
    );
    expect(server.errors).toEqual([]);
  });
});

describe('what is written of a request', () => {
  it('is none of the addresses that somebody makes up, and no secret in one', async ({
    given,
    server,
    program,
  }) => {
    for (const path of ['/oauth/aaaa', '/oauth/bbbb', '/.well-known/cccc', '/dddd'])
      expect((await program.get(path)).status).toBe(404);
    expect((await program.get('/oauth/jwks')).status).toBe(200);
    const measures = (await program.get('/metrics')).text;
    expect(measures).toContain('route="/oauth/jwks"');
    expect(measures).not.toMatch(/aaaa|bbbb|cccc|dddd/);

    const lines: unknown[] = [];
    const log = { error: (details: unknown) => void lines.push(details) } as unknown as Log;
    const failing = await startServer(given.foundation.database, { log });
    const { database } = given.foundation;
    const { query } = database;
    try {
      const agent = failing.agent();
      database.query = () => Promise.reject(new Error('out of order'));
      expect((await agent.get('/invitations/a-secret-of-a-link')).status).toBe(500);
    } finally {
      database.query = query;
      await failing.close();
    }
    expect(JSON.stringify(lines)).toContain('/invitations/:secret');
    expect(JSON.stringify(lines)).not.toContain('a-secret-of-a-link');
    expect(server.errors).toEqual([]);
  });
});
