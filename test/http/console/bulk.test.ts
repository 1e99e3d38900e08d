import { describe, expect } from 'vitest';
import { workOnBulk } from '#identity/bulk/run.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

async function work({ app, errors }: TestServer): Promise<void> {
  const log = { error: (...told: unknown[]) => errors.push(told) };
  while (await workOnBulk(app.foundation, log)) await Promise.resolve();
}

/** Sends the form of the page with a file in it, as a browser does. */
async function upload(browser: Agent, page: Answer, text: string | Uint8Array): Promise<Answer> {
  const { action, fields } = formTo(page, '/bulk/new');
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (name !== 'file') form.set(name, value);
  const content = typeof text === 'string' ? text : Buffer.from(text);
  form.set('file', new Blob([content], { type: 'text/csv' }), 'users.csv');
  const sent = new Response(form);
  return browser.follow(
    await browser.send(action, {
      method: 'POST',
      body: Buffer.from(await sent.arrayBuffer()).toString(),
      headers: { 'content-type': sent.headers.get('content-type')! },
    }),
  );
}

describe('files in the console', () => {
  it('change users, and what they changed is checked before it is put back', async ({
    given,
    browser,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const list = await open(browser, '/bulk', fay);
    expect(list.words).toContain('No file has been uploaded yet.');
    const form = await browser.get('/console/bulk/new?kind=update');
    const tried = await upload(
      browser,
      form,
      'CurrentEmail;LastName;Roles\nann@acme.example;Baker;nothing',
    );
    // Without a script the page is shown anew by itself, and only while there is more to come.
    expect(tried.text).toContain('<noscript><meta http-equiv="refresh"');
    await work(server);
    const judged = await browser.get(tried.url);
    expect(judged.text).not.toContain('http-equiv');
    expect(judged.words).toContain('There is no such role. (nothing)');
    expect(judged.words).not.toContain('Carry out');
    const discarded = await send(browser, judged, `${tried.url.pathname.slice(8)}/cancel`);
    expect(discarded.words).toContain('Stopped. What was done stays.');

    const second = await upload(
      browser,
      await browser.get('/console/bulk/new?kind=update'),
      'CurrentEmail,LastName\nann@acme.example,Baker\nfay@acme.example,Fischer',
    );
    const path = second.url.pathname.slice('/console'.length);
    await work(server);
    await send(browser, await browser.get(second.url), `${path}/apply`);
    await work(server);
    const done = await browser.get(second.url);
    expect(done.words).toContain('Is changed: LastName');
    expect((await given.person(ann))!.familyName).toBe('Baker');
    expect((await browser.get(`${second.url.pathname}/undo.csv`)).text).toContain(
      'ann@acme.example,Archer',
    );
    const back = await send(browser, done, `${path}/undo`);
    expect(back.url.pathname).not.toBe(second.url.pathname);
    await work(server);
    const undoing = await browser.get(back.url);
    await send(browser, undoing, `${back.url.pathname.slice('/console'.length)}/apply`);
    await work(server);
    expect((await given.person(ann))!.familyName).toBe('Archer');
    expect(server.errors).toEqual([]);
  });

  it('are told apart from what is none, beside the field', async ({ given, browser, server }) => {
    const { fay } = await acmeAndFay(given);
    await open(browser, '/bulk', fay);
    const form = await browser.get('/console/bulk/new?kind=add');
    const wrong = async (text: string | Uint8Array): Promise<string> => {
      const page = await upload(browser, form, text);
      expect([page.status, page.alerts]).toEqual([422, [expect.any(String)]]);
      return page.alerts[0]!;
    };
    const header = 'Email,FirstName,LastName,Country';
    expect(await wrong('')).toContain('Choose a file');
    expect(await wrong(`${header},Hat\na@b.example,A,A,US,7`)).toContain('"Hat"'.slice(1, -1));
    expect(await wrong(header)).toContain('no row');
    expect(await wrong('Email\na@b.example')).toContain('FirstName, LastName, Country');
    expect(await wrong(`${header}\n"a`)).toContain('Line');
    const many = Array.from({ length: 1001 }, (_, at) => `p${at}@acme.example,P,P,US`).join('\n');
    expect(await wrong(`${header}\n${many}`)).toContain('more than 1,000 rows');
    const big = await upload(browser, form, `${header}\n${'x'.repeat(2.2 * 1024 * 1024)}`);
    expect(big.status).toBe(413);
    expect((await browser.get('/console/bulk/new?kind=shoes')).status).toBe(404);
    expect((await browser.get('/console/bulk/sample.csv?kind=delete')).text).toBe(
      '\uFEFFEmail\r\nann@acme.example\r\n',
    );
    const sent = await browser.submit(formTo(form, '/bulk/new'));
    expect(sent.status).toBe(415);
    expect(server.errors).toEqual([]);
  });

  it('that put many out are carried out for who proved anew who they are', async ({
    given,
    browser,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const lines = ['Email', ...Array.from({ length: 11 }, (_, at) => `p${at}@acme.example`)];
    for (const email of lines.slice(1, 3)) await given.user(email, { of: acme });
    await open(browser, '/bulk', fay);
    const form = await browser.get('/console/bulk/new?kind=delete');
    const job = await upload(browser, form, lines.join('\n'));
    await work(server);
    const path = job.url.pathname.slice('/console'.length);
    server.clock.advance(16 * 60);
    const asked = await browser.submit(formTo(await browser.get(job.url), `${path}/apply`));
    expect(asked.location!.pathname).toContain('/oauth/authorize');
    expect(await given.rows(`select state from bulk_jobs`)).toEqual([{ state: 'checked' }]);
    await open(browser, path, fay);
  });

  it('are the account\u2019s own, and the list of users leaves in both forms', async ({
    given,
    browser,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const eve = await given.user('eve@beta.example', {
      of: beta,
      roles: ['account_administrator'],
    });
    await open(browser, '/bulk', cora);
    const form = await browser.get('/console/bulk/new?kind=update');
    const job = await upload(browser, form, `CurrentEmail,LastName\n${fay.email},Other`);
    await work(server);
    expect((await browser.get(job.url)).words).toContain('a higher role');
    const full = await browser.get('/console/bulk/users.csv?format=full');
    expect(full.headers['content-disposition']).toContain('users-full.csv');
    expect(full.text).toContain('cora@acme.example');
    expect((await browser.get('/console/bulk/users.csv?format=compact')).text).toContain(
      'cora@acme.example,,cora,Archer,,US,US,,co_administrator,,false',
    );

    const other = server.agent();
    await open(other, '/bulk', eve);
    expect((await other.get(job.url)).status).toBe(404);
    expect((await other.get(`${job.url.pathname}/result.csv`)).status).toBe(404);
    expect((await other.get('/console/bulk/users.csv')).text).not.toContain('acme.example');
  });
});
