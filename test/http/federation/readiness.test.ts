import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { caller } from '../admin/support.ts';
import { connectedSaml, samlDraft } from '#test/support/saml-connection.ts';
import { signInBySaml } from './saml-support.ts';

describe('the readiness report', () => {
  it('says what is missing of a draft', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const id = await samlDraft(given, acme, { domains: [] });
    const admin = caller(program, await given.apiToken(acme));
    const { json } = await admin.get(`/accounts/${acme.id}/connections/${id}/readiness`);
    expect(json.ready).toBe(false);
    expect(levels(json)).toMatchObject({
      provider: 'error',
      domains: 'error',
      tested: 'error',
      break_glass: 'warning',
    });
  });

  it('counts what the first sign-in will mean for whom, and names nobody else', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const client = await given.client();
    const connection = await connectedSaml(given, acme);
    await signInBySaml(server, server.agent(), client, 'ann@acme.example');
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    await given.user('pat@acme.example', { of: acme });
    const lou = await given.user('lou@acme.example', { of: acme, password: null });
    await given.user('out@other.example', { of: acme });
    await given.user('bea@acme.example', { of: beta });
    await given.user('una@acme.example');
    await given.rows('update users set country = null where email = $1', [lou.email]);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/readiness`;
    const answer = await admin.get(path);
    expect(answer.json.members).toEqual({
      total: 4,
      linked: 1,
      firstBind: 1,
      passwordEnds: 1,
      stepUp: 1,
      breakGlass: 0,
      locked: 0,
    });
    const items = Object.fromEntries(
      answer.json.items.map((one: { check: string }) => [one.check, one]),
    );
    expect(items).toMatchObject({
      provider: { level: 'ok' },
      domains: { level: 'ok', detail: 'acme.example' },
      linked_by_domain: { count: 2, people: ['lou@acme.example', 'pat@acme.example'] },
      step_up: { count: 1, people: ['fay@acme.example'] },
      missing_country: { count: 1, people: ['lou@acme.example'] },
      other_addresses: { count: 1 },
      elsewhere: { level: 'warning', count: 1, people: [] },
      unaffiliated: { count: 1, people: [] },
    });
    expect(answer.text).not.toMatch(/bea@|una@/);
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.get(path)).status).toBe(403);
  });

  it('compares the people here with those of the directory', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const oid = 'urn:acme:object-id';
    const connection = await connectedSaml(given, acme, {
      mapping: { attributes: { externalId: [oid] } },
    });
    for (const name of ['ann', 'ben'])
      await signInBySaml(server, server.agent(), client, `${name}@acme.example`, {
        nameId: `id-of-${name}`,
        attributes: {
          email: [`${name}@acme.example`],
          givenName: ['A'],
          surname: ['B'],
          country: ['US'],
          [oid]: [`object-${name}`],
        },
      });
    const fay = await given.user('fay@acme.example', { of: acme });
    await given.user('una@acme.example', { of: acme });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/readiness`;
    const about = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        (await admin.get(path)).json.items.map((one: { check: string }) => [one.check, one]),
      );
    // Without a directory there is nothing to compare with.
    expect(await about()).not.toHaveProperty('unknown_to_directory');

    const made = await admin.post(`/accounts/${acme.id}/scim-tokens`, { name: 'Entra ID' });
    const knows = (email: string, userName: string, externalId: string): Promise<unknown> =>
      given.rows(
        `update affiliations set provisioned_by = $1, user_name = $2, user_name_key = $2,
           external_id = $3
         where user_id = (select id from users where email = $4)`,
        [made.json.id, userName, externalId, email],
      );
    await knows('ann@acme.example', 'ann@acme.example', 'object-ann');
    await knows('ben@acme.example', 'ben@acme.example', 'somebody-else');
    await knows(fay.email, 'fay.miller@acme.example', 'object-fay');
    expect(await about()).toMatchObject({
      unknown_to_directory: { level: 'info', people: ['una@acme.example'] },
      other_in_directory: { level: 'warning', people: ['fay@acme.example'] },
      other_ids: {
        level: 'warning',
        finding: 'other_ids_refused',
        people: ['ben@acme.example'],
        detail: expect.stringContaining('another id than your directory'),
      },
    });
  });

  it('is ready once it was tested as it is, and says when something changed since', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connectedSaml(given, acme, { state: 'testing' });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${connection.id}/readiness`;
    await given.rows('update connections set tested_at = now(), tested_version = version');
    expect((await admin.get(path)).json).toMatchObject({ ready: true });
    await given.rows('update connections set version = version + 1');
    expect(levels((await admin.get(path)).json)).toMatchObject({ tested: 'warning' });
    await given.rows(`update domains set state = 'released', released_at = now()`);
    const lost = (await admin.get(path)).json;
    expect(lost.ready).toBe(false);
    expect(levels(lost)).toMatchObject({ domains: 'error' });
  });
});

function levels({ items }: { items: { check: string; level: string }[] }): Record<string, string> {
  return Object.fromEntries(items.map(({ check, level }) => [check, level]));
}
