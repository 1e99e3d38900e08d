import { createHmac, generateKeyPairSync } from 'node:crypto';
import { exportJWK, exportSPKI, SignJWT, type JWTPayload } from 'jose';
import { describe, expect } from 'vitest';
import {
  atProvider,
  connected,
  dan,
  leave,
  provider,
  refusals,
  signInUpstream,
  silent,
  traceless,
} from '#test/http/federation/support.ts';
import { it } from '#test/support/it.ts';
import { codeOf, redeem, refresh, tokensFor } from '#test/support/sign-in.ts';
import type { FakeProvider, Misbehaviour } from '#test/support/upstream.ts';
import type { World } from '#test/support/world.ts';

const acmeIdp = provider();
const evilIdp = provider();

const nothing = { users: 0, links: 0, sessions: 0, tokens: 0 };

async function acmeWith(given: World, upstream: FakeProvider = acmeIdp) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const connection = await connected(given, acme, upstream);
  const client = await given.client();
  upstream.person = dan;
  return { acme, connection, client };
}

describe("a company's provider is believed about its own domains alone", () => {
  it("refuses another company's people, and tells that company (D-01)", async ({
    given,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const evil = await given.account('Evil', { owns: ['evil.example'] });
    const victim = await given.user('ceo@acme.example', { of: acme });
    await connected(given, evil, evilIdp, { domains: ['evil.example'] });
    const client = await given.client();
    evilIdp.person = { ...dan, sub: 'ceo', email: 'ceo@acme.example', email_verified: true };
    const before = await traceless(given);

    const page = await signInUpstream(browser, client, 'mallory@evil.example');
    expect(page.status).toBe(403);
    expect(page.words).toContain('The address ceo@acme.example is not covered by');
    expect(page.words).not.toContain('Acme');
    expect(await traceless(given)).toEqual(before);
    expect(await refusals(given)).toEqual(['domain_owned_by_other']);
    const told = await given.rows(
      `select account_id, target_id, details from audit_events
       where action = 'security.foreign_assertion'`,
    );
    expect(told).toEqual([{ account_id: acme.id, target_id: 'acme.example', details: {} }]);
    expect((await given.person(victim))!.email).toBe('ceo@acme.example');
  });

  it('gives nothing for email_verified, whatever it says, and takes nothing (D-02)', async ({
    given,
    server,
  }) => {
    const { client, acme } = await acmeWith(given);
    const said = [false, true, 'false', 'true', 1, null, undefined];
    for (const [index, verified] of said.entries()) {
      const email = `person${index}@acme.example`;
      acmeIdp.person = { ...dan, sub: email, email, email_verified: verified };
      codeOf(await signInUpstream(server.agent(), client, email));
    }
    expect(await given.rows('select distinct account_id from users')).toEqual([
      { account_id: acme.id },
    ]);
    expect((await traceless(given)).users).toBe(said.length);
  });

  it('lets nobody in from a domain that is not its own (D-02, D-25, D-26)', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example', 'other.example'] });
    await connected(given, acme, acmeIdp);
    await given.rows(
      `insert into domains (id, account_id, name, state, created_at)
       values (gen_random_uuid(), $1, 'pending.example', 'pending', now())`,
      [acme.id],
    );
    const client = await given.client();
    const cases = [
      ['x@public.example', 'domain_not_owned'],
      ['x@gmail.com', 'public_domain'],
      ['x@eng.acme.example', 'domain_not_owned'],
      ['x@notacme.example', 'domain_not_owned'],
      ['x@acme.example.evil.example', 'domain_not_owned'],
      ['x@other.example', 'domain_not_bound'],
      ['x@pending.example', 'domain_pending'],
    ] as const;
    for (const [email] of cases) {
      acmeIdp.person = { ...dan, email, email_verified: true };
      expect((await signInUpstream(server.agent(), client, dan.email)).status).toBe(403);
    }
    expect(await traceless(given)).toEqual(nothing);
    expect(await refusals(given)).toEqual(cases.map(([, reason]) => reason));
  });

  it.for([
    [{ email: ['a@acme.example', 'ceo@acme.example'] }, 'identifier_ambiguous'],
    [{ email: undefined }, 'identifier_missing'],
    [{ email: '' }, 'identifier_missing'],
    [{ email: `${'a'.repeat(10_240)}@acme.example` }, 'identifier_missing'],
    [{ email: { toString: 'x' } }, 'identifier_missing'],
  ] as const)(
    'takes one address or none: %j (D-19)',
    async ([claims, reason], { given, browser }) => {
      const { client } = await acmeWith(given);
      acmeIdp.person = { ...dan, ...claims };
      const page = await signInUpstream(browser, client, dan.email);
      expect(page.status).toBe(403);
      expect(await refusals(given)).toEqual([reason]);
      expect(await traceless(given)).toEqual(nothing);
    },
  );
});

