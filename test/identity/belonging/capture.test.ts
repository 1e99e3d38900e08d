import { describe, expect } from 'vitest';
import { tendBelonging } from '#identity/belonging/housekeeping.ts';
import { it } from '#test/support/it.ts';
import { caller } from '../../http/admin/support.ts';
import { linkIn, mailsTo } from '../../http/self-service/mailbox.ts';

const day = 24 * 3600;

describe('people of a domain who belong to another account (M25)', () => {
  it('are asked to come over or to change their address, and reminded; nothing moves by itself', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const bob = await given.user('bob@acme.example', { of: beta });
    await given.user('ann@acme.example', { of: acme });
    const path = `/accounts/${acme.id}/domains/acme.example/existing-people`;
    const admin = caller(program, await given.apiToken(acme));
    const weak = `update domains set proof = $1 where name = 'acme.example'`;
    await given.rows(weak, ['email']);
    expect((await admin.post(path, { as: 'asked' })).json.code).toBe('domain_not_proved');
    await given.rows(weak, ['dns']);

    expect((await admin.post(path, { as: 'asked' })).json).toEqual({ taken: 1, left: 0 });
    expect((await admin.post(path, { as: 'asked' })).json).toEqual({ taken: 0, left: 0 });
    const letters = async () =>
      (await mailsTo(server, bob.email)).filter(({ kind }) => kind === 'domain_capture');
    const [first] = await letters();
    expect(first!.text).toContain('Acme');
    expect(first!.text).not.toContain('Beta');

    const counts = [];
    for (const days of [10, 6.5, 0.1, 11, 0.1, 2, 0.1, 1]) {
      server.clock.advance(days * day);
      await tendBelonging(server.app.foundation);
      counts.push((await letters()).length);
    }
    expect(counts).toEqual([1, 2, 2, 3, 3, 4, 4, 4]);
    expect((await given.person(bob))!.account!.id).toBe(beta.id);
    // The last link is the good one, until the time is over.
    const [last] = await letters();
    expect((await browser.get(linkIn(first!))).status).toBe(404);
    expect((await browser.get(linkIn(last!))).words).toContain('has run out');
  });
});
