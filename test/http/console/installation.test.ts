import { describe, expect } from 'vitest';
import { continueMoves } from '#identity/accounts/move-people.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it as base } from '#test/support/it.ts';
import { acceptAll, asClient, signIn } from '#test/support/sign-in.ts';
import type { GivenUser, World } from '#test/support/world.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

const it = base.extend<{ olga: Agent }>({
  /** The browser of an operator who is signed in. */
  olga: async ({ given, server }, use) => {
    const user = await given.user('olga@ostiary.example', { roles: ['operator'] });
    const agent = server.agent();
    await open(agent, '/accounts', user);
    await use(agent);
  },
});

/** The operator acts in an account. */
async function actIn(olga: Agent, account: { id: string }): Promise<void> {
  const list = await olga.get('/console/accounts');
  await olga.submit(formTo(list, '/acting', { account: account.id }));
}

function valueOf(page: Answer, label: string): string {
  const field = new RegExp(`id="secret-${label}"[^>]*value="([^"]+)"`);
  return field.exec(page.text.replace(/\s+/g, ' '))![1]!;
}

describe('applications', () => {
  const home = '/installation/clients';

  it('are registered by what they are, and work at once', async ({ olga, given, server }) => {
    const form = await olga.get(`/console${home}/new`);
    const wrong = await send(olga, form, `${home}/new`, {
      name: 'Planner',
      redirectUris: 'http://planner.example/cb\nhttps://*.planner.example/cb',
    });
    expect(wrong.status).toBe(422);
    expect(wrong.words).toContain('http://planner.example/cb: http is allowed for the own machine');
    expect(wrong.words).toContain('Wildcards are not allowed');
    const german = await send(
      olga,
      await olga.get(`/console${home}/new?ui_locales=de`),
      `${home}/new`,
      { name: 'Planner', redirectUris: 'https://*.planner.example/cb' },
    );
    expect(german.words).toContain('https://*.planner.example/cb: Platzhalter sind nicht erlaubt');
    await olga.get(`/console${home}/new?ui_locales=en`);
    const made = await send(olga, form, `${home}/new`, {
      name: 'Planner',
      redirectUris: 'https://planner.example/cb',
      account: 'no',
    });
    expect(made.status).toBe(201);
    const client = {
      id: valueOf(made, 'client_id'),
      secret: valueOf(made, 'client_secret'),
      redirectUri: 'https://planner.example/cb',
    };
    const ann = await given.user();
    expect((await signIn(server.agent(), client, ann)).location?.href).toContain('code=');

    const machine = await send(
      olga,
      await olga.get(`/console${home}/new?preset=machine`),
      `${home}/new`,
      { name: 'Nightly' },
    );
    const service = {
      id: valueOf(machine, 'client_id'),
      secret: valueOf(machine, 'client_secret'),
      redirectUri: '',
    };
    const program = server.agent({ cookies: false });
    const grant = { grant_type: 'client_credentials' };
    expect((await asClient(program, '/oauth/token', service, grant)).status).toBe(200);

    // Another secret, then the first one goes.
    const path = `${home}/${service.id}`;
    const page = await olga.get(`/console${path}`);
    const [{ id: first }] = (await given.rows<{ id: string }>(
      'select id from client_secrets where client_id = $1',
      [service.id],
    )) as [{ id: string }];
    const second = valueOf(
      await send(olga, page, `${path}/secrets`, { days: '90' }),
      'client_secret',
    );
    const both = await olga.get(`/console${path}`);
    await send(olga, both, `${path}/secrets/${first}/revoke`);
    expect((await asClient(program, '/oauth/token', service, grant)).status).toBe(401);
    const renewed = { ...service, secret: second };
    expect((await asClient(program, '/oauth/token', renewed, grant)).status).toBe(200);
    const off = await send(olga, both, `${path}/disable`);
    expect(off.words).toContain('Off');
    expect((await asClient(program, '/oauth/token', renewed, grant)).status).toBe(401);
    expect(server.errors).toEqual([]);
  });

  it('are changed without losing what the form does not show, and not over another’s change', async ({
    olga,
    given,
  }) => {
    const { id } = await given.client({ metadata: { default_max_age: 3600 } });
    const page = await olga.get(`/console${home}/${id}`);
    const changed = await send(olga, page, `${home}/${id}`, { name: 'Planner <i>2</i>' });
    expect(changed.words).toContain('Planner <i>2</i>');
    const [{ metadata }] = (await given.rows<{ metadata: object }>(
      'select metadata from clients where id = $1',
      [id],
    )) as [{ metadata: object }];
    expect(metadata).toMatchObject({ default_max_age: 3600 });
    expect((await send(olga, page, `${home}/${id}`, { name: 'Late' })).status).toBe(409);
    const sure = await olga.get(`/console${home}/${id}/remove`);
    expect((await send(olga, sure, `${home}/${id}/remove`)).words).toContain('Removed.');
    expect((await olga.get(`/console${home}/${id}`)).status).toBe(404);
  });

  it('have APIs to ask tokens for', async ({ olga }) => {
    const path = '/installation/resources';
    const page = await olga.get(`/console${path}`);
    const wrong = await send(olga, page, path, { identifier: 'orders', name: 'Orders' });
    expect(wrong.status).toBe(422);
    const made = await send(olga, page, path, {
      identifier: 'https://orders.example/',
      name: 'Orders',
      scopes: 'orders:read orders:write',
    });
    expect(made.words).toContain('orders:read orders:write');
    expect((await send(olga, made, `${path}/remove`)).words).toContain('No API yet.');
  });
});