describe('who was here before the company federated', () => {
  it('a stranger who registered the address loses everything to its owner (D-03)', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const squatter = await given.user('v@acme.example', { identity: 'unverified' });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = { ...dan, sub: 'v', email: 'v@acme.example' };
    codeOf(await signInUpstream(browser, client, 'v@acme.example'));
    expect(await given.rows('select user_id from passwords')).toEqual([]);
    expect(await given.rows('select account_id, identity from users')).toEqual([
      { account_id: acme.id, identity: 'ready' },
    ]);
    // The password of before opens nothing, not even past the provider.
    const other = server.agent();
    const away = await leave(other, client, 'v@acme.example');
    const uid = new URL(await atProvider(away)).searchParams.get('state')!.split('.')[0];
    const page = await other.get(`/sign-in/${uid}?local=1`);
    const tried = await other.submit(page.forms[0]!, { password: squatter.password });
    expect(tried.status).toBe(401);
  });

  it('a member with a password is linked by the domain: the password ends, and what it opened (D-04)', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client();
    const before = await tokensFor(server.agent(), client, ann, {
      scope: 'openid offline_access',
    });
    await connected(given, acme, acmeIdp);
    acmeIdp.person = { ...dan, sub: 'ann-1', email: 'ann@acme.example' };
    codeOf(await signInUpstream(browser, client, 'ann@acme.example'));

    expect((await refresh(browser, client, before.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
    expect(await given.rows('select user_id, how from federated_links')).toEqual([
      { user_id: ann.id, how: 'domain_authority' },
    ]);
    const other = server.agent();
    const away = await leave(other, client, ann.email);
    const uid = away.location!.searchParams.get('state')!.split('.')[0];
    const page = await other.get(`/sign-in/${uid}?local=1`);
    const tried = await other.submit(page.forms[0]!, { password: ann.password });
    expect(tried.alerts).toEqual([
      "We didn't recognize the email address or password you entered.",
    ]);
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind }) => kind)).toEqual(['credential_changed']);
    expect(await given.events()).toContain('identity.linked');
  });

  it('another subject with the address of a linked person is a conflict (D-05)', async ({
    given,
    browser,
    server,
  }) => {
    const { client } = await acmeWith(given);
    codeOf(await signInUpstream(browser, client, dan.email));
    const before = await traceless(given);
    acmeIdp.person = { ...dan, sub: 'dan-2' };
    const page = await signInUpstream(server.agent(), client, dan.email);
    expect(page.status).toBe(403);
    expect(page.words).toContain('could not be matched to your user');
    expect(await traceless(given)).toEqual(before);
    expect(await refusals(given)).toEqual(['identity_conflict']);
  });

  it('an administrator shows their old password once (D-06)', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const client = await given.client();
    await connected(given, acme, acmeIdp, { enforced: true });
    acmeIdp.person = { ...dan, sub: 'fay-1', email: 'fay@acme.example' };

    const asked = await signInUpstream(browser, client, fay.email);
    expect(asked.words).toContain('Confirm that this is you');
    expect(await given.rows('select 1 from federated_links')).toEqual([]);
    const wrong = await browser.submit(asked.forms[0]!, { password: 'not this one' });
    expect(wrong.status).toBe(401);
    expect(await given.rows('select 1 from federated_links')).toEqual([]);
    const right = await browser.follow(
      await browser.submit(wrong.forms[0]!, { password: fay.password }),
    );
    codeOf(right);
    expect(await given.rows('select how from federated_links')).toEqual([{ how: 'step_up' }]);
    expect(await given.events()).toContain('identity.link_challenged');
    expect(server.errors).toEqual([]);
  });

  it('a break-glass administrator is matched by no provider', async ({ given, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.rows('update users set break_glass = true where id = $1', [fay.id]);
    await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.person = { ...dan, sub: 'fay-1', email: fay.email };
    expect((await signInUpstream(browser, client, fay.email)).status).toBe(403);
    expect(await refusals(given)).toEqual(['break_glass']);
  });
});

