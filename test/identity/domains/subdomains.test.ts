import { describe, expect } from 'vitest';
import { homeRealm } from '#identity/federation/home-realm.ts';
import { namesAbove } from '#identity/domains/owning-domain.ts';
import { readFacts } from '#identity/verdict/facts.ts';
import { someone } from '../../http/admin/support.ts';
import { it, type Organization } from './support.ts';

const day = 24 * 3600;

async function including(
  organization: (name: string) => Promise<Organization>,
): Promise<Organization> {
  const acme = await organization('Acme');
  await acme.claimAndPublish('acme.example');
  await acme.verify('acme.example');
  const said = await acme.patch(`/accounts/${acme.id}/domains/acme.example`, {
    includeSubdomains: true,
  });
  expect([said.status, said.json.includeSubdomains]).toEqual([200, true]);
  return acme;
}

describe('what is below a domain', () => {
  it('is looked up as far as one can own, and no further', () => {
    expect(namesAbove('a.eng.acme.example')).toEqual([
      'a.eng.acme.example',
      'eng.acme.example',
      'acme.example',
    ]);
    expect(namesAbove('acme.co.uk')).toEqual(['acme.co.uk']);
    expect(namesAbove('me.github.io')).toEqual(['me.github.io']);
    expect(namesAbove('gmail.com')).toEqual(['gmail.com']);
  });

  it('is another domain, until its owner takes it along: then it is theirs at every door', async ({
    organization,
    operator,
    given,
    server,
  }) => {
    const acme = await organization('Acme');
    const beta = await organization('Beta');
    const users = `/accounts/${acme.id}/users`;
    const domains = `/accounts/${acme.id}/domains`;
    await operator.post(`${domains}/acme.example/attest`, { reason: 'Known to us.' });
    const below = 'new@eng.acme.example';
    const facts = async (email: string, of: { id: string }) =>
      (await readFacts(server.app.foundation.database, email, of.id, new Date())).domain;
    expect(await facts(below, acme)).toBe('free');
    // Somebody's word is not enough: who writes in its DNS decides about the names below.
    const include = { includeSubdomains: true };
    const word = await acme.patch(`${domains}/acme.example`, include);
    expect([word.status, word.json.code]).toEqual([409, 'domain_not_proved']);

    await acme.claimAndPublish('acme.example');
    server.clock.advance(60);
    await acme.verify('acme.example');
    await given.user('old@lab.acme.example', { of: acme });
    // Beta has proved one of them by itself.
    await beta.claimAndPublish('beta.acme.example');
    await beta.verify('beta.acme.example');
    expect((await acme.patch(`${domains}/acme.example`, include)).status).toBe(200);

    for (const [email, ofAcme, ofBeta] of [
      [below, 'mine', 'other'],
      ['x@deep.down.acme.example', 'mine', 'other'],
      ['x@beta.acme.example', 'other', 'mine'],
      ['x@below.beta.acme.example', 'mine', 'other'],
      ['x@notacme.example', 'free', 'free'],
      ['x@acme.example.evil.example', 'free', 'free'],
    ] as const)
      expect([email, await facts(email, acme), await facts(email, beta)]).toEqual([
        email,
        ofAcme,
        ofBeta,
      ]);
    const refused = await beta.post(`/accounts/${beta.id}/users`, someone(below));
    expect(refused.json.code).toBe('domain_owned_by_other');
    expect(await given.rows(`select 1 from domains where name = 'eng.acme.example'`)).toEqual([]);

    // Those that have people have a row, and the rules of the domain above.
    expect((await acme.post(users, someone(below))).json.outcome).toBe('created');
    const { items } = (await acme.get(domains)).json;
    expect(
      items.map((one: { domain: string; cameAlong: boolean }) => [one.domain, one.cameAlong]),
    ).toEqual(
      expect.arrayContaining([
        ['acme.example', false],
        ['eng.acme.example', true],
        ['lab.acme.example', true],
      ]),
    );
    const alone = await acme.delete(`${domains}/eng.acme.example`);
    expect([alone.status, alone.json.code]).toEqual([409, 'domain_in_use']);

    // What is let go takes them with it; who is a member stays one.
    expect((await acme.delete(`${domains}/acme.example`)).status).toBeLessThan(300);
    expect(await acme.state('eng.acme.example')).toBe('released');
    expect(await facts('other@lab.acme.example', acme)).toBe('free');
    expect(await acme.state('lab.acme.example')).toBe('released');
    expect(server.errors).toEqual([]);
  });

  it('leads to the same identity provider, before anybody is there and after', async ({
    organization,
    given,
    server,
  }) => {
    const acme = await including(organization);
    const [connection] = await given.rows<{ id: string }>(
      `insert into connections (id, account_id, kind, name, state, settings, mapping, provisioning,
         created_by, created_at, updated_at)
       values (gen_random_uuid(), $1, 'oidc', 'Entra', 'active', '{}', '{}', '{}', '{}', now(), now())
       returning id`,
      [acme.id],
    );
    await given.rows(
      `insert into connection_domains (domain, connection_id, bound_at)
       values ('acme.example', $1, now())`,
      [connection!.id],
    );
    const { database } = server.app.foundation;
    const where = async (email: string) =>
      (await homeRealm(database, email))?.connection.id ?? null;
    expect(await where('x@eng.acme.example')).toBe(connection!.id);
    expect(await where('x@notacme.example')).toBeNull();
    await acme.post(`/accounts/${acme.id}/users`, someone('new@eng.acme.example'));
    expect(await where('x@eng.acme.example')).toBe(connection!.id);
    expect(await given.rows('select domain from connection_domains order by domain')).toEqual([
      { domain: 'acme.example' },
      { domain: 'eng.acme.example' },
    ]);
    const out = await acme.patch(`/accounts/${acme.id}/domains/acme.example`, {
      includeSubdomains: false,
    });
    expect([out.status, out.json.code]).toEqual([409, 'domain_in_use']);
  });

  it('is lost with it, and found again with it', async ({
    organization,
    given,
    net,
    check,
    server,
  }) => {
    const acme = await including(organization);
    const ann = await given.user('ann@eng.acme.example', { of: acme });
    await acme.patch(`/accounts/${acme.id}/domains/acme.example`, { includeSubdomains: false });
    await acme.patch(`/accounts/${acme.id}/domains/acme.example`, { includeSubdomains: true });
    const [place] = [...net.one.zones.entries()].find(([, zone]) => zone.txt !== undefined)!;
    const zone = net.one.zones.get(place)!;
    net.remove(place);
    for (const seconds of [7 * day + 1, day, day, day]) {
      server.clock.advance(seconds);
      await check();
    }
    expect(await acme.state('eng.acme.example')).toBe('at_risk');
    server.clock.advance(31 * day);
    await check();
    expect(await acme.state('eng.acme.example')).toBe('lapsed');
    expect((await given.person(ann))!.emailVerified).toBe(false);
    net.set(place, zone);
    server.clock.advance(2 * day);
    await check();
    expect(await acme.state('acme.example')).toBe('owned');
    expect(await acme.state('eng.acme.example')).toBe('owned');
    expect((await given.person(ann))!.emailVerified).toBe(true);
  });
});
