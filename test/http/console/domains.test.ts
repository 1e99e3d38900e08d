import { describe, expect } from 'vitest';
import { it } from '../../identity/domains/support.ts';
import { formTo, open, send } from './support.ts';

/** What stands in a field that is there to be copied. */
function value(page: { text: string }, id: string): string {
  const field = new RegExp(`id="${id}"[^>]*value="([^"]+)"`).exec(page.text.replace(/\s+/g, ' '));
  return field?.[1] ?? '';
}

describe('an Account Administrator claims a domain', () => {
  it('gets the exact record, sees what was found, and owns it once it stands there', async ({
    given,
    server,
    net,
    browser,
  }) => {
    const acme = await given.account('Acme');
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.user('ann@acme.example');
    await given.user('bob@acme.example', { of: await given.account('Beta') });

    const list = await open(browser, '/domains', fay);
    expect(list.words).toContain('acme.example Not claimed');
    const form = await browser.get('/console/domains/claim');
    for (const [typed, said] of [
      ['gmail.com', 'This is a public mail domain. Nobody can own it.'],
      ['co.uk', 'Everybody registers domains under this one. Nobody can own it.'],
      ['10.0.0.1', 'valid domain'],
      ['', 'Enter something here.'],
    ]) {
      const answer = await send(browser, form, '/domains/claim', { domain: typed! });
      expect(answer.status).toBe(422);
      expect(answer.alerts[0]).toContain(said);
    }

    const page = await send(browser, form, '/domains/claim', { domain: '@Acme.Example.' });
    expect(page.url.pathname).toBe('/console/domains/acme.example');
    expect(page.words).toContain('Waiting for proof');
    expect(page.words).toContain('Belong to no account 1');
    expect(page.words).toContain('In another account 1');
    // Before the proof there are counts alone, and no other organization is named at all.
    expect(page.words).not.toContain('bob@acme.example');
    const record = {
      name: value(page, 'record-name'),
      value: value(page, 'record-value'),
    };
    expect(record).toEqual({
      name: '_ostiary-challenge.acme.example',
      value: expect.stringMatching(/^ostiary-domain-verification=[0-9a-f]{32}$/),
    });

    net.publish({ name: record.name, value: 'ostiary-domain-verification=mistaken' });
    const early = await send(browser, page, '/domains/acme.example/verify');
    expect(early.words).toContain('The proof is not there yet.');
    expect(early.words).toContain('ostiary-domain-verification=mistaken');
    const hasty = await send(browser, early, '/domains/acme.example/verify');
    expect(hasty.alerts).toEqual(['It was looked for a moment ago. Wait ten seconds.']);
    net.publish(record);
    server.clock.advance(11);
    const owned = await send(browser, page, '/domains/acme.example/verify');
    expect(owned.words).toContain('Proved: the domain is yours.');
    expect(owned.words).toContain('bob@acme.example');
    expect(owned.text).not.toContain('Beta');
    expect(server.errors).toEqual([]);
  });

  it('says how people come in, lets in who waits, and lets the domain go', async ({
    given,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const ann = await given.user('ann@acme.example');
    const carl = await given.user('carl@acme.example');
    // The country of the domain is for those who have none of their own.
    await given.rows('update users set country = null where id = $1', [ann.id]);
    await given.waiting(ann, acme);
    const page = await open(browser, '/domains/acme.example', fay);
    const auto = await send(browser, page, '/domains/acme.example/sign-up', {
      signup: 'auto',
      country: 'DE',
    });
    expect(auto.words).toContain('Saved.');
    expect(auto.words).toContain('1 person registered and waits');
    const approved = await send(browser, auto, '/domains/acme.example/approve-waiting');
    expect(approved.words).toContain('1 approved; 0 still wait.');
    expect(await given.person(ann)).toMatchObject({
      affiliation: 'member',
      entitlementCountry: 'DE',
    });
    const members = formTo(approved, '/domains/acme.example/take-in', { as: 'members' });
    expect((await browser.follow(await browser.submit(members))).words).toContain(
      '1 person taken in; 0 are left.',
    );
    expect((await given.person(carl))!.affiliation).toBe('member');

    // Somebody of the domain belongs elsewhere, and is asked.
    await given.user('bob@acme.example', { of: await given.account('Beta') });
    const asked = formTo(
      await browser.get('/console/domains/acme.example'),
      '/domains/acme.example/take-in',
      {
        as: 'asked',
      },
    );
    expect((await browser.follow(await browser.submit(asked))).words).toContain(
      '1 person asked; 0 are left.',
    );

    // What is below it comes along, where its proof stands in DNS.
    await given.rows(`update domains set proof = 'dns'`);
    const proved = await browser.get('/console/domains/acme.example');
    const along = await send(browser, proved, '/domains/acme.example/subdomains');
    expect(along.words).toContain('Everything below it that nobody else owns is yours, too');
    await send(browser, along, '/domains/acme.example/subdomains');

    const sure = await browser.get('/console/domains/acme.example/release');
    expect(sure.words).toContain('3 people of this domain stay in your account.');
    const gone = await send(browser, sure, '/domains/acme.example/release');
    expect(gone.words).toContain('acme.example is no longer yours.');
    expect((await given.person(ann))!.affiliation).toBe('member');
  });

  it('asks an owner it does not know, who decides', async ({ given, server, net, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const bea = await given.user('bea@beta.test', { of: beta, roles: ['account_administrator'] });
    const form = await open(browser, '/domains/claim', bea);
    const page = await send(browser, form, '/domains/claim', { domain: 'acme.example' });
    net.publish({
      name: value(page, 'record-name'),
      value: value(page, 'record-value'),
    });
    const contested = await send(browser, page, '/domains/acme.example/verify');
    expect(contested.words).toContain('Owned by another organization');
    expect(contested.text).not.toMatch(/\bAcme\b/);
    const asked = await send(browser, contested, '/domains/acme.example/request', {
      kind: 'access',
      message: 'Ann works with us.',
    });
    expect(asked.words).toContain('You asked to add people of acme.example');
    expect(asked.text).not.toMatch(/\bAcme\b/);

    const owner = server.agent();
    const requests = await open(owner, '/domains', fay);
    expect(requests.words).toContain('Beta asks to add people of acme.example');
    const [{ id }] = (await given.rows<{ id: string }>('select id from domain_requests')) as [
      { id: string },
    ];
    const granted = await send(owner, requests, `/domain-requests/${id}/grant`);
    expect(granted.words).toContain('Granted');
    expect((await browser.get('/console/domains')).words).toContain('Granted');
  });
});

describe('who may not', () => {
  it('a Co-Administrator reads domains and changes none; a stranger finds none', async ({
    given,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    const page = await open(browser, '/domains/acme.example', cora);
    expect(page.words).toContain('Owned');
    expect(page.words).not.toContain('Let the domain go');
    expect((await browser.get('/console/domains/claim')).status).toBe(403);
    const sent = await browser.submit(formTo(page, '/domains/acme.example/sign-up'), {
      signup: 'auto',
    });
    expect(sent.status).toBe(403);
    expect((await browser.get('/console/domains/beta.example')).status).toBe(404);
    expect((await browser.get('/console/domains/%00')).status).toBe(404);
  });

  it('an operator vouches for a domain, and says why', async ({ given, browser }) => {
    const acme = await given.account('Acme');
    await given.user('ann@acme.example', { of: acme });
    const olga = await given.user('olga@ostiary.example', { roles: ['operator'] });
    const accounts = await open(browser, '/accounts', olga);
    await browser.submit(formTo(accounts, '/acting', { account: acme.id }));
    const page = await browser.get('/console/domains/acme.example');
    const without = await send(browser, page, '/domains/acme.example/operator', { what: 'attest' });
    expect(without.alerts).toEqual(['Say why, in one line.']);
    const done = await send(browser, page, '/domains/acme.example/operator', {
      what: 'attest',
      reason: 'Contract 4711',
    });
    expect(done.words).toContain('The operator vouched for it');
  });
});
