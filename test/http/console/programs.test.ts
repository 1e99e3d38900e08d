import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { caller } from '../admin/support.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

describe('API tokens in the console', () => {
  it('are made for a purpose, told once, seen when they are used, and taken back', async ({
    given,
    browser,
    program,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const form = await open(browser, '/api-tokens/new', fay);
    expect((await send(browser, form, '/api-tokens/new')).alerts).toEqual([
      'Enter something here.',
    ]);
    const made = await send(browser, form, '/api-tokens/new', {
      name: 'Nightly export',
      purpose: 'reading',
      days: '30',
    });
    expect(made.status).toBe(201);
    const [secret] = /ost_[\w-]+/.exec(made.text)!;
    const token = caller(program, secret);
    expect((await token.get(`/accounts/${acme.id}/users`)).status).toBe(200);
    const refused = await token.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    expect(refused.json).toMatchObject({ code: 'permission_denied' });
    const list = await browser.get('/console/api-tokens');
    expect(list.text).not.toContain(secret);
    expect(list.words).toMatch(/Nightly export users?:|Nightly export .*users:read/);
    const [{ id }] = (await given.rows<{ id: string }>(
      'select id from api_tokens where last_used_ip is not null',
    )) as [{ id: string }];
    const gone = await send(browser, list, `/api-tokens/${id}/revoke`);
    expect(gone.words).toContain('Revoked: it is dead from now on.');
    expect((await token.get(`/accounts/${acme.id}/users`)).status).toBe(401);
  });

  it('that may do some things make none that may do more', async ({ given, program }) => {
    const { acme } = await acmeAndFay(given);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/api-tokens`;
    const narrow = await admin.post(path, { name: 'Narrow', scopes: ['api_tokens:*'] });
    expect(narrow.json).toMatchObject({ scopes: ['api_tokens:*'], lastUsedIp: null });
    const maker = caller(program, narrow.json.secret as string);
    expect((await maker.post(path, { name: 'All' })).status).toBe(403);
    expect((await maker.post(path, { name: 'More', scopes: ['users:*'] })).status).toBe(403);
    expect((await maker.post(path, { name: 'Less', scopes: ['api_tokens:read'] })).status).toBe(
      201,
    );
    expect((await admin.post(path, { name: 'Odd', scopes: ['everything'] })).status).toBe(422);
    expect((await maker.get(`/accounts/${acme.id}/audit.csv`)).status).toBe(403);
  });

  it('ask an Account Administrator to prove anew who they are, and are hidden from others', async ({
    given,
    server,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    await open(browser, '/api-tokens', fay);
    server.clock.advance(16 * 60);
    expect((await browser.get('/console/api-tokens')).status).toBe(200);
    expect((await browser.get('/console/api-tokens/new')).location?.pathname).toBe(
      '/oauth/authorize',
    );
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    expect((await open(server.agent(), '/api-tokens', cora)).status).toBe(403);
  });
});

describe('webhooks in the console', () => {
  it('are registered, tested, changed, paused and removed', async ({ given, browser }) => {
    const { fay } = await acmeAndFay(given);
    const form = await open(browser, '/webhooks/new', fay);
    const wrong = await send(browser, form, '/webhooks/new', {
      url: 'ftp://hooks.acme.example/',
      actions: 'user.*',
    });
    expect(wrong.alerts).toEqual([
      'We may not send anything to this address, or it is no address.',
    ]);
    const odd = await send(browser, form, '/webhooks/new', {
      url: 'https://hooks.acme.example/',
      actions: 'user.dances',
    });
    expect(odd.alerts).toEqual(['One of these is no event of ours.']);
    const made = await send(browser, form, '/webhooks/new', {
      url: 'https://hooks.acme.example/',
      actions: 'user.*\ngroup.created',
    });
    expect(made.status).toBe(201);
    expect(made.text).toContain('whsec_');
    const [{ id }] = (await given.rows<{ id: string }>('select id from webhooks')) as [
      { id: string },
    ];
    const path = `/webhooks/${id}`;
    const page = await browser.get(`/console${path}`);
    expect(page.text).not.toContain('whsec_');
    const tested = await send(browser, page, `${path}/test`);
    expect(tested.words).toContain('A test is on its way.');
    expect(tested.words).toContain('webhook.test');
    const changed = await send(browser, tested, path, { description: 'For the <b>ERP</b>' });
    expect(changed.words).toContain('Saved.');
    const paused = await send(browser, changed, `${path}/pause`);
    expect(paused.words).toContain('Paused');
    expect((await send(browser, paused, `${path}/rotate`)).text).toContain('whsec_');
    expect((await send(browser, paused, `${path}/replay`, { since: '' })).status).toBe(422);
    const list = await browser.get('/console/webhooks');
    expect(list.words).toContain('For the <b>ERP</b>');
    const sure = await browser.get(`/console${path}/remove`);
    expect((await send(browser, sure, `${path}/remove`)).words).toContain('No webhook yet.');
  });

  it('of another account are not there', async ({ given, browser, program }) => {
    const { fay } = await acmeAndFay(given);
    const beta = await given.account('Beta');
    const admin = caller(program, await given.apiToken(beta));
    const theirs = await admin.post(`/accounts/${beta.id}/webhooks`, {
      url: 'https://hooks.beta.example/',
      actions: ['user.*'],
    });
    expect((await open(browser, `/webhooks/${theirs.json.id}`, fay)).status).toBe(404);
    const own = await browser.get('/console/webhooks/new');
    const csrf = formTo(own, '/webhooks/new').fields['csrf']!;
    const sent = await browser.post(`/console/webhooks/${theirs.json.id}/remove`, {
      form: { csrf },
    });
    expect(sent.status).toBe(404);
  });
});
