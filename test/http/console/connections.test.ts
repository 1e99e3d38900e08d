import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { keyOf } from '#test/support/saml-idp.ts';
import { caller } from '../admin/support.ts';
import { connectedSaml, idpMetadata } from '#test/support/saml-connection.ts';
import { connected, dan, provider, signInUpstream } from '../federation/support.ts';
import { acmeAndFay, open, send } from './support.ts';

const upstream = provider();

describe('connections in the console', () => {
  it('are begun with the product’s name, and set up by the steps that its IT would take', async ({
    given,
    server,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const form = await open(browser, '/connections/new', fay);
    expect((await send(browser, form, '/connections/new')).alerts).toEqual([
      'Enter something here.',
    ]);
    const made = await send(browser, form, '/connections/new', {
      preset: 'okta',
      name: 'Acme Okta',
    });
    expect(made.words).toContain('Not finished yet. Nobody is sent there.');
    expect(made.words).toContain('Something is still in the way.');
    const path = made.url.pathname.slice('/console'.length);
    const early = await send(browser, made, `${path}/test`);
    expect(early.status).toBe(409);
    expect(early.words).toContain('The issuer is missing.');
    const sure = await browser.get(`/console${path}/activate`);
    expect(sure.words).toContain('Without an emergency administrator');
    const gus = await given.user('gus@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.rows(
      'update users set break_glass = true, second_factor_at = now() where id = $1',
      [gus.id],
    );
    expect((await browser.get(`/console${path}/activate`)).words).not.toContain('Without an');
    expect((await send(browser, sure, `${path}/activate`)).words).toContain(
      'No test sign-in went through to its end yet.',
    );
    const wizard = await send(browser, made, `${path}/set-up`);
    expect(wizard.status).toBe(200);
    expect(wizard.url.pathname).not.toContain('/console');
    expect(wizard.text).toContain(`href="/console${path}"`);
    const stranger = await server.agent().get(wizard.url);
    expect([stranger.status, stranger.text.includes('/console')]).toEqual([200, false]);
    const provider = wizard.forms.find(({ action }) => action.endsWith('/provider'))!;
    const typed = {
      issuer: 'http://login.acme.example',
      client_id: 'ours',
      client_secret: 'short',
    };
    const unsafe = await browser.submit(provider, typed);
    expect(unsafe.text).toMatch(
      /id="issuer"[^>]*value="http:\/\/login.acme.example"[^>]*aria-describedby="issuer-error"/,
    );
    expect(unsafe.text).toContain('value="ours"');
    const link = await send(browser, made, `${path}/links`, { contact: 'Ida of the IT' });
    expect(link.status).toBe(201);
    expect((await browser.get(`/console${path}`)).words).toContain('Ida of the IT');
    const remove = await browser.get(`/console${path}/remove`);
    expect((await send(browser, remove, `${path}/remove`)).words).toContain('No connection yet.');
  });

  it('show what came through them, and what would', async ({ given, server, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const client = await given.client();
    const { id } = await connected(given, acme, upstream);
    upstream.person = { ...dan };
    await signInUpstream(server.agent(), client, 'dan@acme.example');
    // The domain leads to the provider now: the administrator signs in there, or in an emergency here.
    await given.rows(`update connections set state = 'testing' where id = $1`, [id]);
    const path = `/connections/${id}`;
    const page = await open(browser, path, fay);
    expect(page.words).toContain('1 succeeded, 0 failed');
    const traces = await browser.get(`/console${path}/traces?outcome=succeeded`);
    const [, trace] = /traces\/([0-9a-f-]{36})/.exec(traces.text)!;
    const steps = await browser.get(`/console${path}/traces/${trace}`);
    expect(steps.words).toContain('dan@acme.example');
    expect((await browser.get(`/console${path}/traces?id=${trace}`)).text).toContain(trace);
    const unknown = await browser.get(`/console${path}/traces?id=nonsense`);
    expect(unknown.words).toContain('Nobody came through it like this.');

    const simulator = await browser.get(`/console${path}/simulate?trace=${trace}`);
    const again = await send(browser, simulator, `${path}/simulate`);
    expect(again.words).toContain('Known, and signed in');
    expect(again.words).not.toContain('sign_in');
    const simulated = await send(browser, simulator, `${path}/simulate`, {
      trace: '',
      subject: 'new-1',
      claims:
        '{"email": "zoe@acme.example", "given_name": "Zoe", "family_name": "Z", "country": "DE"}',
    });
    expect(simulated.words).toContain('"country": "DE"');
    const claims = { sub: 'new-1', email: 'zoe@acme.example', country: 'FR' };
    const forged = await upstream.sign({ ...upstream.claimsOf(claims, null, ''), aud: 'others' });
    const token = await send(browser, simulator, `${path}/simulate`, { trace: '', claims: forged });
    expect(token.words).toContain('a sign-in would not believe it');
    expect(token.words).toContain('"country": "FR"');
    const wrong = await send(browser, simulator, `${path}/simulate`, {
      trace: '',
      subject: 'new-1',
      claims: '[1]',
    });
    expect(wrong.alerts).toContain('This is no JSON object.');
    expect(page.words).toContain('stays signed in at your identity provider');
    const everywhere = await send(browser, page, `${path}/sign-out`);
    expect(everywhere.words).toContain('is signed out at your identity provider too');
    expect(await given.rows('select sign_out_upstream from connections')).toEqual([
      { sign_out_upstream: true },
    ]);
    const tested = await send(browser, page, `${path}/test`);
    expect(tested.words).toContain('The provider answers.');
    const secret = await send(browser, page, `${path}/secrets`, {
      secret: 'another secret of theirs',
    });
    expect(secret.words).toContain('…eirs');
    expect(secret.text).not.toContain('another secret of theirs');
    expect(server.errors).toEqual([]);
  });

  it('are changed in all that the API changes, and show first what that would do', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const client = await given.client();
    const { id } = await connected(given, acme, upstream);
    upstream.person = { ...dan, teams: ['bridges'] };
    await signInUpstream(server.agent(), client, 'dan@acme.example');
    await given.rows(`update connections set state = 'testing' where id = $1`, [id]);
    const admin = caller(program, await given.apiToken(acme));
    const group = await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    const stored = async () => (await admin.get(`/accounts/${acme.id}/connections/${id}`)).json;
    const path = `/connections/${id}`;

    const settings = await open(browser, `${path}/settings`, fay);
    const wrong = await send(browser, settings, `${path}/settings`, { testers: 'nobody' });
    expect([wrong.status, wrong.text.includes('nobody')]).toEqual([422, true]);
    await send(browser, settings, `${path}/settings`, {
      name: 'Acme Okta',
      testers: 'Ann@acme.example\nben@acme.example',
      scopes: 'openid email',
      authentication: 'private_key_jwt',
    });
    expect(await stored()).toMatchObject({
      name: 'Acme Okta',
      testers: ['ann@acme.example', 'ben@acme.example'],
      domains: ['acme.example'],
      oidc: { scopes: ['openid', 'email'], clientAuthentication: 'private_key_jwt' },
    });

    const before = await stored();
    const mapping = await browser.get(`/console${path}/mapping`);
    const bad = await send(browser, mapping, `${path}/mapping`, {
      groups_rules: 'bridges = Nowhere',
    });
    expect(bad.alerts.join()).toContain('bridges = Nowhere');
    const typed = {
      a_givenName: 'family_name',
      groups_claim: 'teams',
      groups_rules: 'cn=bridges,ou=x = bridges\nbridges = Bridges',
      second_factor: 'if_missing',
      missing: 'reject',
      next: 'try',
    };
    const tried = await send(browser, mapping, `${path}/mapping`, typed);
    expect(tried.words).toContain('Would be written otherwise 1');
    expect(tried.words).toContain('First name: Dan → Dale');
    expect(tried.words).toContain('would get Bridges');
    expect(await stored()).toEqual(before);
    // One sign-in with the same mapping; then on, and back to the form, and saved.
    const one = await send(browser, tried, `${path}/simulate`, { next: 'edit' });
    const compared = await send(browser, one, `${path}/simulate`, {
      subject: 'dan-1',
      claims: JSON.stringify({ ...dan, teams: ['bridges'] }),
    });
    expect(compared.words).toContain('person.givenName');
    const back = await send(browser, tried, `${path}/mapping`, { next: 'edit' });
    await send(browser, back, `${path}/mapping`, { next: 'save' });
    expect(await stored()).toMatchObject({
      provisioning: { secondFactor: 'if_missing', missing: 'reject', requireCountry: true },
      mapping: {
        attributes: { givenName: ['family_name'] },
        groups: {
          claim: 'teams',
          absent: 'keep',
          rules: [
            { value: 'cn=bridges,ou=x', group: group.json.id },
            { value: 'bridges', group: group.json.id },
          ],
        },
        roles: null,
      },
    });
    // What stands in the form is what is stored: saved again, it changes nothing.
    const saved = await stored();
    const same = await browser.get(`/console${path}/mapping`);
    await send(browser, same, `${path}/mapping`, { next: 'save' });
    expect(await stored()).toEqual({
      ...saved,
      version: saved.version + 1,
      updatedAt: expect.any(String),
    });

    const page = await browser.get(`/console${path}`);
    expect((await send(browser, page, `${path}/keys`)).status).toBe(200);
    const people = await browser.get(`/console${path}/people`);
    expect(people.words).toContain('dan@acme.example');
    const [, link] = /people\/([0-9a-f-]{36})\/unlink/.exec(people.text)!;
    const sure = await browser.get(`/console${path}/people/${link}/unlink`);
    const gone = await send(browser, sure, `${path}/people/${link}/unlink`);
    expect(gone.words).toContain('Nobody is linked yet.');
    expect(server.errors).toEqual([]);
  });

  it('of SAML have certificates that are accepted, rejected, and compared before', async ({
    given,
    server,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const { id } = await connectedSaml(given, acme, { state: 'testing' });
    const path = `/connections/${id}/saml`;
    const page = await open(browser, path, fay);
    expect(page.words).toContain('Accepted');
    const xml = idpMetadata(await Promise.all(['pinned', 'next', 'strange'].map(keyOf)));
    const read = await send(browser, page, `${path}/metadata`, { xml });
    expect(read.words).toContain('A new certificate waits for you.');
    const waiting = read.forms.filter(({ action }) => action.endsWith('/accept'));
    expect(waiting).toHaveLength(2);
    const [next, strange] = waiting.map(({ fields }) => fields['fingerprint']!);
    const accepted = await browser.follow(await browser.submit(waiting[0]!));
    const rejected = accepted.forms.find(
      ({ action, fields }) => action.endsWith('/remove') && fields['fingerprint'] === strange,
    )!;
    const done = await browser.follow(await browser.submit(rejected));
    expect(done.words).not.toContain('A new certificate waits for you.');
    expect(done.text).toContain(next);
    expect(done.text).not.toContain(strange);
    const named = await send(browser, done, `${path}/naming`, {
      subject_attribute: 'object-id',
      binding: 'post',
    });
    expect(named.alerts.join()).toContain('does not offer this binding');
    await send(browser, done, `${path}/naming`, { subject_attribute: 'object-id', mutable: 'yes' });
    const nonsense = await send(browser, done, `${path}/certificates/add`, { certificate: 'x' });
    expect(nonsense.status).toBe(422);
    const [row] = await given.rows('select settings from connections where id = $1', [id]);
    expect(row).toMatchObject({
      settings: {
        subjectAttribute: 'object-id',
        mutableSubject: true,
        staged: [],
        encryption: false,
      },
    });
    const simulator = await browser.get(`/console/connections/${id}/simulate`);
    const pasted = await send(browser, simulator, `/connections/${id}/simulate`, {
      response: btoa('<nonsense/>'),
    });
    expect([pasted.status, pasted.alerts.length]).toEqual([422, 1]);
    expect(server.errors).toEqual([]);
  });

  it('of other accounts are not there', async ({ given, browser }) => {
    const { fay } = await acmeAndFay(given);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const { id } = await connected(given, beta, upstream, { domains: ['beta.example'] });
    await open(browser, '/connections', fay);
    for (const path of ['', '/traces', '/activate', '/remove', '/settings', '/mapping', '/people'])
      expect((await browser.get(`/console/connections/${id}${path}`)).status).toBe(404);
  });
});
