import { expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { startAnother } from '#test/support/server.ts';
import { caller } from '../../http/admin/support.ts';

const rounds = 50;

/** Security.md D-79: two programs over one PostgreSQL; on the embedded database, over the one process. */
it('always leaves an organization one who looks after it, though two turn on each other at two processes', async ({
  given,
  server,
}) => {
  const other = await startAnother();
  try {
    const acme = await given.account();
    const token = await given.apiToken();
    const here = caller(server.agent({ cookies: false }), token);
    const there = caller(other.agent({ cookies: false }), token);
    const users = `/accounts/${acme.id}/users`;
    const acts = [
      (by: typeof here, id: string) =>
        by.post(`${users}/${id}/roles`, { remove: ['account_administrator'] }),
      (by: typeof here, id: string) => by.post(`${users}/${id}/lock`, { note: 'x' }),
      (by: typeof here, id: string) => by.delete(`${users}/${id}`),
    ];
    const usable = (): Promise<unknown[]> =>
      given.rows(
        `select 1 from role_assignments r where r.account_id = $1
           and r.role = 'account_administrator' and not exists (
             select from user_locks l where l.user_id = r.user_id and l.released_at is null)`,
        [acme.id],
      );
    const make = (name: string): Promise<{ id: string }> =>
      given.user(`${name}@acme.example`, {
        of: acme,
        roles: ['account_administrator'],
        password: null,
        accepts: false,
      });
    const total = server.app.foundation.database.kind === 'embedded' ? 9 : rounds;
    for (let round = 0; round < total; round += 1) {
      const [amy, bea] = [await make(`amy${round}`), await make(`bea${round}`)];
      // Who was left from the round before goes first, so that there are two.
      for (const { user_id: before } of await given.rows<{ user_id: string }>(
        `select user_id from role_assignments
         where account_id = $1 and role = 'account_administrator' and user_id <> all ($2::uuid[])`,
        [acme.id, `{${amy.id},${bea.id}}`],
      ))
        await here.post(`${users}/${before}/roles`, { remove: ['account_administrator'] });
      expect(await usable()).toHaveLength(2);
      const answers = await Promise.all([
        acts[round % 3]!(here, amy.id),
        acts[(round + Math.floor(round / 3)) % 3]!(there, bea.id),
      ]);
      expect(answers.map(({ status }) => status < 300).filter(Boolean)).toHaveLength(1);
      expect(answers.find(({ status }) => status >= 300)!.json.code).toBe('last_administrator');
      expect(await usable()).toHaveLength(1);
    }
    expect([...server.errors, ...other.errors]).toEqual([]);
  } finally {
    await other.close();
  }
});
