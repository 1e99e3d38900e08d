import { describe, expect } from 'vitest';
import { closeAccount, closeDueAccounts, keepAccount } from '#identity/accounts/close.ts';
import { belongedOn } from '#identity/accounts/history.ts';
import { createWebhook } from '#identity/events/webhook.ts';
import { affiliate, takeOut } from '#identity/users/affiliate.ts';
import { it } from '#test/support/it.ts';
import type { World } from '#test/support/world.ts';
import { mailTo } from '../../http/self-service/mailbox.ts';

async function finish(given: World): Promise<void> {
  while (await closeDueAccounts(given.foundation));
}

async function status(given: World, account: { id: string }): Promise<string> {
  const [row] = await given.rows<{ status: string }>('select status from accounts where id = $1', [
    account.id,
  ]);
  return row!.status;
}

async function letters(given: World): Promise<string[]> {
  const rows = await given.rows<{ event: string }>(
    `select payload #>> '{letter,event}' as event from outbox
     where payload #>> '{letter,kind}' = 'account_notice' order by id`,
  );
  return rows.map(({ event }) => event);
}

describe('an account that is closed', () => {
  it('waits thirty days, in which nobody joins and it can be kept', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.work((work) => closeAccount(work, acme.id, 'The contract ended.'));
    expect(await status(given, acme)).toBe('closing');
    expect(await letters(given)).toEqual(['closing']);
    const carl = await given.user('carl@nowhere.example');
    await expect(
      given.work((work) => affiliate(work, carl.id, acme.id, 'test')),
    ).rejects.toMatchObject({ code: 'account_on_hold' });

    server.clock.advance(29 * 86_400);
    await finish(given);
    expect((await given.person(fay))!.affiliation).toBe('member');
    await given.work((work) => keepAccount(work, acme.id));
    expect(await status(given, acme)).toBe('active');
    server.clock.advance(5 * 86_400);
    await finish(given);
    expect(await status(given, acme)).toBe('active');
  });

  it('leaves its people alone and locked, its domains free and its tokens dead', async ({
    given,
    server,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const ann = await given.user('ann@acme.example', { of: acme });
    const token = await given.apiToken(acme);
    await given.work((work) =>
      createWebhook(work, given.foundation.vault, acme.id, {
        url: 'https://hooks.example/',
        actions: ['*'],
      }),
    );
    const day = given.foundation.clock().toISOString().slice(0, 10);
    await given.work((work) => closeAccount(work, acme.id, 'The contract ended.'));
    server.clock.advance(31 * 86_400);
    await finish(given);

    expect(await status(given, acme)).toBe('closed');
    for (const user of [fay, ann])
      expect(await given.person(user)).toMatchObject({
        affiliation: 'none',
        account: null,
        roles: [],
        locks: [{ reason: 'unaffiliated' }],
      });
    expect(await given.rows('select state from domains')).toEqual([{ state: 'released' }]);
    expect(await given.rows('select state from webhooks')).toEqual([{ state: 'paused' }]);
    const answer = await program.get(`/api/v1/accounts/${acme.id}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
    expect(await letters(given)).toEqual(['closing', 'closed']);
    // Not that an administrator did it, nor that one could undo it.
    const told = await mailTo(server, ann.email);
    expect(told.text).toContain('Acme is closed, so you no longer belong to it.');
    expect(told.text).not.toContain(fay.email);
    const belonged = await belongedOn(given.foundation.database, acme.id, day, { limit: 10 });
    expect(new Set(belonged.map(({ email }) => email))).toEqual(
      new Set(['ann@acme.example', 'fay@acme.example']),
    );
    await expect(given.work((work) => keepAccount(work, acme.id))).rejects.toMatchObject({
      code: 'account_closed',
    });
  });

  it('goes on where it was when the process died in the middle', async ({ given, server }) => {
    const acme = await given.account();
    for (let index = 0; index < 60; index += 1)
      await given.user(`p${index}@acme.example`, { of: acme, password: null, accepts: false });
    await given.work((work) => closeAccount(work, acme.id, 'The contract ended.'));
    server.clock.advance(31 * 86_400);
    await closeDueAccounts(given.foundation);
    const [half] = await given.rows<{ left: number }>(
      'select count(*)::int as left from users where account_id = $1',
      [acme.id],
    );
    expect(half!.left).toBe(10);
    expect(await status(given, acme)).toBe('closing');
    await finish(given);
    expect(await status(given, acme)).toBe('closed');
  });
});

it('knows who belonged to an organization on a day', async ({ given, server }) => {
  const acme = await given.account();
  const { database, clock } = given.foundation;
  const on = async (offset: number): Promise<string[]> => {
    const day = new Date(clock().getTime() + offset * 86_400_000).toISOString().slice(0, 10);
    const rows = await belongedOn(database, acme.id, day, { limit: 10 });
    return rows.map(({ email }) => email!);
  };
  await given.user('ann@acme.example', { of: acme });
  server.clock.advance(10 * 86_400);
  const bob = await given.user('bob@acme.example', { of: acme });
  server.clock.advance(10 * 86_400);

  await given.work((work) => takeOut(work, bob.id, acme.id, 'left'));
  server.clock.advance(10 * 86_400);

  expect(await on(-31)).toEqual([]);
  expect(await on(-30)).toEqual(['ann@acme.example']);
  expect(await on(-20)).toEqual(['ann@acme.example', 'bob@acme.example']);
  expect(await on(-10)).toEqual(['ann@acme.example', 'bob@acme.example']);
  expect(await on(-9)).toEqual(['ann@acme.example']);
  expect(await on(0)).toEqual(['ann@acme.example']);
});
