import Koa from 'koa';
import request from 'supertest';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mailPreviews } from '#delivery/mail/samples.ts';
import { securityHeaders } from '#http/context.ts';
import { csrf } from '#http/csrf.ts';
import { mailboxRoutes } from '#http/dev/mailbox.ts';
import type { Database } from '#platform/database/database.ts';
import { locales } from '#platform/i18n.ts';
import { mailboxTransport } from '#platform/mail/transport.ts';
import { testDatabase } from '#test/support/database.ts';

const issuer = 'http://localhost:3000';
const now = new Date('2026-06-01T09:00:00Z');
const previews = mailPreviews('Ostiary');

let database: Database;
let site: ReturnType<Koa['callback']>;

beforeAll(async () => {
  ({ database } = await testDatabase());
  const app = new Koa();
  app.silent = true;
  app.use(securityHeaders(false));
  const routes = mailboxRoutes({ database, csrf: csrf(Buffer.alloc(32, 1), issuer), previews });
  app.use(routes.routes());
  site = app.callback();
});

beforeEach(async () => {
  await database.query('truncate mailbox restart identity');
});

async function arrive(to: string, kind: string, change: { subject?: string; html?: string } = {}) {
  const { subject, text, html } = previews.find((preview) => preview.kind === kind)!.render('en');
  await mailboxTransport(database, () => now).send({
    kind,
    from: { address: 'no-reply@id.example.com' },
    to: { address: to },
    subject,
    text,
    html,
    messageId: 'x@id.example.com',
    reference: 'REF',
    ...change,
  });
}

describe('for a developer', () => {
  it('lists the mails, newest first', async () => {
    await arrive('ada@acme.example', 'welcome');
    await arrive('bob@acme.example', 'activation');
    const { text } = await request(site).get('/dev/mailbox').expect(200);
    expect(text.indexOf('bob@acme.example')).toBeLessThan(text.indexOf('ada@acme.example'));
    expect(text).toContain('Complete your Ostiary profile');
    expect(text).toContain('2026-06-01 09:00:00 UTC');
  });

  it('lists those to one recipient', async () => {
    await arrive('ada@acme.example', 'welcome');
    await arrive('bob@acme.example', 'welcome');
    const { text } = await request(site).get('/dev/mailbox?to=ADA@acme.example').expect(200);
    expect(text).toContain('ada@acme.example</td>');
    expect(text).not.toContain('bob@acme.example');
  });

  it('shows a mail, its links to be followed', async () => {
    await arrive('ada@acme.example', 'registration_code');
    const { text, headers } = await request(site).get('/dev/mailbox/1').expect(200);
    expect(text).toContain('no-reply@id.example.com');
    expect(text).toContain('Your code: 431867');
    expect(text).toMatch(/<a href="https:\/\/id\.example\.com\/register\/confirm\?token=/);
    expect(text).toMatch(/<iframe\s+src="\/dev\/mailbox\/1\/html"[^>]*\ssandbox/);
    expect(headers['content-security-policy']).toMatch(/frame-src 'self'$/);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('shows a hostile mail and comes to no harm', async () => {
    const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>';
    await arrive('ada@acme.example', 'welcome', { subject: evil, html: evil });
    const page = await request(site).get('/dev/mailbox/1').expect(200);
    expect(page.text).not.toContain('<script>alert');
    const frame = await request(site).get('/dev/mailbox/1/html').expect(200);
    expect(frame.headers['content-security-policy']).toMatch(/default-src 'none'.*; sandbox$/);
    expect(frame.headers['content-security-policy']).not.toContain('script-src');
  });

  it('gives the text alone', async () => {
    await arrive('ada@acme.example', 'welcome');
    const { text, headers } = await request(site).get('/dev/mailbox/1/text').expect(200);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(/^Hello Ada Lovelace,\n/);
  });

  it.each(['2', '0', 'x', '99999999999999999999', '1%00', '1/other'])(
    'knows no mail %s',
    async (id) => {
      await arrive('ada@acme.example', 'welcome');
      await request(site).get(`/dev/mailbox/${id}`).expect(404);
    },
  );

  it('is emptied by a form of ours only', async () => {
    await arrive('ada@acme.example', 'welcome');
    const agent = request.agent(site);
    await agent.post('/dev/mailbox/clear').type('form').send({ csrf: 'guessed' }).expect(403);

    const { text } = await agent.get('/dev/mailbox');
    const token = /name="csrf" value="([^"]+)"/.exec(text)![1];
    await agent
      .post('/dev/mailbox/clear')
      .type('form')
      .set('origin', 'https://evil.test')
      .send({ csrf: token })
      .expect(403);
    await agent.post('/dev/mailbox/clear').type('form').send({ csrf: token }).expect(303);
    expect((await agent.get('/dev/mailbox')).text).toContain('No mail yet.');
  });
});

describe('for a test', () => {
  it('gives the mails to one recipient as JSON, with the links and the code', async () => {
    await arrive('bob@acme.example', 'welcome');
    await arrive('ada@acme.example', 'password_reset');
    const { body } = await request(site)
      .get('/dev/mailbox?to=ada@acme.example')
      .set('accept', 'application/json')
      .expect(200);
    expect(body.mails).toMatchObject([
      {
        id: 2,
        kind: 'password_reset',
        from: 'no-reply@id.example.com',
        to: 'ada@acme.example',
        subject: 'Set a new password for Ostiary',
        sentAt: '2026-06-01T09:00:00.000Z',
        code: '90317264',
        links: [expect.stringMatching(/^https:\/\/id\.example\.com\/reset-password\?token=\w+$/)],
      },
    ]);

    const single = await request(site).get('/dev/mailbox/2').set('accept', 'application/json');
    expect(single.body).toEqual(body.mails[0]);
  });

  it('says that there is no code and no link', async () => {
    await arrive('ada@acme.example', 'removed_from_account');
    const { body } = await request(site).get('/dev/mailbox/1').set('accept', 'application/json');
    expect(body).toMatchObject({ code: null, links: [] });
  });

  it('forgets the mails to one recipient, or all', async () => {
    await arrive('ada@acme.example', 'welcome');
    await arrive('bob@acme.example', 'welcome');
    await request(site).delete('/dev/mailbox?to=ada@acme.example').expect(204);
    expect(await database.query('select recipient from mailbox')).toEqual([
      { recipient: 'bob@acme.example' },
    ]);
    await request(site).delete('/dev/mailbox').expect(204);
    expect(await database.query('select recipient from mailbox')).toEqual([]);
  });
});

describe('the letters', () => {
  it.each(locales)('are all listed and shown in %s', async (locale) => {
    const list = await request(site).get(`/dev/mailbox/previews?ui_locales=${locale}`).expect(200);
    const links = [...list.text.matchAll(/href="(\/dev\/mailbox\/previews\/[^"]+)"/g)];
    expect(links).toHaveLength(previews.length);

    for (const [, link] of links.filter((_, index) => index % 9 === 0)) {
      const path = link!.replaceAll('&amp;', '&');
      const page = await request(site).get(path).expect(200);
      expect(page.text).toContain(`<h1 lang="${locale}">`);
      const html = await request(site).get(path.replace('?', '/html?')).expect(200);
      expect(html.text).toContain(`<html lang="${locale}">`);
    }
  });

  it('are not invented', async () => {
    await request(site).get('/dev/mailbox/previews/welcome/9').expect(404);
    await request(site).get('/dev/mailbox/previews/nothing/0').expect(404);
  });
});
