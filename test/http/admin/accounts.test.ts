import { describe, expect } from 'vitest';
import { unaffiliate } from '#identity/users/affiliate.ts';
import { it } from '#test/support/it.ts';
import { linkIn } from '../self-service/mailbox.ts';
import { caller, someone, statusesOf } from './support.ts';

const fay = { email: 'Fay@Acme.example', givenName: 'Fay', familyName: 'Miller', country: 'us' };
const acme = {
  name: 'Acme',
  number: '1001',
  countries: ['US', 'de', 'US'],
  fulfillmentContact: fay,
};

describe('a new account', () => {
  it('has a fulfillment contact who is its administrator, and is written to', async ({
    given,
    program,
    server,
  }) => {
    const operator = caller(program, await given.apiToken());
    const made = await operator.post('/accounts', acme);
    expect(made.status).toBe(201);
    expect(made.headers.location).toBe(`/api/v1/accounts/${made.json.id}`);
    expect(made.json).toMatchObject({
      name: 'Acme',
      number: '1001',
      countries: ['US', 'DE'],
      status: 'active',
      administrators: [{ email: 'Fay@Acme.example', role: 'account_administrator' }],
      fulfillmentContacts: [{ email: 'Fay@Acme.example', country: null }],
      users: 1,
    });
    expect((await operator.get(`/accounts/${made.json.id}`)).json).toEqual(made.json);
    await server.app.delivery.drain();
    const [welcome] = await given.mails();
    expect(welcome).toMatchObject({ kind: 'account_welcome', recipient: 'Fay@Acme.example' });
    expect(welcome!.text).toContain('first fulfillment contact and Account Administrator');
    expect((await server.agent().get(linkIn(welcome!))).status).toBe(200);
    expect(await given.events()).toContain('account.created');
    expect(server.errors).toEqual([]);
  });

  it('needs a number that no other has, and a contact who belongs nowhere else', async ({
    given,
    program,
    server,
  }) => {
    const operator = caller(program, await given.apiToken());
    await operator.post('/accounts', acme);
    const again = await operator.post('/accounts', acme);
    expect(again.json).toMatchObject({ status: 409, code: 'account_number_exists' });
    const same = await operator.post('/accounts', { ...acme, number: '1002' });
    expect(same.json).toMatchObject({ status: 409, code: 'user_in_other_account' });
    const email = { ...acme, fulfillmentContact: { ...fay, email: 'fay@acme' } };
    expect((await operator.post('/accounts', email)).json).toMatchObject({
      status: 422,
      code: 'invalid_email',
      errors: [{ in: 'body', field: 'fulfillmentContact.email' }],
    });
    const country = { ...acme, countries: ['XX'] };
    expect((await operator.post('/accounts', country)).json.code).toBe('invalid_country');
    expect((await operator.get('/accounts')).json.items).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('is founded by who was removed from another or merely invited, and by nobody who is kept out', async ({
    given,
    program,
  }) => {
    const operator = caller(program, await given.apiToken());
    const old = await given.account('Old');
    const former = await given.user('fay@acme.example', { of: old });
    await given.work((work) => unaffiliate(work, former.id, old.id, 'administrator'));
    const made = await operator.post('/accounts', acme);
    expect(made.status).toBe(201);
    expect(await given.person(former)).toMatchObject({
      account: { id: made.json.id },
      locks: [],
      roles: ['account_administrator'],
    });
    const evil = caller(program, await given.apiToken(old));
    await evil.post(
      `/accounts/${old.id}/users`,
      someone('ceo@new.example', { givenName: 'Bogus' }),
    );
    const contact = { ...fay, email: 'ceo@new.example', givenName: 'Carla' };
    const founded = { ...acme, number: '1002', fulfillmentContact: contact };
    expect((await operator.post('/accounts', founded)).status).toBe(201);
    expect(
      await given.rows(`select given_name from users where email = 'ceo@new.example'`),
    ).toEqual([{ given_name: 'Carla' }]);
    await given.locked(await given.user('no@new.example'), 'operator');
    const refused = { ...founded, number: '1003' };
    refused.fulfillmentContact = { ...contact, email: 'no@new.example' };
    expect((await operator.post('/accounts', refused)).json.code).toBe('user_not_addable');
  });

  it('is made once by two who make it at the same moment', async ({ given, program, server }) => {
    const operator = caller(program, await given.apiToken());
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((who) =>
        operator.post('/accounts', {
          ...acme,
          fulfillmentContact: { ...fay, email: `${who}@acme.example` },
        }),
      ),
    );
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    expect(server.errors).toEqual([]);
  });
});

describe('accounts', () => {
  it('are found by name, number and domain', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    await given.account('Acme', { number: '17', owns: ['acme.example'] });
    const beta = await given.account('Beta', { number: '18' });
    await given.hold(beta);
    const names = async (query: string): Promise<string[]> =>
      (await operator.get(`/accounts?${query}`)).json.items.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names('')).toEqual(['Acme', 'Beta']);
    expect(await names('q=ACM')).toEqual(['Acme']);
    expect(await names('q=18')).toEqual(['Beta']);
    expect(await names('q=acme.example')).toEqual(['Acme']);
    expect(await names('status=on_hold')).toEqual(['Beta']);
    expect((await operator.get('/accounts?status=gone')).json.code).toBe('invalid_value');
  });

  it('are renamed by their administrators, and the rest of them changed by operators', async ({
    given,
    program,
  }) => {
    const account = await given.account('Acme', { number: '17' });
    await given.account('Beta', { number: '18' });
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(account));
    const co = caller(program, await given.apiToken(account, 'co_administrator'));
    const path = `/accounts/${account.id}`;
    expect((await admin.patch(path, { name: 'Acme Inc.' })).json.name).toBe('Acme Inc.');
    expect((await co.patch(path, { name: 'Co' })).json.code).toBe('permission_denied');
    expect((await operator.patch(path, { number: '19', countries: ['FR'] })).json).toMatchObject({
      number: '19',
      countries: ['FR'],
    });
    expect((await operator.patch(path, { number: '18' })).json.code).toBe('account_number_exists');
    const { version } = (await operator.get(path)).json;
    expect((await operator.patch(path, { name: 'New', version: version - 1 })).json).toMatchObject({
      status: 409,
      code: 'version_conflict',
    });
    expect((await operator.patch(path, { name: 'New', version })).status).toBe(200);
    expect((await admin.get(path)).json.name).toBe('New');
  });
});

