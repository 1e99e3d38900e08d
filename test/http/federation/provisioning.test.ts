import { describe, expect } from 'vitest';
import { caller } from '#test/http/admin/support.ts';
import { it } from '#test/support/it.ts';
import { codeOf, redeem } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { connected, dan, provider, refusals, signInUpstream } from './support.ts';

const acmeIdp = provider();

async function group(given: World, account: { id: string }, name: string): Promise<string> {
  const [row] = await given.rows<{ id: string }>(
    `insert into groups (id, account_id, name, created_at, updated_at)
     values (gen_random_uuid(), $1, $2, now(), now()) returning id`,
    [account.id, name],
  );
  return row!.id;
}

async function serviceRole(given: World, key: string): Promise<void> {
  await given.rows(
    `insert into roles (key, name, scope, created_at) values ($1, $1, 'account', now())`,
    [key],
  );
}

describe('what a provider says of a person', () => {
  it.for([
    ['DEU', 'DE'],
    ['Germany', 'DE'],
    ['gb', 'GB'],
    ['United States of America', 'US'],
    ['Türkiye', 'TR'],
  ])('country=%s becomes %s', async ([said, code], { given, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.person = { ...dan, country: said };
    codeOf(await signInUpstream(browser, client, dan.email));
    expect(await given.rows('select country from users')).toEqual([{ country: code }]);
  });

  it('is asked for where it is missing, and refused where the connection says so', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = { sub: 'dan-1', email: dan.email, country: 'Atlantis' };
    const browser = server.agent();
    const page = await signInUpstream(browser, client, dan.email);
    expect(page.words).toContain('A few details are missing');
    expect(Object.keys(page.forms[0]!.fields).sort()).toEqual([
      'country',
      'csrf',
      'family_name',
      'given_name',
    ]);
    expect(await given.rows('select 1 from users')).toEqual([]);
    const wrong = await browser.submit(page.forms[0]!, { given_name: '', country: 'XX' });
    expect(wrong.status).toBe(422);
    expect(wrong.alerts.length).toBeGreaterThan(1);
    const done = await browser.follow(
      await browser.submit(wrong.forms[0]!, {
        given_name: 'Dan',
        family_name: 'Dale',
        country: 'NL',
      }),
    );
    codeOf(done);
    expect(await given.rows('select given_name, family_name, country from users')).toEqual([
      { given_name: 'Dan', family_name: 'Dale', country: 'NL' },
    ]);
    // Asked once: the next time nobody asks, though the provider says no more than before.
    codeOf(await signInUpstream(server.agent(), client, dan.email));

    await given.rows(
      `update connections set provisioning = provisioning || '{"missing":"reject"}'`,
    );
    acmeIdp.person = { sub: 'kim', email: 'kim@acme.example', given_name: 'Kim' };
    const refused = await signInUpstream(server.agent(), client, 'kim@acme.example');
    expect(refused.status).toBe(403);
    expect(refused.words).toMatch(/did not send: Last name, Country/i);
    expect(await refusals(given)).toEqual(['attributes_missing']);
    expect(server.errors).toEqual([]);
  });

  it('is followed at each sign-in: names, country, and the address where it is free', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('taken@acme.example', { of: acme });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    acmeIdp.person = {
      ...dan,
      family_name: 'Dove',
      email: 'dan.dove@acme.example',
      country: 'DEU',
    };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    const who = `select email, family_name, country from users where source = 'jit'`;
    expect(await given.rows(who)).toEqual([
      { email: 'dan.dove@acme.example', family_name: 'Dove', country: 'DE' },
    ]);
    acmeIdp.person = { ...dan, email: 'taken@acme.example' };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect((await given.rows(who))[0]).toMatchObject({ email: 'dan.dove@acme.example' });
    expect(await given.events()).toContain('federation.email_conflict');
    expect(await given.rows('select reason, email, times from federation_conflicts')).toEqual([
      { reason: 'email_conflict', email: 'taken@acme.example', times: 1 },
    ]);
    // An address beyond the connection's domains changes nothing.
    acmeIdp.person = { ...dan, email: 'dan@home.example' };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect((await given.rows(who))[0]).toMatchObject({ email: 'dan.dove@acme.example' });
  });

  it('passes acr, amr, auth_time and session_expiry on to the application', async ({
    given,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    const at = Math.floor(Date.now() / 1000) - 500;
    const ends = Math.floor(Date.now() / 1000) + 900;
    acmeIdp.person = {
      ...dan,
      acr: 'urn:acme:two-factors',
      amr: ['pwd', 'otp'],
      auth_time: at,
      session_expiry: ends,
    };
    const back = await signInUpstream(browser, client, dan.email, { acr_values: 'urn:acme:x' });
    const { id_token: token } = (await redeem(browser, client, codeOf(back))).json;
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({
      acr: 'urn:acme:two-factors',
      amr: ['pwd', 'otp'],
      auth_time: at,
      session_expiry: ends,
    });
    const sent = acmeIdp.requests.find(({ path }) => path === '/authorize')!.parameters;
    expect(sent.get('acr_values')).toBe('urn:acme:x');
  });

  it('forwards prompt=login and max_age, and holds the provider to it', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    const extra = { prompt: 'login', max_age: '60' };
    codeOf(await signInUpstream(server.agent(), client, dan.email, extra));
    const sent = acmeIdp.requests.find(({ path }) => path === '/authorize')!.parameters;
    expect([sent.get('prompt'), sent.get('max_age')]).toEqual(['login', '60']);
    acmeIdp.person = { ...dan, auth_time: Math.floor(Date.now() / 1000) - 3600 };
    const late = await signInUpstream(server.agent(), client, dan.email, extra);
    expect(late.status).toBe(403);
    expect(await refusals(given)).toEqual(['response_invalid']);
  });
});

