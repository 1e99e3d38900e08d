import { hash } from 'node:crypto';
import { describe, expect } from 'vitest';
import {
  canonicalJson,
  hashOf,
  installationChain,
  sealAudit,
  type SealedRow,
  verifyAudit,
  verifyChain,
} from '#identity/audit/chain.ts';
import { unitOfWork } from '#identity/work.ts';
import type { World } from '#test/support/world.ts';
import { it } from '#test/support/it.ts';

/** As somebody who owns the database, and whom no trigger stops. */
async function asOwner(given: World, ...statements: string[]): Promise<void> {
  const { database } = given.foundation;
  await database.transaction(async (tx) => {
    await tx.query('alter table audit_events disable trigger user');
    for (const statement of statements) await tx.query(statement);
    await tx.query('alter table audit_events enable trigger user');
  });
}

function seal(given: World): Promise<number | null> {
  return sealAudit(given.foundation.database, given.foundation.vault);
}

function verify(given: World, accountId: string | null = null) {
  return verifyChain(
    given.foundation.database,
    given.foundation.vault,
    accountId ?? installationChain,
  );
}

/** An organization with some history: ten rows of its own. */
async function busyAccount(given: World, name = 'Acme'): Promise<string> {
  const account = await given.account(name);
  for (let index = 0; index < 10; index += 1)
    await given.work(async (work) => {
      work.record('account.changed', { type: 'account', id: account.id }, { index }, account.id);
    });
  return account.id;
}

