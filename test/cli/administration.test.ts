import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { commands } from '../../src/cli/commands.ts';
import { emptyFolder, ostiary, terminal } from './support.ts';

/** Where no server is: what is not understood is never sent. */
const nowhere = { url: 'http://127.0.0.1:9' };

describe('the command line', () => {
  it('tells what there is', async () => {
    const help = await ostiary(['--help']);
    expect(help).toMatchObject({ status: 0, err: '' });
    expect(help.out).toContain('user lock');
    const nobody = terminal(nowhere, '');
    expect((await nobody('user --help')).out).not.toContain('client create');
    expect((await nobody('user lock --help')).out).toContain(
      'Usage: ostiary user lock <user> --note <text>',
    );
    for (const { noun, verb } of commands) {
      const { status, out } = await nobody([noun, verb, '--help'].filter(Boolean).join(' '));
      expect([noun, verb, status, out.split('\n')[0]]).toEqual([
        noun,
        verb,
        0,
        expect.stringContaining(`Usage: ostiary ${[noun, verb].filter(Boolean).join(' ')}`),
      ]);
    }
  });

  it.for([
    ['', 'Usage: ostiary'],
    ['nothing', 'There is no nothing'],
    ['user', 'ostiary user needs a verb'],
    ['user fly', 'ostiary user does not fly'],
    ['user lock', '<user> is missing'],
    ['user lock ann', '--note is missing'],
    ['user lock ann bob --note x', 'bob is one too many'],
    ['user list --nothing', "Unknown option '--nothing'"],
    ['user list --q', '--q'],
    ['user list --q a --q b', '--q is given twice'],
  ] as const)('does not understand "%s"', async ([line, why]) => {
    const ended = await terminal(nowhere, '')(line);
    expect(ended).toMatchObject({ status: 2, out: '' });
    expect(ended.err).toContain(why);
  });

  it('says that no server answers, or that it has no token', async () => {
    const env = { OSTIARY_URL: 'http://127.0.0.1:9', DATA_DIR: emptyFolder() };
    const silent = await ostiary(['account', 'list'], { ...env, OSTIARY_TOKEN: 'x' });
    expect(silent).toMatchObject({ status: 1, out: '' });
    expect(silent.err).toContain('No server answers at http://127.0.0.1:9');
    const without = await ostiary(['account', 'list'], env);
    expect(without.status).toBe(1);
    expect(without.err).toContain('(unauthorized)');
  });

  it('finds the demo by its file', async ({ given, server }) => {
    await given.account('Acme');
    const folder = emptyFolder();
    mkdirSync(folder, { recursive: true });
    const demo = { issuer: server.url, operator: { apiToken: await given.apiToken() } };
    writeFileSync(join(folder, 'demo.json'), JSON.stringify(demo));
    expect((await ostiary(['account', 'list'], { DATA_DIR: folder })).out).toContain('Acme');
    const production = await ostiary(['account', 'list'], {
      DATA_DIR: folder,
      NODE_ENV: 'production',
    });
    expect(production.err).toContain('(unauthorized)');
  });
});

