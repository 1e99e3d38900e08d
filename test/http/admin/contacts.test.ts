import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { caller, statusesOf } from './support.ts';

describe('fulfillment contacts', () => {
  it('are members, ten at most, each once for a country', async ({ given, program }) => {
    const acme = await given.account('Acme', { countries: ['US', 'DE'] });
    const admin = caller(program, await given.apiToken(acme, 'co_administrator'));
    const path = `/accounts/${acme.id}/fulfillment-contacts`;
    const people = [];
    for (let index = 0; index < 11; index += 1)
      people.push(
        await given.user(`p${index}@acme.example`, { of: acme, password: null, accepts: false }),
      );
    const stranger = await given.user('carl@nowhere.example');
    expect((await admin.post(path, { userId: stranger.id })).json.code).toBe('user_not_found');

    expect((await admin.post(path, { userId: people[0]!.id })).status).toBe(201);
    expect((await admin.post(path, { userId: people[0]!.id })).json.code).toBe('name_taken');
    expect((await admin.post(path, { userId: people[0]!.id, country: 'FR' })).json.code).toBe(
      'invalid_country',
    );
    for (const { id } of people.slice(1, 9)) await admin.post(path, { userId: id });
    const last = await Promise.all(
      people.slice(9).map(({ id }) => admin.post(path, { userId: id })),
    );
    expect(statusesOf(last)).toEqual([201, 409]);
    expect((await admin.get(path)).json.items).toHaveLength(10);
  });

  it('never become none, though two are taken away at the same moment', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { countries: ['US'] });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/fulfillment-contacts`;
    for (let round = 0; round < 5; round += 1) {
      const two = await Promise.all(
        [0, 1].map((index) => given.user(`r${round}-${index}@acme.example`, { of: acme })),
      );
      for (const { id } of two) await admin.post(path, { userId: id });
      const { items } = (await admin.get(path)).json as { items: { id: string }[] };
      const answers = await Promise.all(items.map(({ id }) => admin.delete(`${path}/${id}`)));
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
      expect(answers.find(({ status }) => status === 409)!.json.code).toBe('last_contact');
      expect((await admin.get(path)).json.items).toHaveLength(1);
    }
  });

  it('are found by three letters or more', async ({ given, program }) => {
    const acme = await given.account();
    await given.user('ann@acme.example', { of: acme, givenName: 'Ann', familyName: '100% Sure_' });
    const admin = caller(program, await given.apiToken(acme));
    const search = (q: string) =>
      admin.get(`/accounts/${acme.id}/fulfillment-contacts/search?q=${encodeURIComponent(q)}`);
    expect((await search('an')).status).toBe(422);
    expect((await search(' a ')).status).toBe(422);
    expect((await search('ann')).json.items).toMatchObject([{ email: 'ann@acme.example' }]);
    expect((await search('0% S')).json.items).toHaveLength(1);
    expect((await search('%%%')).json.items).toHaveLength(0);
    expect((await search('zzz')).json.items).toHaveLength(0);
  });

  it('are not locked or removed before the designation is', async ({ given, program }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    const admin = caller(program, await given.apiToken(acme));
    await admin.post(`/accounts/${acme.id}/fulfillment-contacts`, { userId: ann.id });
    const removed = await admin.delete(`/accounts/${acme.id}/users/${ann.id}`);
    expect([removed.status, removed.json.code]).toEqual([409, 'user_is_fulfillment_contact']);
  });
});