describe('the answer of a provider', () => {
  it('is good at the address of its own connection alone (D-07)', async ({ given, browser }) => {
    const { client } = await acmeWith(given);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const other = await connected(given, beta, evilIdp, { domains: ['beta.example'] });
    const back = new URL(await atProvider(await leave(browser, client, dan.email)));
    const page = await browser.follow(
      await browser.get(`/federation/${other.id}/callback${back.search}`),
    );
    expect(page.status).toBe(400);
    expect(evilIdp.count('/token')).toBe(0);
    expect(await traceless(given)).toEqual(nothing);
    expect(await refusals(given)).toEqual(['attempt_unknown']);
  });

  it.for<[string, (parameters: URLSearchParams) => void]>([
    ['another iss', (parameters) => parameters.set('iss', 'https://idp.evil.example')],
    ['no iss', (parameters) => parameters.delete('iss')],
  ])(
    'is refused with %s, and its code goes nowhere (D-07)',
    async ([, callback], { given, browser }) => {
      const { client } = await acmeWith(given);
      acmeIdp.misbehaviour = { callback };
      const page = await signInUpstream(browser, client, dan.email);
      expect(page.status).toBe(403);
      expect(acmeIdp.count('/token')).toBe(0);
      expect(await refusals(given)).toEqual(['response_invalid']);
      expect(await traceless(given)).toEqual(nothing);
    },
  );

  it('is good once, however often it comes (D-08)', async ({ given, browser }) => {
    const { client } = await acmeWith(given);
    const back = await atProvider(await leave(browser, client, dan.email));
    const forwarded = (await browser.get(back)).location!;
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser.get(forwarded)));
    const ways = answers.filter((one) => one.location?.searchParams.has('code'));
    expect(ways).toHaveLength(1);
    codeOf(await browser.follow(ways[0]!));
    expect((await traceless(given)).sessions).toBe(1);
    expect((await browser.get(forwarded)).status).toBe(400);
    expect(acmeIdp.count('/token')).toBe(1);
  });

  it("is worth nothing in somebody else's browser (D-09)", async ({ given, browser, server }) => {
    const { client } = await acmeWith(given);
    const attackers = await atProvider(await leave(server.agent(), client, dan.email));
    const page = await browser.follow(await browser.get(attackers));
    expect(page.status).toBe(400);
    // Not even with a sign-in of the victim's own under way.
    await leave(browser, client, 'victim@acme.example');
    expect((await browser.follow(await browser.get(attackers))).status).toBe(400);
    expect(await traceless(given)).toEqual(nothing);
    expect(acmeIdp.count('/token')).toBe(0);
  });

  it.for<[string, (given: World, connection: string, account: string) => Promise<unknown>, string]>(
    [
      [
        'the connection was disabled',
        (given, id) => given.rows(`update connections set state = 'disabled' where id = $1`, [id]),
        'upstream_error',
      ],
      [
        'the account was put on hold',
        (given, _id, account) => given.hold({ id: account }),
        'account_on_hold',
      ],
      [
        'the domain was unbound',
        (given, id) => given.rows('delete from connection_domains where connection_id = $1', [id]),
        'domain_not_bound',
      ],
      [
        'the domain was lost',
        (given) => given.rows(`update domains set state = 'released'`),
        'domain_not_owned',
      ],
    ],
  )('is refused where %s meanwhile (D-11)', async ([, happens, reason], { given, browser }) => {
    const { client, connection, acme } = await acmeWith(given);
    const back = await atProvider(await leave(browser, client, dan.email));
    await happens(given, connection.id, acme.id);
    expect((await browser.follow(await browser.get(back))).status).toBe(403);
    expect(await traceless(given)).toEqual(nothing);
    expect(await refusals(given)).toEqual([reason]);
  });

  it('makes one person of twelve first sign-ins at once (D-20)', async ({ given, server }) => {
    const { client } = await acmeWith(given);
    const browsers = Array.from({ length: 12 }, () => server.agent());
    const ways = await Promise.all(
      browsers.map(
        async (one) =>
          (await one.get(await atProvider(await leave(one, client, dan.email)))).location!,
      ),
    );
    const answers = await Promise.all(browsers.map((one, index) => one.get(ways[index]!)));
    const codes = await Promise.all(
      answers.map(async (answer, index) => codeOf(await browsers[index]!.follow(answer))),
    );
    expect(new Set(codes).size).toBe(12);
    expect(await traceless(given)).toMatchObject({ users: 1, links: 1 });
    expect(server.errors).toEqual([]);
  });
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

