import { describe, expect } from 'vitest';
import { unitOfWork } from '#identity/work.ts';
import { it } from '#test/support/it.ts';
import { caller } from './support.ts';

const rounds = 12;

describe('two administrators against each other (D-79)', () => {
  it.for<[string, (user: string) => [method: string, path: string, json?: object]]>([
    ['demote', (user) => ['POST', `${user}/roles`, { remove: ['account_administrator'] }]],
    ['remove', (user) => ['DELETE', user]],
    ['lock', (user) => ['POST', `${user}/lock`, { note: 'x' }]],
  ])('%s each other, and one is left', async ([, request], { given, program, server }) => {
    for (let round = 0; round < rounds; round += 1) {
      const account = await given.account(`Acme ${round}`);
      const people = await Promise.all(
        ['amy', 'bea'].map((name) =>
          given.user(`${name}${round}@acme.example`, {
            of: account,
            roles: ['account_administrator'],
            password: null,
          }),
        ),
      );
      const operator = caller(program, await given.apiToken());
      const answers = await Promise.all(
        people.map(({ id }) => {
          const [method, path, json] = request(`/accounts/${account.id}/users/${id}`);
          return operator.send(method, path, json);
        }),
      );
      expect(answers.map(({ status }) => (status < 300 ? 'done' : 'refused')).sort()).toEqual([
        'done',
        'refused',
      ]);
      expect(answers.find(({ status }) => status >= 300)!.json.code).toBe('last_administrator');
      const usable = await given.rows(
        `select 1 from users u join role_assignments r on r.user_id = u.id
         where u.account_id = $1 and r.role = 'account_administrator' and not exists (
           select from user_locks l where l.user_id = u.id and l.released_at is null)`,
        [account.id],
      );
      expect(usable).toHaveLength(1);
    }
    expect(server.errors).toEqual([]);
  });

  it('do different things to each other, and one is left', async ({ given, program, server }) => {
    for (let round = 0; round < rounds; round += 1) {
      const account = await given.account(`Acme ${round}`);
      const [amy, bea, cleo] = await Promise.all(
        ['amy', 'bea', 'cleo'].map((name) =>
          given.user(`${name}${round}@acme.example`, {
            of: account,
            roles: ['account_administrator'],
            password: null,
          }),
        ),
      );
      const operator = caller(program, await given.apiToken());
      const users = `/accounts/${account.id}/users`;
      await Promise.all([
        operator.delete(`${users}/${amy!.id}`),
        operator.post(`${users}/${bea!.id}/lock`, { note: 'x' }),
        operator.post(`${users}/${cleo!.id}/roles`, { remove: ['account_administrator'] }),
        operator.post(`${users}/${amy!.id}/lock`, { note: 'x' }),
        operator.post(`${users}/${bea!.id}/roles`, { remove: ['account_administrator'] }),
      ]);
      const usable = await given.rows(
        `select 1 from users u join role_assignments r on r.user_id = u.id
         where u.account_id = $1 and r.role = 'account_administrator' and not exists (
           select from user_locks l where l.user_id = u.id and l.released_at is null)`,
        [account.id],
      );
      expect(usable.length).toBeGreaterThanOrEqual(1);
    }
    expect(server.errors).toEqual([]);
  });
});

describe('a person who becomes an administrator while a Co-Administrator locks them', () => {
  it('is locked before or not at all', async ({ given, program, server }) => {
    for (let round = 0; round < rounds; round += 1) {
      const account = await given.account(`Acme ${round}`);
      await given.user(`fay${round}@acme.example`, {
        of: account,
        roles: ['account_administrator'],
        password: null,
      });
      const ann = await given.user(`ann${round}@acme.example`, { of: account, password: null });
      const co = caller(program, await given.apiToken(account, 'co_administrator'));
      const operator = caller(program, await given.apiToken());
      const user = `/accounts/${account.id}/users/${ann.id}`;
      const [locked, promoted] = await Promise.all([
        co.post(`${user}/lock`, { note: 'x' }),
        operator.post(`${user}/roles`, { add: ['account_administrator'] }),
      ]);
      expect(promoted.status).toBe(200);
      if (locked.status !== 200) expect(locked.json.code).toBe('cannot_act_on_higher_role');
      const order = (await given.events())
        .filter((one) => one === 'user.locked' || one === 'role.granted')
        .slice(-2);
      if (locked.status === 200) expect(order.at(-1)).toBe('role.granted');
    }
    expect(server.errors).toEqual([]);
  });
});

describe('a transaction that collides', () => {
  it('is tried again, and says so at last', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    const { foundation } = server.app;
    // Somebody registers the address at the moment it is added.
    const registered = unitOfWork(
      foundation,
      { actor: { type: 'system', id: 'test' } },
      async (work) => {
        await work.query(
          `insert into users (id, email, email_display, identity, created_at, updated_at) values
         ('01a201aa-a637-7dcc-b569-3b562a947439', 'new@acme.example', 'new@acme.example', 'ready', now(), now())`,
        );
        await new Promise((resolve) => setTimeout(resolve, 200));
      },
    );
    const answer = await admin.post(`/accounts/${acme.id}/users`, {
      email: 'new@acme.example',
      givenName: 'N',
      familyName: 'P',
      country: 'US',
    });
    await registered;
    expect(answer.json).toMatchObject({ status: 409, code: 'user_exists' });
    expect(server.errors).toEqual([]);
  });
});
