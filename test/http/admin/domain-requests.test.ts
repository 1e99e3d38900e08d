import { describe, expect } from 'vitest';
import { requestReset } from '#identity/credentials/password.ts';
import { it, mailsTo, type Organization } from '../../identity/domains/support.ts';
import { caller, someone } from './support.ts';

const day = 24 * 3600;

describe('an organization that asks for access to a domain of another', () => {
  it('adds people of that domain and no other, until it is taken back', async ({
    organization,
    server,
    given,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example', 'acme-labs.example'] });
    const beta = await organization('Beta');
    const add = (email: string) => beta.post(`/accounts/${beta.id}/users`, someone(email));
    const before = await add('ann@acme.example');
    expect([before.status, before.json.code]).toEqual([409, 'domain_owned_by_other']);
    expect(before.text).not.toContain('Acme');
    const offered = before.json.actions[0] as { rel: string; href: string };
    expect(offered.rel).toBe('request_access');

    const asked = await beta.post(new URL(offered.href).pathname.replace('/api/v1', ''), {
      message: 'Ann works with us.',
    });
    expect(asked.status).toBe(201);
    expect(asked.json).toMatchObject({
      kind: 'access',
      state: 'open',
      direction: 'outgoing',
      claimant: null,
      contact: null,
    });
    expect(asked.text).not.toContain('"Acme');
    // Asking twice is asking once.
    const again = await beta.post(`/accounts/${beta.id}/domains/acme.example/request-access`);
    expect(again.json.id).toBe(asked.json.id);
    const mails = await mailsTo(server, acme.administrator.email, 'domain_contested');
    expect(mails.map(({ subject }) => subject)).toEqual(['Beta asks for access to acme.example']);
    expect(mails[0]!.text).toContain(beta.administrator.email);
    expect((await add('ann@acme.example')).json.code).toBe('domain_owned_by_other');

    const decide = (decision: string) =>
      acme.post(`/accounts/${acme.id}/domain-requests/${asked.json.id}/decide`, { decision });
    expect((await decide('grant')).json).toMatchObject({ state: 'granted', claimant: 'Beta' });
    const second = await decide('refuse');
    expect([second.status, second.json.code]).toEqual([409, 'already_decided']);
    expect(second.json.details).toMatchObject({ state: 'granted', by: 'test' });

    expect((await add('ann@acme.example')).json.outcome).toBe('created');
    expect((await add('ben@acme-labs.example')).json.code).toBe('domain_owned_by_other');

    expect(
      (await acme.delete(`/accounts/${acme.id}/domain-requests/${asked.json.id}`)).status,
    ).toBe(204);
    expect((await add('cid@acme.example')).json.code).toBe('domain_owned_by_other');
    const ann = (await beta.get(`/accounts/${beta.id}/users?q=ann`)).json.items;
    expect(ann).toHaveLength(1);
    const said = await given.rows<{ account_id: string; details: Record<string, unknown> }>(
      `select account_id, details from audit_events where action = 'domain.access_granted' order by id`,
    );
    expect(said.map((row) => row.account_id).sort()).toEqual([acme.id, beta.id].sort());
    expect(JSON.stringify(said.find((row) => row.account_id === beta.id)!.details)).not.toContain(
      acme.id,
    );
  });

  it('asks again a month after it was refused', async ({ organization, server }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const beta = await organization('Beta');
    const ask = () => beta.post(`/accounts/${beta.id}/domains/acme.example/request-access`);
    const first = await ask();
    await acme.post(`/accounts/${acme.id}/domain-requests/${first.json.id}/decide`, {
      decision: 'refuse',
    });
    expect((await ask()).json.code).toBe('rate_limited');
    server.clock.advance(31 * day);
    expect((await ask()).status).toBe(201);
  });

  it('is answered by the owner alone', async ({ organization, given, program }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const beta = await organization('Beta');
    const gamma = await organization('Gamma');
    const asked = await beta.post(`/accounts/${beta.id}/domains/acme.example/request-access`);
    const decide = (who: Organization) =>
      who.post(`/accounts/${who.id}/domain-requests/${asked.json.id}/decide`, {
        decision: 'grant',
      });
    for (const who of [beta, gamma])
      expect([(await decide(who)).status, (await decide(who)).json.code]).toEqual([
        404,
        'not_found',
      ]);
    expect(
      (await gamma.delete(`/accounts/${gamma.id}/domain-requests/${asked.json.id}`)).status,
    ).toBe(404);
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.get(`/accounts/${acme.id}/domain-requests`)).json.items).toHaveLength(1);
    expect(
      (
        await co.post(`/accounts/${acme.id}/domain-requests/${asked.json.id}/decide`, {
          decision: 'grant',
        })
      ).status,
    ).toBe(403);
    // Who asks may think better of it.
    expect(
      (await beta.delete(`/accounts/${beta.id}/domain-requests/${asked.json.id}`)).status,
    ).toBe(204);
    expect((await decide(acme)).json.code).toBe('already_decided');
  });

  it('says nothing of a domain that nobody owns, and releases none that was not proved', async ({
    organization,
  }) => {
    const beta = await organization('Beta');
    await organization('Acme', { owns: ['acme.example'] });
    const ask = (domain: string, what: string) =>
      beta.post(`/accounts/${beta.id}/domains/${domain}/request-${what}`);
    expect((await ask('free.example', 'access')).json.code).toBe('domain_not_found');
    expect((await ask('acme.example', 'release')).json.code).toBe('domain_not_proved');
  });
});

