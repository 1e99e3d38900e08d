import { request } from 'node:http';
import { describe, expect } from 'vitest';
import type { Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { authorizeUrl, signIn } from '#test/support/sign-in.ts';
import { forget, linkIn, mailTo } from '../http/self-service/mailbox.ts';
import { itWith } from './guesses.ts';

function expectGuarded(answer: Answer): void {
  const { headers } = answer;
  const where = `${answer.status} ${answer.url.pathname}`;
  expect(headers['content-type'], where).toBe('text/html; charset=utf-8');
  const policy = String(headers['content-security-policy']);
  expect(policy, where).toContain("default-src 'none'");
  expect(policy, where).toContain("frame-ancestors 'none'");
  expect(policy, where).toContain("base-uri 'none'");
  expect(policy, where).not.toMatch(/unsafe|\*|http:|https:/);
  expect(headers['x-frame-options'], where).toBe('DENY');
  expect(headers['x-content-type-options'], where).toBe('nosniff');
  expect(headers['referrer-policy'], where).toBe('same-origin');
  expect(headers['cache-control'], where).toBe('no-store');
  expect(headers['x-powered-by'], where).toBeUndefined();
  expect(headers['server'], where).toBeUndefined();
  // Nothing inline, nothing from elsewhere: the policy would block it.
  expect(answer.text, where).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/);
  expect(answer.text, where).not.toMatch(/(src|href)="(?:https?:)?\/\/[^"]*\.(?:js|css|png|svg)/);
}

