import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { connected, dan, provider, refusals, signInUpstream } from '../federation/support.ts';
import { directoryOf, user } from './support.ts';

const idp = provider();
const off = { op: 'replace', path: 'active', value: false };

/** Both doors of one company write about the same people. */
describe('somebody whom a directory made and a provider signs in', () => {
  it('is one person: linked at the first sign-in, and called as the directory says', async ({
    server,
    given,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, idp, { provisioning: { syncProfile: true } });
    const client = await given.client();
    const directory = await directoryOf(given, server.agent({ cookies: false }), acme);
    const made = await directory.user('dan@acme.example', {
      externalId: 'object-dan',
      name: { givenName: 'Daniel', familyName: 'Dale' },
    });
    idp.person = { ...dan, phone_number: '+1 555 0100' };
    for (let round = 0; round < 2; round += 1) {
      const back = await signInUpstream(server.agent(), client, dan.email);
      expect(back.location?.searchParams.get('code')).toBeTruthy();
    }
    const people = await given.rows(
      'select given_name, family_name, phone, source from users where email = $1',
      [dan.email],
    );
    expect(people).toEqual([
      { given_name: 'Daniel', family_name: 'Dale', phone: '+1 555 0100', source: 'scim' },
    ]);
    const links = await given.rows('select 1 from federated_links where unlinked_at is null');
    expect(links).toHaveLength(1);

    // What the directory puts out, the provider does not bring back.
    await directory.patch(`/Users/${made.id}`, off);
    const stopped = await signInUpstream(server.agent(), client, dan.email);
    expect(stopped.location?.searchParams.get('code')).toBeFalsy();
    await directory.delete(`/Users/${made.id}`);
    expect((await directory.filter('/Users', 'userName pr')).json.totalResults).toBe(0);
    expect(server.errors).toEqual([]);
  });

  it('is found and taken over, whichever was first', async ({ server, given, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, idp, { provisioning: { syncProfile: true } });
    const client = await given.client();
    idp.person = dan;
    await signInUpstream(browser, client, dan.email);
    const directory = await directoryOf(given, server.agent({ cookies: false }), acme);
    const [found] = (await directory.filter('/Users', 'userName eq "DAN@acme.example"')).json
      .Resources;
    expect(found).toMatchObject({ name: { givenName: 'Dan', familyName: 'Dale' }, active: true });
    expect((await directory.post('/Users', user(dan.email))).status).toBe(409);
    const named = await directory.patch(`/Users/${found.id}`, {
      op: 'replace',
      value: { externalId: 'object-dan', 'name.givenName': 'Daniel' },
    });
    expect(named.json.name.givenName).toBe('Daniel');
    await signInUpstream(server.agent(), client, dan.email);
    expect((await directory.get(`/Users/${found.id}`)).json.name.givenName).toBe('Daniel');
    expect(await given.rows('select 1 from users')).toHaveLength(1);
  });

  it("is nobody else who has the same address there, where the directory's id is compared", async ({
    server,
    given,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, idp, { mapping: { attributes: { externalId: ['oid'] } } });
    const client = await given.client();
    const directory = await directoryOf(given, server.agent({ cookies: false }), acme);
    await directory.user('dan@acme.example', { externalId: 'object-dan' });
    idp.person = { ...dan, oid: 'object-of-another-dan' };
    await signInUpstream(server.agent(), client, dan.email);
    expect(await refusals(given)).toEqual(['external_id_conflict']);
    idp.person = { ...dan, oid: 'object-dan' };
    const back = await signInUpstream(server.agent(), client, dan.email);
    expect(back.location?.searchParams.get('code')).toBeTruthy();
  });
});
