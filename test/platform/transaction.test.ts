import { describe, expect } from 'vitest';
import { unitOfWork } from '#identity/work.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import { it } from '#test/support/it.ts';

const url = process.env['TEST_DATABASE_URL'];
const onPostgres = Boolean(url);
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

describe.skipIf(!onPostgres)('a database that is closed', () => {
  it('keeps no connection open: a command that is done ends', async ({ server }) => {
    const closed = await openPostgres(url!, [], () => {});
    const whoami = 'select pg_backend_pid() as pid';
    const used = [
      ...(await closed.query<{ pid: number }>(whoami)),
      ...(await closed.transaction((tx) => tx.query<{ pid: number }>(whoami))),
    ].map(({ pid }) => pid);
    const left = 'select pid from pg_stat_activity where pid = any($1::int[])';
    expect(await server.app.foundation.database.query(left, [used])).toHaveLength(2);
    await closed.close();
    await expect
      .poll(() => server.app.foundation.database.query(left, [used]), { timeout: 5000 })
      .toEqual([]);
  });
});
