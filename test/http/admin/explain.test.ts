import { describe, expect } from 'vitest';
import { workOnBulk } from '#identity/bulk/run.ts';
import { type Door, doors } from '#identity/verdict/verdict.ts';
import { it } from '#test/support/it.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { directoryOf, user } from '../scim/support.ts';
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
});

describe('one verdict (M1)', () => {
  it('is what an administrator, a file, an invitation and a directory are all told', async ({
    given,
    program,
    server,
  }) => {
    const { acme, beta, admin } = await world(given, program);
    const directory = await directoryOf(given, program, acme, { domainPolicy: 'any_unowned' });
    await given.user('member@acme.example', { of: acme });
    await given.waiting(await given.user('waiting@acme.example'), acme);
    await given.user('bob@acme.example', { of: beta });
    await given.user('old@acme.example');
    await given.user('else@gmail.com');
    const path = `/accounts/${acme.id}`;
    const person = { givenName: 'A', familyName: 'B', country: 'US' };
    const emails = [
      'member@acme.example',
      'waiting@acme.example',
      'bob@acme.example',
      'old@acme.example',
      'new@acme.example',
      'x@beta.example',
      'else@gmail.com',
      'new@gmail.com',
    ];
    const explained = new Map<string, Answer>();
    for (const email of emails) explained.set(email, await admin.get(`/explain?email=${email}`));
    const saidAt = (door: Door) =>
      emails.map((email) => {
        const { outcome, code } = at(explained.get(email)!, door)!;
        return [email, outcome === 'refuse' ? code : null];
      });
    // Most are refused, each for a reason of their own.
    expect(new Set(saidAt('admin_add').map(([, code]) => code)).size).toBeGreaterThan(4);

    const added: [string, string | null][] = [];
    for (const email of emails) {
      const { json } = await admin.post(`${path}/users`, { ...person, email, mode: 'dry-run' });
      added.push([email, json.code ?? null]);
    }
    expect(added).toEqual(saidAt('admin_add'));

    const rows = emails.map((email) => `${email},A,B,US`);
    const job = await admin.file(
      `${path}/bulk?kind=add`,
      ['Email,FirstName,LastName,Country', ...rows].join('\n'),
    );
    const log = { error: (...told: unknown[]) => server.errors.push(told) };
    while (await workOnBulk(server.app.foundation, log));
    const tried = (await admin.get(`${path}/bulk/${job.json.id}/rows`)).json.items as {
      result: string;
      code: string;
    }[];
    expect(
      tried.map(({ result, code }, row) => [emails[row], result === 'ok' ? null : code]),
    ).toEqual(saidAt('bulk_add'));

    for (const [email, code] of saidAt('invite')) {
      if (code === null) continue;
      const { json } = await admin.post(`${path}/invitations`, { ...person, email });
      expect([email, json.code]).toEqual([email, code]);
    }
    // Who has to agree first is not refused, but a directory cannot ask them.
    for (const email of emails) {
      const { outcome } = at(explained.get(email)!, 'scim_create')!;
      const { status } = await directory.post('/Users', user(email));
      const taken = outcome !== 'refuse' && outcome !== 'invite';
      expect([email, status < 300]).toEqual([email, taken]);
    }
  });
});