describe('groups and roles that a mapping gives', () => {
  async function mapped(given: World, absent: 'keep' | 'remove' | 'deny') {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const engineers = await group(given, acme, 'Engineers');
    const readers = await group(given, acme, 'Readers');
    await serviceRole(given, 'download');
    const connection = await connected(given, acme, acmeIdp, {
      mapping: {
        groups: {
          claim: 'groups',
          absent,
          rules: [
            { value: 'eng', group: engineers },
            { value: 'read', group: readers },
          ],
        },
        roles: { claim: 'groups', absent, rules: [{ value: 'eng', role: 'download' }] },
      },
    });
    const client = await given.client();
    const has = async () => {
      const [row] = await given.rows<{ groups: string[]; roles: string[] }>(
        `select coalesce((select array_agg(g.name order by g.name) from group_members m
                          join groups g on g.id = m.group_id where m.user_id = u.id), '{}') as groups,
                coalesce((select array_agg(r.role order by r.role) from role_assignments r
                          where r.user_id = u.id), '{}') as roles
         from users u where u.email = 'dan@acme.example'`,
      );
      return row;
    };
    return { acme, engineers, readers, connection, client, has };
  }

  it('come and go with the claim; what somebody else gave stays', async ({ given, server }) => {
    const { readers, client, has } = await mapped(given, 'keep');
    acmeIdp.person = { ...dan, groups: ['eng', 'unknown'] };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(await has()).toEqual({ groups: ['Engineers'], roles: ['download'] });
    const [user] = await given.rows<{ id: string }>('select id from users');
    await given.rows(
      `insert into group_members (group_id, user_id, added_at) values ($1, $2, now())`,
      [readers, user!.id],
    );
    acmeIdp.person = { ...dan, groups: [] };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(await has()).toEqual({ groups: ['Readers'], roles: [] });
    // Given by the mapping too now, and still not its own to take.
    acmeIdp.person = { ...dan, groups: ['read'] };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    acmeIdp.person = { ...dan, groups: 'eng' };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(await has()).toEqual({ groups: ['Engineers', 'Readers'], roles: ['download'] });
  });

  it.for([
    ['keep', { groups: ['Engineers'], roles: ['download'] }],
    ['remove', { groups: [], roles: [] }],
    ['deny', null],
  ] as const)(
    'where the claim is not sent at all: %s',
    async ([absent, left], { given, server }) => {
      const { client, has } = await mapped(given, absent);
      acmeIdp.person = { ...dan, groups: ['eng'] };
      codeOf(await signInUpstream(server.agent(), client, dan.email));
      acmeIdp.person = dan;
      const page = await signInUpstream(server.agent(), client, dan.email);
      if (left === null) {
        expect(page.status).toBe(403);
        expect(await refusals(given)).toEqual(['claim_missing']);
        expect(await has()).toEqual({ groups: ['Engineers'], roles: ['download'] });
        return;
      }
      codeOf(page);
      expect(await has()).toEqual(left);
    },
  );
});

