import { createVerify, X509Certificate } from 'node:crypto';
import { describe, expect } from 'vitest';
import { SignedXml } from 'xml-crypto';
import { readMetadata } from '#platform/saml/metadata.ts';
import { it } from '#test/support/it.ts';
import { honest, keyOf, newSamlId, samlResponse, base64 } from '#test/support/saml-idp.ts';
import { authorizeUrl } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { leave, refusals, traceless } from './support.ts';
import { connectedSaml, idpEntityId, idpSignOn } from '#test/support/saml-connection.ts';
import { answerTo, askedIn, askedOf, deliver, signInBySaml } from './saml-support.ts';

/** A company that signs its people in by SAML, its connection, and an application. */
async function acmeBySaml(given: World, options?: Parameters<typeof connectedSaml>[2]) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const client = await given.client();
  const connection = await connectedSaml(given, acme, options);
  return { acme, client, connection, id: connection.id };
}

describe('signing in through a SAML provider', () => {
  it('makes the person at their first sign-in, and knows them at the second', async ({
    given,
    server,
  }) => {
    const { client, connection } = await acmeBySaml(given);
    for (const round of ['first', 'second']) {
      const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example');
      expect(end.location?.searchParams.has('code'), `${round}: ${end.words}`).toBe(true);
    }
    expect(
      await given.rows(
        `select u.email, u.given_name, u.family_name, u.country, u.source, l.issuer, l.subject
         from users u join federated_links l on l.user_id = u.id`,
      ),
    ).toEqual([
      {
        email: 'ann@acme.example',
        given_name: 'Ann',
        family_name: 'Archer',
        country: 'US',
        source: 'jit',
        issuer: idpEntityId,
        subject: 'S-1-ann',
      },
    ]);
    expect(
      await given.rows('select outcome, connection_id from federated_traces order by id'),
    ).toEqual([
      { outcome: 'create', connection_id: connection.id },
      { outcome: 'sign_in', connection_id: connection.id },
    ]);
    expect(server.errors).toEqual([]);
  });

  it('asks by a signed request that names where to answer', async ({ given, server }) => {
    const { client, id } = await acmeBySaml(given);
    const away = await leave(server.agent(), client, 'ann@acme.example', { max_age: '0' });
    const asked = askedOf(away);
    expect(asked).toMatchObject({
      destination: idpSignOn,
      acs: `${server.url}/federation/${id}/acs`,
      sp: `${server.url}/federation/${id}/metadata`,
    });
    expect(asked.request).toContain('ForceAuthn="true"');
    expect(asked.request).toContain('nameid-format:persistent');
    expect(asked.parameters.get('login_hint')).toBe('ann@acme.example');
    expect(asked.relayState.length).toBeLessThanOrEqual(80);
    expect(asked.relayState).not.toContain('ann');
    const [signed] = /SAMLRequest=.*SigAlg=[^&]*/.exec(away.location!.search.slice(1))!;
    const text = signed.replace(/&login_hint=[^&]*/, '');
    const { certificate } = await keyOf('ours');
    expect(
      createVerify('RSA-SHA256')
        .update(text)
        .verify(
          new X509Certificate(certificate).publicKey,
          asked.parameters.get('Signature')!,
          'base64',
        ),
    ).toBe(true);
  });

  it('sends the request as a form where the provider wants one', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const post = 'https://idp.acme.example/saml/post';
    await connectedSaml(given, acme, { redirect: null, post });
    const browser = server.agent();
    const page = await leave(browser, client, 'ann@acme.example');
    expect(page.status).toBe(200);
    const [form] = page.forms;
    expect(form).toMatchObject({ action: post, method: 'post' });
    const xml = Buffer.from(form!.fields['SAMLRequest']!, 'base64').toString();
    const { certificate } = await keyOf('ours');
    const signature = new SignedXml({ publicCert: certificate });
    signature.loadSignature(/<Signature .*<\/Signature>/s.exec(xml)![0]);
    expect(signature.checkSignature(xml)).toBe(true);
    const asked = {
      ...askedIn(xml),
      destination: post,
      relayState: form!.fields['RelayState']!,
      parameters: new URLSearchParams(),
    };
    const end = await deliver(server, browser, asked, await answerTo(asked));
    expect(end.location?.searchParams.has('code'), end.words).toBe(true);
    // Nobody else has our page carry a form.
    const forged = new URL(page.url);
    forged.searchParams.set(
      'm',
      Buffer.from('{"url":"https://evil.example"}').toString('base64url'),
    );
    expect((await browser.get(forged)).status).toBe(404);
  });

  it('takes an encrypted assertion once the connection publishes a key', async ({
    given,
    server,
  }) => {
    const { client, id } = await acmeBySaml(given, { settings: { encryption: true } });
    const metadata = await server.agent().get(`/federation/${id}/metadata`);
    expect(metadata.text).toContain('use="encryption"');
    const { certificate } = await keyOf('ours');
    const end = await signInBySaml(
      server,
      server.agent(),
      client,
      'ann@acme.example',
      {},
      {
        encryptTo: certificate,
      },
    );
    expect(end.location?.searchParams.has('code'), end.words).toBe(true);
  });

  it('names people by an attribute that never changes, where one is chosen', async ({
    given,
    server,
  }) => {
    const { client } = await acmeBySaml(given, { settings: { subjectAttribute: 'oid' } });
    const attributes = {
      email: ['ann@acme.example'],
      givenName: ['Ann'],
      surname: ['A'],
      c: ['US'],
    };
    const said = { nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' };
    const without = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      ...said,
      attributes,
    });
    expect(without.status).toBe(403);
    const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      ...said,
      attributes: { ...attributes, oid: ['o-1'] },
    });
    expect(end.location?.searchParams.has('code'), end.words).toBe(true);
    expect(await given.rows('select subject from federated_links')).toEqual([{ subject: 'o-1' }]);
  });

  it.for(['transient', 'emailAddress', 'unspecified'])(
    'does not name people for ever by a NameID that is %s',
    async (format, { given, server }) => {
      const acme = await given.account('Acme', { owns: ['acme.example'] });
      const client = await given.client();
      const version = format === 'transient' ? '2.0' : '1.1';
      const nameIdFormat = `urn:oasis:names:tc:SAML:${version}:nameid-format:${format}`;
      await connectedSaml(given, acme);
      const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
        nameIdFormat,
      });
      expect(end.status).toBe(403);
      expect(await given.rows('select 1 from users')).toEqual([]);
      expect(await refusals(given)).toEqual(['response_invalid']);
      // Somebody may take the risk of what can change hands.
      await given.rows(
        `update connections set settings = settings || '{"mutableSubject": true}'::jsonb`,
      );
      const again = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
        nameIdFormat,
      });
      expect(again.location?.searchParams.has('code') ?? false).toBe(format !== 'transient');
    },
  );

  it('tells who failed the number of the attempt, and nothing of why', async ({
    given,
    server,
  }) => {
    const { client } = await acmeBySaml(given);
    const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      audience: 'https://other.example',
    });
    expect(end.status).toBe(403);
    const [trace] = await given.rows<{ id: string; steps: { data: { detail?: string } }[] }>(
      'select id, steps from federated_traces',
    );
    expect(end.words).toContain(trace!.id);
    expect(JSON.stringify(trace!.steps)).toContain('audience');
    expect(end.forms).toEqual([]);
  });

  it('publishes metadata that a provider can read', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const { id } = await connectedSaml(given, acme);
    const answer = await server.agent().get(`/federation/${id}/metadata`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/samlmetadata+xml');
    expect(answer.text).toContain(`entityID="${server.url}/federation/${id}/metadata"`);
    expect(answer.text).toContain(`Location="${server.url}/federation/${id}/acs"`);
    expect(answer.text).not.toContain('use="encryption"');
    // It is ours, not a provider's.
    expect(() => readMetadata(answer.text)).toThrow(/no metadata/);
    for (const other of ['00000000-0000-7000-8000-000000000000', 'x'])
      expect((await server.agent().get(`/federation/${other}/metadata`)).status).toBe(404);
  });
});

