import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { workOnBulk } from '#identity/bulk/run.ts';
import { it } from '#test/support/it.ts';
import { emptyFolder, terminal } from './support.ts';

it('files are tried, applied, followed and undone from a terminal', async ({ given, server }) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const ostiary = terminal(server, await given.apiToken(acme));
  const folder = emptyFolder();
  const file = join(folder, 'people.csv');
  const work = async (): Promise<void> => {
    const log = { error: (...told: unknown[]) => server.errors.push(told) };
    while (await workOnBulk(server.app.foundation, log)) await Promise.resolve();
  };

  writeFileSync(file, 'Email;FirstName;LastName;Country\nann@acme.example;Ann;Archer;US\nx;X;X;US');
  expect((await ostiary('bulk upload', file, '--kind', 'shoes')).status).toBe(2);
  expect((await ostiary('bulk upload', `${file}x`, '--kind', 'add')).err).toContain('(not_found)');
  const tried = await ostiary('bulk upload', file, '--kind', 'add', '--quiet', '--json');
  expect(tried.json()).toMatchObject({ state: 'checking', total: 2 });
  await work();
  const { id } = tried.json();
  expect((await ostiary('bulk rows', id)).out).toMatch(
    /1 +ann@acme.example +ok +created[^]*2 +x +error +invalid_email/,
  );
  expect((await ostiary('bulk apply', id)).out).toContain('running');
  await work();
  expect((await ostiary('bulk show', id, '--wait')).out).toMatch(/state +done/);
  expect((await ostiary('bulk apply', id)).err).toContain('(job_closed)');
  expect((await ostiary('bulk cancel', id)).status).toBe(1);
  expect((await ostiary('bulk list')).out).toContain(id);

  const list = join(folder, 'users.csv');
  expect((await ostiary('user export --compact --out', list)).out).toContain('Written');
  expect((await ostiary('user export --out', list)).err).toContain('(file_exists)');
  writeFileSync(file, readFileSync(list, 'utf8').replace('Ann,Archer', 'Ann,Baker'));
  const update = (
    await ostiary('bulk upload', file, '--kind', 'update', '--apply', '--json')
  ).json();
  await work();
  expect((await ostiary('user show ann@acme.example')).out).toContain('Ann Baker');
  expect((await ostiary('bulk undo', update.id)).out).toContain('Ann,Archer');
  expect((await ostiary('bulk result', update.id)).out).toContain('updated');

  const changed = await ostiary('user change ann@acme.example --family-name Clark --language');
  expect(changed.status).toBe(2);
  expect((await ostiary('user change ann@acme.example --family-name Clark')).out).toContain(
    'Ann Clark',
  );
  expect((await ostiary('user list --source import --sort=-name')).out).toContain('Ann Clark');
  expect(server.errors).toEqual([]);
});

it('accounts are merged, closed, kept and set, domains handed over, people erased', async ({
  given,
  server,
}) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const beta = await given.account('Beta', { owns: ['beta.example'] });
  for (const [account, email] of [
    [acme, 'fay@acme.example'],
    [beta, 'eve@beta.example'],
  ] as const) {
    const user = await given.user(email, { of: account, roles: ['account_administrator'] });
    await given.rows(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at)
       values (gen_random_uuid(), $1, $2, now())`,
      [account.id, user.id],
    );
  }
  const ann = await given.user('ann@acme.example', { of: acme });
  const ostiary = terminal(server, await given.apiToken());

  expect((await ostiary('account settings Acme --set nonsense')).status).toBe(2);
  expect((await ostiary('account settings Acme --set signUp=closed')).out).toMatch(
    /signUp +closed/,
  );
  expect((await ostiary('account settings Acme')).out).toMatch(/signUp +closed/);
  expect((await ostiary('account members Acme --on 2999-01-01')).out).toContain('ann@acme.example');
  expect((await ostiary('account close Acme --reason x')).out).toContain('Closed on');
  expect((await ostiary('account keep Acme')).out).toContain('It is active');

  const shown = await ostiary('account merge Beta --into Acme');
  expect(shown.out).toContain('eve@beta.example: account_administrator -> co_administrator');
  const digest = /--confirm (\S+)/.exec(shown.out)![1]!;
  const done = await ostiary(
    'account merge Beta --into Acme --confirm',
    digest,
    '--reason',
    'sold',
  );
  expect([done.err, done.out]).toEqual(['', expect.stringContaining('Proposed.')]);
  const proposal = /confirm-move (\S+)/.exec(done.out)![1]!;
  expect((await ostiary('account proposals')).out).toContain('merge: Beta -> Acme');
  const own = await ostiary('account confirm-move', proposal, '--digest', digest);
  expect([own.status, own.err]).toEqual([1, expect.stringContaining('(second_operator_required)')]);
  const other = terminal(server, (await given.operator('olga@ostiary.example')).token);
  expect((await other('account confirm-move', proposal)).out).toContain(`--digest ${digest}`);
  const begun = await other('account confirm-move', proposal, '--digest', digest);
  const move = /account move (\S+)/.exec(begun.out)![1]!;
  expect((await other('account withdraw-move', proposal)).err).toContain('(proposal_closed)');
  expect((await ostiary('account move', move)).out).toContain('0 of 1 people');
  const split = await ostiary('account split Acme --name New --domain acme.example');
  expect([split.status, split.out + split.err]).toEqual([
    expect.any(Number),
    expect.stringMatching(/split|administrator/),
  ]);
  expect(
    (await ostiary('domain announce-transfer acme.example --account Acme --reason x')).status,
  ).toBe(1);

  expect((await ostiary('erasure request ann@acme.example')).out).toContain('is deleted on');
  expect((await ostiary('erasure list')).out).toContain(ann.id);
  expect((await ostiary('erasure data', ann.id)).out).toContain('ann@acme.example');
  expect((await ostiary('erasure cancel', ann.id)).out).toContain('They stay');
  expect((await ostiary('erasure decide', ann.id, 'approve', '--account', 'Acme')).err).toContain(
    '(not_found)',
  );
  expect(server.errors).toEqual([]);
});