describe('terms', () => {
  it('are published after it was seen whom they stop (M8)', async ({ olga, given, browser }) => {
    const home = '/installation/terms';
    await given.user('ann@acme.example');
    const form = await olga.get(`/console${home}/new`);
    const wrong = await send(olga, form, `${home}/preview`, { version: '' });
    expect(wrong.alerts).toHaveLength(3);
    const preview = await send(olga, form, `${home}/preview`, {
      version: '2027',
      title_en: 'Terms',
      body_en: '# Be good <script>',
      title_de: 'Bedingungen',
      // As long as what comes by the API may be: more than a form has otherwise.
      body_de: 'Seid gut, Ä. '.repeat(30_000),
    });
    expect(preview.words).toContain('2 people have to accept.');
    expect(preview.words).toContain('Be good <script>');
    // Who published them has to accept them too.
    const stopped = await send(olga, preview, `${home}/publish`);
    expect(stopped.words).toContain('Before you continue');
    const done = await acceptAll(olga, stopped);
    expect(done.words).toContain('Published.');
    expect(done.words).toContain('German, English');
    const page = await open(
      browser,
      home,
      await given.user('opal@ostiary.example', { roles: ['operator'] }),
    );
    expect(page.words).toContain('2027');
    const again = await send(browser, await browser.get(`/console${home}/new`), `${home}/preview`, {
      version: '2027',
      title_en: 'T',
      body_en: 'B',
    });
    expect((await send(browser, again, `${home}/publish`)).status).toBe(422);
    const file = await browser.get(`/console${home}/evidence.csv`);
    expect(file.headers['content-type']).toContain('text/csv');
    expect(file.text).toContain('opal@ostiary.example');
  });
});

