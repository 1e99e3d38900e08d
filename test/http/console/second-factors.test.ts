import { describe, expect } from 'vitest';
import { settingsOf } from '#identity/accounts/settings.ts';
import { appOn, enrolApp } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import { typePassword } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenUser } from '#test/support/world.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

async function addApp(server: TestServer, who: GivenUser): Promise<void> {
  const browser = server.agent();
  const page = await browser.follow(await browser.get('/profile/factors/app'));
  await enrolApp(browser, await typePassword(browser, page, who), server.clock);
}

describe('second factors in the console', () => {
  it('are demanded of everybody, of a domain, of a person, once it was seen whom it stops (M8)', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const room = await open(browser, '/second-factors', fay);
    expect(room.words).toContain('Administrators: 1 person has to set one up');
    expect(room.words).toContain('Everybody: 2 people have to set one up');
    expect(room.words).toContain('If required: 2 people have to set one up');
    // From here on Fay, who has an address of it too, has to have one as well.
    const saved = await send(browser, room, '/second-factors/domain');
    expect(saved.words).toContain('Enter your password');
    expect((await given.person(ann))!.secondFactor.required).toBe(true);
    await given.rows('update domains set second_factor_required = false');

    await send(browser, room, '/second-factors/policy', { policy: 'optional' });
    expect(await settingsOf(given.foundation.database, acme.id)).toMatchObject({
      secondFactor: 'optional',
    });
    const person = await browser.get(`/console/users/${ann.id}/second-factors`);
    expect(person.words).toContain('No second factor is set up.');
    const asked = await send(browser, person, `/users/${ann.id}/second-factors/require`);
    expect(asked.words).toContain('A second factor is required of this person.');
  });

  it('are reset right after proving anew who asks, and the way leads back', async ({
    server,
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await addApp(server, ann);
    await open(browser, `/users/${ann.id}`, fay);
    const page = await browser.get(`/console/users/${ann.id}/second-factors`);
    expect(page.words).toContain('Authenticator app');
    server.clock.advance(6 * 60);
    const path = `/users/${ann.id}/second-factors`;
    const again = await browser.follow(await browser.submit(formTo(page, `${path}/reset`)));
    expect(again.words).toContain('Enter your password');
    expect(await given.rows('select 1 from factors')).toHaveLength(1);
    const back = await typePassword(browser, again, fay);
    expect(back.url.pathname).toBe(`/console${path}`);
    const done = await send(browser, back, `${path}/reset`);
    expect(done.words).toContain('All second factors were removed.');
    expect(done.words).toContain('The next sign-in sets up a new one.');
    expect(await given.rows('select 1 from factors')).toEqual([]);
  });

  it('of who administers are shown in this session, however it began', async ({
    server,
    given,
    browser,
  }) => {
    const { fay } = await acmeAndFay(given);
    await open(browser, '/second-factors', fay);
    // Elsewhere she sets one up: this browser has shown a password alone.
    const other = server.agent();
    const setUp = await typePassword(
      other,
      await other.follow(await other.get('/profile/factors/app')),
      fay,
    );
    const app = appOn(setUp, server.clock);
    await other.submit(setUp.forms[0]!, { code: app.code() });
    const asked = await browser.follow(await browser.get('/console/second-factors'));
    expect(asked.words).toContain('Confirm that it is you');
    const entered = await browser.follow(
      await browser.submit(asked.forms[0]!, { code: app.next() }),
    );
    expect(entered.url.pathname).toBe('/console/second-factors');
  });

  it('let an administrator be marked for emergencies, and a Co-Administrator mark nobody', async ({
    server,
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const eve = await given.user('eve@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    await open(browser, '/users', fay);
    const path = `/users/${eve.id}/second-factors`;
    const page = await browser.get(`/console${path}`);
    const refused = await send(browser, page, `${path}/break-glass`);
    expect(refused.words).toContain('needs a password and a second factor first');
    await addApp(server, eve);
    const marked = await send(browser, page, `${path}/break-glass`);
    expect(marked.words).toContain('may sign in here in an emergency');
    expect((await browser.get('/console/second-factors')).words).toContain('eve@acme.example');

    const hers = server.agent();
    const seen = await open(hers, '/second-factors', cora);
    expect(seen.forms.filter(({ action }) => action.includes('/second-factors/'))).toEqual([]);
    const one = await hers.get(`/console${path}`);
    expect(one.forms.filter(({ action }) => action.includes('/second-factors/'))).toEqual([]);
  });
});
