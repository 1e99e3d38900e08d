import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { typePassword } from '#test/support/sign-in.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

const soon = 16 * 60;

describe('what was typed when somebody had to sign in again', () => {
  it('is sent by one button, however long it is', async ({ given, server, browser }) => {
    const otto = await given.user('otto@ostiary.example', { roles: ['operator'] });
    const home = '/installation/terms';
    const form = await open(browser, `${home}/new`, otto);
    const body = 'You may use it. '.repeat(20_000);
    server.clock.advance(soon);
    const preview = await send(browser, form, `${home}/preview`, {
      version: '2026-11',
      effective: '2099-01-01',
      title_en: 'Terms',
      body_en: body,
    });
    const asked = await browser.submit(formTo(preview, `${home}/publish`));
    expect(asked.location!.href.length).toBeLessThan(1000);
    const [waiting] = await given.rows<{ sealed: string }>('select * from kept_forms');
    expect(JSON.stringify(waiting)).not.toContain('You may use it');

    const back = await typePassword(browser, await browser.follow(asked), otto);
    expect(back.words).toContain('You are signed in again');
    expect(await given.rows('select from terms_versions')).toHaveLength(0);
    const once = formTo(back, `${home}/publish`);
    const done = await browser.follow(await browser.submit(once));
    expect(done.words).toContain('2026-11');
    const [text] = await given.rows<{ body: string }>('select body from terms_texts');
    expect(text!.body).toBe(body.trim());

    // Who presses it twice publishes once.
    expect((await browser.follow(await browser.submit(once))).url.pathname).toBe(`/console${home}`);
    expect(await given.rows('select from terms_versions')).toHaveLength(1);
    expect(await given.rows('select from kept_forms')).toHaveLength(0);
  });

  it('waits where the session ended, for the same person in the same browser alone', async ({
    given,
    server,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const gus = await given.user('gus@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const form = formTo(await open(browser, '/groups/new', fay), '/groups/new');
    await given.rows('delete from oidc_sessions');
    const asked = await browser.submit(form, { name: 'Design', description: 'They draw' });
    const address = (await browser.follow(asked)).url;

    const other = server.agent();
    await open(other, '/groups', gus);
    const [, secret] = /kept=([\w-]+)/.exec(decoded(asked.location!))!;
    expect((await other.get(`/console/groups/new?kept=${secret}`)).words).not.toContain('again');
    const stolen = formTo(await other.get('/console/groups/new'), '/groups/new');
    await other.submit(stolen, { kept: secret! });
    expect(await given.rows('select from groups')).toHaveLength(0);
    // Nor is she led by a link to send what somebody sent in her name elsewhere.
    const hers = server.agent();
    await open(hers, '/groups', fay);
    const led = await hers.get(`/console/groups/new?kept=${secret}`);
    expect(led.words).not.toContain('again');
    await hers.submit(formTo(led, '/groups/new'), { kept: secret! });
    expect(await given.rows('select from groups')).toHaveLength(0);

    const back = await typePassword(browser, await browser.get(address), fay);
    await browser.submit(formTo(back, '/groups/new'));
    expect(await given.rows('select name, description from groups')).toEqual([
      { name: 'Design', description: 'They draw' },
    ]);
  });

  it('is kept of nothing that another site sends, and not for long', async ({
    given,
    server,
    browser,
  }) => {
    const { fay } = await acmeAndFay(given);
    const form = formTo(await open(browser, '/groups/new', fay), '/groups/new');
    await given.rows('delete from oidc_sessions');
    const typed = { name: 'Planted' };
    const foreign = await browser.submit(form, typed, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const forged = await browser.submit(form, { ...typed, csrf: `x.${fay.id}..x` });
    expect(decoded(forged.location!)).toBe('/console/groups/new');
    expect(await given.rows('select from kept_forms')).toHaveLength(0);

    for (let time = 0; time < 12; time += 1) await browser.submit(form, typed);
    expect(await given.rows('select from kept_forms')).toHaveLength(10);
    const late = await browser.submit(form, typed);
    server.clock.advance(25 * 3600);
    const back = await typePassword(browser, await browser.follow(late), fay);
    expect(back.words).not.toContain('again');
    expect(formTo(back, '/groups/new').fields).not.toHaveProperty('kept');
  });

  it('of one’s own profile waits, too', async ({ given, server, browser }) => {
    const ann = await given.user('ann@mail.example');
    const page = await typePassword(
      browser,
      await browser.follow(await browser.get('/profile')),
      ann,
    );
    const form = page.forms.find(({ action }) => action.endsWith('/profile/email'))!;
    server.clock.advance(soon);
    const asked = await browser.submit(form, { email: 'anna@mail.example' });
    const back = await typePassword(browser, await browser.follow(asked), ann);
    const done = await browser.submit(back.forms[0]!);
    expect(done.words).toContain('anna@mail.example');
    expect(done.status).toBe(200);

    const details = (await browser.get('/profile')).forms.find(({ action }) =>
      action.endsWith('/profile'),
    )!;
    await given.rows('delete from oidc_sessions');
    const again = await browser.submit(details, { familyName: 'Baker' });
    const offer = await typePassword(browser, await browser.follow(again), ann);
    await browser.submit(offer.forms[0]!);
    expect(await given.person(ann)).toMatchObject({ familyName: 'Baker' });
  });
});

/** The path that a redirect to a sign-in leads back to. */
function decoded(location: URL): string {
  const [, path = ''] = location.searchParams.get('state')!.split('.');
  return Buffer.from(path, 'base64url').toString();
}
