import { describe, expect } from 'vitest';
import { countDeparture, countReturn, hold } from '#identity/scim/brake.ts';
import { directoryWork, during, newExchange, type Exchange } from '#identity/scim/exchange.ts';
import { findScimToken } from '#identity/scim/token.ts';
import type { ScimCaller } from '#identity/scim/caller.ts';
import { Refusal } from '#identity/refusal.ts';
import { lockUser } from '#identity/users/lock.ts';
import { caller } from '../../http/admin/support.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';

/** Acme, its directory, its administrator, and so many people who came by themselves. */
async function acmeWith(server: TestServer, people: number) {
  const { given } = server;
  const acme = await given.account();
  await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const admin = caller(server.agent({ cookies: false }), await given.apiToken(acme));
  const path = `/accounts/${acme.id}/scim-tokens`;
  const made = (await admin.post(path, { name: 'Entra ID' })).json;
  const ids = await crowd(given, acme, people);
  return { acme, admin, path: `${path}/${made.id}`, secret: made.secret as string, ids };
}

/** Many people at once, without what a single one would have. */
async function crowd(given: World, acme: { id: string }, count: number): Promise<string[]> {
  const rows = await given.rows<{ id: string }>(
    `with made as (
       insert into users (id, email, email_display, identity, affiliation, account_id, source,
         created_at, updated_at, last_login_at)
       select gen_random_uuid(), 'p' || n || '@acme.example', 'p' || n || '@acme.example', 'ready',
              'member', $1, 'local', now(), now(), now()
       from generate_series(1, $2::int) n returning id)
     select id from made`,
    [acme.id, String(count)],
  );
  return rows.map(({ id }) => id);
}

async function directory(server: TestServer, secret: string): Promise<ScimCaller> {
  const { database } = server.app.foundation;
  return (await findScimToken(database, secret, server.clock(), null))!.caller;
}

/** As the door does it: one unit of work, and the brake afterwards. */
async function putOut(
  { app, clock }: TestServer,
  who: ScimCaller,
  userId: string,
): Promise<string> {
  const exchange: Exchange = newExchange(who, clock());
  try {
    await during(exchange, () =>
      directoryWork(app.foundation, exchange, {}, async (work) => {
        await countDeparture(work, who, userId);
        await lockUser(work, userId, 'directory', { accountId: who.accountId });
      }),
    );
    return 'done';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (exchange.excess) await hold(app.foundation, who, exchange.excess);
    return error.code;
  }
}

async function locked(given: World): Promise<number> {
  const rows = await given.rows('select 1 from user_locks where released_at is null');
  return rows.length;
}

