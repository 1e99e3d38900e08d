import { describe, expect } from 'vitest';
import { counting } from '#test/support/counting.ts';
import { it } from '#test/support/it.ts';
import { directoryOf, user } from './support.ts';

describe('what a directory asks costs in statements (performance.md, section 2)', () => {
  it('one for who is read, also for who asks; a change of one attribute two', async ({
    given,
    server,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const other = await given.account('Globex', { owns: ['globex.example'] });
    const directory = await directoryOf(given, program, acme);
    const stranger = await directoryOf(given, program, other);
    const count = counting(server);
    const answers: unknown[] = [];
    const sent = async (ask: () => Promise<{ json: unknown; status: number }>): Promise<number> =>
      (await count(async () => answers.push(await ask()))).length;

    const { json: ann } = await directory.post('/Users', user('ann@acme.example'));
    await stranger.get('/Users?count=0');
    const byId = `/Users/${ann.id}`;
    const byName = (): Promise<{ json: unknown; status: number }> =>
      directory.filter('/Users', 'userName eq "Ann@acme.example"');
    expect(await sent(() => directory.get(byId))).toBe(1);
    expect(await sent(byName)).toBe(1);
    expect(await sent(() => directory.filter('/Users', 'userName eq "bob@acme.example"'))).toBe(1);
    expect(await sent(() => stranger.get(byId))).toBe(1);
    expect(answers).toMatchObject([
      { status: 200, json: ann },
      { status: 200, json: { totalResults: 1, Resources: [ann] } },
      { status: 200, json: { totalResults: 0, Resources: [] } },
      { status: 404 },
    ]);

    const renamed = { op: 'replace', path: 'displayName', value: 'Ann A.' };
    expect(await sent(() => directory.patch(byId, renamed))).toBe(2);
    expect(answers.at(-1)).toEqual(
      expect.objectContaining({ status: 200, json: (await directory.get(byId)).json }),
    );
    const created = await sent(() => directory.post('/Users', user('bob@acme.example')));
    expect(created).toBe(6);
  });

  it('and nothing of anybody is read by who may not ask', async ({ given, server, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const directory = await directoryOf(given, program, acme);
    const groupsOnly = await directoryOf(given, program, acme, { scopes: { users: false } });
    const { json: ann } = await directory.post('/Users', user('ann@acme.example'));

    expect((await groupsOnly.get(`/Users/${ann.id}`)).status).toBe(403);
    expect((await groupsOnly.filter('/Users', 'userName eq "ann@acme.example"')).status).toBe(403);
    await server.given.rows('update scim_tokens set revoked_at = now()');
    expect((await directory.get(`/Users/${ann.id}`)).status).toBe(401);
    // What is wrong with a question is told to who may ask it.
    expect((await directory.filter('/Users', 'userName eq')).status).toBe(401);
  });
});
