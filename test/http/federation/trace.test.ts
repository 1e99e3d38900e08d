import { describe, expect } from 'vitest';
import { redacted, sweepTraces } from '#identity/federation/kept-traces.ts';
import { it } from '#test/support/it.ts';
import { caller } from '../admin/support.ts';
import { connectedSaml } from '#test/support/saml-connection.ts';
import { signInBySaml } from './saml-support.ts';
import { connected, dan, provider, signInUpstream } from './support.ts';

const upstream = provider();

describe('the trace of a sign-in', () => {
  it('tells an administrator what was sent, received, mapped and decided, and no secret', async ({
    given,
    program,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const connection = await connected(given, acme, upstream);
    upstream.person = { ...dan, groups: ['bridges'] };
    const end = await signInUpstream(browser, client, 'dan@acme.example');
    expect(end.location?.searchParams.has('code'), end.words).toBe(true);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/traces`;
    const { items } = (await admin.get(path)).json;
    expect(items).toMatchObject([{ outcome: 'create', purpose: 'sign_in' }]);
    const trace = await admin.get(`${path}/${items[0].id}`);
    const steps = trace.json.steps as { kind: string; data: Record<string, unknown> }[];
    expect(steps.map(({ kind }) => kind)).toEqual([
      'sent',
      'received',
      'received',
      'mapped',
      'decided',
    ]);
    expect(trace.text).toContain('bridges');
    expect(trace.text).toContain('dan@acme.example');
    // What came back could be used by who reads it.
    const code = upstream.requests
      .map(({ parameters }) => parameters.get('code'))
      .find((one) => one !== null);
    expect(code).toBeTruthy();
    expect(trace.text).not.toContain(code);
    expect(trace.text).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}\./);
    expect(server.errors).toEqual([]);
  });

  it('names the failure whose number the person was shown', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const connection = await connectedSaml(given, acme);
    await signInBySaml(server, server.agent(), client, 'ann@acme.example');
    const end = await signInBySaml(server, server.agent(), client, 'eve@acme.example', {
      nameId: 'S-2',
      attributes: { email: ['eve@evil.example'] },
    });
    const [number = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(end.words) ?? [];
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/traces`;
    const { json } = await admin.get(`${path}/${number}`);
    expect(json).toMatchObject({ id: number, outcome: 'domain_not_owned' });
    const failed = await admin.get(`${path}?outcome=failed`);
    expect(failed.json.items).toMatchObject([{ id: number }]);
    expect((await admin.get(`${path}?outcome=succeeded`)).json.items).toHaveLength(1);
    const page = await admin.get(`${path}?limit=1`);
    const next = await admin.get(`${path}?limit=1&cursor=${page.json.nextCursor}`);
    expect([...page.json.items, ...next.json.items].map(({ outcome }) => outcome)).toEqual([
      'domain_not_owned',
      'create',
    ]);
    // Another account's administrator finds nothing, and a Co-Administrator does not look in.
    const beta = await given.account('Beta');
    const other = caller(program, await given.apiToken(beta));
    expect((await other.get(`${path}/${number}`)).status).toBe(404);
    expect(
      (await other.get(`/accounts/${beta.id}/connections/${connection.id}/traces`)).status,
    ).toBe(404);
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.get(path)).status).toBe(403);
    const health = await co.get(`/accounts/${acme.id}/connections/${connection.id}/health`);
    expect(health.json).toMatchObject({
      failing: false,
      lastDay: { succeeded: 1, failed: 1 },
      reasons: [{ outcome: 'domain_not_owned', count: 1 }],
      ends: [{ what: expect.stringMatching(/certificate/) }, {}],
    });
  });

  it('is gone after 30 days, and with the person it is about', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    await connectedSaml(given, acme);
    await signInBySaml(server, server.agent(), client, 'ann@acme.example');
    const { database } = given.foundation;
    const days = (count: number): Date =>
      new Date(server.clock().getTime() + count * 24 * 3600_000);
    await sweepTraces(database, days(29));
    expect(await given.rows('select 1 from federated_traces')).toHaveLength(1);
    await sweepTraces(database, days(31));
    expect(await given.rows('select 1 from federated_traces')).toHaveLength(0);
    expect(await given.rows('select 1 from saml_assertions')).toHaveLength(0);
  });

  it('keeps what nobody expected to be a secret to itself, and cuts what is endless', () => {
    const jwt = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(20)}.${'b'.repeat(20)}`;
    const kept = JSON.stringify(
      redacted({
        claims: { note: `here: ${jwt}`, long: 'x'.repeat(5000), nul: 'a\0b' },
        access_token: 'secret-1',
        nested: [{ client_secret: 'secret-2' }],
        key: '-----BEGIN PRIVATE KEY-----\nsecret-3',
        many: Array.from({ length: 1000 }, (_, index) => index),
      }),
    );
    expect(kept).not.toMatch(/eyJ|secret-\d|\\u0000/);
    expect(kept.length).toBeLessThan(4000);
  });
});

describe('a provider that fails', () => {
  it('is told to the administrators once, at the twentieth time in a row', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme-mail.example', { of: acme, roles: ['account_administrator'] });
    const client = await given.client();
    const connection = await connectedSaml(given, acme);
    // Nineteen times before: the way there is the same each time.
    await given.rows('update connections set failures = 18');
    const told = async (): Promise<number> =>
      (await given.rows(`select 1 from outbox where payload::text like '%connection_failing%'`))
        .length;
    const fail = () =>
      signInBySaml(server, server.agent(), client, 'ann@acme.example', { audience: 'other' });
    await fail();
    expect(await told()).toBe(0);
    await fail();
    await fail();
    expect(await told()).toBe(1);
    expect(await given.events()).toContain('connection.failing');
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/health`;
    expect((await admin.get(path)).json).toMatchObject({
      failing: true,
      failuresInARow: 21,
      lastFailure: expect.stringContaining('audience'),
    });
    // Whoever says no to a person does not fail.
    await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed',
    });
    expect((await admin.get(path)).json.failuresInARow).toBe(21);
    await signInBySaml(server, server.agent(), client, 'ann@acme.example');
    expect((await admin.get(path)).json).toMatchObject({ failing: false, failuresInARow: 0 });
  });
});
