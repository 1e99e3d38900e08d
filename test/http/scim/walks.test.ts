import { describe, expect } from 'vitest';
import { totals } from '#identity/scim/totals.ts';
import { counting } from '#test/support/counting.ts';
import { it } from '#test/support/it.ts';
import { directoryOf } from './support.ts';

describe('a walk through the pages of a filter, by index (scim.md 5.1)', () => {
  it('counts at its first page, and again when something was changed or after a minute', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const directory = await directoryOf(given, program, acme);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'b1'])
      await directory.user(`${name}@acme.example`);
    const count = counting(server);
    const page = async (start: number, path = '/Users'): Promise<unknown[]> => {
      let answer: { json: { totalResults: number; itemsPerPage: number } } | undefined;
      const texts = await count(async () => {
        answer = await directory.filter(path, 'userName sw "a"', `&count=2&startIndex=${start}`);
      });
      const counts = texts.filter((text) => text.startsWith('select count')).length;
      return [answer!.json.totalResults, answer!.json.itemsPerPage, counts];
    };
    expect(await page(1)).toEqual([5, 2, 1]);
    expect(await page(3)).toEqual([5, 2, 0]);
    expect(await page(5)).toEqual([5, 1, 0]);
    expect(await page(1)).toEqual([5, 2, 1]);

    await directory.user('a6@acme.example');
    expect(await page(3)).toEqual([6, 2, 1]);
    // Somebody else brings people: it is seen where they are, and after a minute everywhere.
    for (const name of ['a7', 'a8']) await given.user(`${name}@acme.example`, { of: acme });
    expect(await page(3)).toEqual([6, 2, 0]);
    expect(await page(5)).toEqual([8, 2, 1]);
    await given.user('a9@acme.example', { of: acme });
    server.clock.advance(61);
    expect(await page(3)).toEqual([9, 2, 1]);

    // All resources in one are each counted where they stand.
    expect(await page(1, '/')).toEqual([9, 2, 2]);
    expect(await page(3, '/')).toEqual([9, 2, 0]);
    // A walk by cursor carries its number along.
    const { json } = await directory.filter('/Users', 'userName sw "a"', '&count=4&cursor=');
    const texts = await count(() =>
      directory.filter('/Users', 'userName sw "a"', `&count=4&cursor=${json.nextCursor}`),
    );
    expect(texts.join()).not.toContain('select count');
  });

  it('is kept for some filters of some accounts alone', () => {
    const known = totals();
    const now = new Date();
    for (let at = 0; at < 30; at += 1) known.keep('acme', `filter ${at}`, at, now);
    expect(known.known('acme', 'filter 9', now)).toBeNull();
    expect(known.known('acme', 'filter 10', now)).toBe(10);
    expect(known.known('beta', 'filter 10', now)).toBeNull();
    for (let at = 0; at < 500; at += 1) known.keep(`account ${at}`, 'filter', at, now);
    expect(known.known('acme', 'filter 10', now)).toBeNull();
    expect(known.known('account 0', 'filter', now)).toBe(0);
  });
});

describe('a question that the database gives up (scim.md 5.1)', () => {
  it('is one to narrow down, and nobody is told to come again with it', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const directory = await directoryOf(given, program, acme);
    await directory.user('ann@acme.example');
    const { database } = server.app.foundation;
    const { query } = database;
    const late = Object.assign(new Error('canceling statement due to statement timeout'), {
      code: '57014',
    });
    database.query = <Row>(text: string, ...rest: [never[]]) =>
      text.includes(' like ') ? Promise.reject(late) : query<Row>(text, ...rest);
    try {
      for (const answer of [
        await directory.filter('/Users', 'title co "x"'),
        await directory.filter('/Groups', 'displayName ew "x"'),
        await directory.post('/.search', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
          filter: 'displayName co "x"',
        }),
      ])
        expect([answer.status, answer.json.scimType, answer.headers['retry-after']]).toEqual([
          400,
          'tooMany',
          undefined,
        ]);
    } finally {
      database.query = query;
    }
    expect((await directory.filter('/Users', 'title co "x"')).status).toBe(200);
    expect(server.errors).toEqual([]);
  });
});