describe('a response that nobody waits for', () => {
  it('lets nobody in: unasked for, from another connection, without its request (D-12)', async ({
    given,
    server,
  }) => {
    const { client, id } = await acmeBySaml(given);
    const acs = `${server.url}/federation/${id}/acs`;
    const sp = `${server.url}/federation/${id}/metadata`;
    const xml = await samlResponse(
      honest({ idp: idpEntityId, sp, acs, inResponseTo: newSamlId() }),
      { key: await keyOf('pinned') },
    );
    const before = await traceless(given);
    const forms: Record<string, string>[] = [
      { SAMLResponse: base64(xml) },
      { SAMLResponse: base64(xml), RelayState: 'https://evil.example/' },
      { SAMLResponse: base64(xml), RelayState: 'made.up' },
    ];
    for (const form of forms) {
      const answer = await server.agent().post(acs, { form });
      expect(answer.status).toBe(400);
    }
    // The RelayState of one connection is nothing at another.
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const other = await connectedSaml(given, beta, { domains: ['beta.example'] });
    const asked = askedOf(await leave(server.agent(), client, 'ann@acme.example'));
    const answer = await server
      .agent()
      .post(`/federation/${other.id}/acs`, { form: await answerTo(asked) });
    expect(answer.status).toBe(400);
    expect(await traceless(given)).toEqual(before);
    expect(await refusals(given)).toEqual([
      'attempt_unknown',
      'attempt_unknown',
      'attempt_unknown',
      'attempt_unknown',
    ]);
  });

  it('lets one in when it comes ten times at once, and nobody later (D-16)', async ({
    given,
    server,
  }) => {
    const { client } = await acmeBySaml(given);
    const browser = server.agent();
    const asked = askedOf(await leave(browser, client, 'ann@acme.example'));
    const form = await answerTo(asked);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => deliver(server, browser, asked, form)),
    );
    const inside = answers.filter(({ location }) => location?.searchParams.has('code'));
    expect(inside).toHaveLength(1);
    expect((await deliver(server, browser, asked, form)).status).toBe(400);
    expect(await given.rows('select 1 from users')).toHaveLength(1);
    expect(await given.rows('select 1 from saml_assertions')).toHaveLength(1);
  });

  it('lets nobody in when an assertion answers a second request (replay)', async ({
    given,
    server,
  }) => {
    const { client } = await acmeBySaml(given);
    const assertionId = newSamlId();
    const first = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      assertionId,
    });
    expect(first.location?.searchParams.has('code'), first.words).toBe(true);
    const second = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      assertionId,
    });
    expect(second.status).toBe(403);
    expect(await refusals(given)).toEqual(['response_replayed']);
  });

  it('is of no use in another browser than the one that asked (D-09)', async ({
    given,
    server,
  }) => {
    const { client } = await acmeBySaml(given);
    const asked = askedOf(await leave(server.agent(), client, 'eve@acme.example'));
    const victim = server.agent();
    await victim.follow(await victim.get(authorizeUrl(client)));
    const end = await deliver(server, victim, asked, await answerTo(asked));
    expect(end.status).toBe(400);
    expect(end.location).toBeNull();
    expect(await given.rows('select 1 from users')).toEqual([]);
  });

  it('is of no use once the connection was disabled, the account held, the domain unbound (D-11)', async ({
    given,
    server,
  }) => {
    const client = await given.client();
    for (const [index, change] of [
      `update connections set state = 'disabled'`,
      `update accounts set status = 'on_hold'`,
      'delete from connection_domains',
    ].entries()) {
      const domain = `acme${index}.example`;
      const acme = await given.account(`Acme ${index}`, { owns: [domain] });
      await connectedSaml(given, acme, { domains: [domain] });
      const browser = server.agent();
      const asked = askedOf(await leave(browser, client, `ann@${domain}`));
      await given.rows(change);
      const said = {
        attributes: { email: [`ann@${domain}`], givenName: ['A'], sn: ['A'], c: ['US'] },
      };
      const end = await deliver(server, browser, asked, await answerTo(asked, said));
      expect(end.status, change).toBe(403);
      expect(end.location).toBeNull();
    }
    expect(await given.rows('select 1 from users')).toEqual([]);
  });
});

