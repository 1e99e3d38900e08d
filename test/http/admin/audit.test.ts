import { hash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { canonicalJson, sealAudit } from '#identity/audit/chain.ts';
import { loadAppSecrets } from '#identity/keys/app-secrets.ts';
import { eraseDue } from '#identity/users/erase.ts';
import { it } from '#test/support/it.ts';
import { caller, someone } from './support.ts';
import type { World } from '#test/support/world.ts';

async function seal({ foundation: { database, vault } }: World): Promise<void> {
  while (((await sealAudit(database, vault)) ?? 1) > 0);
}

describe('the audit log as a file', () => {
  it('has all that is needed to compute the chain again, line by line', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    for (let index = 0; index < 5; index += 1)
      await admin.post(`/accounts/${acme.id}/groups`, { name: `Group ${index}` });
    await seal(given);

    const file = await admin.get(`/accounts/${acme.id}/audit.jsonl`);
    expect(file.headers['content-type']).toContain('application/jsonl');
    const lines = file.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ seq }) => seq !== null);
    expect(lines.length).toBeGreaterThan(5);
    let previous: unknown = null;
    for (const { hash: seal, actorName, ...statement } of lines) {
      void actorName;
      expect(statement['previous']).toBe(previous);
      expect(hash('sha256', canonicalJson(statement), 'base64url')).toBe(seal);
      previous = seal;
    }
    const { json } = await admin.get(`/accounts/${acme.id}/audit/verification`);
    expect(json).toMatchObject({ fault: null, checked: lines.length, end: { hash: previous } });
    expect(await given.events()).toContain('audit.exported');
  });

  it('is a table that no spreadsheet takes for a formula', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    const headers = { 'user-agent': '=HYPERLINK("https://evil.example")' };
    await admin.post(`/accounts/${acme.id}/groups`, { name: '=1+1' }, headers);
    const { text, headers: answered } = await admin.get(`/accounts/${acme.id}/audit.csv`);
    expect(answered['content-type']).toContain('text/csv');
    expect(text).toContain(`"'=HYPERLINK(""https://evil.example"")"`);
    for (const line of text.split('\r\n').slice(1))
      for (const cell of line.match(/(?<=^|,)("(?:[^"]|"")*"|[^,]*)/g) ?? [])
        expect(cell).not.toMatch(/^"?[=+@\t]/);
  });

  it('is the account’s own, and all of it only for operators', async ({ given, program }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const admin = caller(program, await given.apiToken(acme));
    const operator = caller(program, await given.apiToken());
    expect((await admin.get(`/accounts/${beta.id}/audit.csv`)).status).toBe(404);
    expect((await admin.get('/audit.jsonl')).status).toBe(403);
    expect((await operator.get('/audit.jsonl')).status).toBe(200);
    expect((await operator.get('/audit.jsonl?nonsense=1')).status).toBe(422);
  });

  it('is searched between two moments', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    const moment = (): string => encodeURIComponent(server.clock().toISOString());
    await admin.post(`/accounts/${acme.id}/groups`, { name: 'Before' });
    server.clock.advance(60);
    const since = moment();
    await admin.post(`/accounts/${acme.id}/groups`, { name: 'Between' });
    server.clock.advance(60);
    const until = moment();
    await admin.post(`/accounts/${acme.id}/groups`, { name: 'After' });
    const path = `/accounts/${acme.id}/audit?action=group.created&since=${since}&until=${until}`;
    const { items } = (await admin.get(path)).json as { items: { details: { name: string } }[] };
    expect(items.map(({ details }) => details.name)).toEqual(['Between']);
    const operator = caller(program, await given.apiToken());
    expect(
      (await operator.get(`/audit?action=group.created&until=${until}`)).json.items,
    ).toHaveLength(2);
  });

  it('is filtered as the list is', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    await admin.post(`/accounts/${acme.id}/users`, someone('ann@acme.example'));
    await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    const { text } = await admin.get(`/accounts/${acme.id}/audit.jsonl?action=group.*`);
    const lines = text.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      action: 'group.created',
      details: { name: 'Bridges' },
    });
  });
});

it('finds what happened to a person by the address they had before they were erased', async ({
  server,
  given,
  program,
}) => {
  const operator = caller(program, await given.apiToken());
  const before = await given.user('ann@nowhere.example');
  const asked = await operator.post('/erasures', { email: 'Ann@nowhere.example' });
  expect(asked.json).toMatchObject({ userId: before.id, state: 'grace' });
  server.clock.advance(31 * 86_400);
  const { database, vault, clock } = given.foundation;
  const { marks } = await loadAppSecrets(database, vault, clock());
  await eraseDue(given.foundation, marks);
  const after = await given.user('ann@nowhere.example');

  const found = await operator.get('/audit?target=ann@nowhere.example&limit=200');
  const targets = (found.json.items as { target: { id: string }; action: string }[]).map(
    ({ target }) => target.id,
  );
  expect(new Set(targets)).toEqual(new Set([before.id, after.id]));
  expect(found.text).not.toContain('ann@nowhere.example');
});
