import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { Directory } from '../scim/support.ts';
import { acmeAndFay, open, send } from './support.ts';

describe('directories in the console', () => {
  it('get a token, are seen, and what they sent is told in words and asked again', async ({
    given,
    server,
    browser,
  }) => {
    const { fay } = await acmeAndFay(given);
    const form = await open(browser, '/scim/new', fay);
    const made = await send(browser, form, '/scim/new', { name: 'Entra ID', days: '90' });
    expect(made.status).toBe(201);
    const [secret] = /scim_[0-9a-f]{32}_[\w-]{43}/.exec(made.text)!;
    const entra = new Directory(server.agent({ cookies: false }), secret);
    await entra.user('ann@acme.example', { name: { givenName: 'Ann', familyName: 'Archer' } });
    expect((await entra.post('/Users', { userName: 'eve@beta.example' })).status).toBe(400);

    const page = await browser.get('/console/scim');
    expect(page.words).toContain('Entra ID');
    expect(page.words).toContain('2 requests, 1 refused');
    expect(page.words).toContain('asked to create the person ann@acme.example');
    const refused = await browser.get('/console/scim?outcome=refused');
    expect(refused.words).not.toContain('ann@acme.example');
    const [, id] = /\/console\/scim\/requests\/([0-9a-f-]{36})/.exec(
      (await browser.get('/console/scim?person=ann@acme.example')).text,
    )!;
    const request = await browser.get(`/console/scim/requests/${id}`);
    expect(request.words).toContain('"userName": "ann@acme.example"');
    const again = await send(browser, request, `/scim/requests/${id}/replay`);
    expect(again.words).toContain('Then it was answered 201, today it would be 409.');
    expect(await given.rows('select 1 from users where email = $1', ['eve@beta.example'])).toEqual(
      [],
    );
  });

  it('that would put out too many people are held until an administrator decides', async ({
    given,
    server,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const form = await open(browser, '/scim/new', fay);
    const made = await send(browser, form, '/scim/new', { name: 'Okta' });
    const [secret] = /scim_[0-9a-f]{32}_[\w-]{43}/.exec(made.text)!;
    const [{ id }] = (await given.rows<{ id: string }>('select id from scim_tokens')) as [
      { id: string },
    ];
    const path = `/scim/${id}`;
    const page = await browser.get(`/console${path}`);
    const wrong = await send(browser, page, path, { number: '0', share: '101' });
    expect(wrong.alerts).toHaveLength(2);
    await send(browser, page, path, { number: '1', share: '100' });
    const okta = new Directory(server.agent({ cookies: false }), secret);
    const people = [];
    for (const name of ['ann', 'bob', 'cid']) {
      const person = await given.user(`${name}@acme.example`, { of: acme });
      people.push(person);
    }
    const found = await okta.get('/Users');
    for (const { id: one, userName } of found.json.Resources as { id: string; userName: string }[])
      if (!userName.startsWith('fay'))
        await okta.patch(`/Users/${one}`, { op: 'replace', path: 'active', value: false });
    const held = await browser.get(`/console${path}`);
    expect(held.words).toContain('It is held: it would put out 2 people');
    const kept = await send(browser, held, `${path}/hold`, { decision: 'keep' });
    expect(kept.words).toContain('It was decided that it stays held.');
    const released = await send(browser, kept, `${path}/hold`, { decision: 'release', allow: '5' });
    expect(released.words).not.toContain('It is held');
    const gone = await send(browser, released, `${path}/revoke`);
    expect(gone.words).toContain('Revoked');
    expect((await okta.get('/Users')).status).toBe(401);
  });

  it('are for Account Administrators', async ({ given, browser }) => {
    const { acme } = await acmeAndFay(given);
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    expect((await open(browser, '/scim', cora)).status).toBe(403);
    expect((await browser.get('/console/connections')).status).toBe(403);
  });
});