describe('the brake of a directory', () => {
  it('holds it at one person too many, once, and tells the administrators', async ({ server }) => {
    const { given } = server;
    const { admin, path, secret, ids } = await acmeWith(server, 12);
    await admin.patch(path, { limits: { number: 5 } });
    const who = await directory(server, secret);
    expect(who.held).toBe(false);
    const results = await Promise.all(ids.map((id) => putOut(server, who, id)));
    expect(results.filter((one) => one === 'done')).toHaveLength(5);
    expect(results.filter((one) => one === 'directory_held')).toHaveLength(7);
    expect(await locked(given)).toBe(5);
    expect((await directory(server, secret)).held).toBe(true);
    expect((await admin.get(path)).json.held).toMatchObject({
      departures: 6,
      number: 5,
      minutes: 60,
      keptAt: null,
    });
    const events = await given.events();
    expect(events.filter((one) => one === 'scim_token.held')).toHaveLength(1);
    const queued = await given.rows(
      `select payload #>> '{to,email}' as "to" from outbox
       where payload #>> '{letter,kind}' = 'directory_held'`,
    );
    expect(queued).toEqual([{ to: 'fay@acme.example' }]);
  });

  it('holds it at a share of the account, but never at a handful', async ({ server }) => {
    const { admin, path, secret, ids } = await acmeWith(server, 80);
    await admin.patch(path, { limits: { share: 30 } });
    const who = await directory(server, secret);
    const results: string[] = [];
    for (const id of ids.slice(0, 26)) results.push(await putOut(server, who, id));
    // Of 81 people, 24 are less than 30 in a hundred, and 25 are more.
    expect(results.indexOf('directory_held')).toBe(24);
  });

  it('lets an administrator release it once: afterwards it counts anew', async ({ server }) => {
    const { given, clock } = server;
    const { admin, path, secret, ids } = await acmeWith(server, 14);
    await admin.patch(path, { limits: { number: 2 } });
    const who = await directory(server, secret);
    const some = async (from: number, to: number): Promise<string[]> => {
      const results: string[] = [];
      for (const id of ids.slice(from, to)) results.push(await putOut(server, who, id));
      return results;
    };
    expect(await some(0, 3)).toEqual(['done', 'done', 'directory_held']);
    expect(
      (await admin.post(`${path}/hold`, { decision: 'keep' })).json.held.keptAt,
    ).not.toBeNull();
    expect(await some(2, 3)).toEqual(['directory_held']);

    const released = await admin.post(`${path}/hold`, { decision: 'release', allow: 3 });
    expect(released.json.held).toBeNull();
    expect(await some(2, 8)).toEqual(['done', 'done', 'done', 'done', 'done', 'directory_held']);

    await admin.post(`${path}/hold`, { decision: 'release' });
    expect(await some(7, 11)).toEqual(['done', 'done', 'done', 'done']);
    clock.advance(3601);
    expect(await some(11, 14)).toEqual(['done', 'done', 'directory_held']);
    const again = await admin.post(`${path}/hold`, { decision: 'release' });
    expect(again.status).toBe(200);
    const twice = await admin.post(`${path}/hold`, { decision: 'release' });
    expect([twice.status, twice.json.code]).toEqual([409, 'already_decided']);
    expect((await given.events()).filter((one) => one.startsWith('scim_token.'))).toEqual([
      'scim_token.created',
      'scim_token.limits_changed',
      'scim_token.held',
      'scim_token.kept_held',
      'scim_token.released',
      'scim_token.held',
      'scim_token.released',
      'scim_token.held',
      'scim_token.released',
    ]);
  });

  it('lets it go on when its limits are raised far enough', async ({ server }) => {
    const { admin, path, secret, ids } = await acmeWith(server, 5);
    await admin.patch(path, { limits: { number: 1 } });
    const who = await directory(server, secret);
    expect(await putOut(server, who, ids[0]!)).toBe('done');
    expect(await putOut(server, who, ids[1]!)).toBe('directory_held');
    const little = await admin.patch(path, { limits: { minutes: 30 } });
    expect(little.json.held).not.toBeNull();
    const enough = await admin.patch(path, { limits: { number: 2 } });
    expect(enough.json).toMatchObject({ held: null, limits: { number: 2, minutes: 30 } });
    expect(await putOut(server, who, ids[1]!)).toBe('done');
  });

  it('counts nobody twice, nobody let in again, and nobody it made to try itself out', async ({
    server,
  }) => {
    const { given } = server;
    const { admin, path, secret, ids } = await acmeWith(server, 4);
    await admin.patch(path, { limits: { number: 2 } });
    const who = await directory(server, secret);
    expect(await putOut(server, who, ids[0]!)).toBe('done');
    expect(await putOut(server, who, ids[0]!)).toBe('done');
    expect(await putOut(server, who, ids[1]!)).toBe('done');
    await given.work((work) => countReturn(work, who, ids[1]!));
    await given.rows(`update users set source = 'scim', last_login_at = null where id = $1`, [
      ids[2]!,
    ]);
    expect(await putOut(server, who, ids[2]!)).toBe('done');
    expect(await putOut(server, who, ids[3]!)).toBe('done');
    expect(await putOut(server, who, ids[1]!)).toBe('directory_held');
  });
});

describe('a rehearsal', () => {
  it('changes nothing, sends nothing, writes nothing down, and knows what it would have been', async ({
    server,
  }) => {
    const { given, app, clock } = server;
    const { secret, ids } = await acmeWith(server, 1);
    const who = await directory(server, secret);
    const before = await given.events();
    const exchange = newExchange(who, clock(), { rehearsal: true });
    const added = await directoryWork(app.foundation, exchange, {}, (work) =>
      lockUser(work, ids[0]!, 'directory', { accountId: who.accountId }),
    );
    expect(added).toBe(true);
    expect(exchange.audit.map(({ action }) => action)).toEqual(['user.locked']);
    expect(await locked(given)).toBe(0);
    expect(await given.events()).toEqual(before);
  });
});
