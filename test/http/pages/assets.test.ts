import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath, assets } from '#http/assets.ts';
import { openSite, type Site } from './site.ts';

describe('the assets', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  });
  afterAll(() => site.close());

  it('are named by what they contain', () => {
    expect(assetPath('ostiary.css')).toMatch(/^\/assets\/ostiary\.[0-9a-f]{10}\.css$/);
    expect(() => assetPath('nothing.css')).toThrow('no asset');
  });

  it('may be kept for ever, by encoding', async () => {
    const answer = await get(assetPath('ostiary.css'), { 'accept-encoding': 'gzip' });

    expect(answer.headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
    });
    expect(gunzipSync(answer.body).toString()).toContain(':root');
  });

  it('come in the best encoding the browser knows, and plainly to one that knows none', async () => {
    const path = assetPath('ostiary.css');
    const best = await get(path, { 'accept-encoding': 'gzip, deflate, br' });
    const plain = await get(path, { 'accept-encoding': 'identity' });

    expect(best.headers['content-encoding']).toBe('br');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(best.headers.etag).not.toBe(plain.headers.etag);
    expect(best.body.length).toBeLessThan(plain.body.length / 3);
  });

  it('are not sent again to a browser that has them', async () => {
    const path = assetPath('mark.svg');
    const first = await get(path);
    const again = await get(path, { 'if-none-match': first.headers.etag! });

    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
    expect(again.headers.vary).toBe('Accept-Encoding');
  });

  it('can be asked about, but not written to', async () => {
    const head = await get(assetPath('submit.js'), {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);

    const post = await get(assetPath('submit.js'), {}, 'POST');
    expect(post).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('hide nothing else of the folder or the disk', async () => {
    expect((await get('/assets/ostiary.css')).status).toBe(404);
    expect((await get('/assets/..%2f..%2flayout.ts')).status).toBe(404);
  });

  it('stay small', () => {
    const { bodies } = assets.get(assetPath('ostiary.css'))!;
    expect(bodies.identity.length).toBeLessThan(14 * 1024);
    expect(bodies.br.length).toBeLessThan(4 * 1024);
  });

  interface Answer {
    status: number | undefined;
    headers: Record<string, string | string[] | undefined>;
    body: Buffer;
  }

  /** `fetch` would unpack the answer. */
  function get(path: string, headers: Record<string, string | string[]> = {}, method = 'GET') {
    return new Promise<Answer>((resolve, reject) => {
      const sent = request(site.origin + path, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.on('error', reject);
      sent.end();
    });
  }
});
