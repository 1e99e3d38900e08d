import { describe, expect } from 'vitest';
import { changeSettings } from '#identity/accounts/settings.ts';
import { lookForInactive } from '#identity/users/inactivity.ts';
import { unlockUser } from '#identity/users/lock.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { mailTo } from '../../http/self-service/mailbox.ts';

const day = 86_400;

async function account(given: World, after: 'nothing' | 'unaffiliate' | 'erase' = 'unaffiliate') {
  const acme = await given.account();
  await given.work((work) =>
    changeSettings(work, { role: 'operator' }, acme.id, {
      inactivity: { days: 90, after, afterDays: 90 },
    }),
  );
  return acme;
}

/** Days pass, and every night the accounts are looked at. */
async function nights(server: TestServer, count: number): Promise<void> {
  for (let night = 0; night < count; night += 1) {
    server.clock.advance(day);
    await lookForInactive(server.given.foundation);
  }
}

/** Days pass in which nobody looks: what comes then is as if somebody had. */
async function later(server: TestServer, count: number): Promise<void> {
  server.clock.advance((count - 1) * day);
  await nights(server, 1);
}

async function letters(given: World, kind: string): Promise<unknown[]> {
  const rows = await given.rows<{ days: string }>(
    `select payload #>> '{letter,days}' as days from outbox
     where payload #>> '{letter,kind}' = $1 order by id`,
    [kind],
  );
  return rows.map(({ days }) => Number(days));
}

describe('who does not sign in any more', () => {
  it('is told 30, 7 and 1 days before, locked, and let go 90 days later', async ({
    server,
    given,
  }) => {
    const acme = await account(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await later(server, 59);
    expect(await letters(given, 'inactivity')).toEqual([]);
    await nights(server, 30);
    expect(await letters(given, 'inactivity')).toEqual([30, 7, 1]);
    expect((await given.person(ann))!.locks).toEqual([]);
    await nights(server, 2);
    expect((await given.person(ann))!.locks).toMatchObject([{ reason: 'inactive' }]);
    await later(server, 88);
    expect((await given.person(ann))!.affiliation).toBe('member');
    await nights(server, 3);
    expect(await given.person(ann)).toMatchObject({
      affiliation: 'none',
      locks: [{ reason: 'unaffiliated' }],
    });
    expect((await mailTo(server, ann.email)).text).toContain(
      'You have not signed in for a long time, so you were removed from',
    );
  });

  it('is left in peace by signing in, and begins anew when unlocked', async ({ server, given }) => {
    const acme = await account(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await later(server, 80);
    await given.work((work) =>
      work.query('update users set last_login_at = $2 where id = $1', [ann.id, work.now]),
    );
    await later(server, 40);
    expect((await given.person(ann))!.locks).toEqual([]);
    await later(server, 51);
    expect((await given.person(ann))!.locks).toMatchObject([{ reason: 'inactive' }]);
    await given.work((work) => unlockUser(work, ann.id, ['inactive'], acme.id));
    await nights(server, 3);
    expect((await given.person(ann))!.locks).toEqual([]);
  });

  it('is not touched where the account asks for nothing', async ({ server, given }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    server.clock.advance(400 * day);
    await lookForInactive(given.foundation);
    expect((await given.person(ann))!.locks).toEqual([]);
  });

  it('and looks after the account as its last stays, and hears who will be locked', async ({
    server,
    given,
  }) => {
    const acme = await account(given);
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.user('ann@acme.example', { of: acme });
    await later(server, 80);
    await later(server, 15);
    expect((await given.person(fay))!.locks).toEqual([]);
    expect(await letters(given, 'inactivity_list')).not.toEqual([]);
  });

  it('is erased, after the grace, where the account says so', async ({ server, given }) => {
    const acme = await account(given, 'erase');
    const ann = await given.user('ann@acme.example', { of: acme });
    await later(server, 92);
    await later(server, 91);
    expect((await given.person(ann))!.identity).toBe('erasing');
  });
});