describe('an operator transfers a domain (D-31, M2)', () => {
  it('with both proofs looked at, two weeks of notice, and a second operator', async ({
    organization,
    given,
    net,
    program,
    server,
  }) => {
    const acme = await organization('Acme');
    const acmeRecord = await acme.claimAndPublish('acme.example');
    await acme.verify('acme.example');
    const ann = await given.user('ann@acme.example', { of: acme });
    const beta = await organization('Beta');
    const betaRecord = await beta.claimAndPublish('acme.example');
    await beta.verify('acme.example');
    const gamma = await organization('Gamma');
    const access = await gamma.post(`/accounts/${gamma.id}/domains/acme.example/request-access`);
    await acme.post(`/accounts/${acme.id}/domain-requests/${access.json.id}/decide`, {
      decision: 'grant',
    });
    const [first, second] = [
      caller(program, await given.apiToken()),
      caller(program, (await given.operator('olga@ostiary.example')).token),
    ];
    const path = `/accounts/${beta.id}/domains/acme.example/transfer`;
    const why = async (answer: Promise<{ status: number; json: { details?: unknown } }>) => {
      const { status, json } = await answer;
      return [status, (json.details as { why?: string } | undefined)?.why];
    };
    const reason = { reason: 'The company was sold.' };

    // The owner's record is there.
    expect(await why(first.post(path, reason))).toEqual([409, 'owner_proved']);
    // Nobody can tell whether it is.
    const [ours] = [net.one.zones.get(acmeRecord.name)!];
    net.set(acmeRecord.name, { fails: 'SERVFAIL' });
    net.set('acme.example', { txt: [betaRecord.value] });
    expect(await why(first.post(path, reason))).toEqual([409, 'owner_proved']);
    // The claimant's is gone too.
    net.remove(acmeRecord.name);
    net.remove('acme.example');
    expect(await why(first.post(path, reason))).toEqual([409, 'claimant_not_proved']);

    net.set('acme.example', { txt: [betaRecord.value] });
    const announced = await first.post(path, reason);
    expect(announced.status).toBe(201);
    expect(announced.json).toMatchObject({ kind: 'transfer', state: 'open' });
    const notices = await mailsTo(server, acme.administrator.email, 'domain_contested');
    expect(notices.length).toBeGreaterThan(1);

    const carryOut = (who: typeof first) => who.post(`${path}/carry-out`, reason);
    server.clock.advance(13 * day);
    expect(await why(carryOut(second))).toEqual([409, 'notice_runs']);
    server.clock.advance(day + 60);
    expect(await acme.state('acme.example')).toBe('owned');
    expect(await why(carryOut(first))).toEqual([409, 'second_operator']);
    // The owner put it back at the last moment.
    net.set(acmeRecord.name, ours);
    expect(await why(carryOut(second))).toEqual([409, 'owner_proved']);
    net.remove(acmeRecord.name);

    const invited = await gamma.post(`/accounts/${gamma.id}/users`, someone('new@acme.example'));
    expect(invited.json.outcome).toBe('created');
    await given.rows(
      `insert into invitations (id, account_id, email, email_display, invited_by, sent_at, created_at, expires_at)
       values (gen_random_uuid(), $1::uuid, 'guest@acme.example', 'guest@acme.example', '{}', now(), now(), now() + interval '90 days')`,
      [gamma.id],
    );
    await requestReset(
      server.app.foundation,
      { email: 'ann@acme.example', browser: 'a browser', locale: null, returnTo: null },
      {},
    );
    const [link] = (await mailsTo(server, 'ann@acme.example', 'password_reset'))[0]!.text.match(
      /\/reset-password\?token=\S+/,
    )!;

    const done = await carryOut(second);
    expect([done.status, done.json.state]).toEqual([200, 'owned']);
    expect(await acme.state('acme.example')).toBe('released');

    // The former owner and those it trusted have nothing more to do with the domain.
    for (const who of [acme, gamma])
      expect(
        (await who.post(`/accounts/${who.id}/users`, someone('late@acme.example'))).json.code,
      ).toBe('domain_owned_by_other');
    const [invitation] = await given.rows<{ state: string }>(
      `select state from invitations where email = 'guest@acme.example'`,
    );
    expect(invitation!.state).toBe('superseded');
    // Nobody was moved, and nobody gets in by a mail that the new owner reads.
    expect((await given.person(ann))!.account?.id).toBe(acme.id);
    const browser = server.agent();
    expect((await browser.get(link)).status).toBe(410);
    await requestReset(
      server.app.foundation,
      { email: 'ann@acme.example', browser: 'a browser', locale: null, returnTo: null },
      {},
    );
    expect(await mailsTo(server, 'ann@acme.example', 'password_reset')).toHaveLength(1);
    const said = await given.rows<{ account_id: string }>(
      `select account_id from audit_events where action = 'domain.transferred'`,
    );
    expect(said.map((row) => row.account_id).sort()).toEqual([acme.id, beta.id].sort());
    expect(server.errors).toEqual([]);
  });

  it('never by itself, and not when it is stopped', async ({
    organization,
    operator,
    net,
    check,
    server,
  }) => {
    const acme = await organization('Acme');
    const { name } = await acme.claimAndPublish('acme.example');
    await acme.verify('acme.example');
    const beta = await organization('Beta');
    await beta.claimAndPublish('acme.example');
    await beta.verify('acme.example');
    net.set(name, { txt: [net.one.zones.get(name)!.txt![1]!] });
    const path = `/accounts/${beta.id}/domains/acme.example/transfer`;
    expect((await operator.post(path, { reason: 'Sold.' })).status).toBe(201);
    server.clock.advance(20 * day);
    await check();
    expect(await beta.state('acme.example')).toBe('contested');
    expect((await operator.post(`${path}/stop`, { reason: 'A mistake.' })).status).toBe(200);
    expect((await operator.post(`${path}/carry-out`, { reason: 'Sold.' })).status).toBe(404);
  });
});
