import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { caller, someone } from './support.ts';

const account = (name: string) => ({
  name,
  fulfillmentContact: {
    email: `fay@${name}.example`,
    givenName: 'Fay',
    familyName: 'M',
    country: 'US',
  },
});

describe('a request that is sent again', () => {
  it('makes one account, were it sent ten times at once', async ({ given, program, server }) => {
    const operator = caller(program, await given.apiToken());
    const key = { 'idempotency-key': 'b6f1' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => operator.post('/accounts', account('acme'), key)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'])).toHaveLength(9);
    expect((await operator.get('/accounts')).json.items).toHaveLength(1);
    await server.app.delivery.drain();
    expect(await given.mails()).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('is answered as it was, with the secret that was told once', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const client = { name: 'P', metadata: { redirect_uris: ['https://p.example/cb'] } };
    const first = await operator.post('/clients', client, { 'idempotency-key': 'k' });
    const reordered = { metadata: client.metadata, name: 'P' };
    const again = await operator.post('/clients', reordered, { 'idempotency-key': 'k' });
    expect(again.status).toBe(201);
    expect(again.json).toEqual(first.json);
    const [row] = await given.rows<{ body: string }>(
      'select body::text as body from idempotency_keys',
    );
    expect(row!.body).not.toContain(first.json.secret);
    expect((await operator.get('/clients')).json.items).toHaveLength(1);
  });

  it('is another request when anything in it differs', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const other = caller(program, await given.apiToken());
    const key = { 'idempotency-key': 'k' };
    await operator.post('/accounts', account('acme'), key);
    const conflict = { status: 409, code: 'idempotency_conflict' };
    expect((await operator.post('/accounts', account('beta'), key)).json).toMatchObject(conflict);
    expect((await operator.post('/api-tokens', { name: 'x' }, key)).json).toMatchObject(conflict);
    // The keys of another token are its own.
    expect((await other.post('/accounts', account('beta'), key)).status).toBe(201);
    expect((await operator.get('/accounts')).json.items).toHaveLength(2);
  });

  it('is done when it was refused before, and may be done again after a day', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme');
    const operator = caller(program, await given.apiToken());
    const users = `/accounts/${acme.id}/users`;
    const key = { 'idempotency-key': 'k' };
    const ann = someone('ann@acme.example', { mode: 'dry-run' });
    const vouched = () =>
      operator.post(`/accounts/${acme.id}/domains/acme.example/attest`, { reason: 'x' });
    await given.hold(acme);
    expect((await operator.post(users, ann, key)).json.code).toBe('account_on_hold');
    await operator.post(`/accounts/${acme.id}/resume`);
    await vouched();
    expect((await operator.post(users, ann, key)).status).toBe(200);
    server.clock.advance(25 * 3600);
    expect((await operator.post(users, someone('bob@acme.example'), key)).status).toBe(201);
  });

  it('needs a key that is one', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    for (const key of ['two words', 'x'.repeat(201), 'ä'])
      expect((await operator.post('/keys/rotate', {}, { 'idempotency-key': key })).status).toBe(
        400,
      );
  });
});
