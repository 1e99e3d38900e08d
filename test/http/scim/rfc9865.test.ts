import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf, type Directory } from './support.ts';

/** Goes through a list by its cursors. */
async function walk(entra: Directory, path: string): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor = '';
  for (;;) {
    const { json, status } = await entra.get(`${path}&cursor=${cursor}`);
    if (status !== 200) throw new Error(json.detail);
    expect(json).not.toHaveProperty('startIndex');
    expect(json).not.toHaveProperty('previousCursor');
    pages.push(
      json.Resources.map((one: { userName?: string; displayName: string }) =>
        (one.userName ?? one.displayName).slice(0, 2),
      ),
    );
    if (json.nextCursor === undefined) return pages;
    expect(json.nextCursor).toMatch(/^[\w.~-]+$/);
    cursor = json.nextCursor;
  }
}

describe('RFC 9865: cursors', () => {
  it('lead through a list once, the last page without one, however full', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    for (const [name, family] of [
      ['a1', 'B'],
      ['b2', 'A'],
      ['c3', ''],
      ['d4', 'b'],
      ['e5', ''],
      ['f6', 'C'],
    ])
      await entra.user(`${name}@acme.example`, {
        name: { familyName: family },
        active: name !== 'b2',
      });
    expect(await walk(entra, '/Users?count=2')).toEqual([
      ['a1', 'b2'],
      ['c3', 'd4'],
      ['e5', 'f6'],
    ]);
    expect(await walk(entra, '/Users?count=4')).toEqual([
      ['a1', 'b2', 'c3', 'd4'],
      ['e5', 'f6'],
    ]);
    expect(await walk(entra, '/Users?count=2&sortBy=name.familyName')).toEqual([
      ['b2', 'a1'],
      ['d4', 'f6'],
      ['c3', 'e5'],
    ]);
    expect(await walk(entra, '/Users?count=4&sortBy=userName&sortOrder=descending')).toEqual([
      ['f6', 'e5', 'd4', 'c3'],
      ['b2', 'a1'],
    ]);
    expect(await walk(entra, '/Users?count=4&sortBy=active')).toEqual([
      ['b2', 'a1', 'c3', 'd4'],
      ['e5', 'f6'],
    ]);
    expect(
      await walk(entra, `/Users?count=3&filter=${encodeURIComponent('active eq true')}`),
    ).toEqual([
      ['a1', 'c3', 'd4'],
      ['e5', 'f6'],
    ]);
    await entra.group('G1');
    await entra.group('G2');
    expect(await walk(entra, '/Groups?count=1')).toEqual([['G1'], ['G2']]);
    expect((await walk(entra, '/?count=3')).flat()).toEqual([
      'a1',
      'b2',
      'c3',
      'd4',
      'e5',
      'f6',
      'G1',
      'G2',
    ]);
  });

  it('go on where they were, whoever came or went meanwhile', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    for (const name of ['a1', 'c3', 'e5', 'g7']) await entra.user(`${name}@acme.example`);
    const path = '/Users?sortBy=userName&count=2';
    const first = (await entra.get(`${path}&cursor=`)).json;
    await entra.delete(`/Users/${first.Resources[1].id}`);
    await entra.user('b2@acme.example');
    await entra.user('f6@acme.example');
    const second = (await entra.get(`${path}&cursor=${first.nextCursor}`)).json;
    expect(second.Resources.map((one: { userName: string }) => one.userName.slice(0, 2))).toEqual([
      'e5',
      'f6',
    ]);
  });

  it('are good for their list, their account and an hour', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const entra = await directoryOf(given, program, acme);
    const other = await directoryOf(given, program, beta);
    for (const name of ['a', 'b', 'c']) await entra.user(`${name}@acme.example`);
    const { nextCursor } = (await entra.get('/Users?count=1&cursor')).json;
    const refused = async (by: Directory, query: string) => {
      const { status, json } = await by.get(`/Users?${query}`);
      return [status, json.scimType];
    };
    const [body, signature] = nextCursor.split('.');
    const edited = Buffer.from(JSON.stringify([9e9, '2000-01-01', "' or true --"])).toString(
      'base64url',
    );
    for (const cursor of [
      `${edited}.${signature}`,
      `${body}.x`,
      body,
      'x',
      `${body}.${signature}x`,
    ])
      expect(await refused(entra, `count=1&cursor=${cursor}`)).toEqual([400, 'invalidCursor']);
    expect(await refused(other, `count=1&cursor=${nextCursor}`)).toEqual([400, 'invalidCursor']);
    expect(await refused(entra, `count=1&sortBy=userName&cursor=${nextCursor}`)).toEqual([
      400,
      'invalidCursor',
    ]);
    expect(await refused(entra, `filter=title+pr&cursor=${nextCursor}`)).toEqual([
      400,
      'invalidCursor',
    ]);
    for (const count of ['many', '0', '-1'])
      expect(await refused(entra, `count=${count}&cursor=${nextCursor}`)).toEqual([
        400,
        'invalidCount',
      ]);
    expect(await refused(entra, `count=1&cursor=${nextCursor}.x`)).toEqual([400, 'invalidCursor']);
    expect(await refused(entra, `startIndex=2&cursor=${nextCursor}`)).toEqual([
      400,
      'invalidValue',
    ]);
    server.clock.advance(3601);
    expect(await refused(entra, `count=1&cursor=${nextCursor}`)).toEqual([400, 'expiredCursor']);
  });

  it('are asked for in a search too', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    for (const name of ['a', 'b']) await entra.user(`${name}@acme.example`);
    const search = (cursor: string) =>
      entra.post('/Users/.search', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
        count: 1,
        cursor,
      });
    const first = (await search('')).json;
    expect(first).toMatchObject({
      totalResults: 2,
      itemsPerPage: 1,
      nextCursor: expect.any(String),
    });
    expect((await search(first.nextCursor)).json.Resources[0].userName).toBe('b@acme.example');
  });
});