describe('the audit chain', () => {
  it('numbers the rows of each organization without a gap, and finds nothing wrong', async ({
    given,
  }) => {
    const acme = await busyAccount(given);
    const beta = await busyAccount(given, 'Beta');
    await given.user();
    expect(await seal(given)).toBe(21);
    expect(await seal(given)).toBe(0);

    const rows = await given.rows<{ seq: number }>(
      'select seq from audit_events where account_id = $1 order by id',
      [acme],
    );
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const reports = await verifyAudit(given.foundation.database, given.foundation.vault);
    expect(reports.map(({ accountId, checked, fault }) => ({ accountId, checked, fault }))).toEqual(
      expect.arrayContaining([
        { accountId: null, checked: 1, fault: null },
        { accountId: acme, checked: 10, fault: null },
        { accountId: beta, checked: 10, fault: null },
      ]),
    );
  });

  it('can be computed again by anybody, with SHA-256 and RFC 8785', async ({ given }) => {
    const acme = await busyAccount(given);
    await seal(given);
    const [row] = await given.rows<SealedRow>(
      'select * from audit_events where account_id = $1 and seq = 3',
      [acme],
    );
    const members: [string, unknown][] = [
      ['account', acme],
      ['action', 'account.changed'],
      ['actor', { id: 'test', type: 'system' }],
      ['at', row!.at.toISOString()],
      ['batch', null],
      ['details', { index: 2 }],
      ['id', row!.id],
      ['ip', null],
      ['previous', row!.prev_hash],
      ['reference', null],
      ['seq', 3],
      ['targetId', acme],
      ['targetType', 'account'],
      ['userAgent', null],
      ['v', 1],
    ];
    expect(row!.hash).toBe(
      hash('sha256', JSON.stringify(Object.fromEntries(members)), 'base64url'),
    );
  });

  it('writes JSON in the one way of RFC 8785', () => {
    expect(
      canonicalJson({
        numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\u002f',
        literals: [null, true, false],
      }),
    ).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('lets nobody change or delete a row, sealed or not', async ({ given }) => {
    await busyAccount(given);
    const { database } = given.foundation;
    for (const statement of [
      `update audit_events set action = 'x'`,
      `update audit_events set hash = 'x', action = 'x'`,
      'delete from audit_events',
    ])
      await expect(database.query(statement)).rejects.toThrow(/append-only/);
    await seal(given);
    await expect(database.query(`update audit_events set hash = 'y'`)).rejects.toThrow(
      /append-only/,
    );
  });

  it('tells which row was altered', async ({ given }) => {
    const acme = await busyAccount(given);
    await seal(given);
    await asOwner(
      given,
      `update audit_events set details = '{"index": 99}' where account_id = '${acme}' and seq = 4`,
    );
    expect(await verify(given, acme)).toMatchObject({
      checked: 3,
      fault: { fault: 'altered', seq: 4 },
    });
  });

  it('tells which row is missing, in the middle and at the end', async ({ given }) => {
    const acme = await busyAccount(given);
    await seal(given);
    await asOwner(given, `delete from audit_events where account_id = '${acme}' and seq = 10`);
    expect((await verify(given, acme)).fault).toEqual({ fault: 'cut_off', seq: 10, expected: 10 });
    await asOwner(given, `delete from audit_events where account_id = '${acme}' and seq = 5`);
    expect((await verify(given, acme)).fault).toEqual({ fault: 'missing', seq: 5 });
  });

  it('tells where two rows changed places, though each hash fits its row', async ({ given }) => {
    const acme = await busyAccount(given);
    await seal(given);
    const [row] = await given.rows<SealedRow>(
      'select * from audit_events where account_id = $1 and seq = 6',
      [acme],
    );
    // A forger who knows how hashes are made, and repairs the one row they touched.
    const forged = { ...row!, details: { index: 77 } };
    await asOwner(
      given,
      `update audit_events set details = '{"index": 77}', hash = '${hashOf(forged, 6, row!.prev_hash)}'
       where account_id = '${acme}' and seq = 6`,
    );
    expect((await verify(given, acme)).fault).toMatchObject({ fault: 'reordered', seq: 7 });
  });

  it('shows a chain that was computed anew, or cut off together with its end', async ({
    given,
  }) => {
    const acme = await busyAccount(given);
    await seal(given);
    await asOwner(
      given,
      `delete from audit_events where account_id = '${acme}' and seq > 8`,
      `update audit_chains set seq = 8, hash = (select hash from audit_events
         where account_id = '${acme}' and seq = 8) where account_id = '${acme}'`,
    );
    expect((await verify(given, acme)).fault).toEqual({ fault: 'forged_end', seq: 8 });
  });

  it('takes a row that was committed late, after one with a greater number', async ({ given }) => {
    const account = await given.account();
    const { database } = given.foundation;
    if (database.kind === 'embedded') return;
    const written = Promise.withResolvers<void>();
    const committing = Promise.withResolvers<void>();
    const slow = { actor: { type: 'system', id: 'slow' } } as const;
    const late = unitOfWork(given.foundation, slow, async (work) => {
      await work.query(
        `insert into audit_events (at, account_id, actor, action, details)
         values ($1, $2, '{}', 'account.changed', '{"late": true}')`,
        [work.now, account.id],
      );
      written.resolve();
      await committing.promise;
    });
    await written.promise;
    await given.work(async (work) => {
      work.record('account.changed', { type: 'account', id: account.id }, {}, account.id);
    });
    expect(await seal(given)).toBe(1);
    committing.resolve();
    await late;
    expect(await seal(given)).toBe(1);

    const rows = await given.rows<{ seq: number; late: boolean }>(
      `select seq, details ? 'late' as late from audit_events where account_id = $1 order by id`,
      [account.id],
    );
    expect(rows).toEqual([
      { seq: 2, late: true },
      { seq: 1, late: false },
    ]);
    expect((await verify(given, account.id)).fault).toBeNull();
  });

  it('is sealed by one process at a time, whoever comes first', async ({ given }) => {
    const acme = await busyAccount(given);
    const sealed = await Promise.all(
      Array.from({ length: 6 }, () =>
        sealAudit(given.foundation.database, given.foundation.vault, 3),
      ),
    );
    expect(sealed.some((count) => count !== null && count > 0)).toBe(true);
    while (((await seal(given)) ?? 1) > 0);
    expect(await verify(given, acme)).toMatchObject({ checked: 10, fault: null });
    const positions = await given.rows<{ position: number }>(
      'select position from audit_events order by position',
    );
    expect(positions.map(({ position }) => position)).toEqual(positions.map((_, at) => at + 1));
  });
});
