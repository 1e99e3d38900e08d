import { describe, expect } from 'vitest';
import { it, mailsTo } from '../../identity/domains/support.ts';
import { caller, someone } from './support.ts';

describe('a domain that an organization claims', () => {
  it('is told what to publish, and owns it once that is there', async ({
    organization,
    net,
    server,
    given,
  }) => {
    const acme = await organization('Acme');
    const claim = await acme.post(`/accounts/${acme.id}/domains`, {
      domain: '@Acme.Example.',
      method: 'dns',
    });
    expect(claim.status).toBe(201);
    expect(claim.json).toMatchObject({
      domain: 'acme.example',
      state: 'pending',
      proof: null,
      method: 'dns',
      record: {
        type: 'TXT',
        name: '_ostiary-challenge.acme.example',
        alternativeName: 'acme.example',
        value: expect.stringMatching(/^ostiary-domain-verification=[0-9a-f]{32}$/),
      },
      actions: [{ rel: 'verify' }, { rel: 'cancel_claim' }],
    });
    const days = new Date(claim.json.expiresAt).getTime() - server.clock().getTime();
    expect(Math.round(days / (24 * 3600_000))).toBe(7);

    const early = await acme.verify('acme.example');
    expect(early).toMatchObject({ state: 'pending', check: [{ outcome: 'missing' }] });
    net.publish(claim.json.record);
    server.clock.advance(11);
    expect(await acme.verify('acme.example')).toMatchObject({
      state: 'owned',
      proof: 'dns',
      signup: 'approve',
      check: [{ method: 'dns', outcome: 'found' }],
    });
    const [mail] = await mailsTo(server, acme.administrator.email, 'domain_owned');
    expect(mail!.subject).toBe('Acme now owns acme.example');
    expect(await given.events()).toEqual(
      expect.arrayContaining(['domain.claimed', 'domain.owned']),
    );
    expect(server.errors).toEqual([]);
  });

  it('has one claim, however often it asks, and the same record', async ({ organization }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    const claims = await Promise.all(
      Array.from({ length: 5 }, () => acme.post(path, { domain: 'acme.example', method: 'dns' })),
    );
    expect(new Set(claims.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(claims.map(({ json }) => json.record.value)).size).toBe(1);
    const web = await acme.post(path, { domain: 'acme.example', method: 'https' });
    expect(web.json.record).toEqual({
      type: 'HTTPS',
      url: 'https://acme.example/.well-known/ostiary-domain-verification.txt',
      value: claims[0]!.json.record.value,
    });
    expect((await acme.get(path)).json.items).toMatchObject(
      [
        { domain: 'acme.example', state: 'pending' },
        { domain: 'acme-mail.example', state: 'listed', users: 1, actions: [{ rel: 'claim' }] },
      ].sort((one, other) => (one.domain < other.domain ? -1 : 1)),
    );
  });

  it('looks again after ten seconds, not before', async ({ organization, server }) => {
    const acme = await organization('Acme');
    await acme.post(`/accounts/${acme.id}/domains`, { domain: 'acme.example' });
    await acme.verify('acme.example');
    const again = await acme.post(`/accounts/${acme.id}/domains/acme.example/verify`);
    expect(again.status).toBe(429);
    expect(again.json.code).toBe('rate_limited');
    expect(again.headers['retry-after']).toBe('10');
    server.clock.advance(11);
    expect((await acme.verify('acme.example')).state).toBe('pending');
  });

  it.for([
    ['gmail.com', 'public_mail_domain'],
    ['co.uk', 'public_suffix'],
    ['localhost', 'invalid_domain'],
    ['10.0.0.1', 'invalid_domain'],
    ['a..b.com', 'invalid_domain'],
  ] as const)('cannot be %s: %s', async ([domain, code], { organization, operator }) => {
    const acme = await organization('Acme');
    for (const answer of [
      await acme.post(`/accounts/${acme.id}/domains`, { domain, method: 'dns' }),
      await operator.post(`/accounts/${acme.id}/domains/${domain}/attest`, { reason: 'Because.' }),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.json.code).toBe(code);
    }
  });

  it('is one of twenty at most that wait for their proof', async ({ organization, server }) => {
    const acme = await organization('Acme');
    const path = `/accounts/${acme.id}/domains`;
    for (let index = 0; index < 20; index += 1)
      expect((await acme.post(path, { domain: `acme${index}.example` })).status).toBe(201);
    const next = await acme.post(path, { domain: 'acme20.example' });
    expect(next.status).toBe(409);
    expect(next.json.code).toBe('limit_reached');
    // One that is given up makes room, and so does time.
    expect((await acme.delete(`${path}/acme7.example`)).status).toBe(204);
    expect((await acme.post(path, { domain: 'acme20.example' })).status).toBe(201);
    server.clock.advance(8 * 24 * 3600);
    expect((await acme.post(path, { domain: 'acme21.example' })).status).toBe(201);
  });

  it('ends after seven days, and goes on with the same record when it is claimed again', async ({
    organization,
    server,
    check,
    net,
  }) => {
    const acme = await organization('Acme');
    const record = await acme.claimAndPublish('acme.example');
    net.remove(record.name);
    server.clock.advance(7 * 24 * 3600 + 1);
    await check();
    expect(await acme.state('acme.example')).toBe('expired');
    const verify = await acme.post(`/accounts/${acme.id}/domains/acme.example/verify`);
    expect(verify.json.code).toBe('claim_closed');
    expect(await acme.claimAndPublish('acme.example')).toEqual(record);
    expect((await acme.verify('acme.example')).state).toBe('owned');
  });

  it('is found by itself within the hour', async ({ organization, server, check }) => {
    const acme = await organization('Acme');
    await acme.claimAndPublish('acme.example');
    expect(await check()).toBe(0);
    server.clock.advance(3601);
    expect(await check()).toBe(1);
    expect(await acme.state('acme.example')).toBe('owned');
  });
});

describe('an Account Administrator claims, a Co-Administrator reads', () => {
  it('and others have no such domain', async ({ organization, given, program }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const beta = await organization('Beta');
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const path = `/accounts/${acme.id}/domains`;
    expect((await co.get(path)).status).toBe(200);
    expect((await co.get(`${path}/acme.example`)).json.state).toBe('owned');
    for (const answer of [
      await co.post(path, { domain: 'other.example' }),
      await co.post(`${path}/acme.example/verify`),
      await co.patch(`${path}/acme.example`, { signup: 'auto' }),
      await co.delete(`${path}/acme.example`),
      await co.post(`${path}/acme.example/approve-waiting`),
      await co.post(`${path}/other.example/request-access`),
      await acme.post(`${path}/other.example/attest`, { reason: 'It is ours.' }),
      await acme.post(`${path}/other.example/transfer`, { reason: 'It is ours.' }),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.json.code).toBe('permission_denied');
    }
    for (const answer of [
      await beta.get(path),
      await beta.get(`${path}/acme.example`),
      await beta.delete(`${path}/acme.example`),
      await beta.post(`${path}/acme.example/verify`),
    ])
      expect([answer.status, answer.json.code]).toEqual([404, 'account_not_found']);
    expect((await acme.get(`${path}/nowhere.example`)).json.code).toBe('domain_not_found');
    expect((await acme.get(`${path}/no%20domain`)).json.code).toBe('domain_not_found');
  });
});

describe('a domain that another organization owns (M2)', () => {
  it('stays its own: who proves it too is contested, and its administrators are told', async ({
    organization,
    server,
    given,
  }) => {
    const acme = await organization('Acme');
    await acme.claimAndPublish('acme.example');
    expect((await acme.verify('acme.example')).state).toBe('owned');
    const ann = await given.user('ann@acme.example', { of: acme, password: null });

    const beta = await organization('Beta');
    await beta.claimAndPublish('acme.example');
    const seen = await beta.verify('acme.example');
    expect(seen).toMatchObject({
      state: 'contested',
      message: 'The domain is owned by a different organization.',
    });
    expect((seen['actions'] as { rel: string }[]).map(({ rel }) => rel)).toEqual(
      expect.arrayContaining(['request_access', 'request_release']),
    );
    expect(JSON.stringify(seen)).not.toContain('Acme');

    expect(await acme.state('acme.example')).toBe('owned');
    expect((await given.person(ann))!.account?.id).toBe(acme.id);
    const mails = await mailsTo(server, acme.administrator.email, 'domain_contested');
    expect(mails).toHaveLength(1);
    expect(mails[0]!.subject).toBe('Beta claims acme.example too');
    expect(mails[0]!.text).toContain(beta.administrator.email);
    // It is said once, however often they look.
    server.clock.advance(60);
    await beta.verify('acme.example');
    expect(await mailsTo(server, acme.administrator.email, 'domain_contested')).toHaveLength(1);
  });

  it('is not proved by the record that was given to another (D-24)', async ({
    organization,
    net,
  }) => {
    const acme = await organization('Acme');
    const beta = await organization('Beta');
    const { value } = await acme.claimAndPublish('acme.example');
    const claim = await beta.post(`/accounts/${beta.id}/domains`, { domain: 'acme.example' });
    expect(claim.json.record.value).not.toBe(value);
    const seen = await beta.verify('acme.example');
    expect(seen).toMatchObject({
      state: 'pending',
      check: [{ outcome: 'missing', seen: [value] }],
    });
    expect(net.one.asked.length).toBeGreaterThan(0);
  });

  it('closes the claims of others that are not proved (D-28)', async ({ organization }) => {
    const beta = await organization('Beta');
    await beta.post(`/accounts/${beta.id}/domains`, { domain: 'c.test' });
    const acme = await organization('Acme');
    const invited = await acme.post(`/accounts/${acme.id}/users`, someone('x@c.test'));
    expect([invited.status, invited.json.outcome]).toEqual([201, 'invited']);
    await acme.claimAndPublish('c.test');
    expect((await acme.verify('c.test')).state).toBe('owned');
    expect(await beta.state('c.test')).toBe('cancelled');
  });

  it('is owned by who claimed it again, once the owner lets it go', async ({
    organization,
    server,
    check,
    given,
  }) => {
    const acme = await organization('Acme');
    await acme.claimAndPublish('acme.example');
    await acme.verify('acme.example');
    const ann = await given.user('ann@acme.example', { of: acme, password: null });
    const beta = await organization('Beta');
    await beta.claimAndPublish('acme.example');
    await beta.verify('acme.example');

    const asked = await beta.post(`/accounts/${beta.id}/domains/acme.example/request-release`, {
      message: 'We bought the name.',
    });
    expect(asked.status).toBe(201);
    const inbox = (await acme.get(`/accounts/${acme.id}/domain-requests`)).json.items;
    expect(inbox).toMatchObject([
      {
        kind: 'release',
        direction: 'incoming',
        state: 'open',
        claimant: 'Beta',
        message: 'We bought the name.',
        actions: [{ rel: 'decide' }],
      },
    ]);
    const decided = await acme.post(`/accounts/${acme.id}/domain-requests/${inbox[0].id}/decide`, {
      decision: 'grant',
    });
    expect([decided.status, decided.json.state]).toEqual([200, 'done']);
    expect(await acme.state('acme.example')).toBe('released');
    expect(await beta.state('acme.example')).toBe('contested');
    server.clock.advance(1);
    await check();
    expect(await beta.state('acme.example')).toBe('owned');
    // Nobody was moved.
    expect((await given.person(ann))!.account?.id).toBe(acme.id);
  });
});

describe('a claim that is not proved yet', () => {
  it('holds up the own administrators, not those of others', async ({
    organization,
    program,
    given,
  }) => {
    const acme = await organization('Acme');
    const beta = await organization('Beta');
    const path = `/accounts/${acme.id}/domains`;
    await acme.post(path, { domain: 'acme.example' });
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const add = await co.post(`/accounts/${acme.id}/users`, someone('x@acme.example'));
    expect([add.status, add.json.code]).toEqual([409, 'domain_pending_ownership']);
    const actions = add.json.actions as { rel: string; href: string; method: string }[];
    expect(actions).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ rel: 'finish_claim', method: 'POST' }),
        expect.objectContaining({ rel: 'cancel_claim', method: 'DELETE' }),
      ]) as object,
    );
    const others = await beta.post(`/accounts/${beta.id}/users`, someone('y@acme.example'));
    expect(others.status).toBe(201);

    // The links of the answer lead where they say.
    const cancel = actions.find(({ rel }) => rel === 'cancel_claim')!;
    expect((await acme.delete(new URL(cancel.href).pathname.replace('/api/v1', ''))).status).toBe(
      204,
    );
    const after = await co.post(`/accounts/${acme.id}/users`, someone('x@acme.example'));
    expect(after.status).toBe(201);
  });
});

