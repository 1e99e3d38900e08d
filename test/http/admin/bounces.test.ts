import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { formTo, open } from '../console/support.ts';
import { choose, codeIn, forget, mailTo } from '../self-service/mailbox.ts';
import { caller } from './support.ts';

describe('a mail that came back', () => {
  it('is reported by the mail system, whose token may do nothing else', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(acme));
    const made = await operator.post('/api-tokens', { name: 'Postfix', scopes: ['mail:report'] });
    const post = caller(program, made.json.secret);

    const report = { email: 'Ann@acme.example', code: '550 5.1.1' };
    expect((await admin.post('/mail/bounces', report)).status).toBe(403);
    expect((await post.post('/mail/bounces', { email: 'ann@' })).json.code).toBe('invalid_email');
    const said = await post.post('/mail/bounces', report);
    expect([said.status, said.json]).toEqual([
      201,
      expect.objectContaining({ reason: 'bounced', code: '550 5.1.1' }),
    ]);
    expect((await post.get('/mail/suppressions')).status).toBe(403);
    expect((await operator.get('/mail/suppressions')).json.items).toMatchObject([
      { email: 'ann@acme.example' },
    ]);

    // Her administrators see it, and nothing leaves for her.
    const user = `/accounts/${acme.id}/users/${ann.id}`;
    expect((await admin.get(user)).json.mailSuppressed).toMatchObject({ reason: 'bounced' });
    await admin.post(`${user}/lock`, { note: 'Gone.' });
    await admin.post(`${user}/unlock`);
    await server.app.delivery.drain();
    expect(await given.rows('select last_error from outbox where failed_at is not null')).toEqual([
      { last_error: 'Undeliverable: suppressed: bounced' },
      { last_error: 'Undeliverable: suppressed: bounced' },
    ]);
    const browser = server.agent();
    const page = await open(browser, `/users/${ann.id}`, fay);
    expect(page.words).toContain('A mail came back as undeliverable.');
    const allowed = await browser.follow(
      await browser.submit(formTo(page, `/users/${ann.id}/allow-mail`)),
    );
    expect(allowed.words).toContain('Mails are sent there again.');
    expect((await admin.get(user)).json.mailSuppressed).toBeNull();
    expect((await admin.post(`${user}/allow-mail`)).status).toBe(404);
    const events = (await admin.get(`/accounts/${acme.id}/audit?target=${ann.id}`)).json.items;
    expect(JSON.stringify(events)).not.toContain('ann@');
    expect(await given.events()).toEqual(
      expect.arrayContaining(['address.suppressed', 'address.suppression_lifted']),
    );
  });

  it('ends when its reader proves the mailbox', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const operator = caller(server.agent(), await given.apiToken());
    await operator.post('/mail/bounces', { email: ann.email, reason: 'complained' });
    const browser = server.agent();
    const sent = await forget(browser, ann.email);
    const code = codeIn(await mailTo(server, ann.email));
    const choosing = await browser.follow(await browser.submit(sent.forms[0]!, { code }));
    await choose(browser, choosing, 'the boat is on the lake');
    expect((await operator.get('/mail/suppressions')).json.items).toEqual([]);
  });
});