describe('accounts', () => {
  it('are made, held, resumed, and closed by typing their name', async ({
    olga,
    given,
    server,
  }) => {
    const form = await olga.get('/console/accounts/new');
    const typed = {
      name: 'Acme',
      number: '1001',
      countries: 'us, de',
      email: 'fay@acme.example',
      givenName: 'Fay',
      familyName: 'Miller',
    };
    const wrong = await send(olga, form, '/accounts/new', {
      ...typed,
      countries: 'usa',
      email: 'fay',
    });
    expect(wrong.alerts).toHaveLength(2);
    const made = await send(olga, form, '/accounts/new', typed);
    expect(made.words).toContain('Acme is there. The contact was written to.');
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ recipient }) => recipient)).toContain('fay@acme.example');
    const [acme] = (await given.rows<{ id: string }>('select id from accounts')) as [
      { id: string },
    ];
    await actIn(olga, acme);
    const twice = await send(olga, form, '/accounts/new', { ...typed, email: 'x@acme.example' });
    expect(twice.status).toBe(403);

    const page = await olga.get('/console/organization');
    expect(page.words).toContain('United States, Germany');
    const held = await send(olga, page, '/organization/hold', { reason: 'The invoice is open.' });
    expect(held.words).toContain('The invoice is open.');
    const resumed = await send(olga, held, '/organization/resume');
    const sure = await olga.get('/console/organization/close');
    const not = await send(olga, sure, '/organization/close', { reason: 'Over', confirm: 'Acm' });
    expect(not.status).toBe(422);
    const closing = await send(olga, sure, '/organization/close', {
      reason: 'Over',
      confirm: 'Acme',
    });
    expect(closing.words).toContain('Being closed');
    expect((await send(olga, closing, '/organization/keep')).words).toContain('Active');
    expect(resumed.words).toContain('Active');
  });

  it('are merged by two operators: one proposes what was read, another confirms', async ({
    olga,
    given,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await contactOf(given, beta, 'bea@beta.example');
    const fritz = await contactOf(given, acme, 'fritz@acme.example');
    await actIn(olga, acme);
    const form = await olga.get('/console/organization/merge');
    expect((await send(olga, form, '/organization/merge', { into: 'Gamma' })).status).toBe(422);
    const report = await send(olga, form, '/organization/merge', {
      into: 'beta.example',
      keepAdministrators: fritz.id,
    });
    expect(report.words).toContain('Acme → Beta');
    expect(report.words).toContain('fay@acme.example : Account Administrator → Co-Administrator');
    expect(report.words).not.toContain('fritz@acme.example :');
    const stale = await send(olga, report, '/organization/merge/propose', {
      confirm: 'another report',
      reason: 'Ticket 1',
    });
    expect(stale.status).toBe(409);
    const proposed = await send(olga, report, '/organization/merge/propose', {
      reason: 'Ticket 1',
    });
    expect(proposed.words).toContain('You proposed this. Another operator has to confirm it.');
    expect(proposed.words).toContain('fay@acme.example : Account Administrator');
    expect((await olga.get('/console/moves')).words).toContain('Waits for another operator');
    const path = proposed.url.pathname.replace('/console', '');

    const otto = server.agent();
    const { user } = await given.operator('otto@ostiary.example');
    const shown = await open(otto, path, user);
    expect(shown.words).toContain('olga@ostiary.example');
    const confirming = formTo(shown, `${path}/confirm`);
    // She sends the form that she is not shown.
    const { csrf } = formTo(proposed, `${path}/withdraw`).fields;
    const own = { ...confirming, fields: { ...confirming.fields, csrf: csrf! } };
    expect((await olga.submit(own)).words).toContain('Another operator has to confirm this.');
    const begun = await send(otto, shown, `${path}/confirm`);
    expect(begun.words).toContain('It has begun.');
    while (await continueMoves(given.foundation));
    expect((await given.person(fay))!.account!.name).toBe('Beta');
    expect((await given.person(fritz))!.roles).toContain('account_administrator');
    expect((await olga.get(`/console${path}`)).words).toContain('Confirmed');
  });

  it('are split by people and groups, if nothing changed since it was read', async ({
    olga,
    given,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const gus = await given.user('gus@elsewhere.example', { of: acme });
    const [group] = await given.rows<{ id: string }>(
      `insert into groups (id, account_id, name, created_at, updated_at)
       values (gen_random_uuid(), $1, 'Rockets', now(), now()) returning id`,
      [acme.id],
    );
    await actIn(olga, acme);
    const form = await olga.get('/console/organization/split');
    const typed = { name: 'Rockets', users: 'Gus@elsewhere.example', groups: group!.id };
    const unknown = await send(olga, form, '/organization/split', {
      ...typed,
      administrators: 'nobody@acme.example',
    });
    expect(unknown.words).toContain('Nobody in the account has: nobody@acme.example');
    const report = await send(olga, form, '/organization/split', {
      ...typed,
      administrators: 'gus@elsewhere.example',
    });
    expect(report.words).toContain('gus@elsewhere.example : None → Account Administrator');
    const proposed = await send(olga, report, '/organization/split/propose', { reason: 'Sold' });
    const path = proposed.url.pathname.replace('/console', '');

    const join = 'insert into group_members (group_id, user_id, added_at) values ($1, $2, now())';
    await given.rows(join, [group!.id, fay.id]);
    const otto = server.agent();
    const { user } = await given.operator('otto@ostiary.example');
    const changed = await open(otto, path, user);
    expect(changed.words).toContain('Something changed since it was proposed.');
    expect(changed.forms.some(({ action }) => action.endsWith('/confirm'))).toBe(false);
    await given.rows('delete from group_members');
    await send(otto, await otto.get(`/console${path}`), `${path}/confirm`);
    while (await continueMoves(given.foundation));
    expect((await given.person(gus))!.account!.name).toBe('Rockets');
    expect((await given.person(gus))!.roles).toContain('account_administrator');
    expect((await given.person(fay))!.account!.name).toBe('Acme');
  });

  async function contactOf(
    given: World,
    account: { id: string },
    email: string,
  ): Promise<GivenUser> {
    const user = await given.user(email, { of: account, roles: ['account_administrator'] });
    await given.rows(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at)
       values (gen_random_uuid(), $1, $2, now())`,
      [account.id, user.id],
    );
    return user;
  }

  it('and all that is of the installation are hidden from who looks after one', async ({
    given,
    browser,
  }) => {
    const { fay } = await acmeAndFay(given);
    await open(browser, '/dashboard', fay);
    for (const path of [
      '/accounts/new',
      '/organization',
      '/organization/merge',
      '/installation/clients',
      '/installation/keys',
      '/installation/terms',
      '/installation/webhooks',
      '/installation/api-tokens',
      '/installation/resources',
    ])
      expect([path, (await browser.get(`/console${path}`)).status]).toEqual([path, 403]);
  });
});

describe('signing keys', () => {
  it('are rotated, and the old ones stay published', async ({ olga, given }) => {
    const page = await olga.get('/console/installation/keys');
    const before = await given.rows<{ kid: string }>(
      `select kid from signing_keys where state = 'current' order by kid`,
    );
    const rotated = await olga.follow(
      await olga.submit(page.forms.filter(({ action }) => action.endsWith('/keys/rotate'))[0]!),
    );
    expect(rotated.words).toContain('The next keys sign now.');
    const after = await given.rows<{ kid: string }>(
      `select kid from signing_keys where state = 'retired' order by kid`,
    );
    expect(after.map(({ kid }) => kid)).toEqual(
      expect.arrayContaining(before.map(({ kid }) => kid)),
    );
  });
});

describe('an address is explained', () => {
  it('in the reader’s language, door by door, and no other organization is named', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await given.user('bob@acme.example', { of: beta });
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.locked(ann, 'admin');
    await open(browser, '/explain', fay);
    const known = await browser.get(`/console/explain?email=${ann.email}`);
    expect(known.words).toContain('Cannot sign in: locked.');
    expect(known.words).toContain('Locked by an administrator');
    expect(known.words).toContain('Types it to sign in');
    const theirs = await browser.get('/console/explain?email=bob@acme.example');
    expect(theirs.words).toContain('Nobody has the address, or it is not yours to know.');
    expect(theirs.text).not.toContain('Beta');
    const german = await browser.get('/console/explain?email=zoe@beta.example&ui_locales=de');
    expect(german.words).toContain('Gehört einer anderen Organisation');
    const none = await browser.get('/console/explain?email=not+an+address');
    expect(none.status).toBe(200);
  });

  it('no more often than it may be asked', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    await open(browser, '/explain', fay);
    await given.rows(
      `insert into attempt_counters (bucket, failures, day_start, day_count, updated_at)
       values ('conflicts:' || $1, 0, now(), 500, now())`,
      [acme.id],
    );
    expect((await browser.get('/console/explain?email=ann@acme.example')).status).toBe(429);
  });
});
