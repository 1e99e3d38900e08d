import { describe, expect } from 'vitest';
import { continueMoves } from '#identity/accounts/move-people.ts';
import { it } from '#test/support/it.ts';
import type { Agent } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { caller, type Caller } from './support.ts';

/** Acme goes into Beta: whoever is at the server proposed it. */
async function proposed(given: World, program: Agent) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const beta = await given.account('Beta');
  const operator = caller(program, await given.apiToken());
  const propose = (who: Caller, confirm: string) =>
    who.post(`/accounts/${acme.id}/merge`, {
      into: beta.id,
      mode: 'propose',
      confirm,
      reason: 'Bought.',
    });
  const { digest } = (await operator.post(`/accounts/${acme.id}/merge`, { into: beta.id })).json;
  const { proposal } = (await propose(operator, digest)).json;
  const confirm = `/account-move-proposals/${proposal.id}/confirm`;
  return { acme, operator, digest, confirm, propose };
}

describe('merging and closing over the API', () => {
  it('is for operators: shown first, proposed with the digest of what was shown, and begun by another', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const ann = await given.user('ann@acme.example', { of: acme });
    const olga = caller(program, (await given.operator('olga@ostiary.example')).token);
    const otto = caller(program, (await given.operator('otto@ostiary.example')).token);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/merge`;
    expect((await admin.post(path, { into: beta.id })).status).toBe(403);

    const dry = await olga.post(path, { into: beta.id });
    expect(dry.status).toBe(200);
    expect(dry.json).toMatchObject({ dryRun: true, proposal: null, report: { problems: [] } });
    const blind = await olga.post(path, { into: beta.id, mode: 'propose' });
    expect([blind.status, blind.json.code]).toEqual([422, 'invalid_value']);
    const propose = { into: beta.id, mode: 'propose', reason: 'Bought.' };
    const wrong = await olga.post(path, { ...propose, confirm: 'something else' });
    expect([wrong.status, wrong.json.code]).toEqual([409, 'version_conflict']);
    const proposed = await olga.post(path, { ...propose, confirm: dry.json.digest });
    expect(proposed.status).toBe(201);
    const { proposal, digest } = proposed.json;
    expect(proposal).toMatchObject({ state: 'open', reason: 'Bought.', targetId: beta.id });
    expect((await given.person(ann))!.account!.id).toBe(acme.id);

    // Neither she herself, nor another token of hers.
    const confirm = `/account-move-proposals/${proposal.id}/confirm`;
    const more = await olga.post('/api-tokens', { name: 'Another of Olga' });
    for (const same of [olga, caller(program, more.json.secret)]) {
      const refused = await same.post(confirm, { digest });
      expect([refused.status, refused.json.code]).toEqual([403, 'second_operator_required']);
    }
    expect((await admin.post(confirm, { digest })).status).toBe(403);
    const unread = await otto.post(confirm, { digest: 'another report' });
    expect([unread.status, unread.json.code]).toEqual([409, 'version_conflict']);
    const begun = await otto.post(confirm, { digest });
    expect(begun.status).toBe(201);
    while (await continueMoves(given.foundation));
    const move = await otto.get(`/account-moves/${begun.json.id}`);
    expect(move.json).toMatchObject({ state: 'done', moved: 1, total: 1 });
    expect((await given.person(ann))!.account!.id).toBe(beta.id);
    expect((await admin.get(`/accounts/${acme.id}`)).status).toBe(401);
    const { items } = (await olga.get(`/account-move-proposals?account=${acme.id}`)).json;
    expect(items).toMatchObject([{ id: proposal.id, state: 'confirmed', moveId: begun.json.id }]);
    expect(await given.events()).toEqual(
      expect.arrayContaining(['account.move_proposed', 'account.move_confirmed', 'account.merged']),
    );

    // The old id leads to where it went.
    const answer = await olga.get(`/accounts/${acme.id}`);
    expect(answer.json).toMatchObject({ status: 'merged', mergedInto: beta.id });
  });

  it('needs a person at each end: all tokens made at the server are one', async ({
    given,
    program,
  }) => {
    const { acme, operator, digest, confirm } = await proposed(given, program);
    const other = caller(program, await given.apiToken());
    expect((await other.post(confirm, { digest })).json.code).toBe('second_operator_required');
    const withdrawn = await operator.post(confirm.replace(/confirm$/, 'withdraw'));
    expect(withdrawn.json).toMatchObject({ state: 'withdrawn', sourceId: acme.id });
    const otto = caller(program, (await given.operator('otto@ostiary.example')).token);
    const late = await otto.post(confirm, { digest });
    expect([late.status, late.json.code]).toEqual([409, 'proposal_closed']);
  });

  it('is refused with the new report where something changed since, and is over after a day', async ({
    given,
    program,
    server,
  }) => {
    const { acme, operator, digest, confirm, propose } = await proposed(given, program);
    const otto = caller(program, (await given.operator('otto@ostiary.example')).token);
    await given.user('new@acme.example', { of: acme });
    const changed = await otto.post(confirm, { digest });
    expect([changed.status, changed.json.code]).toEqual([409, 'version_conflict']);
    expect(changed.json.details.report.people.members).toBe(1);
    expect(await given.rows('select 1 from account_moves')).toEqual([]);

    // Who wants that proposes it: the older proposal is closed.
    const anew = await propose(otto, changed.json.details.digest);
    expect(anew.status).toBe(201);
    expect((await otto.post(confirm, { digest })).json.code).toBe('proposal_closed');
    server.clock.advance(24 * 3600 + 1);
    const again = `/account-move-proposals/${anew.json.proposal.id}`;
    const late = await operator.post(`${again}/confirm`, { digest: anew.json.digest });
    expect([late.status, late.json.code]).toEqual([409, 'proposal_closed']);
    expect((await operator.get(again)).json.state).toBe('expired');
    expect((await operator.get('/account-move-proposals?open=true')).json.items).toEqual([]);
  });

  it('is begun once when several confirm at the same moment', async ({ given, program }) => {
    const { digest, confirm } = await proposed(given, program);
    const others = await Promise.all(
      ['olga', 'otto', 'odin'].map((name) => given.operator(`${name}@ostiary.example`)),
    );
    const answers = await Promise.all(
      others.map(({ token }) => caller(program, token).post(confirm, { digest })),
    );
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
