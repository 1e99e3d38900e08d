import { describe, expect } from 'vitest';
import { turns } from '#http/scim/turns.ts';
import { it } from '#test/support/it.ts';
import { directoryOf, user } from './support.ts';

const onPostgres = Boolean(process.env['TEST_DATABASE_URL']);

describe('large Bulk requests', () => {
  it('are carried out two at a time, those of each account in turn', async () => {
    const line = turns({ atOnce: 2, waiting: 3 });
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const take = (who: string, name: string): Promise<string> =>
      line.take(who, async () => {
        begun.push(name);
        await new Promise<void>((end) => ends.push(end));
        return name;
      });
    const all = ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1'].map((name) =>
      take(name[0]!, name),
    );
    const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    await settled();
    expect(begun).toEqual(['a1', 'a2']);
    await expect(take('a', 'one too many')).rejects.toMatchObject({ status: 429 });
    while (ends.length > 0) {
      ends.shift()!();
      await settled();
    }
    expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2', 'a5']);
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1']);
  });

  it('leave the place to the next also where they fail', async () => {
    const line = turns({ atOnce: 1, waiting: 1 });
    const failed = line.take('a', () => Promise.reject(new Error('no')));
    const next = line.take('a', () => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });

  it.skipIf(!onPostgres)(
    'let others create people while they are under way',
    async ({ given, program, server }) => {
      const acme = await given.account('Acme', { owns: ['acme.example'] });
      const directory = await directoryOf(given, program, acme);
      await given.rows(
        `insert into affiliation_counts (account_id, part, people)
         select $1, part, 0 from generate_series(0, 15) part`,
        [acme.id],
      );
      let letGo = (): void => {};
      let held = (): void => {};
      const isHeld = new Promise<void>((resolve) => (held = resolve));
      const underWay = server.app.foundation.database.transaction(async (tx) => {
        await tx.query('select 1 from affiliation_counts for update');
        held();
        await new Promise<void>((resolve) => (letGo = resolve));
      });
      await isHeld;
      expect((await directory.post('/Users', user('ann@acme.example'))).status).toBe(201);
      letGo();
      await underWay;
      expect((await directory.get('/Users?count=0')).json).toMatchObject({ totalResults: 1 });
    },
  );
});