describe('an ID token', () => {
  const now = (): number => Math.floor(Date.now() / 1000);
  const without = (name: string) => (claims: JWTPayload) =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const changed = (change: JWTPayload) => (claims: JWTPayload) => ({ ...claims, ...change });

  const forged: [string, Misbehaviour][] = [
    [
      'alg none',
      {
        idToken: (claims) =>
          `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
      },
    ],
    [
      'HS256 under the public key',
      {
        async idToken(claims) {
          const head = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
          const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
          const mac = createHmac('sha256', await exportSPKI(rsa.publicKey))
            .update(`${head}.${body}`)
            .digest('base64url');
          return `${head}.${body}.${mac}`;
        },
      },
    ],
    [
      'HS256 under the client secret',
      {
        idToken: (claims, { secrets }) =>
          new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secrets[0]!)),
      },
    ],
    [
      'a key of its own in jwk',
      {
        idToken: async (claims) =>
          new SignJWT(claims)
            .setProtectedHeader({ alg: 'RS256', jwk: await exportJWK(rsa.publicKey) })
            .sign(rsa.privateKey),
      },
    ],
    ['a jku', { idToken: (claims, idp) => idp.sign(claims, { jku: 'https://evil.example/jwks' }) }],
    ['an x5u', { idToken: (claims, idp) => idp.sign(claims, { x5u: 'https://evil.example/x' }) }],
    [
      'a key nobody published',
      {
        idToken: (claims) =>
          new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'x' }).sign(rsa.privateKey),
      },
    ],
    ['another issuer', { claims: changed({ iss: 'https://idp.evil.example' }) }],
    ['another audience', { claims: changed({ aud: 'somebody-else' }) }],
    ['several audiences and no azp', { claims: changed({ aud: ['ostiary-at-acme', 'b'] }) }],
    ['an azp that is not us', { claims: changed({ aud: ['ostiary-at-acme', 'b'], azp: 'b' }) }],
    ['no exp', { claims: without('exp') }],
    ['no iat', { claims: without('iat') }],
    ['no sub', { claims: without('sub') }],
    ['an iat ten minutes ahead', { claims: (claims) => ({ ...claims, iat: now() + 600 }) }],
    ['an exp that is past', { claims: (claims) => ({ ...claims, exp: now() - 120 }) }],
    ['another nonce', { claims: changed({ nonce: 'another' }) }],
    ['no nonce', { claims: without('nonce') }],
    ['another at_hash', { claims: changed({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }) }],
    ['a megabyte of claims', { claims: changed({ padding: 'x'.repeat(1_000_000) }) }],
  ];

  it('is refused where it is not what it must be (D-10)', async ({ given, server }) => {
    const { client } = await acmeWith(given);
    for (const [why, misbehaviour] of forged) {
      acmeIdp.misbehaviour = misbehaviour;
      const page = await signInUpstream(server.agent(), client, dan.email);
      expect([why, page.status]).toEqual([why, 403]);
      expect(page.words).toContain("The answer of your organization's sign-in service");
      expect([why, await traceless(given)]).toEqual([why, nothing]);
    }
    expect(await refusals(given)).toEqual(forged.map(() => 'response_invalid'));
    expect(server.errors).toEqual([]);
  });

  it('is about whom userinfo is about', async ({ given, browser }) => {
    const { client } = await acmeWith(given);
    acmeIdp.person = { sub: 'dan-1' };
    acmeIdp.misbehaviour = {
      answer(path, response) {
        if (path !== '/userinfo') return false;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ ...dan, sub: 'somebody else' }));
        return true;
      },
    };
    expect((await signInUpstream(browser, client, dan.email)).status).toBe(403);
    expect(await refusals(given)).toEqual(['response_invalid']);
  });
});

describe('addresses that a provider names', () => {
  const inside = [
    'http://10.0.0.1/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::10.0.0.1]/',
    'https://0xa.1/',
    'https://167772161/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'https://[64:ff9b::7f00:1]/',
    'ftp://idp.example/',
    'https://idp.example:22/',
    'file:///etc/passwd',
  ];

  it('lead nowhere inside (D-77)', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const token = await given.apiToken(acme);
    for (const issuer of inside) {
      const answer = await program.post(`/api/v1/accounts/${acme.id}/connections`, {
        json: { kind: 'oidc', name: 'Inside', issuer, oidc: { clientId: 'x' } },
        headers: { authorization: `Bearer ${token}`, 'idempotency-key': issuer },
      });
      expect([issuer, answer.status, answer.json.code]).toEqual([issuer, 422, 'invalid_value']);
    }
    expect(await given.rows('select 1 from connections')).toEqual([]);
  });

  it.for<[string, string]>([
    ['token_endpoint', 'http://10.0.0.1/token'],
    ['jwks_uri', 'https://169.254.169.254/keys'],
  ])(
    'are not reached where its metadata names them: %s %s (D-77)',
    async ([name, address], { given, browser }) => {
      const { client } = await acmeWith(given);
      acmeIdp.misbehaviour = { metadata: (metadata) => ({ ...metadata, [name]: address }) };
      const page = await leave(browser, client, dan.email);
      expect(page.status).toBe(503);
      expect(await refusals(given)).toEqual(['upstream_unreachable']);
    },
  );

  it.for<[string, Misbehaviour]>([
    [
      'a redirect to inside',
      {
        answer(path, response) {
          if (path !== '/.well-known/openid-configuration') return false;
          response.writeHead(302, { location: 'http://127.0.0.1:1/' });
          response.end();
          return true;
        },
      },
    ],
    [
      'a body without end',
      {
        answer(path, response) {
          if (path !== '/.well-known/openid-configuration') return false;
          response.setHeader('content-type', 'application/json');
          const chunk = ' '.repeat(65_536);
          const more = (): void => {
            while (!response.destroyed && response.write(chunk));
            if (!response.destroyed) response.once('drain', more);
          };
          more();
          return true;
        },
      },
    ],
    [
      'another issuer',
      { metadata: (metadata) => ({ ...metadata, issuer: 'https://evil.example' }) },
    ],
  ])(
    'are refused with %s, and nobody is sent anywhere (D-77)',
    async ([, misbehaviour], { given, browser }) => {
      const { client } = await acmeWith(given);
      acmeIdp.misbehaviour = misbehaviour;
      const page = await leave(browser, client, dan.email);
      expect(page.location).toBeNull();
      expect([403, 503]).toContain(page.status);
      expect(await traceless(given)).toEqual(nothing);
      expect(await refusals(given)).toHaveLength(1);
    },
  );
});

describe('what stood on a connection', () => {
  it.for<[string, (given: World, connection: string) => Promise<unknown>]>([
    [
      'the connection is disabled',
      (given, id) => given.rows(`update connections set state = 'disabled' where id = $1`, [id]),
    ],
    [
      'the domain leads there no more',
      (given, id) => given.rows('delete from connection_domains where connection_id = $1', [id]),
    ],
    ['the domain is lost', (given) => given.rows(`update domains set state = 'lapsed'`)],
    [
      'the link is taken away',
      (given) => given.rows('update federated_links set unlinked_at = now()'),
    ],
  ])(
    'falls with it at the very next step: %s',
    async ([, happens], { given, browser, program }) => {
      const { client, connection } = await acmeWith(given);
      const back = await signInUpstream(browser, client, dan.email, {
        scope: 'openid offline_access',
      });
      const tokens = (await redeem(browser, client, codeOf(back))).json;
      expect((await silent(browser, client)).searchParams.get('code')).not.toBeNull();
      await happens(given, connection.id);
      expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');
      expect((await refresh(program, client, tokens.refresh_token)).json.error).toBe(
        'invalid_grant',
      );
      const info = await program.get('/oauth/userinfo', {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      expect(info.status).toBe(401);
    },
  );

  it('lasts a day, and then the company is asked again (F31)', async ({
    given,
    browser,
    server,
  }) => {
    const { client } = await acmeWith(given);
    const back = await signInUpstream(browser, client, dan.email, {
      scope: 'openid offline_access',
    });
    let tokens = (await redeem(browser, client, codeOf(back))).json;
    for (const hours of [11, 11]) {
      server.clock.advance(hours * 3600);
      tokens = (await refresh(browser, client, tokens.refresh_token)).json;
      expect(tokens.refresh_token).toBeDefined();
    }
    server.clock.advance(2.1 * 3600);
    expect((await refresh(browser, client, tokens.refresh_token)).json.error).toBe('invalid_grant');
    expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');
  });
});

describe('passwords, where a company lets nobody in by them any more', () => {
  it('are refused like wrong ones, to everybody alike', async ({ given, browser, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    await connected(given, acme, acmeIdp, { enforced: true });
    const client = await given.client();
    const texts: string[] = [];
    for (const email of [ann.email, 'nobody@acme.example']) {
      const one = server.agent();
      const away = await leave(one, client, email);
      expect(away.location?.origin).toBe(acmeIdp.issuer);
      const uid = away.location!.searchParams.get('state')!.split('.')[0];
      const page = await one.get(`/sign-in/${uid}?local=1`);
      const tried = await one.submit(page.forms[0]!, { password: ann.password });
      expect(tried.status).toBe(401);
      texts.push(tried.words.replaceAll(email, ''));
    }
    expect(texts[0]).toBe(texts[1]);
    void browser;
  });

  it('are good for a break-glass administrator, and all administrators hear of it', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.rows(
      `update users set break_glass = true, second_factor_at = now() where id = $1`,
      [fay.id],
    );
    await connected(given, acme, acmeIdp, { enforced: true });
    const client = await given.client();
    const away = await leave(browser, client, fay.email);
    const uid = away.location!.searchParams.get('state')!.split('.')[0];
    const page = await browser.get(`/sign-in/${uid}?local=1`);
    const done = await browser.follow(
      await browser.submit(page.forms[0]!, { password: fay.password }),
    );
    // A second factor is asked for next; the password was right.
    expect(done.status).toBe(200);
    expect(done.words).not.toContain("We didn't recognize");
    void server;
  });

  it('are not given by a forgotten-password mail either (M9f)', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('ann@acme.example', { of: acme });
    await connected(given, acme, acmeIdp, { enforced: true });
    const page = await browser.get('/forgot-password');
    await browser.submit(page.forms[0]!, { email: 'ann@acme.example' });
    await server.app.delivery.drain();
    const mails = await given.mails();
    expect(mails.map(({ kind }) => kind)).toEqual(['password_managed']);
    expect(mails[0]!.text).not.toMatch(/reset-password|activate/);
    expect(await given.rows(`select 1 from one_time_tokens where user_id is not null`)).toEqual([]);
  });

  it('goes to the provider whether anybody has the address or not', async ({ given, server }) => {
    const { client } = await acmeWith(given);
    await given.user('known@acme.example', {
      of: { id: (await given.rows<{ id: string }>('select id from accounts'))[0]!.id },
    });
    for (const email of ['known@acme.example', 'unknown@acme.example']) {
      const away = await leave(server.agent(), client, email);
      expect(away.location?.origin).toBe(acmeIdp.issuer);
    }
    const sub = await leave(server.agent(), client, 'x@sub.acme.example');
    expect(sub.words).toContain('Enter your password');
  });
});