describe('an operator at a terminal', () => {
  it('sets up an organization and its people', async ({ given, server }) => {
    const operator = terminal(server, await given.apiToken());
    const made = await operator(
      'account create --number 17 --country US --country DE --contact-email fay@acme.example --contact-given-name Fay --contact-family-name Miller --contact-country US --json --name',
      'Acme Inc.',
    );
    expect([made.status, made.err]).toEqual([0, '']);
    const account = made.json();
    expect(account).toMatchObject({ name: 'Acme Inc.', number: '17', countries: ['US', 'DE'] });
    expect((await operator('account show 17')).out).toContain('Acme Inc.');
    expect((await operator('account list')).out).toMatch(/^ID +NUMBER +NAME/);
    expect((await operator('account change 17 --name Acme --json')).json().name).toBe('Acme');
    expect((await operator('account hold acme --reason', 'The invoice is open')).out).toContain(
      'on_hold',
    );
    expect((await operator('account resume acme --json')).json().status).toBe('active');
    const env = { OSTIARY_URL: server.url, OSTIARY_TOKEN: await given.apiToken() };
    const real = await ostiary(['account', 'show', 'Acme', '--json'], env);
    expect([real.status, real.err]).toEqual([0, '']);
    expect(real.json()).toMatchObject({ number: '17' });
    const unknown = await ostiary(['account', 'show', 'Nowhere'], env);
    expect(unknown).toMatchObject({ status: 1, out: '' });
    expect(unknown.err).toContain('(account_not_found)');
    expect(server.errors).toEqual([]);
  });

  it('registers an application, an API and terms', async ({ given, server }) => {
    const operator = terminal(server, await given.apiToken());
    const made = await operator(
      'client create --name Planner --first-party --any-user --redirect-uri https://p.example/cb --grant-type authorization_code --grant-type refresh_token --json',
    );
    expect([made.status, made.err]).toEqual([0, '']);
    const client = made.json();
    expect(client).toMatchObject({
      firstParty: true,
      requiresAccount: false,
      secret: expect.any(String),
    });
    const changed = await operator(
      `client change ${client.id} --redirect-uri https://q.example/cb --json`,
    );
    expect(changed.json().metadata).toEqual({
      redirect_uris: ['https://q.example/cb'],
      grant_types: ['authorization_code', 'refresh_token'],
    });
    const bad = await operator(`client change ${client.id} --redirect-uri http://q.example/cb`);
    expect(bad).toMatchObject({ status: 1, out: '' });
    expect(bad.err).toContain('http is allowed on loopback addresses only');
    expect(bad.err).toContain('(invalid_client)');
    const secret = (await operator(`client add-secret ${client.id} --json`)).json();
    expect((await operator(`client secrets ${client.id}`)).out).toContain(`...${secret.hint}`);
    expect((await operator(`client revoke-secret ${client.id} ${secret.id}`)).status).toBe(0);
    expect((await operator('client list --q plan')).out).toContain(client.id);
    expect((await operator(`client show ${client.id}`)).out).toContain('https://q.example/cb');
    expect((await operator(`client remove ${client.id}`)).status).toBe(0);
    expect((await operator(`client show ${client.id}`)).err).toContain('(client_not_found)');

    const resource = 'https://orders.example/';
    expect(
      (await operator(`resource create ${resource} --name Orders --scope orders:read --ttl 60`))
        .status,
    ).toBe(0);
    expect((await operator('resource list')).out).toContain('orders:read');
    expect((await operator(`resource remove ${resource}`)).status).toBe(0);

    const file = join(emptyFolder(), 'terms.md');
    writeFileSync(file, '# Terms of Service\n\nBe good.\n');
    const terms = (await operator(`terms publish --version 1 --text en=${file} --json`)).json();
    expect(terms).toMatchObject({
      kind: 'tos',
      texts: [{ locale: 'en', title: 'Terms of Service' }],
    });
    expect((await operator('terms list')).out).toContain(terms.id);
    expect((await operator(`terms show ${terms.id}`)).out).toContain('Be good.');
    expect((await operator('terms evidence')).out).toContain('id,userId,email');
    expect(await operator(`terms publish --version 1 --text en=${file}`)).toMatchObject({
      status: 1,
      err: expect.stringContaining('(version_exists)'),
    });
    expect((await operator('terms publish --version 2 --text en=/nowhere')).status).toBe(2);
    expect(server.errors).toEqual([]);
  });

  it('makes tokens, and reads what happened', async ({ given, server }) => {
    const acme = await given.account('Acme');
    const operator = terminal(server, await given.apiToken());
    const token = (await operator('api-token create --name Import --account acme --json')).json();
    expect(token).toMatchObject({ accountId: acme.id, secret: expect.stringMatching(/^ost_/) });
    expect((await operator('api-token list --account acme')).out).toContain('Import');
    const admin = terminal(server, token.secret);
    expect((await admin('audit list --action api_token.*')).out).toContain('api_token.created');
    expect((await admin('client list')).err).toContain('(permission_denied)');
    expect((await operator(`api-token revoke ${token.id} --account acme`)).status).toBe(0);
    expect((await admin('audit list')).err).toContain('(invalid_token)');
    expect((await operator('api-token create --operator --name Deployment')).out).toContain('ost_');
    const events = (await operator('audit list --json --limit 3')).json();
    expect(events).toHaveLength(3);
    expect(events[0].action).toBe('api_token.created');
    expect(server.errors).toEqual([]);
  });
});

describe('an administrator at a terminal', () => {
  it('looks after people by their addresses, without saying which account', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const admin = terminal(server, await given.apiToken(acme));
    const said = await admin(
      'user create --email new@acme.example --given-name New --family-name Person --country US --dry-run',
    );
    expect([said.status, said.err, said.out]).toEqual([0, '', 'Would be created.\n']);
    const made = await admin(
      'user create --email new@acme.example --given-name New --family-name Person --country US --quiet --json',
    );
    expect(made.json()).toMatchObject({ outcome: 'created', user: { status: 'invited' } });
    const again = await admin(
      'user create --email new@acme.example --given-name New --family-name Person --country US --json',
    );
    expect(again).toMatchObject({ status: 1, out: '' });
    expect(JSON.parse(again.err)).toMatchObject({ code: 'already_member' });

    const locked = await admin('user lock ANN@acme.example --note', 'Left on Friday');
    expect(locked.out).toMatch(/status +locked/);
    expect(locked.out).toContain('(Left on Friday)');
    expect((await admin('user list --status locked')).out).toContain('ann@acme.example');
    expect((await admin('user unlock ann@acme.example --json')).json().status).toBe('active');
    expect((await admin('user unlock ann@acme.example')).err).toBe(
      'This user is not locked for a reason that you may lift. (not_locked)\n',
    );
    expect(
      (await admin('user roles ann@acme.example --add co_administrator --json')).json().roles,
    ).toEqual(['co_administrator']);
    expect((await admin('user reset-password ann@acme.example')).status).toBe(0);
    expect((await admin('user sessions ann@acme.example')).out).toBe('None.\n');
    expect((await admin('user end-sessions ann@acme.example')).status).toBe(0);
    expect((await admin('user remove ann@acme.example')).out).toContain(
      `ostiary user restore ${ann.id}`,
    );
    expect((await admin('user show ann@acme.example')).err).toContain('(user_not_found)');
    expect((await admin(`user restore ${ann.id} --json`)).json().roles).toEqual([
      'co_administrator',
    ]);
    await admin('user remove ann@acme.example');
    expect((await admin(`user add ${ann.id} --unlock --json`)).json().status).toBe('active');
    expect((await admin('user remove fay@acme.example')).err).toContain('(last_administrator)');
    expect(server.errors).toEqual([]);
  });

  it('reads names that hold no commands for the terminal', async ({ given, server }) => {
    const acme = await given.account('Acme');
    await given.user('ann@acme.example', {
      of: acme,
      givenName: '\u001b[2Jgone',
      familyName: '\u202eevil',
    });
    const admin = terminal(server, await given.apiToken(acme));
    const { out } = await admin('user list');
    expect(out).toContain('?[2Jgone ?evil');
    expect(out).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });
});
