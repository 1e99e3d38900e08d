import { createVerify, X509Certificate } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { SignedXml } from 'xml-crypto';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { base64, keyOf, newSamlId, sha256 } from '#test/support/saml-idp.ts';
import { codeOf, redeem } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenClient, World } from '#test/support/world.ts';
import { connectedSaml, idpSignOut } from '#test/support/saml-connection.ts';
import { logoutForm, logoutUrl, logoutXml, signInBySaml, type SaidLogout } from './saml-support.ts';
import { connected, dan, provider, refusals, signInUpstream, silent } from './support.ts';

const acmeIdp = provider();
const home = 'https://rp.example/signed-out';

/** Signs out at the application; gives back where the browser is sent at last. */
async function signOut(browser: Agent, idToken: string): Promise<URL> {
  const query = new URLSearchParams({
    id_token_hint: idToken,
    post_logout_redirect_uri: home,
    state: 'of-the-app',
  });
  return (await browser.get(`/oauth/end_session?${query}`)).location!;
}

async function idTokenOf(browser: Agent, client: GivenClient, answer: Answer): Promise<string> {
  const { json } = await redeem(browser, client, codeOf(answer));
  return json.id_token as string;
}

describe('signing out, where an OpenID provider vouched for the person', () => {
  async function given(world: World, { signOutUpstream = true, offered = true } = {}) {
    const acme = await world.account('Acme', { owns: ['acme.example'] });
    acmeIdp.misbehaviour.metadata = (metadata) => ({
      ...metadata,
      ...(offered && { end_session_endpoint: `${acmeIdp.issuer}/end?tenant=acme` }),
    });
    acmeIdp.person = dan;
    const connection = await connected(world, acme, acmeIdp, { signOutUpstream });
    return { connection, client: await world.client() };
  }

  it('goes on to the provider, and from there to the application', async ({
    given: world,
    browser,
    server,
  }) => {
    const { connection, client } = await given(world);
    const idToken = await idTokenOf(
      browser,
      client,
      await signInUpstream(browser, client, dan.email),
    );
    const away = await signOut(browser, idToken);
    expect(away.origin + away.pathname).toBe(`${acmeIdp.issuer}/end`);
    const asked = Object.fromEntries(away.searchParams);
    expect(asked).toEqual({
      tenant: 'acme',
      client_id: acmeIdp.clientId,
      id_token_hint: expect.stringMatching(/^eyJ/),
      post_logout_redirect_uri: `${server.url}/federation/${connection.id}/signed-out`,
      state: expect.any(String),
    });
    // Whatever becomes of it there: here it is over already.
    expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');

    const back = `/federation/${connection.id}/signed-out?state=`;
    for (const [who, state] of [
      [server.agent(), asked['state']!],
      [browser, 'another'],
    ] as const)
      expect((await who.get(back + state)).location?.pathname).toBe('/oauth/end_session/success');
    expect((await browser.get(back + asked['state']!)).location?.href).toBe(
      `${home}?state=of-the-app`,
    );
    // Once.
    expect((await browser.get(back + asked['state']!)).location?.pathname).toBe(
      '/oauth/end_session/success',
    );
  });

  it('keeps the token of the provider sealed, and with the session alone', async ({
    given: world,
    browser,
  }) => {
    const { client } = await given(world);
    await idTokenOf(browser, client, await signInUpstream(browser, client, dan.email));
    const kept = await world.rows<{ model: string; text: string }>(
      `select 'Session' as model, s::text as text from oidc_sessions s
       union all select model, federation::text from oidc_artifacts where federation is not null`,
    );
    expect(kept.map(({ model }) => model)).toContain('AccessToken');
    for (const { model, text } of kept) {
      expect(text).not.toContain('eyJ');
      expect(text.includes('hint')).toBe(model === 'Session');
    }
  });

  it.for([
    ['nobody asked for that', { signOutUpstream: false }],
    ['the provider does not offer it', { offered: false }],
  ] as const)('ends here where %s', async ([, options], { given: world, browser }) => {
    const { client } = await given(world, options);
    const answer = await signInUpstream(browser, client, dan.email);
    const end = await signOut(browser, await idTokenOf(browser, client, answer));
    expect(end.href).toBe(`${home}?state=of-the-app`);
  });

  it('ends here where the provider is gone', async ({ given: world, browser, server }) => {
    const { client } = await given(world);
    const answer = await signInUpstream(browser, client, dan.email);
    const idToken = await idTokenOf(browser, client, answer);
    // What is known of it is forgotten after an hour.
    server.clock.advance(3601);
    acmeIdp.misbehaviour.answer = (_path, response) => {
      response.socket?.destroy();
      return true;
    };
    const end = await browser.follow(
      await browser.get(`/oauth/end_session?id_token_hint=${idToken}`),
    );
    expect(end.words).toContain('You are signed out');
    expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');
    expect(server.errors).toEqual([]);
  });
});

