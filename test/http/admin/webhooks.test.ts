import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { caller } from './support.ts';

const url = 'https://hooks.acme.example/ostiary';

describe('webhooks', () => {
  it('are registered by Account Administrators, and the secret is told once', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const path = `/accounts/${acme.id}/webhooks`;
    expect((await co.post(path, { url, actions: ['*'] })).status).toBe(403);
    const made = await admin.post(path, { url, actions: ['user.*', 'group.created'] });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      url,
      state: 'active',
      secret: expect.stringMatching(/^whsec_/),
    });
    const listed = await admin.get(path);
    expect(listed.json.items).toHaveLength(1);
    expect(listed.text).not.toContain('whsec_');
    const paused = await admin.patch(`${path}/${made.json.id}`, { state: 'paused' });
    expect(paused.json).toMatchObject({ state: 'paused', actions: ['user.*', 'group.created'] });
    const rotated = await admin.post(`${path}/${made.json.id}/rotate-secret`);
    expect(rotated.json.secret).not.toBe(made.json.secret);
    expect((await admin.delete(`${path}/${made.json.id}`)).status).toBe(204);
    expect((await admin.get(`${path}/${made.json.id}`)).status).toBe(404);
  });

  it.for([
    'http://hooks.acme.example/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::ffff:10.0.0.1]/',
    'https://0xa.1/',
    'https://metadata/',
    'https://hooks.acme.example:22/',
    'https://ann:secret@hooks.acme.example/',
    'javascript:alert(1)',
    'nothing',
  ])('do not lead inside: %s', async (inside, { given, program }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const answer = await admin.post(`/accounts/${acme.id}/webhooks`, {
      url: inside,
      actions: ['*'],
    });
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_value']);
  });

  it('of one account are nothing to another', async ({ given, program }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const admin = caller(program, await given.apiToken(acme));
    const other = caller(program, await given.apiToken(beta));
    const { json } = await admin.post(`/accounts/${acme.id}/webhooks`, { url, actions: ['*'] });
    for (const account of [acme, beta])
      for (const answer of [
        await other.get(`/accounts/${account.id}/webhooks/${json.id}`),
        await other.post(`/accounts/${account.id}/webhooks/${json.id}/test`),
        await other.delete(`/accounts/${account.id}/webhooks/${json.id}`),
      ])
        expect(answer.status).toBe(404);
    expect((await other.get('/webhooks')).status).toBe(403);
  });

  it('are tested and replayed, and say what came back', async ({ given, program }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/webhooks`;
    const { json } = await admin.post(path, { url, actions: ['*'] });
    const test = await admin.post(`${path}/${json.id}/test`);
    expect(test.json).toMatchObject({ type: 'webhook.test', state: 'pending', event: null });
    const { items } = (await admin.get(`${path}/${json.id}/deliveries`)).json;
    expect(items).toMatchObject([{ id: test.json.id, attempts: 0 }]);
    const skipped = await admin.post(`${path}/${json.id}/deliveries/${test.json.id}`, {
      decision: 'skip',
    });
    expect(skipped.json.state).toBe('skipped');
    const replayed = await admin.post(`${path}/${json.id}/replay`, {
      since: '2020-01-01T00:00:00Z',
    });
    expect(replayed.status).toBe(200);
  });
});