describe('who may not come in', () => {
  it('is told that they were removed, and their administrators that they are back (F30)', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    const [user] = await given.rows<{ id: string }>(`select id from users where source = 'jit'`);
    const removed = await server
      .agent({ cookies: false })
      .send(`/api/v1/accounts/${acme.id}/users/${user!.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${await given.apiToken(acme)}`, 'idempotency-key': 'd' },
      });
    expect(removed.status).toBe(204);

    for (let times = 0; times < 2; times += 1) {
      const page = await signInUpstream(server.agent(), client, dan.email);
      expect(page.status).toBe(403);
      expect(page.words).toContain('You were removed from Acme');
      expect(page.words).toContain(fay.email);
    }
    expect(await given.rows('select source, state from approval_requests')).toEqual([
      { source: 'rejoin', state: 'open' },
    ]);
    expect(await refusals(given)).toEqual(['removed', 'removed']);

    const [request] = await given.rows<{ id: string }>('select id from approval_requests');
    const approved = await server
      .agent({ cookies: false })
      .post(`/api/v1/accounts/${acme.id}/approvals/decide`, {
        json: { ids: [request!.id], decision: 'approve' },
        headers: { authorization: `Bearer ${await given.apiToken(acme)}`, 'idempotency-key': 'a' },
      });
    expect(approved.json.items[0].result).toBe('approved');
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(await given.rows(`select count(*)::int as n from users where source = 'jit'`)).toEqual([
      { n: 1 },
    ]);
  });

  it('because a directory makes its people', async ({ given, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    await connected(given, acme, acmeIdp, { provisioning: { mode: 'scim_only' } });
    acmeIdp.person = dan;
    const page = await signInUpstream(browser, client, dan.email);
    expect(page.words).toContain('You have not been given access yet');
    expect(await refusals(given)).toEqual(['not_provisioned']);
  });

  it('because they are somebody of another account (security.md 3.3)', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const his = await given.user('dan@acme.example', { of: beta });
    const client = await given.client();
    const connection = await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    const page = await signInUpstream(browser, client, dan.email);
    expect(page.status).toBe(403);
    expect(page.words).not.toContain('Beta');
    expect(await refusals(given)).toEqual(['user_in_other_account']);
    const [{ trace }] = (await given.rows(
      `select details ->> 'attempt' as trace from audit_events where action = 'federation.refused'`,
    )) as [{ trace: string }];
    expect(page.words).toContain(trace);
    // The administrators of both read of it; whose person it is, only those of that account.
    const told = await Promise.all(
      [acme, beta].map(async (account) => {
        const admin = caller(server.agent({ cookies: false }), await given.apiToken(account));
        const { items } = (await admin.get(`/accounts/${account.id}/audit`)).json;
        return items.filter(({ action }: { action: string }) => action.startsWith('federation.'));
      }),
    );
    expect(told).toMatchObject([
      [
        {
          action: 'federation.refused',
          target: { id: connection.id },
          details: { reason: 'user_in_other_account', user: null },
        },
      ],
      [
        {
          action: 'federation.member_elsewhere',
          target: { id: his.id },
          details: { domain: 'acme.example' },
        },
      ],
    ]);
    expect(JSON.stringify(told[0])).not.toContain(his.id);
  });

  it('for both accounts to decide about: who comes over is in the list no longer', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const his = await given.user('dan@acme.example', { of: beta, password: null });
    for (const [name, of] of [
      ['fay', acme],
      ['bea', beta],
    ] as const)
      await given.user(`${name}@else.example`, { of, roles: ['account_administrator'] });
    const client = await given.client();
    const connection = await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    for (const _time of ['once', 'twice']) await signInUpstream(server.agent(), client, dan.email);
    const program = server.agent({ cookies: false });
    const [ours, theirs] = await Promise.all(
      [acme, beta].map(async (account) => {
        const admin = caller(program, await given.apiToken(account));
        return { admin, path: `/accounts/${account.id}/connection-conflicts` };
      }),
    );
    const seen = async ({ admin, path }: NonNullable<typeof ours>) =>
      (await admin.get(path)).json.items;
    expect(await seen(ours!)).toMatchObject([
      {
        reason: 'user_in_other_account',
        email: dan.email,
        userId: null,
        connectionId: connection.id,
        times: 2,
      },
    ]);
    const [theirOwn] = await seen(theirs!);
    expect(theirOwn).toMatchObject({
      reason: 'member_elsewhere',
      email: dan.email,
      userId: his.id,
      connectionId: null,
      traceId: null,
    });
    // Each was written to, once; and what happened on the way does not tell Acme whose person it is.
    expect(
      await given.rows(
        `select payload -> 'to' ->> 'email' as email, payload -> 'letter' ->> 'reason' as reason
         from outbox where payload -> 'letter' ->> 'kind' = 'sign_in_conflict' order by 1`,
      ),
    ).toEqual([
      { email: 'bea@else.example', reason: 'member_elsewhere' },
      { email: 'fay@else.example', reason: 'user_in_other_account' },
    ]);
    const { traceId } = (await seen(ours!))[0];
    const trace = await ours!.admin.get(
      `/accounts/${acme.id}/connections/${connection.id}/traces/${traceId}`,
    );
    expect(trace.json).toMatchObject({ outcome: 'user_in_other_account', userId: null });
    expect(trace.text).not.toContain(his.id);
    const counted = await ours!.admin.get(`/accounts/${acme.id}/dashboard`);
    expect(counted.json.now.signInConflicts).toBe(1);

    // Nobody closes another account's; whose it is, does, and it comes back with the person.
    const close = (of: typeof ours, id: string) => of!.admin.post(`${of!.path}/${id}/close`);
    expect((await close(ours, theirOwn.id)).status).toBe(404);
    expect((await close(theirs, theirOwn.id)).status).toBe(204);
    expect((await close(theirs, theirOwn.id)).status).toBe(404);
    expect(await seen(theirs!)).toEqual([]);
    await signInUpstream(server.agent(), client, dan.email);
    expect(await seen(theirs!)).toHaveLength(1);

    // They leave, and come in: nothing is left to decide.
    await theirs!.admin.delete(`/accounts/${beta.id}/users/${his.id}`);
    expect(await seen(theirs!)).toEqual([]);
    expect(await seen(ours!)).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it.for(['admin', 'directory', 'operator'] as const)(
    'because of a lock, and is told so now: %s',
    async (reason, { given, browser }) => {
      const acme = await given.account('Acme', { owns: ['acme.example'] });
      const user = await given.user('dan@acme.example', { of: acme, password: null });
      await given.locked(user, reason);
      const client = await given.client();
      await connected(given, acme, acmeIdp);
      acmeIdp.person = dan;
      const page = await signInUpstream(browser, client, dan.email);
      expect(page.status).toBe(403);
      expect(page.words).toMatch(/locked|suspended/);
      expect(await refusals(given)).toEqual(['locked']);
      expect(await given.rows('select 1 from federated_links')).toEqual([]);
    },
  );

  it('because they are a guest, unless guests are let in (F33)', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const client = await given.client();
    const connection = await connected(given, acme, acmeIdp, {
      mapping: { attributes: { identifier: ['upn', 'email'] } },
    });
    const upn = 'kim_partner.example#EXT#@acme.example';
    acmeIdp.person = { ...dan, sub: 'kim', upn, email: 'kim@partner.example' };
    expect((await signInUpstream(server.agent(), client, dan.email)).status).toBe(403);
    expect(await refusals(given)).toEqual(['guest_refused']);
    await given.rows(
      `update connections set provisioning = provisioning || '{"guests":true}' where id = $1`,
      [connection.id],
    );
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    expect(await given.rows('select email, communication_email, account_id from users')).toEqual([
      { email: upn.toLowerCase(), communication_email: 'kim@partner.example', account_id: acme.id },
    ]);
  });
});

describe('who was here already', () => {
  it('comes in by the company, having been added and never been here', async ({
    given,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const user = await given.user('dan@acme.example', {
      of: acme,
      password: null,
      identity: 'invited',
    });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(browser, client, dan.email));
    expect(await given.rows('select user_id, how from federated_links')).toEqual([
      { user_id: user.id, how: 'first_bind' },
    ]);
    expect((await given.person(user))!.identity).toBe('ready');
  });

  it('becomes a member, having belonged nowhere', async ({ given, browser, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const user = await given.user('dan@acme.example');
    const beta = await given.account('Beta');
    await given.work(async (work) => {
      await work.query(
        `insert into user_locks (id, user_id, reason, account_id, set_by, set_at)
         values (gen_random_uuid(), $1, 'unaffiliated', $2, '{}', now())`,
        [user.id, beta.id],
      );
    });
    const client = await given.client();
    await connected(given, acme, acmeIdp);
    acmeIdp.person = dan;
    codeOf(await signInUpstream(browser, client, dan.email));
    const person = (await given.person(user))!;
    expect([person.account?.id, person.locks]).toEqual([acme.id, []]);
    expect(server.errors).toEqual([]);
  });
});
