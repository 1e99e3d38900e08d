import { describe, expect } from 'vitest';
import { unitOfWork } from '#identity/work.ts';
import { it } from '#test/support/it.ts';

const onPostgres = Boolean(process.env['TEST_DATABASE_URL']);
const named = 'select count(*)::int as accounts from accounts where name = $1';

describe('a transaction', () => {
  it('keeps nothing when what goes out with the commit fails', async ({ given, server }) => {
    const { database } = server.app.foundation;
    const acme = await given.account('Acme');
    await expect(
      database.transaction(async (tx) => {
        await tx.query(`update accounts set name = 'Globex' where id = $1`, [acme.id]);
        tx.last('select 1 / $1::int', [0]);
        return 'done';
      }),
    ).rejects.toMatchObject({ code: '22012' });
    expect(await database.query(named, ['Acme'])).toEqual([{ accounts: 1 }]);

    // The connection is as good as new.
    await database.transaction(async (tx) => {
      tx.last(`update accounts set name = 'Globex' where id = $1`, [acme.id]);
    });
    expect(await database.query(named, ['Globex'])).toEqual([{ accounts: 1 }]);
  });

  it.skipIf(!onPostgres)(
    'is not taken for done when a failure in it was passed over',
    async ({ given, server }) => {
      const { database } = server.app.foundation;
      const acme = await given.account('Acme');
      await expect(
        database.transaction(async (tx) => {
          await tx.query(`update accounts set name = 'Globex' where id = $1`, [acme.id]);
          await tx.query('select 1 / 0').catch(() => {});
        }),
      ).rejects.toThrow('nothing was committed');
      expect(await database.query(named, ['Globex'])).toEqual([{ accounts: 0 }]);
    },
  );

  it('writes audit rows with it or not at all', async ({ given, server }) => {
    const { foundation } = server.app;
    const acme = await given.account('Acme');
    const change = unitOfWork(
      foundation,
      { actor: { type: 'system', id: 'test' } },
      async (work) => {
        await work.query(`update accounts set name = 'Globex' where id = $1`, [acme.id]);
        work.record('account.changed', { type: 'account', id: acme.id }, {}, 'no id of an account');
      },
    );
    await expect(change).rejects.toMatchObject({ code: '22P02' });
    expect(await foundation.database.query(named, ['Globex'])).toEqual([{ accounts: 0 }]);
  });
});
