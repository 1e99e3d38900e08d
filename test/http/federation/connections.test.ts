import { describe, expect } from 'vitest';
import type { Agent } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { codeOf } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import {
  atProvider,
  breakGlass,
  connected,
  dan,
  leave,
  provider,
  signInUpstream,
} from './support.ts';

const acmeIdp = provider();

let keys = 0;

async function asking(given: World, program: Agent, account: { id: string }) {
  const token = await given.apiToken(account);
  return async (method: string, path: string, json?: object) => {
    const answer = await program.send(`/api/v1/accounts/${account.id}/connections${path}`, {
      method,
      ...(json && { json }),
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': `key-${(keys += 1)}` },
    });
    return { status: answer.status, body: answer.status === 204 ? null : answer.json };
  };
}

function fields(extra: object = {}) {
  return {
    kind: 'oidc',
    name: 'Acme sign-in',
    issuer: acmeIdp.issuer,
    oidc: { clientId: acmeIdp.clientId },
    clientSecret: 'the secret of the company',
    domains: ['acme.example'],
    ...extra,
  };
}

describe('a connection', () => {
  it('goes from draft to test to everybody, and is refused before it is ready', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ask = await asking(given, program, acme);
    const client = await given.client();
    acmeIdp.person = dan;

    const made = await ask('POST', '', fields());
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      state: 'draft',
      mode: 'optional',
      domains: ['acme.example'],
      issuer: acmeIdp.issuer,
      testedAt: null,
      failing: false,
    });
    expect(JSON.stringify(made.body)).not.toContain('the secret of the company');
    const id = made.body.id as string;
    expect(made.body.oidc.redirectUri).toBe(`${server.url}/federation/${id}/callback`);
    expect((await leave(server.agent(), client, dan.email)).words).toContain('Enter your password');

    const early = await ask('POST', `/${id}/activate`, {});
    expect([early.status, early.body.code]).toEqual([409, 'connection_not_ready']);
    expect(early.body.details.problems).toEqual(['not_tested', 'no_break_glass']);

    // A test: what the provider says is shown, and nobody is made or signed in.
    const test = await ask('POST', `/${id}/test`);
    expect(test.body.connection.state).toBe('testing');
    const away = await browser.get(test.body.url);
    const shown = await browser.get(await atProvider(away));
    expect(shown.words).toContain('The test was successful');
    expect(shown.words).toContain('dan@acme.example');
    expect(shown.words).toContain('create');
    expect(await given.rows('select 1 from users')).toEqual([]);
    expect(await given.rows('select 1 from federated_links')).toEqual([]);

    await breakGlass(given, acme);
    const active = await ask('POST', `/${id}/activate`, {});
    expect([active.status, active.body.state]).toEqual([200, 'active']);
    codeOf(await signInUpstream(server.agent(), client, dan.email));

    const inUse = await program.send(`/api/v1/accounts/${acme.id}/domains/acme.example`, {
      method: 'DELETE',
      headers: {
        authorization: `Bearer ${await given.apiToken(acme)}`,
        'idempotency-key': 'release',
      },
    });
    expect([inUse.status, inUse.json.code]).toEqual([409, 'domain_in_use']);
    expect((await ask('DELETE', `/${id}`)).body.code).toBe('connection_in_use');

    expect((await ask('POST', `/${id}/disable`, { reason: 'moved' })).body.state).toBe('disabled');
    expect((await leave(server.agent(), client, dan.email)).words).toContain('Enter your password');
    expect((await ask('DELETE', `/${id}`)).status).toBe(204);
    expect((await ask('GET', '')).body.items).toEqual([]);
    const events = await given.events();
    for (const action of ['created', 'testing', 'tested', 'activated', 'disabled', 'removed'])
      expect(events).toContain(`connection.${action}`);
    expect(server.errors).toEqual([]);
  });

  it('sends only testers there while it is being tested', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp, { state: 'testing', testers: ['Dan@Acme.example'] });
    const client = await given.client();
    expect((await leave(server.agent(), client, 'ann@acme.example')).words).toContain(
      'Enter your password',
    );
    expect((await leave(server.agent(), client, dan.email)).location?.origin).toBe(acmeIdp.issuer);
    acmeIdp.person = { ...dan, sub: 'ann', email: 'ann@acme.example' };
    const other = await signInUpstream(server.agent(), client, dan.email);
    expect(other.words).toContain('not possible at the moment');
    expect(await given.rows('select 1 from users')).toEqual([]);
  });

  const senseless: [object, number, string][] = [
    [{ domains: ['beta.example'] }, 404, 'domain_not_found'],
    [{ domains: ['weak.example'] }, 409, 'domain_not_proved'],
    [{ domains: ['no domain'] }, 422, 'invalid_domain'],
    [{ issuer: 'https://login.microsoftonline.com/common/v2.0' }, 422, 'invalid_value'],
    [
      { preset: 'entra', issuer: 'https://login.microsoftonline.com/acme.com/v2.0' },
      422,
      'invalid_value',
    ],
    [{ preset: 'google', issuer: 'https://accounts.google.example' }, 422, 'invalid_value'],
    [{ testers: ['nobody'] }, 422, 'invalid_email'],
    [{ oidc: { clientId: 'x', scopes: ['email'] } }, 422, 'invalid_value'],
    [{ provisioning: { roles: ['account_administrator'] } }, 403, 'cannot_grant_higher_role'],
    [{ provisioning: { groups: ['00000000-0000-4000-8000-000000000000'] } }, 404, 'not_found'],
    [
      {
        mapping: {
          roles: { claim: 'r', absent: 'keep', rules: [{ value: 'x', role: 'operator' }] },
        },
      },
      403,
      'cannot_grant_higher_role',
    ],
    [{ kind: 'saml' }, 422, 'invalid_value'],
    [{ name: '' }, 422, 'invalid_value'],
    [{ accountId: 'x' }, 422, 'invalid_value'],
  ];

  it('is not made from what makes no sense', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example', 'weak.example'] });
    await given.rows(`update domains set proof = 'email' where name = 'weak.example'`);
    await given.account('Beta', { owns: ['beta.example'] });
    const ask = await asking(given, program, acme);
    for (const [input, status, code] of senseless) {
      const answer = await ask('POST', '', fields(input));
      expect([input, answer.status, answer.body.code]).toEqual([input, status, code]);
    }
    expect(await given.rows('select 1 from connections')).toEqual([]);
  });

  it('is one for each domain', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    const ask = await asking(given, program, acme);
    const second = await ask('POST', '', fields());
    expect([second.status, second.body.code]).toEqual([409, 'domain_in_use']);
  });

  it("is nobody else's to see or change", async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const connection = await connected(given, acme, acmeIdp);
    const ask = await asking(given, program, beta);
    for (const [method, path, body] of [
      ['GET', `/${connection.id}`],
      ['PATCH', `/${connection.id}`, { name: 'Mine' }],
      ['POST', `/${connection.id}/test`],
      ['POST', `/${connection.id}/disable`, {}],
      ['GET', `/${connection.id}/links`],
      ['POST', `/${connection.id}/secrets`, { kind: 'client_secret', value: 'my own secret' }],
      ['DELETE', `/${connection.id}`],
    ] as const) {
      const answer = await ask(method, path, body);
      expect([method, path, answer.status]).toEqual([method, path, 404]);
    }
    const co = await given.apiToken(acme, 'co_administrator');
    const answer = await program.post(`/api/v1/accounts/${acme.id}/connections`, {
      json: fields(),
      headers: { authorization: `Bearer ${co}`, 'idempotency-key': 'co' },
    });
    expect(answer.status).toBe(403);
  });

  it('says why its provider cannot be asked', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ask = await asking(given, program, acme);
    const { body } = await ask('POST', '', fields());
    acmeIdp.misbehaviour = { metadata: (metadata) => ({ ...metadata, token_endpoint: undefined }) };
    const test = await ask('POST', `/${body.id}/test`);
    expect([test.status, test.body.code]).toEqual([409, 'provider_unreachable']);
    expect(test.body.details.why).toContain('token_endpoint');
  });

  it('takes two secrets while one is rotated', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, acmeIdp);
    const client = await given.client();
    const ask = await asking(given, program, acme);
    acmeIdp.person = dan;
    const added = await ask('POST', `/${connection.id}/secrets`, {
      kind: 'client_secret',
      value: 'the next secret',
    });
    expect(added.body).toMatchObject({ hint: 'cret' });
    // The provider knows only the one of before; then only the next.
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    acmeIdp.secrets = ['the next secret'];
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    const third = await ask('POST', `/${connection.id}/secrets`, {
      kind: 'client_secret',
      value: 'one too many',
    });
    expect(third.body.code).toBe('limit_reached');
    const [, old] = (await ask('GET', `/${connection.id}/secrets`)).body.items;
    expect((await ask('DELETE', `/${connection.id}/secrets/${old.id}`)).status).toBe(204);
    expect((await ask('DELETE', `/${connection.id}/secrets/${added.body.id}`)).body.code).toBe(
      'connection_in_use',
    );
    acmeIdp.secrets = ['the secret of the company'];
    expect((await signInUpstream(server.agent(), client, dan.email)).status).toBe(403);
  });

  it('proves itself by a key of its own (private_key_jwt)', async ({ given, program, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, acmeIdp, {
      oidc: { clientId: acmeIdp.clientId, clientAuthentication: 'private_key_jwt' },
      secrets: [],
    });
    const client = await given.client();
    const ask = await asking(given, program, acme);
    const key = await ask('POST', `/${connection.id}/secrets`, { kind: 'private_key' });
    const published = (await program.get(`/federation/${connection.id}/jwks`)).json;
    expect(published.keys).toEqual([key.body.publicJwk]);
    expect(JSON.stringify(published)).not.toMatch(/"(d|p|q)":/);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(browser, client, dan.email));
    const sent = acmeIdp.requests.find(({ path }) => path === '/token')!.parameters;
    expect(sent.get('client_assertion_type')).toContain('jwt-bearer');
    expect(sent.has('client_secret')).toBe(false);
  });

  it('unlinks somebody who was hired again, and links them anew', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, acmeIdp);
    const client = await given.client();
    const ask = await asking(given, program, acme);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    acmeIdp.person = { ...dan, sub: 'dan-2' };
    expect((await signInUpstream(server.agent(), client, dan.email)).status).toBe(403);
    const [link] = (await ask('GET', `/${connection.id}/links`)).body.items;
    expect(link).toMatchObject({ email: dan.email, subject: 'dan-1', how: 'create' });
    expect((await ask('DELETE', `/${connection.id}/links/${link.id}`)).status).toBe(204);
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(await given.rows('select count(*)::int as n from users')).toEqual([{ n: 1 }]);
    // The subject of before is nobody else's.
    acmeIdp.person = { ...dan, email: 'other@acme.example' };
    expect((await signInUpstream(server.agent(), client, 'other@acme.example')).status).toBe(403);
  });
});
