import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { keyOf } from '#test/support/saml-idp.ts';
import { it } from '../../identity/domains/support.ts';
import { idpEntityId, idpMetadata } from '#test/support/saml-connection.ts';
import { answerTo, askedOf, deliver } from './saml-support.ts';

/** The form of a step: `domain`, `check`, `provider` or `mapping`. */
function formOf(page: Answer, step: string) {
  const form = page.forms.find(({ action }) => action.endsWith(`/${step}`));
  if (!form) throw new Error(`The page has no form for ${step}: ${page.words}`);
  return form;
}

async function submit(
  it: Agent,
  page: Answer,
  step: string,
  typed: Record<string, string>,
): Promise<Answer> {
  return it.follow(await it.submit(formOf(page, step), typed));
}

describe('a setup link', () => {
  it('leads the IT of a company through domain, provider, mapping and a test, without an account', async ({
    organization,
    given,
    server,
    net,
  }) => {
    const acme = await organization('Acme');
    const made = await acme.post(`/accounts/${acme.id}/connections`, {
      kind: 'saml',
      name: 'Acme ADFS',
    });
    const connections = `/accounts/${acme.id}/connections/${made.json.id}`;
    const link = await acme.post(`${connections}/setup-links`, { contact: 'Ida', days: 7 });
    expect(link.status, link.text).toBe(201);
    const ida = server.agent();
    let page = await ida.get(link.json.url);
    expect(page.status).toBe(200);
    expect(page.words).toContain('Some steps are still open.');

    // The domain: claimed, published, looked at, and leads here.
    page = await submit(ida, page, 'domain', { domain: 'gmail.com' });
    expect([page.status, page.alerts.length]).toEqual([422, 1]);
    page = await submit(ida, page, 'domain', { domain: 'Acme.example' });
    const [, name, value] = /Name (\S+) Value (\S+)/.exec(page.words)!;
    page = await submit(ida, page, 'check', {});
    expect(page.alerts.join()).toContain('not found');
    net.publish({ name: name!, value: value! });
    server.clock.advance(15);
    page = await submit(ida, page, 'check', {});
    expect(page.words).toContain('Proved, and leads to this connection');

    // The provider.
    page = await submit(ida, page, 'provider', { xml: '<nonsense/>' });
    expect(page.alerts.join()).toContain('no metadata');
    page = await submit(ida, page, 'provider', { xml: idpMetadata([await keyOf('pinned')]) });
    expect(page.words).toContain(`Connected with ${idpEntityId}`);

    // The mapping, and a test that shows what it comes to.
    page = await submit(ida, page, 'mapping', { givenName: 'acme:first' });
    const href = /href="([^"]*\/start\?test=[^"]*)"/.exec(page.text)![1]!.replaceAll('&amp;', '&');
    const asked = askedOf(await ida.get(href));
    const attributes = {
      email: ['ann@acme.example'],
      'acme:first': ['Annabel'],
      surname: ['Archer'],
      country: ['US'],
    };
    const tested = await deliver(server, ida, asked, await answerTo(asked, { attributes }));
    expect(tested.status).toBe(200);
    expect(tested.words).toContain('Annabel');
    page = await ida.get(link.json.url);
    expect(page.words).toContain('Annabel');
    expect(page.words).toContain('Everything is in place.');
    expect(await given.rows(`select 1 from users where email = 'ann@acme.example'`)).toEqual([]);

    // All of it was written down as the link's doing.
    expect(
      await given.rows(
        `select distinct actor ->> 'type' as type, actor ->> 'name' as name from audit_events
         where action in ('domain.claimed', 'connection.metadata_read', 'connection.changed')`,
      ),
    ).toEqual([{ type: 'setup_link', name: 'Ida' }]);
    expect(await given.events()).toEqual(
      expect.arrayContaining([
        'connection.setup_link_made',
        'connection.setup_link_used',
        'domain.owned',
        'connection.tested',
      ]),
    );

    // The administrator activates it; then the link is of no use any more.
    const ready = await acme.get(`${connections}/readiness`);
    expect(ready.json.ready).toBe(true);
    const active = await acme.post(`${connections}/activate`, { withoutBreakGlass: true });
    expect(active.status, active.text).toBe(200);
    expect((await ida.get(link.json.url)).status).toBe(410);
    expect((await ida.submit(formOf(page, 'mapping'), {})).status).toBe(410);
  });

  it('sets up OpenID Connect, and keeps the secret to itself', async ({
    organization,
    server,
    given,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const made = await acme.post(`/accounts/${acme.id}/connections`, {
      kind: 'oidc',
      name: 'Okta',
    });
    const link = await acme.post(`/accounts/${acme.id}/connections/${made.json.id}/setup-links`);
    const ida = server.agent();
    let page = await ida.get(link.json.url);
    expect(page.words).toContain(`${server.url}/federation/${made.json.id}/callback`);
    page = await submit(ida, page, 'domain', { domain: 'acme.example' });
    expect(page.words).toContain('Proved, and leads to this connection');
    for (const issuer of ['http://169.254.169.254/', 'https://10.0.0.1/', 'nothing']) {
      const refused = await submit(ida, page, 'provider', {
        issuer,
        client_id: 'ostiary',
        client_secret: 'a secret of theirs',
      });
      expect([refused.status, refused.alerts.length]).toEqual([422, 1]);
    }
    page = await submit(ida, page, 'provider', {
      issuer: 'https://idp.acme.example',
      client_id: 'ostiary',
      client_secret: 'a secret of theirs',
    });
    expect(page.words).toContain('Connected with https://idp.acme.example');
    expect(page.words).toContain('A secret is stored.');
    expect(page.text).not.toContain('a secret of theirs');
    expect(await given.rows('select 1 from connection_secrets')).toHaveLength(1);
  });

  it('opens nothing once it is revoked or over, or made up', async ({ organization, server }) => {
    const acme = await organization('Acme');
    const made = await acme.post(`/accounts/${acme.id}/connections`, { kind: 'saml', name: 'A' });
    const path = `/accounts/${acme.id}/connections/${made.json.id}/setup-links`;
    const one = (await acme.post(path)).json;
    const two = (await acme.post(path, { days: 1 })).json;
    const listed = await acme.get(path);
    expect(listed.json.items).toHaveLength(2);
    expect(listed.text).not.toContain(one.url.split('/').at(-1));
    const ida = server.agent();
    expect((await ida.get(one.url)).status).toBe(200);
    expect((await acme.delete(`${path}/${one.id}`)).status).toBe(204);
    expect((await acme.delete(`${path}/${one.id}`)).status).toBe(404);
    expect((await ida.get(one.url)).status).toBe(410);
    server.clock.advance(24 * 3600 + 1);
    expect((await ida.get(two.url)).status).toBe(410);
    expect((await ida.get('/setup/made-up')).status).toBe(410);
    const other = await organization('Beta');
    expect((await other.get(path)).status).toBe(404);
    expect(
      (await other.post(`/accounts/${other.id}/connections/${made.json.id}/setup-links`)).status,
    ).toBe(404);
  });

  it('connects a directory that only tries, and tells who sent it when all is done', async ({
    organization,
    server,
    given,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const roles = ['account_administrator'];
    const fay = await given.user('fay@acme.example', { of: acme, roles });
    await given.user('bob@acme.example', { of: acme, roles });
    const made = await acme.post(`/accounts/${acme.id}/connections`, {
      kind: 'saml',
      name: 'Acme ADFS',
    });
    const links = `/accounts/${acme.id}/connections/${made.json.id}/setup-links`;
    const link = await acme.post(links, { contact: 'Ida', directory: true });
    expect(link.status, link.text).toBe(201);
    await given.rows('update connection_setup_links set created_by = $1', [
      JSON.stringify({ type: 'user', id: fay.id }),
    ]);
    const ida = server.agent();
    let page = await ida.get(link.json.url);
    page = await submit(ida, page, 'domain', { domain: 'acme.example' });
    page = await submit(ida, page, 'provider', { xml: idpMetadata([await keyOf('pinned')]) });
    await given.rows('update connections set tested_at = now()');
    const tokenIn = (shown: Answer): string => /value="(scim_[^"]+)"/.exec(shown.text)?.[1] ?? '';
    const [first, second] = [
      await ida.submit(formOf(page, 'directory')),
      await ida.submit(formOf(page, 'directory')),
    ].map(tokenIn);
    page = await ida.get(link.json.url);
    expect(tokenIn(page)).toBe('');
    expect(page.words).toContain('Nobody has come with it yet.');
    expect(page.words).toContain('Some steps are still open.');
    const asks = (token: string): Promise<Answer> =>
      server
        .agent({ cookies: false })
        .get('/scim/v2/Users', { headers: { authorization: `Bearer ${token}` } });
    expect((await asks(first!)).status).toBe(401);
    expect((await asks(second!)).status).toBe(200);
    await server.app.directories.flush();
    page = await ida.get(link.json.url);
    expect(page.words).toContain('The first request arrived on');
    expect(page.words).toContain('It only tries until an administrator lets it change people.');
    expect(page.words).toContain('Everything is in place.');
    await ida.get(link.json.url);
    await server.app.delivery.drain();
    const mails = await given.mails();
    expect(mails.map(({ recipient, subject }) => `${recipient}: ${subject}`)).toEqual([
      'fay@acme.example: The connection Acme ADFS is set up',
    ]);
    expect(mails[0]!.text).toContain('Ida is done with the link you sent');
    expect(mails[0]!.text).toContain('A directory was connected, too.');
    expect((await acme.get(links)).json.items[0]).toMatchObject({
      directory: true,
      finishedAt: expect.any(String),
    });
    expect(await given.rows('select dry_run from scim_tokens where revoked_at is null')).toEqual([
      { dry_run: true },
    ]);
    // A link without that right has no such step.
    const plain = await ida.get((await acme.post(links, {})).json.url);
    expect(plain.forms.some(({ action }) => action.endsWith('/directory'))).toBe(false);
    const forged = formOf(page, 'directory');
    const refused = await ida.submit({
      ...forged,
      action: `${plain.url.pathname}/directory`,
      fields: plain.forms[0]!.fields,
    });
    expect(refused.status).toBe(422);
  });

  it('takes no form from another site, and not endlessly many', async ({
    organization,
    server,
  }) => {
    const acme = await organization('Acme');
    const made = await acme.post(`/accounts/${acme.id}/connections`, { kind: 'saml', name: 'A' });
    const { json } = await acme.post(
      `/accounts/${acme.id}/connections/${made.json.id}/setup-links`,
    );
    const ida = server.agent();
    const page = await ida.get(json.url);
    const form = formOf(page, 'mapping');
    const forged = await server.agent().submit(form, {}, { origin: 'https://evil.example' });
    expect(forged.status).toBe(403);
    const answers = await Promise.all(Array.from({ length: 40 }, () => ida.submit(form, {})));
    expect(answers.filter(({ status }) => status === 422).length).toBeGreaterThan(0);
  });
});