describe('a session that the provider says the end of', () => {
  it.for(['OpenID Connect', 'SAML'] as const)(
    'ends here no later, and is over at once where it is over there: %s',
    async (protocol, { given, server, browser }) => {
      const acme = await given.account('Acme', { owns: ['acme.example'] });
      const client = await given.client();
      const inTenMinutes = Math.floor(server.clock().getTime() / 1000) + 600;
      if (protocol === 'SAML') {
        await connectedSaml(given, acme);
        const sessionEnds = new Date(inTenMinutes * 1000);
        codeOf(await signInBySaml(server, browser, client, 'ann@acme.example', { sessionEnds }));
      } else {
        await connected(given, acme, acmeIdp);
        acmeIdp.person = { ...dan, session_expiry: inTenMinutes };
        codeOf(await signInUpstream(browser, client, dan.email));
      }
      server.clock.advance(590);
      expect((await silent(browser, client)).searchParams.has('code')).toBe(true);
      server.clock.advance(20);
      expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');
      if (protocol === 'SAML') return;
      acmeIdp.person = { ...dan, session_expiry: inTenMinutes - 1200 };
      expect((await signInUpstream(server.agent(), client, dan.email)).status).toBe(403);
      expect(await refusals(given)).toEqual(['response_invalid']);
    },
  );
});

