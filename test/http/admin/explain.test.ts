import { describe, expect } from 'vitest';
import { doors } from '#identity/verdict/verdict.ts';
import { it } from '#test/support/it.ts';
import type { Agent } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { caller } from './support.ts';

async function world(given: World, program: Agent) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const beta = await given.account('Beta Engineering', { owns: ['beta.example'] });
  return {
    acme,
    beta,
    admin: caller(program, await given.apiToken(acme)),
    operator: caller(program, await given.apiToken()),
  };
}

interface Said {
  door: string;
  outcome: string;
  code: string | null;
  ask: string | null;
}

const at = (answer: { json: { doors: Said[] } }, door: string) =>
  answer.json.doors.find((one) => one.door === door);

describe('explain', () => {
  it('says what happens to a person at every door, and who can change it', async ({
    given,
    program,
  }) => {
    const { acme, admin } = await world(given, program);
    const client = await given.client({ requiresAccount: true });
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.locked(ann, 'admin', 'She is on leave.');
    const said = await admin.get(`/explain?email=Ann@acme.example&client=${client.id}`);
    expect(said.status).toBe(200);
    expect(said.json).toMatchObject({
      email: 'ann@acme.example',
      domain: { standing: 'mine' },
      account: { id: acme.id, status: 'active' },
      person: {
        id: ann.id,
        affiliation: 'member',
        locks: ['admin'],
        says: 'Is a member of this account. An administrator locked them.',
      },
      signIn: {
        client: 'Planner',
        access: 'deny',
        reason: 'locked.admin',
        says: 'An administrator locked them.',
        ask: 'an administrator of the account',
      },
    });
    expect(said.json.doors.map(({ door }: Said) => door)).toEqual([...doors]);
    expect(at(said, 'admin_add')).toMatchObject({ outcome: 'refuse', code: 'already_member' });
    expect(at(said, 'registration')).toMatchObject({ outcome: 'tell_holder' });
  });

  it('names no other account, and tells nothing of its people', async ({ given, program }) => {
    const { beta, admin } = await world(given, program);
    const bob = await given.user('bob@beta.example', { of: beta });
    await given.locked(bob, 'admin');
    const said = await admin.get('/explain?email=bob@beta.example');
    expect(said.json).toMatchObject({ domain: { standing: 'other' }, person: null, signIn: null });
    expect(at(said, 'admin_add')).toMatchObject({ code: 'domain_owned_by_other' });
    for (const secret of [beta.id, 'Beta', bob.id, 'locked'])
      expect(said.text).not.toContain(secret);
  });

  it('is not asked about another account, but by an operator', async ({ given, program }) => {
    const { acme, beta, admin, operator } = await world(given, program);
    const bob = await given.user('bob@beta.example', { of: beta });
    expect((await admin.get(`/explain?email=x@y.example&account=${beta.id}`)).json).toMatchObject({
      status: 404,
      code: 'account_not_found',
    });
    const seen = await operator.get(`/explain?email=bob@beta.example&account=${acme.id}`);
    expect(seen.json).toMatchObject({
      person: { id: bob.id, accountId: beta.id },
      signIn: { access: 'allow' },
    });
    const alone = await operator.get('/explain?email=bob@beta.example');
    expect(alone.json.doors.map(({ door }: Said) => door)).toEqual([
      'discovery',
      'registration',
      'settling',
      'email_change',
    ]);
  });

  it('says of an address that is none, and of one that nobody has', async ({ given, program }) => {
    const { operator, acme } = await world(given, program);
    const none = await operator.get(`/explain?email=nonsense&account=${acme.id}`);
    expect(none.json.email).toBeNull();
    expect(none.json.doors.every(({ code }: Said) => code === 'invalid_email')).toBe(true);
    const nobody = await operator.get(`/explain?email=new@acme.example&account=${acme.id}`);
    expect(at(nobody, 'admin_add')).toMatchObject({ outcome: 'create_member' });
    expect(nobody.json.signIn).toMatchObject({ access: 'deny', reason: 'unknown' });
  });

  it('says the same as the door itself', async ({ given, program }) => {
    const { acme, admin } = await world(given, program);
    await given.user('old@acme.example');
    await given.user('else@gmail.com');
    for (const email of [
      'old@acme.example',
      'else@gmail.com',
      'new@gmail.com',
      'new@acme.example',
      'x@beta.example',
      'nonsense',
    ]) {
      const said = at(await admin.get(`/explain?email=${email}`), 'admin_add')!;
      const done = await admin.post(`/accounts/${acme.id}/users`, {
        email,
        givenName: 'A',
        familyName: 'B',
        country: 'US',
        mode: 'dry-run',
      });
      expect(done.json.code ?? null).toBe(said.code);
    }
  });
});