describe('what a provider says over SAML', () => {
  it.for<[what: string, emails: string[], reason: string]>([
    [
      'two addresses, one foreign',
      ['ann@acme.example', 'ceo@beta.example'],
      'identifier_ambiguous',
    ],
    ['no address', [], 'identifier_missing'],
    ['an empty one', [''], 'identifier_missing'],
    ['ten kilobytes', [`${'a'.repeat(10_000)}@acme.example`], 'identifier_missing'],
    ['an address of another domain', ['ann@beta.example'], 'domain_not_owned'],
  ])('%s: refused, and nobody is made (D-19)', async ([, emails, reason], { given, server }) => {
    const { client } = await acmeBySaml(given);
    const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      attributes: { email: emails, givenName: ['Ann'], surname: ['Archer'], country: ['US'] },
    });
    expect(end.status).toBe(403);
    expect(await refusals(given)).toEqual([reason]);
    expect(await given.rows('select 1 from users')).toEqual([]);
  });

  it('that it failed, in its own words, goes to who can do something about it', async ({
    given,
    server,
  }) => {
    const { client } = await acmeBySaml(given);
    const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed',
    });
    expect(end.status).toBe(403);
    expect(await refusals(given)).toEqual(['upstream_denied']);
  });

  it('that is huge or hostile costs nobody else anything (D-18)', async ({ given, server }) => {
    const { client } = await acmeBySaml(given);
    const asked = askedOf(await leave(server.agent(), client, 'ann@acme.example'));
    const hostile = `<samlp:Response>${'<b/>x'.repeat(16_000)}</samlp:Response>`;
    const from = performance.now();
    const answers = await Promise.all([
      server.agent().post(asked.acs, {
        form: { SAMLResponse: base64(hostile), RelayState: asked.relayState },
      }),
      server.agent().post(asked.acs, { form: { SAMLResponse: 'A'.repeat(600_000) } }),
      ...Array.from({ length: 10 }, () => server.agent().get('/healthz')),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 413, ...Array(10).fill(200)]);
    expect(performance.now() - from).toBeLessThan(2000);
    const [{ last_failure: why } = { last_failure: '' }] = await given.rows<{
      last_failure: string;
    }>('select last_failure from connections');
    expect(why).toContain('too_complex');
  });
});