describe('an account on hold (F34)', () => {
  it('takes nobody in, still lets people be put out, and goes on where it was', async ({
    given,
    program,
    server,
  }) => {
    const account = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme.example', { of: account, roles: ['account_administrator'] });
    const ann = await given.user('ann@acme.example', { of: account });
    const bob = await given.user('bob@acme.example', { of: account });
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(account));
    const path = `/accounts/${account.id}`;

    const held = await operator.post(`${path}/hold`, { reason: 'The invoice is open.' });
    expect(held.json).toMatchObject({ status: 'on_hold', holdReason: 'The invoice is open.' });
    const adding = { email: 'x@acme.example', givenName: 'X', familyName: 'Y', country: 'US' };
    for (const who of [admin, operator])
      expect((await who.post(`${path}/users`, adding)).json).toMatchObject({
        status: 403,
        code: 'account_on_hold',
      });
    expect((await admin.get(`${path}/users/${ann.id}`)).json.status).toBe('suspended');
    expect((await admin.post(`${path}/users/${ann.id}/lock`, { note: 'x' })).status).toBe(200);
    expect((await admin.delete(`${path}/users/${bob.id}`)).status).toBe(204);
    for (const [verb, body] of [
      ['unlock', {}],
      ['roles', {}],
      ['reset-password', {}],
    ] as const)
      expect((await admin.post(`${path}/users/${ann.id}/${verb}`, body)).json.code).toBe(
        'account_on_hold',
      );
    expect((await admin.patch(path, { name: 'x' })).json.code).toBe('account_on_hold');
    expect((await admin.post(`${path}/api-tokens`, { name: 'x' })).json.code).toBe(
      'account_on_hold',
    );

    expect((await operator.post(`${path}/resume`)).json).toMatchObject({
      status: 'active',
      holdReason: null,
    });
    expect((await operator.post(`${path}/resume`)).status).toBe(200);
    expect((await admin.post(`${path}/users`, adding)).status).toBe(201);
    await server.app.delivery.drain();
    const notices = (await given.mails()).filter(({ kind }) => kind === 'account_notice');
    expect(notices.map(({ recipient }) => recipient)).toEqual([
      'fay@acme.example',
      'fay@acme.example',
    ]);
    expect(server.errors).toEqual([]);
  });
});

describe('a domain that an operator vouches for', () => {
  it('is owned from then on, by one account alone', async ({ given, program, server }) => {
    const account = await given.account('Acme');
    const beta = await given.account('Beta');
    const operator = caller(program, await given.apiToken());
    const attest = (id: string, domain: string) =>
      operator.post(`/accounts/${id}/domains/${encodeURIComponent(domain)}/attest`, {
        reason: 'Contract 7',
      });
    expect((await attest(account.id, 'Acme.example')).json).toMatchObject({
      domain: 'acme.example',
      state: 'owned',
      proof: 'operator',
    });
    expect((await attest(account.id, 'acme.example')).status).toBe(200);
    expect((await attest(beta.id, 'acme.example')).json).toMatchObject({
      status: 409,
      code: 'domain_owned_by_other',
    });
    expect((await attest(beta.id, 'co.uk')).json).toMatchObject({
      status: 422,
      code: 'public_suffix',
    });
    for (const bad of ['a..b.com', 'localhost', '10.0.0.1', 'ex ample.com'])
      expect((await attest(beta.id, bad)).json).toMatchObject({
        status: 422,
        code: 'invalid_domain',
      });
    expect((await operator.get(`/accounts/${account.id}/domains`)).json).toMatchObject({
      items: [{ domain: 'acme.example', state: 'owned' }],
      nextCursor: null,
    });
    const both = await Promise.all([
      attest(account.id, 'new.example'),
      attest(beta.id, 'new.example'),
    ]);
    expect(statusesOf(both)).toEqual([200, 409]);
    expect(server.errors).toEqual([]);
  });
});
