import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';

const values = `
  select $1::text as text, $2::int8 as number, $3::timestamptz as at, $4::text[] as list,
    $5::jsonb as parsed, $6::boolean as flag, null::text as nothing`;
const at = new Date('2026-11-22T17:00:00.125Z');

/** Each is prepared by its first use, on the connection it goes over; what follows is another path. */
describe('a statement that is sent again', () => {
  it('takes and gives back what the first took and gave', async ({ server }) => {
    const { database } = server.app.foundation;
    const list = ['plain', 'a "quoted" one', 'back\\slash', 'a,comma', '{}', '', 'NULL', 'ü'];
    const sent = ['O\'Hara "x" \\', 2 ** 40, at, list, '{"a":[1,null]}', true];
    const expected = {
      text: sent[0],
      number: 2 ** 40,
      at,
      list,
      parsed: { a: [1, null] },
      flag: true,
      nothing: null,
    };
    const first = await Promise.all(Array.from({ length: 3 }, () => database.query(values, sent)));
    const later = await database.query(values, sent);
    for (const rows of [...first, later]) expect(rows).toEqual([expected]);
    expect(await database.query(values, [null, null, null, null, null, null])).toEqual([
      { ...expected, text: null, number: null, at: null, list: null, parsed: null, flag: null },
    ]);
    expect(await database.query(values, [null, null, null, [], null, false])).toMatchObject([
      { list: [], flag: false },
    ]);
  });

  it('gives as many rows as there are, and none where it only changes something', async ({
    given,
    server,
  }) => {
    const { database } = server.app.foundation;
    await given.account('Acme');
    await given.account('Globex');
    const named = 'select name from accounts where name = any($1::text[]) order by name';
    const rename = 'update accounts set name = $2 where name = $1';
    for (const [from, to] of [
      ['Acme', 'Initech'],
      ['Initech', 'Acme'],
    ] as const) {
      expect(await database.query(named, [['Globex', from]])).toHaveLength(2);
      expect(await database.query(named, [['nobody']])).toEqual([]);
      expect(await database.query(rename, [from, to])).toEqual([]);
    }
    expect(await database.query(named, [['Acme', 'Globex']])).toEqual([
      { name: 'Acme' },
      { name: 'Globex' },
    ]);
  });

  it('fails alone: those before and after it on the connection do not', async ({ server }) => {
    const { database } = server.app.foundation;
    const divided = 'select 6 / $1::int as quotient';
    for (let time = 0; time < 2; time += 1) {
      const results = await Promise.allSettled(
        [2, 0, 3].map((by) => database.query(divided, [by])),
      );
      expect(results).toMatchObject([
        { value: [{ quotient: 3 }] },
        { status: 'rejected', reason: { code: '22012' } },
        { value: [{ quotient: 2 }] },
      ]);
    }
    await expect(database.query('select $1::no_such_type', ['x'])).rejects.toThrow('no_such_type');
    await expect(database.query(values, [new Date(Number.NaN)])).rejects.toThrow();
    expect(await database.query(divided, [1])).toEqual([{ quotient: 6 }]);
  });
});
