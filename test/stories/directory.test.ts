import { decodeJwt } from 'jose';
import { expect } from 'vitest';
import { createGroup } from '#identity/groups/groups.ts';
import { it } from '#test/support/it.ts';
import { refresh, signIn, tokensFor } from '#test/support/sign-in.ts';
import { caller } from '../http/admin/support.ts';
import { directoryOf, user } from '../http/scim/support.ts';

/** The part of behaviour.md section 13 in which Acme's directory takes over. */
it('Dan is matched, suspended, let in again, removed and back, and is Dan all the time', async ({
  server,
  given,
  program,
}) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const dan = await given.user('dan@acme.example', { of: acme, givenName: 'Dan' });
  const x = await given.client({
    metadata: { backchannel_logout_uri: 'http://127.0.0.1:9/bcl' },
  });
  const offline = { scope: 'openid email groups organization offline_access' };
  const local = await given.work((work) =>
    createGroup(work, { id: acme.id, countries: ['US'] }, { name: 'Painters' }),
  );
  const fay = caller(program, await given.apiToken(acme));
  await fay.post(`/accounts/${acme.id}/groups/${local.id}/members`, { add: [dan.id] });

  // Dan came by himself; the directory finds him and makes nobody twice.
  const before = await tokensFor(server.agent(), x, dan, offline);
  const { sub } = decodeJwt(before.id_token);
  const directory = await directoryOf(given, server.agent({ cookies: false }), acme);
  const [found] = (await directory.filter('/Users', 'userName eq "DAN@acme.example"')).json
    .Resources;
  expect(found).toMatchObject({ active: true, name: { givenName: 'Dan' } });
  const path = `/Users/${found.id}`;
  await directory.patch(path, { op: 'add', path: 'externalId', value: 'object-dan' });
  const team = await directory.group('Design', [{ id: found.id }]);

  // He leaves: at once everything he holds is worth nothing.
  await directory.patch(path, { op: 'Replace', path: 'active', value: 'False' });
  expect((await fay.get(`/accounts/${acme.id}/users/${dan.id}`)).json).toMatchObject({
    status: 'suspended',
    locks: [{ reason: 'directory' }],
  });
  const dead = await refresh(program, x, before.refresh_token!);
  expect([dead.status, dead.json.error]).toEqual([400, 'invalid_grant']);
  const [{ queued }] = (await given.rows<{ queued: number }>(
    `select count(*)::int as queued from outbox where kind = 'backchannel_logout' and subject = $1`,
    [dan.id],
  )) as [{ queued: number }];
  expect(queued).toBe(1);
  const stopped = await signIn(server.agent(), x, dan, offline);
  expect(stopped.location?.searchParams.get('code')).toBeFalsy();
  const unlocked = await fay.post(`/accounts/${acme.id}/users/${dan.id}/unlock`);
  expect([unlocked.status, unlocked.json.code]).toEqual([409, 'lock_not_yours']);

  // He is back, with the groups he had.
  await directory.patch(path, { op: 'Replace', path: 'active', value: 'True' });
  const back = await tokensFor(server.agent(), x, dan, offline);
  const { groups } = decodeJwt(back.id_token);
  expect([(groups as string[]).toSorted(), decodeJwt(back.id_token).sub]).toEqual([
    ['Design', 'Painters'],
    sub,
  ]);
  const kept = await fay.patch(`/accounts/${acme.id}/groups/${team.id}`, { name: 'Designers' });
  expect([kept.status, kept.json.code]).toEqual([409, 'managed_by_directory']);

  // Removed, and hired again a while later: another resource, the same person, without what he had.
  expect((await directory.delete(path)).status).toBe(204);
  expect((await directory.get(path)).status).toBe(404);
  expect((await given.person(dan))!.affiliation).toBe('none');
  const hired = await directory.post(
    '/Users',
    user('dan@acme.example', { externalId: 'object-dan' }),
  );
  expect(hired.status).toBe(201);
  expect(hired.json.id).not.toBe(found.id);
  const again = await tokensFor(server.agent(), x, dan, offline);
  expect(decodeJwt(again.id_token)).toMatchObject({ sub, org: acme.id });
  expect((await given.person(dan))!.groups).toEqual([]);

  // And whoever asks why, is told.
  const { items } = (await fay.get(`/accounts/${acme.id}/scim-requests?person=dan@acme.example`))
    .json;
  const summaries = items.map(({ meaning }: { meaning: { summary: string } }) => meaning.summary);
  expect(summaries).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/asked to create the person dan@acme.example/),
      expect.stringMatching(/asked to remove the person/),
      expect.stringMatching(/asked to change the person dan@acme.example/),
    ]),
  );
  expect(server.errors).toEqual([]);
});