describe('who is in a domain', () => {
  it('is counted before the proof, shown after it, and moved by neither (M2, M8)', async ({
    organization,
    given,
  }) => {
    const acme = await organization('Acme');
    const beta = await organization('Beta');
    await given.user('member@acme.example', { of: acme, password: null });
    await given.user('free@acme.example', { password: null });
    await given.user('elsewhere@acme.example', { of: beta, password: null });
    const former = await given.user('former@acme.example', { password: null });
    await given.locked(former, 'unaffiliated');
    const bait = await given.user('bait@acme.example', { identity: 'unverified', password: null });
    await given.rows(`update users set created_at = created_at - interval '2 days' where id = $1`, [
      bait.id,
    ]);
    const path = `/accounts/${acme.id}/domains/acme.example`;
    const counts = {
      members: 1,
      unaffiliated: 1,
      waiting: 0,
      former: 1,
      elsewhere: 1,
      unverified: 1,
      invitedElsewhere: 0,
    };
    await acme.claimAndPublish('acme.example');
    expect((await acme.get(`${path}/impact`)).json).toEqual({
      domain: 'acme.example',
      counts,
      people: [],
    });
    await acme.verify('acme.example');
    const after = await acme.get(`${path}/impact`);
    expect(after.json).toMatchObject({
      // Whoever registered an address of it and never proved it is gone: bait for its owner.
      counts: { ...counts, unverified: 0 },
      people: [
        { email: 'elsewhere@acme.example', standing: 'elsewhere', id: null },
        { email: 'former@acme.example', standing: 'former' },
        { email: 'free@acme.example', standing: 'unaffiliated' },
      ],
    });
    expect(after.text).not.toContain('Beta');
    expect(await given.person(bait)).toBeNull();

    const taken = await acme.post(`${path}/existing-people`, { as: 'requests' });
    expect(taken.json).toEqual({ taken: 1, left: 0 });
    expect((await acme.get(path)).json).toMatchObject({
      waiting: 1,
      actions: expect.arrayContaining([expect.objectContaining({ rel: 'approve_waiting' })]),
    });
  });

  it('comes in as the domain says, and who waits only when that is asked for', async ({
    organization,
    given,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const path = `/accounts/${acme.id}/domains/acme.example`;
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((one) => given.user(`${one}@acme.example`, { password: null })),
    );
    // Whose own country is one of the account's keeps it (F24).
    await given.rows(`update users set country = 'FR' where id = $1`, [ben!.id]);
    expect((await acme.post(`${path}/existing-people`, { as: 'members' })).json.code).toBe(
      'invalid_value',
    );
    await acme.post(`${path}/existing-people`, { as: 'requests' });
    const auto = await acme.patch(path, {
      signup: 'auto',
      defaults: { entitlementCountry: 'DE' },
    });
    expect(auto.json).toMatchObject({ signup: 'auto', automatic: true, waiting: 2 });
    expect((await given.person(ann!))!.affiliation).toBe('pending');

    const approved = await acme.post(`${path}/approve-waiting`);
    expect(approved.json).toMatchObject({
      items: [{ result: 'approved' }, { result: 'approved' }],
      left: 0,
    });
    expect(await given.person(ben!)).toMatchObject({
      affiliation: 'member',
      account: { id: acme.id },
      entitlementCountry: 'DE',
    });
    expect((await given.person(ann!))!.entitlementCountry).toBe('US');
  });

  it('is given service roles and groups of the account, and no rights over others', async ({
    organization,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const path = `/accounts/${acme.id}/domains/acme.example`;
    for (const [defaults, code] of [
      [{ roles: ['account_administrator'] }, 'cannot_grant_higher_role'],
      [{ roles: ['no_such_role'] }, 'role_not_found'],
      [{ groups: ['00000000-0000-4000-8000-000000000000'] }, 'not_found'],
      [{ entitlementCountry: 'FR' }, 'invalid_country'],
    ] as const)
      expect((await acme.patch(path, { defaults })).json.code).toBe(code);
    expect((await acme.patch(path, { signup: 'everybody' })).status).toBe(422);
  });
});

describe('a domain that is let go', () => {
  it('leaves its people where they are, and those who wait without a queue', async ({
    organization,
    given,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const member = await given.user('ann@acme.example', { of: acme, password: null });
    const waiting = await given.user('ben@acme.example', { password: null });
    const path = `/accounts/${acme.id}/domains/acme.example`;
    await acme.patch(path, { signup: 'auto' });
    await acme.post(`${path}/existing-people`, { as: 'requests' });
    expect((await given.person(waiting))!.affiliation).toBe('pending');

    expect((await acme.delete(path)).status).toBe(204);
    expect((await given.person(member))!.account?.id).toBe(acme.id);
    expect((await given.person(waiting))!.affiliation).toBe('none');
    expect((await acme.get(path)).json).toMatchObject({ state: 'released', signup: 'approve' });
    expect((await acme.delete(path)).json.code).toBe('domain_not_found');
    const claim = await acme.post(`/accounts/${acme.id}/domains`, { domain: 'acme.example' });
    expect(claim.json.state).toBe('pending');
  });

  it('is not let go while something stands on it', async ({ organization }) => {
    const { usesDomains } = await import('#identity/domains/domain-use.ts');
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const path = `/accounts/${acme.id}/domains/acme.example`;
    const stop = usesDomains((_work, accountId, name) =>
      Promise.resolve(accountId === acme.id && name === 'acme.example' ? 'connection Entra' : null),
    );
    try {
      const answer = await acme.delete(path);
      expect([answer.status, answer.json.code]).toEqual([409, 'domain_in_use']);
    } finally {
      stop();
    }
    expect((await acme.delete(path)).status).toBe(204);
  });
});

describe('an operator vouches', () => {
  it('with a reason, for what nobody else owns', async ({
    organization,
    operator,
    server,
    given,
  }) => {
    const acme = await organization('Acme');
    const beta = await organization('Beta', { owns: ['beta.example'] });
    const attest = (domain: string, reason?: string) =>
      operator.post(`/accounts/${acme.id}/domains/${domain}/attest`, { reason });
    expect((await attest('acme.example')).status).toBe(422);
    expect((await attest('acme.example', 'Contract 7.')).json).toMatchObject({
      state: 'owned',
      proof: 'operator',
    });
    expect((await attest('acme.example', 'Contract 7 again.')).json.state).toBe('owned');
    expect((await attest('beta.example', 'They say so.')).json.code).toBe('domain_owned_by_other');
    const [row] = await given.rows<{ details: { reason: string } }>(
      `select details from audit_events where action = 'domain.owned' order by id limit 1`,
    );
    expect(row!.details.reason).toBe('Contract 7.');
    expect(await mailsTo(server, acme.administrator.email, 'domain_owned')).toHaveLength(1);
    expect(await beta.state('beta.example')).toBe('owned');
  });
});