describe('every page (D-70)', () => {
  it('is guarded, whatever became of the request', async ({ given, server, browser }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const bob = await given.user('bob@acme.example', { accepts: false });
    await given.locked(bob, 'admin');
    const client = await given.client();
    const start = await browser.follow(await browser.get(authorizeUrl(client)));
    const password = await browser.follow(
      await browser.submit(start.forms[0]!, { email: ann.email }),
    );
    const sent = await forget(browser, ann.email);
    const mail = await mailTo(server, ann.email);
    const pages = [
      await browser.get('/'),
      await browser.get('/status'),
      start,
      await browser.submit(start.forms[0]!, { email: 'x' }),
      password,
      await browser.submit(password.forms[0]!, { password: 'wrong' }),
      await signIn(server.agent(), client, bob),
      await signIn(server.agent(), client, ann),
      await browser.get('/forgot-password'),
      sent,
      await browser.submit(sent.forms[0]!, { code: '1' }),
      await browser.get(linkIn(mail)),
      await browser.get('/reset-password?token=x'),
      await browser.get('/activate'),
      await browser.get('/sign-in/nothing'),
      await browser.get('/nothing/here'),
      await browser.get('/forgot-password', { method: 'GET', headers: { host: 'evil.example' } }),
      await browser.send('/forgot-password', {
        method: 'DELETE',
        headers: { accept: 'text/html' },
      }),
      await browser.post('/forgot-password', { form: { email: ann.email } }),
      await browser.get('/oauth/authorize?client_id=nobody'),
      await browser.get('/oauth/end_session'),
      await browser.get('/device'),
      await browser.get('/dev/mailbox'),
      await browser.get('/dev/app'),
    ];
    for (const page of pages.filter(
      ({ status, url }) => status !== 404 || !url.pathname.startsWith('/dev'),
    ))
      if (page.status !== 303) expectGuarded(page);
    expect(server.errors).toEqual([]);
  });

  it('is guarded when the server fails, and says nothing of why', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const page = await browser.follow(
      await browser.get(authorizeUrl(await given.client(), { login_hint: ann.email })),
    );
    await given.rows('alter table attempt_counters rename to elsewhere');
    try {
      const failed = await browser.submit(page.forms[0]!, { password: ann.password });
      expect(failed.status).toBe(500);
      expectGuarded(failed);
      expect(failed.text).not.toMatch(/attempt_counters|relation|node_modules|\.ts:/);
      const [reference] = /[0-9A-Z]{10}/.exec(failed.words)!;
      expect(JSON.stringify(server.errors)).toContain('attempt_counters');
      expect(reference).toBeTruthy();
      expect(JSON.stringify(server.errors)).not.toContain(ann.password);
    } finally {
      await given.rows('alter table elsewhere rename to attempt_counters');
    }
  });

  it('of an error is for programs a problem of RFC 9457', async ({ program }) => {
    const answer = await program.get('/nothing/here', { headers: { accept: 'application/json' } });
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json).toMatchObject({ status: 404, code: 'not_found' });
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

describe('behind https (D-70)', () => {
  const host = 'id.acme.example';
  const itSecure = itWith({ config: { issuer: `https://${host}` } });

  itSecure(
    'every cookie is for this host alone, and never for scripts',
    async ({ given, server }) => {
      const ann = await given.user();
      const client = await given.client();
      const base = new URL(server.url);
      const jar = new Map<string, string>();
      const lines: string[] = [];
      const send = (method: string, path: string, form?: Record<string, string>) =>
        new Promise<{
          status: number;
          location: string;
          text: string;
          headers: Record<string, unknown>;
        }>((resolve, reject) => {
          const body = form && new URLSearchParams(form).toString();
          const sent = request(
            {
              host: '127.0.0.1',
              port: base.port,
              method,
              path,
              headers: {
                host,
                accept: 'text/html',
                cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
                ...(body !== undefined && {
                  'content-type': 'application/x-www-form-urlencoded',
                  origin: `https://${host}`,
                }),
              },
            },
            (response) => {
              let text = '';
              response.on('data', (chunk: Buffer) => (text += chunk.toString()));
              response.on('end', () => {
                for (const line of response.headers['set-cookie'] ?? []) {
                  lines.push(line);
                  const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
                  jar.set(name!, value!);
                }
                resolve({
                  status: response.statusCode!,
                  location: response.headers.location ?? '',
                  text,
                  headers: response.headers,
                });
              });
            },
          );
          sent.on('error', reject);
          sent.end(body);
        });
      const hiddenIn = (text: string) => /name="csrf" value="([^"]+)"/.exec(text)![1]!;
      const local = (location: string) => location.replace(`https://${host}`, '');

      const start = await send('GET', authorizeUrl(client, { login_hint: ann.email }));
      const page = await send('GET', local(start.location));
      expect(page.status).toBe(200);
      expect(page.headers['strict-transport-security']).toMatch(/max-age=31536000/);
      const signed = await send('POST', `${local(start.location)}/password`, {
        csrf: hiddenIn(page.text),
        email: ann.email,
        password: ann.password,
        remember: 'yes',
      });
      expect(signed.status).toBe(303);
      expect(signed.location).toMatch(/^https:\/\/rp\.example\/cb\?code=/);
      await send('GET', '/forgot-password?ui_locales=de');

      const names = new Set(lines.map((line) => line.slice(0, line.indexOf('='))));
      expect(names).toContain('__Host-ostiary_session');
      expect(names).toContain('__Host-ostiary_device');
      expect(names).toContain('__Host-ostiary_form');
      for (const line of lines) {
        expect(line).toMatch(/; secure/i);
        expect(line).toMatch(/; httponly/i);
        if (!/expires=Thu, 01 Jan 1970/.test(line))
          expect(line).toMatch(/; samesite=(lax|strict)/i);
        expect(line).not.toMatch(/; domain=/i);
        // Those of one sign-in keep to its path, which `__Host-` does not allow.
        expect(line).toMatch(
          /^__Host-[^;]*; path=\/(;|$)|^__Secure-[^;]*; path=\/(sign-in|oauth\/authorize)\/[\w-]+(;|$)/,
        );
      }
      expect(server.errors).toEqual([]);
    },
  );
});
