import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf } from '../support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';

/**
 * PingOne and PingFederate: people by PUT alone, found by `userName` or by `emails`, or by whatever
 * filter somebody wrote; groups by PATCH since 1.4 of the connector.
 */
describe('Ping', () => {
  it('finds people by its filters, replaces them, disables or removes them', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ping = await directoryOf(given, program, acme);
    const janet = {
      schemas: [`${core}:User`, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
      userName: 'janet@acme.example',
      externalId: 'ping-1',
      name: { givenName: 'Janet', familyName: 'Smith' },
      emails: [{ value: 'j.smith@acme.example', type: 'work', primary: true }],
      active: true,
    };
    const made = await ping.post('/Users', janet);
    expect(made.status).toBe(201);
    const { id } = made.json;
    for (const filter of [
      'userName eq "janet@acme.example"',
      // As its documents write one that takes the place of its own.
      'username Eq "janet@acme.example"',
      'emails Co "j.smith@"',
      'emails eq "j.smith@acme.example"',
      'emails.value eq "J.SMITH@acme.example"',
      'externalId eq "ping-1" and active eq true',
      '(userName eq "nobody@acme.example" or name.familyName sw "Smi") and not (active eq false)',
    ])
      expect([filter, (await ping.filter('/Users', filter)).json.Resources]).toMatchObject([
        filter,
        [{ id }],
      ]);
    const put = await ping.put(`/Users/${id}`, {
      ...janet,
      name: { givenName: 'Janet', familyName: 'Jones' },
    });
    expect(put.json).toMatchObject({ id, name: { familyName: 'Jones' }, externalId: 'ping-1' });
    const off = await ping.put(`/Users/${id}`, { ...janet, active: false });
    expect(off.json.active).toBe(false);
    const on = await ping.put(`/Users/${id}`, { ...janet, active: true });
    expect(on.json.active).toBe(true);

    const group = (
      await ping.post('/Groups', { schemas: [`${core}:Group`], displayName: 'Design' })
    ).json;
    await ping.patch(`/Groups/${group.id}`, {
      op: 'add',
      path: 'members',
      value: [{ value: id, type: 'User' }],
    });
    expect((await ping.get(`/Groups/${group.id}`)).json.members).toMatchObject([{ value: id }]);
    await ping.patch(`/Groups/${group.id}`, { op: 'remove', path: `members[value eq "${id}"]` });
    expect((await ping.get(`/Groups/${group.id}`)).json.members ?? []).toEqual([]);
    expect((await ping.delete(`/Users/${id}`)).status).toBe(204);
  });

  it('comes with client credentials in place of a token', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client({
      name: 'PingOne',
      metadata: {
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        scope: 'scim',
        token_endpoint_auth_method: 'client_secret_post',
      },
    });
    await directoryOf(given, program, acme, { clientId: client.id }).catch(() => undefined);
    const answer = await program.post('/oauth/token', {
      form: {
        grant_type: 'client_credentials',
        scope: 'scim',
        client_id: client.id,
        client_secret: client.secret,
      },
    });
    expect(answer.status).toBe(200);
    const listed = await program.send('/scim/v2/Users?count=1', {
      headers: { authorization: `Bearer ${answer.json.access_token}` },
    });
    expect(listed.status).toBe(200);
  });
});
