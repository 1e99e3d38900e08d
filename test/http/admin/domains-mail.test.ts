import { describe, expect } from 'vitest';
import { readFacts } from '#identity/verdict/facts.ts';
import { verdict } from '#identity/verdict/verdict.ts';
import { it, mailsTo } from '../../identity/domains/support.ts';
import { someone } from './support.ts';

const roles = ['admin', 'administrator', 'hostmaster', 'postmaster', 'webmaster'];

describe('a domain that is proved by mail', () => {
  it('is asked of the mailboxes that stand for it, and confirmed by one of them', async ({
    organization,
    server,
    browser,
  }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    const claim = await acme.post(path, { domain: 'acme.example', method: 'email' });
    expect(claim.status).toBe(201);
    expect(claim.json.record).toEqual({
      type: 'MAIL',
      mailboxes: roles.map((role) => `${role}@acme.example`),
    });
    const mails = [];
    for (const role of roles)
      mails.push(await mailsTo(server, `${role}@acme.example`, 'domain_proof'));
    expect(mails.map((some) => some.length)).toEqual([1, 1, 1, 1, 1]);
    expect(mails[3]![0]!.subject).toBe('Does acme.example belong to Acme?');
    const link = /\/domains\/confirm\?token=\S+/.exec(mails[3]![0]!.text)![0];

    // A scanner that opens the link has confirmed nothing.
    const page = await browser.get(link);
    expect(page.status).toBe(200);
    expect(page.words).toContain('Does the domain acme.example belong to Acme');
    await server.agent().get(link);
    expect(await acme.state('acme.example')).toBe('pending');

    const answer = await browser.submit(page.forms[0]!, { answer: 'confirm' });
    expect(answer.status).toBe(200);
    expect(answer.words).toContain('It is confirmed that acme.example belongs to Acme');
    expect((await acme.get(`${path}/acme.example`)).json).toMatchObject({
      state: 'owned',
      proof: 'email',
    });
    expect((await browser.get(link)).status).toBe(410);
    expect((await browser.submit(page.forms[0]!, { answer: 'deny' })).status).toBe(410);
    expect(await acme.state('acme.example')).toBe('owned');
    expect(server.errors).toEqual([]);
  });

  it('is for administrators, not for machines, until a record proves it', async ({
    organization,
    server,
    browser,
    net,
  }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    await acme.post(path, { domain: 'acme.example', method: 'email', mailbox: 'postmaster' });
    const [mail] = await mailsTo(server, 'postmaster@acme.example');
    const page = await browser.get(/\/domains\/confirm\?token=\S+/.exec(mail!.text)![0]);
    await browser.submit(page.forms[0]!, { answer: 'confirm' });

    const { database, clock } = server.app.foundation;
    const says = async (door: 'scim_create' | 'just_in_time' | 'admin_add') =>
      verdict(door, await readFacts(database, 'x@acme.example', acme.id, clock()));
    expect(await says('admin_add')).toMatchObject({ outcome: 'create_member' });
    expect(await says('scim_create')).toMatchObject({ code: 'domain_not_owned' });
    expect(await says('just_in_time')).toMatchObject({ code: 'domain_not_owned' });
    const added = await acme.post(`/accounts/${acme.id}/users`, someone('x1@acme.example'));
    expect(added.json.outcome).toBe('created');

    const again = await acme.post(path, { domain: 'acme.example', method: 'dns' });
    expect(again.json).toMatchObject({ state: 'owned', proof: 'email', method: 'dns' });
    server.clock.advance(20);
    // Not published yet: nothing is lost by that.
    expect(await acme.verify('acme.example')).toMatchObject({ state: 'owned', proof: 'email' });
    net.publish(again.json.record);
    server.clock.advance(20);
    expect(await acme.verify('acme.example')).toMatchObject({ state: 'owned', proof: 'dns' });
    expect(await says('scim_create')).toMatchObject({ outcome: 'create_member' });
  });

  it('is proved by a record that is found later, without anybody asking', async ({
    organization,
    operator,
    server,
    net,
    check,
  }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    await operator.post(`${path}/acme.example/attest`, { reason: 'Contract 7.' });
    const claim = await acme.post(path, { domain: 'acme.example', method: 'dns' });
    server.clock.advance(3601);
    expect(await check()).toBe(1);
    expect((await acme.get(`${path}/acme.example`)).json.proof).toBe('operator');
    net.publish(claim.json.record);
    server.clock.advance(8 * 24 * 3600);
    expect(await check()).toBe(1);
    expect((await acme.get(`${path}/acme.example`)).json).toMatchObject({
      state: 'owned',
      proof: 'dns',
    });
  });

  it('is denied by who reads the mail, and that ends the claim', async ({
    organization,
    server,
    browser,
    given,
  }) => {
    const acme = await organization('Evil');
    await acme.post(`/accounts/${acme.id}/domains`, { domain: 'victim.example', method: 'email' });
    const [mail] = await mailsTo(server, 'webmaster@victim.example');
    const page = await browser.get(/\/domains\/confirm\?token=\S+/.exec(mail!.text)![0]);
    const answer = await browser.submit(page.forms[0]!, { answer: 'deny' });
    expect(answer.words).toContain('The claim of Evil to victim.example was denied');
    expect(await acme.state('victim.example')).toBe('cancelled');
    expect(await given.events()).toContain('domain.claim_denied');
  });

  it('is asked at an address of that domain, and nowhere else', async ({ organization }) => {
    const acme = await organization('Acme');
    const claim = (mailbox: string) =>
      acme.post(`/accounts/${acme.id}/domains`, {
        domain: 'acme.example',
        method: 'email',
        mailbox,
      });
    for (const mailbox of [
      'fay@evil.example',
      'fay@sub.acme.example',
      'fay@acme.example.evil.example',
      '"fay@evil.example"@acme.example',
      'fay@acme.example, x@evil.example',
      '',
    ])
      expect([mailbox, (await claim(mailbox)).json.code]).toEqual([mailbox, 'invalid_email']);
    expect((await claim('Fay@ACME.example')).json.record.mailboxes).toEqual(['fay@acme.example']);
  });

  it('is not a way to fill a mailbox', async ({ organization, server }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    const claim = (domain: string) =>
      acme.post(path, { domain, method: 'email', mailbox: 'admin' });
    expect((await claim('acme.example')).status).toBe(201);
    const soon = await claim('acme.example');
    expect([soon.status, soon.json.code]).toEqual([429, 'rate_limited']);
    server.clock.advance(5 * 60 + 1);
    expect((await claim('acme.example')).status).toBe(201);
    for (let index = 0; index < 9; index += 1)
      expect((await claim(`acme${index}.example`)).status).toBe(201);
    expect((await claim('acme9.example')).status).toBe(429);
    server.clock.advance(3601);
    expect((await claim('acme9.example')).status).toBe(201);
  });

  it('works by the newest link alone, for a week, and not once the claim is given up', async ({
    organization,
    server,
    browser,
  }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    const claim = () =>
      acme.post(path, { domain: 'acme.example', method: 'email', mailbox: 'admin' });
    const links = async () =>
      (await mailsTo(server, 'admin@acme.example')).map(
        ({ text }) => /\/domains\/confirm\?token=\S+/.exec(text)![0],
      );
    await claim();
    server.clock.advance(400);
    await claim();
    const [first, second] = await links();
    expect((await browser.get(first!)).status).toBe(410);
    expect((await browser.get(second!)).status).toBe(200);
    expect((await browser.get('/domains/confirm')).status).toBe(410);
    await acme.delete(`${path}/acme.example`);
    expect((await browser.get(second!)).status).toBe(410);

    server.clock.advance(400);
    await claim();
    const [, , third] = await links();
    server.clock.advance(7 * 24 * 3600 + 1);
    expect((await browser.get(third!)).status).toBe(410);
  });
});
