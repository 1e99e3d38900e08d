import { describe, expect } from 'vitest';
import {
  authoritiesOf,
  claimAttributes,
  managedAttributes,
  requireUnmanaged,
} from '#identity/scim/authority.ts';
import { createScimToken, revokeScimToken } from '#identity/scim/token.ts';
import { affiliate, unaffiliate } from '#identity/users/affiliate.ts';
import { unitOfWork } from '#identity/work.ts';
import { it } from '#test/support/it.ts';
import { typePassword } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import { caller } from '../../http/admin/support.ts';

/** Ann, whom the directory of Acme made. */
async function annOfDirectory(server: TestServer) {
  const { given } = server;
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const ann = await given.user('ann@acme.example', { of: acme, givenName: 'Ann' });
  const { token } = await given.work((work) =>
    createScimToken(work, acme.id, { name: 'Entra ID' }),
  );
  await given.rows(`update users set source = 'scim' where id = $1`, [ann.id]);
  await given.rows('update affiliations set provisioned_by = $1', [token.id]);
  const sql = given.foundation.database;
  return { acme, ann, token, sql };
}

describe('where attributes come from', () => {
  it('is who made the person, until somebody says otherwise', async ({ server, given }) => {
    const { ann, sql, token } = await annOfDirectory(server);
    const sources = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await authoritiesOf(sql, ann.id)).map(({ attribute, source }) => [attribute, source]),
      );
    expect(await sources()).toEqual({
      email: 'directory',
      givenName: 'directory',
      familyName: 'directory',
      jobTitle: 'person',
      phone: 'person',
      country: 'person',
      language: 'person',
      communicationEmail: 'person',
    });
    const directory = { type: 'scim_token', id: token.id, name: 'Entra ID' } as const;
    await unitOfWork(given.foundation, { actor: directory }, (work) =>
      claimAttributes(work, ann.id, ['jobTitle']),
    );
    await unitOfWork(given.foundation, { actor: { type: 'user', id: ann.id } }, (work) =>
      claimAttributes(work, ann.id, ['phone']),
    );
    await given.work((work) => claimAttributes(work, ann.id, ['country']));
    expect(await sources()).toMatchObject({
      jobTitle: 'directory',
      phone: 'person',
      country: 'administrator',
    });
    expect(await managedAttributes(sql, ann.id)).toEqual([
      'email',
      'givenName',
      'familyName',
      'jobTitle',
    ]);
  });

  it('is shown to administrators and explained, and holds while there is a directory', async ({
    server,
    given,
    program,
  }) => {
    const { acme, ann, token, sql } = await annOfDirectory(server);
    const admin = caller(program, await given.apiToken(acme));
    const shown = await admin.get(`/accounts/${acme.id}/users/${ann.id}`);
    expect(shown.json.attributes).toContainEqual({
      attribute: 'familyName',
      source: 'directory',
      name: 'Entra ID',
      since: expect.any(String),
      managed: true,
    });
    const explained = await admin.get('/explain?email=ann@acme.example');
    expect(explained.json.person).toMatchObject({
      managed: [
        { attribute: 'email', source: 'directory', name: 'Entra ID' },
        { attribute: 'givenName' },
        { attribute: 'familyName' },
      ],
      says: expect.stringContaining('managed by Entra ID: change it there'),
    });
    await expect(requireUnmanaged(sql, ann.id, ['phone', 'givenName'])).rejects.toMatchObject({
      code: 'managed_by_directory',
      message:
        'Given name: managed by the directory Entra ID of the organization. Change it there.',
      details: { fields: ['givenName'], source: 'directory', name: 'Entra ID' },
    });

    await given.work((work) => revokeScimToken(work, acme.id, token.id));
    expect(await managedAttributes(sql, ann.id)).toEqual([]);
    await requireUnmanaged(sql, ann.id, ['givenName', 'email']);
  });
});

describe('what the directory of a former account said', () => {
  it('binds nobody in another', async ({ server, given }) => {
    const { ann, acme, sql } = await annOfDirectory(server);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await given.work(async (work) => {
      await createScimToken(work, beta.id, { name: 'Okta' });
      await unaffiliate(work, ann.id, acme.id, 'left');
      await affiliate(work, ann.id, beta.id, 'test', { entitlementCountry: 'US' });
    });
    expect(await managedAttributes(sql, ann.id)).toEqual([]);
  });
});

describe('a profile whose names a directory decides', () => {
  it('shows them, says whose they are, and takes what is the person own', async ({
    server,
    given,
    browser,
  }) => {
    const { ann } = await annOfDirectory(server);
    await typePassword(browser, await browser.follow(await browser.get('/profile')), ann);
    const page = await browser.get('/profile');
    expect(page.words).toContain('Managed by Acme');
    const form = page.forms.find(({ action }) => new URL(action).pathname === '/profile')!;
    const own = { country: 'US', language: 'en' };
    const saved = await browser.submit(form, {
      ...own,
      jobTitle: 'Architect',
      phone: '+1 555 123',
    });
    expect(saved.status).toBe(303);
    const refused = await browser.submit(form, { ...own, givenName: 'Anna' });
    expect([refused.status, refused.alerts.length > 0]).toEqual([422, true]);
    expect(await given.person(ann)).toMatchObject({ givenName: 'Ann', phone: '+1 555 123' });
    expect(server.errors).toEqual([]);
  });
});
