import { describe, expect } from 'vitest';
import { counting } from '#test/support/counting.ts';
import { it } from '#test/support/it.ts';
import { codeOf, signIn } from '#test/support/sign-in.ts';
import { connectedSaml } from '#test/support/saml-connection.ts';
import { signInBySaml } from './saml-support.ts';
import {
  atProvider,
  connected,
  dan,
  leave,
  provider,
  refusals,
  signInUpstream,
} from './support.ts';

const acmeIdp = provider();
const slowIdp = provider();

describe('a provider that does not do its part', () => {
  it('harms nobody else: after five failures it is left alone for half a minute', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await connected(given, acme, acmeIdp);
    await connected(given, beta, slowIdp, { domains: ['beta.example'] });
    const eve = await given.user('eve@else.example');
    const client = await given.client();
    slowIdp.misbehaviour = {
      answer(_path, response) {
        response.statusCode = 503;
        response.end('down');
        return true;
      },
    };
    for (let times = 0; times < 7; times += 1) {
      const page = await leave(server.agent(), client, 'x@beta.example');
      expect(page.status).toBe(503);
      expect(page.headers['retry-after']).toBe('30');
      expect(page.words).toContain('does not answer at the moment');
    }
    expect(slowIdp.requests).toHaveLength(5);
    expect((await refusals(given)).slice(-2)).toEqual(['upstream_busy', 'upstream_busy']);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    codeOf(await signIn(server.agent(), client, eve));

    // Back after half a minute: one asks, and then everybody may.
    slowIdp.misbehaviour = {};
    slowIdp.person = { ...dan, sub: 'x', email: 'x@beta.example' };
    server.clock.advance(31);
    codeOf(await signInUpstream(server.agent(), client, 'x@beta.example'));
  });

  it('lets so many wait and no more', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.person = dan;
    // Once its metadata is known nobody waits for it on the way there.
    await leave(server.agent(), client, dan.email);
    const browsers = Array.from({ length: 24 }, () => server.agent());
    const ways = await Promise.all(
      browsers.map(async (one) => atProvider(await leave(one, client, dan.email))),
    );
    // Now it holds every answer back.
    const waiting: (() => void)[] = [];
    acmeIdp.misbehaviour = {
      answer(path, response) {
        if (path !== '/token') return false;
        waiting.push(() => {
          response.statusCode = 503;
          response.end('down');
        });
        if (waiting.length === 20) queueMicrotask(() => setImmediate(release));
        return true;
      },
    };
    const release = (): void => waiting.forEach((answer) => answer());
    const pages = await Promise.all(
      browsers.map(async (one, index) => one.follow(await one.get(ways[index]!))),
    );
    expect(pages.every(({ status }) => status === 503)).toBe(true);
    expect(acmeIdp.count('/token')).toBeLessThanOrEqual(20);
    expect(await refusals(given)).toContain('upstream_busy');
  });

  it('offers the password while there are any, and only then', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const connection = await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.misbehaviour = {
      answer(_path, response) {
        response.destroy();
        return true;
      },
    };
    const browser = server.agent();
    const page = await leave(browser, client, ann.email);
    expect(page.words).toContain('Sign in with a password');
    const local = await browser.get(`${page.url.pathname}?local=1`);
    codeOf(await browser.follow(await browser.submit(local.forms[0]!, { password: ann.password })));
    await given.rows(
      `update connections set mode = 'enforced', enforced_at = now() - interval '1 hour' where id = $1`,
      [connection.id],
    );
    const strict = await leave(server.agent(), client, ann.email);
    expect(strict.words).not.toContain('Sign in with a password');
  });

  it('says no, and the person reads its own words', async ({ given, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.misbehaviour = {
      callback(parameters) {
        parameters.delete('code');
        parameters.set('error', 'access_denied');
        parameters.set('error_description', '<svg onload=alert(1)> AADSTS50105');
      },
    };
    const page = await signInUpstream(browser, client, dan.email);
    expect(page.words).toContain('returned an error: access_denied');
    expect(page.text).not.toContain('<svg onload');
    expect(await refusals(given)).toEqual(['upstream_denied']);
    const back = await browser.follow(
      await browser.get(`/sign-in/${page.url.pathname.split('/')[2]}/return`),
    );
    expect(back.location?.searchParams.get('error')).toBe('access_denied');
  });
});

describe('keys of a provider', () => {
  it('are looked up anew when they change, and not for every forged token', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.person = dan;
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(acmeIdp.count('/jwks')).toBe(1);
    expect(acmeIdp.count('/.well-known/openid-configuration')).toBe(1);
    acmeIdp.misbehaviour = { idToken: (claims, idp) => idp.sign(claims, { kid: 'forged' }) };
    for (let times = 0; times < 5; times += 1)
      expect((await signInUpstream(server.agent(), client, dan.email)).status).toBe(403);
    expect(acmeIdp.count('/jwks')).toBeLessThanOrEqual(2);
  });
});

describe('what a federated sign-in costs', () => {
  it.for(['OpenID Connect', 'SAML'] as const)(
    'is at most six statements more than one by password, by %s',
    async (protocol, { given, server }) => {
      const acme = await given.account('Acme', { owns: ['acme.example'] });
      const eve = await given.user('eve@else.example');
      const client = await given.client();
      const by = {
        'OpenID Connect': () => signInUpstream(server.agent(), client, dan.email),
        SAML: () => signInBySaml(server, server.agent(), client, 'ann@acme.example'),
      }[protocol];
      if (protocol === 'SAML') await connectedSaml(given, acme);
      else await connected(given, acme, acmeIdp);
      acmeIdp.person = dan;
      // Once before: the person is known then, and so are metadata and keys.
      codeOf(await by());
      const count = counting(server);
      const federated = await count(async () => codeOf(await by()));
      const password = await count(async () => codeOf(await signIn(server.agent(), client, eve)));
      expect(password.length).toBeGreaterThan(3);
      expect(federated.length, federated.join('\n')).toBeLessThanOrEqual(password.length + 6);
    },
  );
});
