import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { connected, dan, provider, signInUpstream } from '../federation/support.ts';
import { acmeAndFay, open, send } from './support.ts';

const upstream = provider();

describe('connections in the console', () => {
  it('are begun with the product’s name, and set up by the steps that its IT would take', async ({
    given,
    browser,
  }) => {
    const { fay } = await acmeAndFay(given);
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
    expect(early.words).toContain('issuer_missing');
    const sure = await browser.get(`/console${path}/activate`);
    expect((await send(browser, sure, `${path}/activate`)).words).toContain('not_tested');
    const wizard = await send(browser, made, `${path}/set-up`);
    expect(wizard.status).toBe(200);
    expect(wizard.url.pathname).not.toContain('/console');
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

    const simulated = await send(browser, page, `${path}/simulate`, {
      subject: 'new-1',
      claims:
        '{"email": "zoe@acme.example", "given_name": "Zoe", "family_name": "Z", "country": "DE"}',
    });
    expect(simulated.words).toContain('"country": "DE"');
    const wrong = await send(browser, page, `${path}/simulate`, { claims: '[1]' });
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

  it('of other accounts are not there', async ({ given, browser }) => {
    const { fay } = await acmeAndFay(given);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const { id } = await connected(given, beta, upstream, { domains: ['beta.example'] });
    await open(browser, '/connections', fay);
    for (const path of ['', '/traces', '/activate', '/remove'])
      expect((await browser.get(`/console/connections/${id}${path}`)).status).toBe(404);
  });
});