describe('SAML single logout', () => {
  async function given(
    world: World,
    {
      signOutUpstream = true,
      logoutBy = 'Redirect',
    }: { signOutUpstream?: boolean; logoutBy?: 'Redirect' | 'POST' } = {},
  ) {
    const acme = await world.account('Acme', { owns: ['acme.example'] });
    const connection = await connectedSaml(world, acme, {
      logout: idpSignOut,
      logoutBy,
      signOutUpstream,
    });
    const client = await world.client({
      metadata: { backchannel_logout_uri: 'https://rp.example/logout' },
    });
    return { connection, client };
  }

  const slo = (server: TestServer, { id }: { id: string }): string =>
    `${server.url}/federation/${id}/slo`;

  const isSignedIn = async (browser: Agent, client: GivenClient): Promise<boolean> =>
    (await silent(browser, client)).searchParams.has('code');

  it('is told in our metadata', async ({ given: world, server, program }) => {
    const { connection } = await given(world);
    const { text } = await program.get(`/federation/${connection.id}/metadata`);
    for (const binding of ['Redirect', 'POST'])
      expect(text).toContain(
        `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-${binding}" Location="${slo(server, connection)}"/>`,
      );
  });

  it('begins here: the provider is asked by a signed request, by the names it gave', async ({
    given: world,
    server,
    browser,
  }) => {
    const { connection, client } = await given(world);
    const answer = await signInBySaml(server, browser, client, 'ann@acme.example');
    const away = await signOut(browser, await idTokenOf(browser, client, answer));
    expect(away.origin + away.pathname).toBe(idpSignOut);
    expect(await isSignedIn(browser, client)).toBe(false);
    const request = inflateRawSync(
      Buffer.from(away.searchParams.get('SAMLRequest')!, 'base64'),
    ).toString();
    expect(request).toContain(`Destination="${idpSignOut}"`);
    expect(request).toContain(`<saml:Issuer>${server.url}/federation/${connection.id}/metadata<`);
    expect(request).toMatch(/<saml:NameID Format="[^"]*:persistent">S-1-ann<\/saml:NameID>/);
    expect(request).toContain('<samlp:SessionIndex>s1</samlp:SessionIndex>');
    const { certificate } = await keyOf('ours');
    const [signed] = /SAMLRequest=.*SigAlg=[^&]*/.exec(away.search)!;
    expect(
      createVerify('sha256')
        .update(signed)
        .verify(
          new X509Certificate(certificate).publicKey,
          away.searchParams.get('Signature')!,
          'base64',
        ),
    ).toBe(true);

    const state = away.searchParams.get('RelayState')!;
    expect(state.length).toBeLessThanOrEqual(80);
    const back = await browser.get(
      `${slo(server, connection)}?SAMLResponse=anything&RelayState=${encodeURIComponent(state)}`,
    );
    expect(back.location?.href).toBe(`${home}?state=of-the-app`);
  });

  it('begins there: the session it names ends here, and the applications hear of it', async ({
    given: world,
    server,
    browser,
    program,
  }) => {
    const { connection, client } = await given(world, { signOutUpstream: false });
    codeOf(await signInBySaml(server, browser, client, 'ann@acme.example'));
    const bob = server.agent();
    codeOf(
      await signInBySaml(server, bob, client, 'bob@acme.example', {
        nameId: 'S-2-bob',
        attributes: {
          email: ['bob@acme.example'],
          givenName: ['Bob'],
          surname: ['Bell'],
          country: ['US'],
        },
      }),
    );
    const request = await logoutUrl(slo(server, connection), { id: '_there-1' });
    // By any browser, or none: it is the provider's word that counts.
    const done = await program.get(request);
    expect(done.location!.origin + done.location!.pathname).toBe(`${idpSignOut}/done`);
    expect(done.location!.searchParams.get('RelayState')).toBe('from-idp');
    const response = inflateRawSync(
      Buffer.from(done.location!.searchParams.get('SAMLResponse')!, 'base64'),
    ).toString();
    expect(response).toContain('InResponseTo="_there-1"');
    expect(response).toContain('status:Success');
    expect(await isSignedIn(browser, client)).toBe(false);
    expect(await isSignedIn(bob, client)).toBe(true);
    expect(
      await world.rows(`select count(*)::int as n from outbox where kind = 'backchannel_logout'`),
    ).toEqual([{ n: 1 }]);
    // Sent again, it does not end what began after it.
    codeOf(await signInBySaml(server, browser, client, 'ann@acme.example'));
    await program.get(request);
    expect(await isSignedIn(browser, client)).toBe(true);
    // Without a session, all of the person's.
    await program.get(await logoutUrl(slo(server, connection), { sessions: [] }));
    expect(await isSignedIn(browser, client)).toBe(false);
    expect(await isSignedIn(bob, client)).toBe(true);
    expect(server.errors).toEqual([]);
  });

  it('follows no request that is forged, or was made for something else (D-68)', async ({
    given: world,
    server,
    browser,
    program,
  }) => {
    const { connection, client } = await given(world);
    const here = slo(server, connection);
    codeOf(await signInBySaml(server, browser, client, 'ann@acme.example'));
    const foreign = await keyOf('foreign');
    const made = (said: Partial<SaidLogout>): Promise<URL> => logoutUrl(here, said);
    const good = await made({});
    const changed = (pattern: RegExp, by: string): URL => {
      const href = good.href.replace(pattern, by);
      expect(href).not.toBe(good.href);
      return new URL(href);
    };
    const other = await made({ nameId: 'S-2-bob' });
    const forged: [what: string, url: URL][] = [
      ['no signature', changed(/&Signature=.*/, '')],
      ['no method', changed(/&SigAlg=[^&]*/, '')],
      ['a signature of others', await logoutUrl(here, {}, foreign)],
      ['SHA-1', await made({ method: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })],
      ['another state', changed(/RelayState=from-idp/, 'RelayState=from-eve')],
      ['no state any more', changed(/&RelayState=from-idp/, '')],
      [
        'a second request',
        new URL(`${good.href}&SAMLRequest=${other.searchParams.get('SAMLRequest')}`),
      ],
      ['a second request before it', changed(/\?/, '?SAMLRequest=AAAA&')],
      ['another request', changed(/SAMLRequest=[^&]*/, /SAMLRequest=[^&]*/.exec(other.href)![0])],
      ['another destination', await made({ destination: `${here}/../acs` })],
      ['another issuer', await made({ issuer: 'https://evil.example' })],
      ['a request of last week', await made({ issued: new Date(Date.now() - 7 * 86_400_000) })],
      ['a request of tomorrow', await made({ issued: new Date(Date.now() + 86_400_000) })],
      ['nobody', await made({ nameId: '' })],
      ['a comment in a name', await made({ nameId: 'S-1-ann<!-- -->' })],
      ['no XML', await made({ xml: 'hello' })],
      ['another message', await made({ xml: `<a ID="${newSamlId()}"/>` })],
      ['a megabyte of nothing', await made({ xml: `<a>${' '.repeat(1 << 20)}</a>` })],
    ];
    for (const [what, url] of forged) {
      const answer = await program.get(url);
      expect(answer.status, what).toBe(400);
      expect(answer.words, what).not.toMatch(/signature|certificate|issuer/i);
    }
    // Good, and about others: nothing of hers ends.
    for (const said of [{ nameId: 'S-2-bob' }, { sessions: ['s2'] }])
      expect((await program.get(await made(said))).status).toBe(303);
    expect((await program.get(`${here}?SAMLResponse=x&RelayState=y`)).location?.pathname).toBe(
      '/oauth/end_session/success',
    );
    expect(await isSignedIn(browser, client)).toBe(true);
    expect(server.errors).toEqual([]);
  });

  /** What a page of ours carries to the provider, whose own signature it bears. */
  async function carried(
    browser: Agent,
    page: URL | null,
    field: 'SAMLRequest' | 'SAMLResponse',
  ): Promise<{ xml: string; state: string; action: string }> {
    const [form] = (await browser.get(page!)).forms;
    const xml = Buffer.from(form!.fields[field]!, 'base64').toString();
    const signature = new SignedXml({ publicCert: (await keyOf('ours')).certificate });
    signature.loadSignature(/<ds:Signature .*<\/ds:Signature>/s.exec(xml)![0]);
    expect(signature.checkSignature(xml)).toBe(true);
    return { xml, state: form!.fields['RelayState']!, action: form!.action };
  }

  const post = (server: TestServer, here: string, form: Record<string, string>) =>
    server.agent({ cookies: false }).post(here, {
      form,
      headers: { origin: new URL(idpSignOut).origin, 'sec-fetch-site': 'cross-site' },
    });

  it('goes by POST in both directions, where the provider takes nothing else', async ({
    given: world,
    server,
    browser,
  }) => {
    const { connection, client } = await given(world, { logoutBy: 'POST' });
    const here = slo(server, connection);
    const answer = await signInBySaml(server, browser, client, 'ann@acme.example');
    const away = await signOut(browser, await idTokenOf(browser, client, answer));
    const asked = await carried(browser, away, 'SAMLRequest');
    expect(asked.action).toBe(idpSignOut);
    expect(asked.xml).toContain(`Destination="${idpSignOut}"`);
    expect(asked.xml).toContain('<samlp:SessionIndex>s1</samlp:SessionIndex>');
    expect(await isSignedIn(browser, client)).toBe(false);
    const answered = await post(server, here, { SAMLResponse: 'x', RelayState: asked.state });
    const back = await browser.get(answered.location!);
    expect(back.location?.href).toBe(`${home}?state=of-the-app`);

    codeOf(await signInBySaml(server, browser, client, 'ann@acme.example'));
    const done = await post(server, here, await logoutForm(here, { id: '_there-1' }));
    expect(done.status).toBe(303);
    const told = await carried(server.agent(), done.location, 'SAMLResponse');
    expect([told.action, told.state]).toEqual([`${idpSignOut}/done`, 'from-idp']);
    expect(told.xml).toContain('InResponseTo="_there-1"');
    expect(await isSignedIn(browser, client)).toBe(false);
    expect(server.errors).toEqual([]);
  });

  it('by POST follows nothing that is forged either', async ({ given: world, server, browser }) => {
    const { connection, client } = await given(world, { logoutBy: 'POST' });
    const here = slo(server, connection);
    codeOf(await signInBySaml(server, browser, client, 'ann@acme.example'));
    const foreign = await keyOf('foreign');
    const made = async (
      said: Parameters<typeof logoutForm>[1],
      by?: Parameters<typeof logoutForm>[2],
    ): Promise<string> =>
      Buffer.from((await logoutForm(here, said, by)).SAMLRequest, 'base64').toString();
    const ofBob = await made({ nameId: 'S-2-bob', id: '_bob' });
    const [signature] = /<ds:Signature .*<\/ds:Signature>/s.exec(ofBob)!;
    const unsigned = logoutXml({ destination: here });
    const forged: [what: string, xml: string][] = [
      ['no signature', unsigned],
      ['a signature of others, with their certificate in it', await made({}, { key: foreign })],
      [
        'SHA-1',
        await made(
          {},
          {
            algorithms: { ...sha256, signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' },
          },
        ),
      ],
      ['another name in it', ofBob.replace('S-2-bob', 'S-1-ann')],
      ['a signature from another request', unsigned.replace('</saml:Issuer>', `$&${signature}`)],
      [
        'a signed request within another',
        unsigned.replace(
          '</saml:Issuer>',
          `$&${signature}<samlp:Extensions>${ofBob.replace(signature, '')}</samlp:Extensions>`,
        ),
      ],
      [
        'a signed request in the extensions of another',
        unsigned.replace('</saml:Issuer>', `$&<samlp:Extensions>${ofBob}</samlp:Extensions>`),
      ],
      ['another destination', await made({ destination: `${here}/../acs` })],
      ['another issuer', await made({ issuer: 'https://evil.example' })],
      ['a request of last week', await made({ issued: new Date(Date.now() - 7 * 86_400_000) })],
      ['nobody', await made({ nameId: '' })],
      ['a comment in a name', ofBob.replace('S-2-bob', 'S-1-ann<!-- -->')],
      ['another message', `<a ID="${newSamlId()}"/>`],
      ['16,000 siblings', `<a>${'<b/>x'.repeat(16_000)}</a>`],
      ['no XML', 'hello'],
    ];
    for (const [what, xml] of forged) {
      const answer = await post(server, here, { SAMLRequest: base64(xml), RelayState: 'x' });
      expect(answer.status, what).toBe(400);
      expect(answer.words, what).not.toMatch(/signature|certificate|issuer/i);
    }
    expect((await post(server, here, {})).status).toBe(400);
    expect((await post(server, here, { SAMLRequest: base64(ofBob) })).status).toBe(303);
    expect(await isSignedIn(browser, client)).toBe(true);
    expect(server.errors).toEqual([]);
  });
});
