import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keepPrepared } from '#platform/database/embedded-statements.ts';

let pglite: PGlite;

beforeAll(async () => {
  pglite = await PGlite.create();
  keepPrepared(pglite);
  await pglite.exec(
    'create table people (id int primary key, name text, tags text[], at timestamptz)',
  );
}, 60_000);

afterAll(() => pglite.close());

async function insert(id: number, name: string | null): Promise<number | undefined> {
  const text = 'insert into people (id, name, tags) values ($1, $2, $3)';
  return (await pglite.query(text, [id, name, ['a', 'b']])).affectedRows;
}

/** How many times the database was asked to plan what it has kept. */
async function kept(): Promise<number> {
  const { rows } = await pglite.query<{ n: number }>(
    'select count(*)::int as n from pg_prepared_statements',
  );
  return rows[0]!.n;
}

describe.skipIf(inject('templateUrl') !== null)('a statement of the embedded database', () => {
  it('is prepared once, and answers the same each time', async () => {
    expect(await insert(1, 'Ann')).toBe(1);
    const before = await kept();
    expect(await insert(2, null)).toBe(1);
    const { rows } = await pglite.query('select * from people order by id');
    expect(rows).toEqual([
      { id: 1, name: 'Ann', tags: ['a', 'b'], at: null },
      { id: 2, name: null, tags: ['a', 'b'], at: null },
    ]);
    expect(await kept()).toBe(before + 1);
  });

  it('says which rows it changed and how many, and reads values as it is told to', async () => {
    const renamed = await pglite.query(
      'update people set name = $1 where id <= $2 returning id, name',
      ['Al', 2],
      { parsers: { 23: (value: string) => `number ${value}` } },
    );
    expect(renamed.rows).toEqual([
      { id: 'number 1', name: 'Al' },
      { id: 'number 2', name: 'Al' },
    ]);
    expect(renamed.affectedRows).toBe(2);
    const none = await pglite.query('update people set name = $1 where id = $2', ['Al', 99]);
    expect([none.rows, none.affectedRows]).toEqual([[], 0]);
    const lists = await pglite.query('select id, name from people where id = $1', [1], {
      rowMode: 'array',
    });
    expect(lists.rows).toEqual([[1, 'Al']]);
  });

  it('that fails says why, and the next one works, in a transaction and outside', async () => {
    await expect(insert(1, 'Eve')).rejects.toMatchObject({ code: '23505' });
    await expect(insert('x' as never, 'Eve')).rejects.toMatchObject({ code: '22P02' });
    await expect(pglite.query('select nothing from people')).rejects.toMatchObject({
      code: '42703',
    });
    expect(await insert(3, 'Bob')).toBe(1);

    await expect(
      pglite.transaction(async (tx) => {
        await tx.query('update people set name = $1 where id = $2', ['Robert', 3]);
        await tx.query('insert into people (id, name, tags) values ($1, $2, $3)', [3, '', []]);
      }),
    ).rejects.toMatchObject({ code: '23505' });
    const { rows } = await pglite.query('select name from people where id = $1', [3]);
    expect(rows).toEqual([{ name: 'Bob' }]);
  });

  it('sees a table as it is now', async () => {
    const all = () => pglite.query<object>('select * from people where id = $1', [1]);
    await all();
    await pglite.exec('alter table people add column country text');
    expect(Object.keys((await all()).rows[0]!)).toContain('country');
    await pglite.query('alter table people drop column country');
    expect(Object.keys((await all()).rows[0]!)).not.toContain('country');
  });

  it('is forgotten when there are too many', async () => {
    for (let n = 0; n < 510; n += 1) await pglite.query(`select ${n} as n`);
    expect(await kept()).toBeLessThanOrEqual(501);
    expect(await insert(4, 'Cole')).toBe(1);
  });
});
