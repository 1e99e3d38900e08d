import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { caller } from '../admin/support.ts';
import { keyOf } from '#test/support/saml-idp.ts';
import { connectedSaml } from '#test/support/saml-connection.ts';
import { answerTo, askedOf, deliver, signInBySaml } from './saml-support.ts';
import { connected, dan, leave, provider, traceless } from './support.ts';

const upstream = provider();

describe('the simulator', () => {
  it('shows what another mapping makes of a sign-in that was, before it is saved', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const connection = await connectedSaml(given, acme);
    const end = await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
      attributes: {
        email: ['ann@acme.example'],
        givenName: ['Ann'],
        surname: ['Archer'],
        country: ['US'],
        'acme:first': ['Anna'],
        'acme:teams': ['bridges', 'tunnels'],
      },
    });
    expect(end.location?.searchParams.has('code'), end.words).toBe(true);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}`;
    const group = await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    const [{ id: traceId }] = (await admin.get(`${path}/traces`)).json.items;
    const before = await admin.get(path);
    const simulated = await admin.post(`${path}/simulate`, {
      traceId,
      mapping: {
        attributes: { givenName: ['acme:first'] },
        groups: {
          claim: 'acme:teams',
          absent: 'keep',
          rules: [{ value: 'bridges', group: group.json.id }],
        },
      },
    });
    expect(simulated.status, simulated.text).toBe(200);
    expect(simulated.json).toMatchObject({
      saved: { outcome: 'sign_in', person: { givenName: 'Ann' }, groups: { add: [] } },
      tried: {
        outcome: 'sign_in',
        person: { givenName: 'Anna' },
        groups: { add: [group.json.id], remove: [] },
      },
      differences: expect.arrayContaining([
        'mapped.givenName',
        'person.givenName',
        'grants.groups',
      ]),
    });
    // Nothing came of it.
    expect((await admin.get(path)).json).toEqual(before.json);
    expect(await given.rows('select given_name from users')).toEqual([{ given_name: 'Ann' }]);
  });

  it('reads a response that was used long ago, and believes no other', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const connection = await connectedSaml(given, acme);
    const browser = server.agent();
    const asked = askedOf(await leave(browser, client, 'ann@acme.example'));
    const answer = await answerTo(asked);
    await deliver(server, browser, asked, answer);
    server.clock.advance(3 * 3600);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/simulate`;
    const before = await traceless(given);
    const read = await admin.post(path, {
      samlResponse: answer.SAMLResponse,
      mapping: { attributes: { givenName: ['surname'] } },
    });
    expect(read.status, read.text).toBe(200);
    expect(read.json).toMatchObject({
      saved: { outcome: 'sign_in', person: { givenName: 'Ann' } },
      tried: { person: { givenName: 'Archer' } },
      issuedAt: expect.any(String),
      unchecked: ['time', 'request', 'replay'],
    });
    for (const [response, why] of [
      [(await answerTo(asked, {}, { key: await keyOf('other') })).SAMLResponse, 'signature'],
      [(await answerTo(asked, { audience: 'https://elsewhere.example' })).SAMLResponse, 'audience'],
      [btoa('<nonsense/>'), 'Response'],
      ['not Base64!', 'Base64'],
    ] as const) {
      const refused = await admin.post(path, { samlResponse: response });
      expect([refused.status, refused.json.code], why).toEqual([422, 'invalid_value']);
      expect(refused.text).toContain(why);
    }
    expect(await traceless(given)).toEqual(before);
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.post(path, { samlResponse: answer.SAMLResponse })).status).toBe(403);
  });

  it('reads an ID token, and says of one that it would not be believed', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, upstream);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/simulate`;
    const before = await traceless(given);
    const claims = upstream.claimsOf(dan, 'of another browser', 'an access token');
    // Of three hours ago: it would be over by now.
    const old = { ...claims, iat: claims.iat! - 10_800, exp: claims.exp! - 10_800 };
    const token = await upstream.sign(old);
    const believed = await admin.post(path, {
      idToken: token,
      mapping: { attributes: { givenName: ['family_name'] } },
    });
    expect(believed.status, believed.text).toBe(200);
    expect(believed.json).toMatchObject({
      saved: { outcome: 'create', bound: true, mapped: { identifier: dan.email } },
      tried: { person: { givenName: dan.family_name } },
      issuedAt: new Date(old.iat * 1000).toISOString(),
      unchecked: ['time', 'request', 'replay'],
      unverified: null,
    });
    const [head, body] = token.split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    for (const [what, idToken, why] of [
      ['not signed', unsigned, /"?alg/i],
      ['signed by nobody', `${head}.${body}.AAAA`, /signature/],
      ['of another issuer', await upstream.sign({ ...old, iss: 'https://evil.example' }), /iss/],
      ['for another client', await upstream.sign({ ...old, aud: 'somebody else' }), /aud/],
      ['given to another', await upstream.sign({ ...old, azp: 'another' }), /somebody else/],
      ['with a key of its own', await upstream.sign(old, { jku: 'https://evil.example' }), /jku/],
      ['without an end', await upstream.sign({ ...old, exp: undefined }), /exp/],
    ] as const) {
      const shown = await admin.post(path, { idToken });
      expect([shown.status, shown.json.saved?.mapped?.identifier], what).toEqual([200, dan.email]);
      expect(shown.json.unverified, what).toMatch(why);
    }
    for (const [idToken, why] of [
      ['no token', 'three parts'],
      [`${head}.${body}.AA.BB.CC`, 'encrypted'],
      [await upstream.sign({ ...old, sub: '' }), 'subject'],
    ] as const) {
      const refused = await admin.post(path, { idToken });
      expect([refused.status, refused.json.code], why).toEqual([422, 'invalid_value']);
      expect(refused.text).toContain(why);
    }
    expect((await admin.post(path, { samlResponse: btoa('<a/>') })).status).toBe(404);
    upstream.misbehaviour = {
      answer(_path, response) {
        response.statusCode = 503;
        response.end('down');
        return true;
      },
    };
    // Its keys are asked for no more often than every half a minute; later nobody can tell.
    server.clock.advance(3600 * 2);
    const unknown = await admin.post(path, { idToken: token });
    expect(unknown.json).toMatchObject({ saved: { outcome: 'create' } });
    expect(unknown.json.unverified).toContain('No answer');
    expect(await traceless(given)).toEqual(before);
  });

  it('decides anew about everybody who came, before another mapping is saved', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const connection = await connectedSaml(given, acme);
    const come = (name: string, more: Record<string, string[]> = {}): Promise<unknown> =>
      signInBySaml(server, server.agent(), client, `${name}@acme.example`, {
        nameId: `id-of-${name}`,
        attributes: {
          email: [`${name}@acme.example`],
          givenName: [name],
          surname: ['Archer'],
          country: ['US'],
          ...more,
        },
      });
    await come('ann', { teams: ['bridges'], nick: ['Annie'] });
    await come('ben', { teams: ['tunnels'], nick: ['ben'] });
    await come('cas', { nick: ['cas'] });
    await come('dee', { country: ['Atlantis'], nick: ['dee'] });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}`;
    const group = await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    const groups = {
      claim: 'teams',
      absent: 'deny',
      rules: [{ value: 'bridges', group: group.json.id }],
    };
    const before = await traceless(given);
    const tried = await admin.post(`${path}/re-evaluate`, {
      mapping: { attributes: { givenName: ['nick'] }, groups },
      provisioning: { defaultCountry: 'DE' },
    });
    expect(tried.status, tried.text).toBe(200);
    // Dee was asked for her country; now her team is missing, and so is that of Cas.
    expect(tried.json).toMatchObject({
      considered: 4,
      unknown: 0,
      more: false,
      counts: { enters: 0, refused: 2, asked: 0, changes: 1, same: 1 },
    });
    const of = (name: string): unknown =>
      tried.json.affected.find(({ email }: { email: string }) => email.startsWith(name));
    expect(of('ann')).toMatchObject({
      effect: 'changes',
      fields: [{ name: 'givenName', before: 'ann', after: 'Annie' }],
      groups: { add: [group.json.id], remove: [] },
    });
    expect(of('cas')).toMatchObject({
      effect: 'refused',
      before: { outcome: 'sign_in' },
      after: { outcome: 'refuse', reason: 'claim_missing', missing: ['groups'] },
    });
    const kinder = await admin.post(`${path}/re-evaluate`, {
      provisioning: { requireCountry: false },
    });
    expect(kinder.json.counts).toEqual({ enters: 1, refused: 0, asked: 0, changes: 0, same: 3 });
    expect((await admin.post(`${path}/re-evaluate`, {})).json.counts.same).toBe(4);
    expect(await traceless(given)).toEqual(before);
    const other = caller(program, await given.apiToken(await given.account('Beta')));
    expect((await other.post(`${path}/re-evaluate`, {})).status).toBe(404);
  });

  it('decides about pasted claims as a sign-in would, and makes nobody', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await given.user('bea@acme.example', { of: beta });
    await given.user('pat@acme.example', { of: acme });
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    const connection = await connected(given, acme, upstream, { state: 'draft' });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/simulate`;
    const before = await traceless(given);
    const claims = (email: string | string[], more: object = {}): object => ({
      subject: 's-1',
      claims: { ...dan, email, ...more },
    });
    for (const [assertion, expected] of [
      [claims('dan@acme.example'), { outcome: 'create', person: { id: null } }],
      [claims('pat@acme.example'), { outcome: 'link', person: { givenName: 'Dan' } }],
      [claims('fay@acme.example'), { outcome: 'step_up', person: null }],
      [claims('bea@acme.example'), { outcome: 'refuse', reason: 'user_in_other_account' }],
      [claims('dan@gmail.com'), { outcome: 'refuse', person: null, bound: false }],
      [claims('dan@beta.example'), { outcome: 'refuse', reason: 'domain_owned_by_other' }],
      [claims(['a@acme.example', 'b@acme.example']), { reason: 'identifier_ambiguous' }],
      [
        claims('new@acme.example', { country: 'Atlantis' }),
        { outcome: 'ask', missing: ['country'] },
      ],
    ] as const) {
      const answer = await admin.post(path, { assertion });
      expect(answer.json.saved, JSON.stringify(assertion)).toMatchObject(expected);
      expect(answer.json.tried).toEqual(answer.json.saved);
    }
    const strict = await admin.post(path, {
      assertion: claims('new@acme.example', { country: null }),
      provisioning: { missing: 'reject' },
    });
    expect(strict.json).toMatchObject({
      saved: { outcome: 'ask' },
      tried: { outcome: 'refuse', reason: 'attributes_missing', missing: ['country'] },
      differences: expect.arrayContaining(['outcome.outcome']),
    });
    expect(await traceless(given)).toEqual(before);
  });

  it('wants one thing to decide about, of this connection', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, upstream);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/simulate`;
    expect((await admin.post(path, {})).status).toBe(422);
    const unknown = { traceId: '01940000-0000-7000-8000-000000000000' };
    expect((await admin.post(path, unknown)).status).toBe(404);
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.post(path, unknown)).status).toBe(403);
  });
});
