import { describe, expect } from 'vitest';
import type { Param, Sql } from '#platform/database/sql.ts';
import { list, type ListRequest } from '#identity/scim/list.ts';
import { everything } from '#identity/scim/projection.ts';
import { users } from '#identity/scim/schema.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';

/** An account of some thousand people, as PostgreSQL knows it. */
async function crowd(server: TestServer, accountId: string, size: number): Promise<void> {
  await server.app.foundation.database.transaction(async (tx) => {
    await tx.query(`set local session_replication_role = 'replica'`);
    await tx.query(
      `insert into users (id, email, email_display, identity, affiliation, account_id, created_at, updated_at)
       select gen_random_uuid(), 'p' || n || '@acme.example', 'p' || n || '@acme.example', 'ready',
         'member', $1::uuid, now(), now() from generate_series(1, $2::int) n`,
      [accountId, size],
    );
    await tx.query(
      `insert into affiliations (id, user_id, account_id, reason, began_at, modified_at, user_name,
         user_name_key, external_id, family_name_key, display_name_key)
       select gen_random_uuid(), u.id, u.account_id, 'test', now() + row_number() over () * '1 ms'::interval,
         now() + row_number() over () * '1 ms'::interval, u.email, u.email, md5(u.email), md5(u.email),
         md5(u.email)
       from users u where u.account_id = $1`,
      [accountId],
    );
    await tx.query(
      `insert into affiliation_emails (affiliation_id, account_id, ord, type, value, value_key)
       select id, account_id, 0, 'work', user_name, user_name_key from affiliations`,
    );
    for (const table of ['users', 'affiliations', 'affiliation_emails', 'group_members', 'groups'])
      await tx.query(`analyze ${table}`);
  });
}

describe('what directories ask', () => {
  it('is answered by an index, however many people there are', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await crowd(server, acme.id, 4000);
    const { database } = server.app.foundation;
    const plans: string[] = [];
    const sql: Sql = {
      async query<Row>(text: string, params: readonly Param[] = []) {
        const rows = await database.query<{ 'QUERY PLAN': string }>(`explain ${text}`, params);
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        return database.query<Row>(text, params);
      },
    };
    const context = {
      sql,
      accountId: acme.id,
      cursorKeys: [Buffer.alloc(32)],
      base: 'https://id.example/scim/v2',
      now: server.clock(),
    };
    const request: ListRequest = {
      filter: undefined,
      sortBy: undefined,
      descending: false,
      startIndex: 1,
      count: 100,
      cursor: undefined,
      wanted: everything,
    };
    const manager = '2819c223-7f76-453a-919d-413861904646';
    const asked: Partial<ListRequest>[] = [
      ...[
        'userName eq "p77@acme.example"',
        'externalId eq "abc"',
        'emails[type eq "work"].value eq "p77@acme.example"',
        'emails.value eq "p77@acme.example"',
        'userName eq "p77@acme.example" or emails.value eq "p78@acme.example"',
        'userName eq "p1@acme.example" or externalId eq "x" or emails[type eq "work" and value eq "y@z.example"]',
        'userName sw "p39"',
        'displayName eq "abc"',
        `manager eq "${manager}"`,
        `id eq "${manager}"`,
        Array.from({ length: 12 }, (_, at) => `userName eq "p${at}@acme.example"`).join(' or '),
      ].map((filter) => ({ filter })),
      {},
      { cursor: '' },
      { sortBy: 'userName' },
      { sortBy: 'name.familyName', descending: true },
      { sortBy: 'meta.lastModified' },
    ];
    // The total is asked for beside it, and either may be first.
    const page = () => plans.find((plan) => !plan.startsWith('Aggregate')) ?? 'none';
    for (const one of asked) {
      plans.length = 0;
      await list(context, [users], { ...request, ...one });
      // The page is what counts; how many there are in all is known, or the same condition again. (Of
      // so few people all may be joined at once: that is quicker than one by one.)
      expect(page(), JSON.stringify(one)).not.toMatch(
        /Seq Scan on (affiliations|affiliation_emails)/,
      );
      expect(page()).toMatch(/Index/);
    }
    const first = await list(context, [users], { ...request, count: 200, cursor: '' });
    plans.length = 0;
    await list(context, [users], { ...request, cursor: first.nextCursor });
    expect(page()).toMatch(/Index Cond: .*ROW\(/);
    expect(server.errors).toEqual([]);
  });
});
