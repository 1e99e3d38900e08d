import { describe, expect } from 'vitest';
import { continueMoves } from '#identity/accounts/move-people.ts';
import { it } from '#test/support/it.ts';
import { caller } from './support.ts';

describe('merging and closing over the API', () => {
  it('is for operators; shown first, and done with the digest of what was shown', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const ann = await given.user('ann@acme.example', { of: acme });
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/merge`;
    expect((await admin.post(path, { into: beta.id })).status).toBe(403);

    const dry = await operator.post(path, { into: beta.id });
    expect(dry.status).toBe(200);
    expect(dry.json).toMatchObject({ dryRun: true, move: null, report: { problems: [] } });
    const blind = await operator.post(path, { into: beta.id, mode: 'apply' });
    expect([blind.status, blind.json.code]).toEqual([422, 'invalid_value']);
    const wrong = await operator.post(path, {
      into: beta.id,
      mode: 'apply',
      confirm: 'something else',
      reason: 'Bought.',
    });
    expect([wrong.status, wrong.json.code]).toEqual([409, 'version_conflict']);
    const done = await operator.post(path, {
      into: beta.id,
      mode: 'apply',
      confirm: dry.json.digest,
      reason: 'Bought.',
    });
    expect(done.status).toBe(201);
    while (await continueMoves(given.foundation));
    const move = await operator.get(`/account-moves/${done.json.move.id}`);
    expect(move.json).toMatchObject({ state: 'done', moved: 1, total: 1 });
    expect((await given.person(ann))!.account!.id).toBe(beta.id);
    expect((await admin.get(`/accounts/${acme.id}`)).status).toBe(401);
  });

  it('leads from the old id of a merged account to where it went', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const beta = await given.account('Beta');
    const operator = caller(program, await given.apiToken());
    const path = `/accounts/${acme.id}/merge`;
    const { digest } = (await operator.post(path, { into: beta.id })).json;
    await operator.post(path, { into: beta.id, mode: 'apply', confirm: digest, reason: 'Bought.' });
    const answer = await operator.get(`/accounts/${acme.id}`);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ status: 'merged', mergedInto: beta.id });
  });

  it('is done once when two operators apply the same report', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const beta = await given.account('Beta');
    const operator = caller(program, await given.apiToken());
    const path = `/accounts/${acme.id}/merge`;
    const { digest } = (await operator.post(path, { into: beta.id })).json;
    const apply = { into: beta.id, mode: 'apply', confirm: digest, reason: 'Bought.' };
    const answers = await Promise.all([1, 2, 3].map(() => operator.post(path, apply)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await given.rows('select 1 from account_moves')).toHaveLength(1);
  });

  it('closes an account, and keeps it', async ({ given, program }) => {
    const acme = await given.account();
    const operator = caller(program, await given.apiToken());
    const closing = await operator.post(`/accounts/${acme.id}/close`, { reason: 'It ended.' });
    expect(closing.json.status).toBe('closing');
    const again = await operator.post(`/accounts/${acme.id}/close`, { reason: 'It ended.' });
    expect([again.status, again.json.code]).toEqual([409, 'account_closed']);
    expect((await operator.post(`/accounts/${acme.id}/keep`)).json.status).toBe('active');
  });
});
