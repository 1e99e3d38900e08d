import { describe, expect } from 'vitest';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { it } from '../identity/domains/support.ts';
import { ostiary, terminal, type Ended } from './support.ts';

/** The real program, in a process of its own, with a token. */
function shell(server: TestServer, token: string) {
  const env = { OSTIARY_URL: server.url, OSTIARY_TOKEN: token };
  return (line: string, ...more: string[]): Promise<Ended> =>
    ostiary([...line.split(' '), ...more], env);
}

const nobody = terminal({ url: 'http://127.0.0.1:9' }, '');

const done = ({ status, err }: Ended) => [status, err];

async function acmeOf(given: World) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', {
    of: acme,
    roles: ['account_administrator'],
  });
  const ann = await given.user('ann@acme.example', { of: acme });
  const ben = await given.user('ben@acme.example', { of: acme });
  return { acme, fay, ann, ben };
}

describe('what the command line does not understand', () => {
  it.for([
    ['domain claim acme.example --method fax', '--method must be one of: dns, https, email'],
    ['domain signup acme.example always', '<how> must be one of: approve, auto, closed'],
    ['domain attest acme.example', '--reason is missing'],
    ['domain decide perhaps 1', '<decision> must be one of: grant, refuse'],
    ['approval decide approve', '<ids> is missing'],
    ['approval decide wait 1', '<decision> must be one of: approve, reject'],
    ['approval decide approve ,', '<ids> names nothing'],
    ['approval list --state gone', '--state must be one of: open'],
    ['invitation list --state gone', '--state must be one of: pending'],
    ['group add-member designers', '<users> is missing'],
    ['webhook create https://h.example/', '--action is missing'],
    ['explain', '<e-mail> is missing'],
  ] as const)('is "%s", and it says why', async ([line, why]) => {
    const account = line.startsWith('explain')
      ? []
      : ['--account', '01a201aa-a637-7dcc-b569-3b562a947439'];
    const ended = await nobody(line, ...account);
    expect(ended).toMatchObject({ status: 2, out: '' });
    expect(ended.err).toContain(why);
  });
});

describe('domains at a terminal', () => {
  it('are claimed, proved, and say how people come in', async ({
    organization,
    net,
    server,
    given,
  }) => {
    const acme = await organization('Acme');
    const admin = shell(server, await given.apiToken(acme));
    const claim = await admin('domain claim acme.example --method dns --json');
    expect(done(claim)).toEqual([0, '']);
    const { record } = claim.json();
    expect((await admin('domain show acme.example')).out).toContain(record.value);

    const early = await admin('domain verify acme.example');
    expect([early.status, early.err]).toEqual([1, '']);
    expect(early.out).toMatch(/state +pending/);
    expect(early.out).toMatch(/looked by dns +missing/);

    net.publish(record);
    server.clock.advance(11);
    const owned = await admin('domain verify acme.example');
    expect(done(owned)).toEqual([0, '']);
    expect(owned.out).toMatch(/state +owned/);
    expect(owned.out).not.toContain(record.value);

    const auto = await admin('domain signup acme.example auto --json');
    expect(auto.json()).toMatchObject({ signup: 'auto', automatic: true });
    expect((await admin('domain list')).out).toMatch(/acme\.example +owned +dns +auto/);
    expect(server.errors).toEqual([]);
  });

  it('are vouched for by an operator, looked at, and let go', async ({ given, server }) => {
    const acme = await given.account('Acme');
    await given.user('ann@acme.example', { of: acme });
    await given.user('zoe@acme.example');
    const operator = terminal(server, await given.apiToken());
    const admin = terminal(server, await given.apiToken(acme));
    const refused = await admin('domain attest acme.example --reason', 'It is ours.');
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain('(permission_denied)');
    const attested = await operator(
      'domain attest acme.example --account acme --reason',
      'Contract 4711.',
    );
    expect(done(attested)).toEqual([0, '']);
    expect(attested.out).toMatch(/proved by +operator/);

    const impact = await admin('domain impact acme.example');
    expect(impact.out).toMatch(/members +1\nof no account +1/);
    expect(impact.out).toMatch(/zoe@acme\.example +unaffiliated/);
    expect((await admin('domain impact acme.example --json')).json().counts.members).toBe(1);

    expect((await admin('domain release acme.example')).out).toBe('Released.\n');
    expect((await admin('domain show acme.example --json')).json().state).toBe('released');
    expect((await admin('domain show nowhere.example')).err).toContain('(domain_not_found)');
    expect(server.errors).toEqual([]);
  });

  it('are asked for by others, and their owner decides', async ({
    organization,
    server,
    given,
  }) => {
    const acme = await organization('Acme', { owns: ['acme.example'] });
    const beta = await organization('Beta');
    const asked = await beta.post(`/accounts/${beta.id}/domains/acme.example/request-access`, {
      message: 'Ann works with us.',
    });
    const admin = terminal(server, await given.apiToken(acme));
    const requests = await admin('domain requests');
    expect(requests.out).toMatch(/acme\.example +access +incoming +open +Beta/);
    expect(requests.out).toContain('Ann works with us.');
    const granted = await admin(`domain decide grant ${asked.json.id} --json`);
    expect(granted.json()).toMatchObject({ state: 'granted' });
    const again = await admin(`domain decide refuse ${asked.json.id}`);
    expect(again).toMatchObject({ status: 1, out: '' });
    expect(again.err).toContain('(already_decided)');
    const theirs = await terminal(server, await given.apiToken(beta))('domain requests');
    expect(theirs.out).toMatch(/outgoing +granted +you/);
    expect(theirs.out).not.toContain('Acme');
    expect(server.errors).toEqual([]);
  });
});

describe('groups at a terminal', () => {
  it('are made, filled by addresses, renamed and removed by name', async ({ given, server }) => {
    const { acme, ann } = await acmeOf(given);
    const admin = shell(server, await given.apiToken(acme));
    const made = await admin('group create --entitlement-country DE --json', 'Bridge designers');
    expect(done(made)).toEqual([0, '']);
    expect(made.json()).toMatchObject({ type: 'entitlement', entitlementCountry: 'DE' });
    const quick = terminal(server, await given.apiToken(acme));
    const filled = await quick(
      'group add-member --json',
      'bridge designers',
      `${ann.id},BEN@acme.example`,
    );
    expect(filled.json()).toMatchObject({ id: made.json().id, members: 2 });
    expect((await quick('group members', 'Bridge designers')).out).toMatch(
      /ben@acme\.example .* US \(not the group's\)/,
    );
    const nothing = await quick(
      'group add-member',
      'Bridge designers',
      'ann@acme.example,no@x.example',
    );
    expect(nothing.err).toContain('(user_not_found)');
    await quick('group remove-member', 'Bridge designers', 'ben@acme.example');
    await quick('group change --name Bridges', 'Bridge designers');
    expect((await quick('group list --type entitlement')).out).toMatch(
      /Bridges +entitlement +DE +local +1\n/,
    );
    expect((await quick('group list --type standard')).out).toBe('None.\n');
    expect((await quick('group remove Bridges')).out).toBe('Removed.\n');
    expect((await quick('group members Bridges')).err).toBe(
      'There is no group Bridges in this account. (not_found)\n',
    );
    expect(server.errors).toEqual([]);
  });
});

describe('roles at a terminal', () => {
  it('are made by an operator, and given and taken by an administrator', async ({
    given,
    server,
  }) => {
    const { acme, ann } = await acmeOf(given);
    const operator = terminal(server, await given.apiToken());
    expect(
      done(await operator('role create download --name Download --description', 'Gets files.')),
    ).toEqual([0, '']);
    const beta = await operator(
      'role create beta_software --name Beta --requires download --revoke-on-remove --json',
    );
    expect(beta.json()).toMatchObject({ requires: ['download'], revokeOnRemove: true });
    expect((await operator('role change beta_software --name Beta-2 --json')).json()).toMatchObject(
      { name: 'Beta-2', requires: ['download'], revokeOnRemove: true },
    );
    const admin = shell(server, await given.apiToken(acme));
    const assigned = await admin(
      'role assign beta_software ann@acme.example,ben@acme.example --json',
    );
    expect([assigned.json(), ...done(assigned)]).toEqual([{ count: 2 }, 0, '']);
    const quick = terminal(server, await given.apiToken(acme));
    expect((await quick('role list')).out).toMatch(/beta_software +Beta-2 +service +download +2/);
    const needed = await quick(`role unassign download ${ann.id}`);
    expect(needed.err).toContain('(role_required_by_other)');
    expect((await quick(`role unassign beta_software,download ${ann.id}`)).out).toBe(
      'Done for 1.\n',
    );
    expect((await operator('role remove download')).err).toContain('(role_in_use)');
    expect((await operator('role list')).out).toMatch(/beta_software .* 1\n/);
    expect((await operator('role list --account acme')).out).toContain('beta_software');
    await quick('role unassign beta_software ben@acme.example');
    expect((await operator('role remove beta_software')).out).toBe('Removed.\n');
    expect(server.errors).toEqual([]);
  });
});

describe('fulfillment contacts at a terminal', () => {
  it('are named by address, and the one for everything stays', async ({ given, server }) => {
    const { acme, ann } = await acmeOf(given);
    const admin = terminal(server, await given.apiToken(acme));
    const added = await shell(
      server,
      await given.apiToken(acme),
    )('contact add ann@acme.example --json');
    expect(done(added)).toEqual([0, '']);
    expect(added.json()).toMatchObject({ userId: ann.id, country: null });
    expect((await admin('contact add ben@acme.example --country DE')).out).toMatch(/for +DE/);
    expect((await admin('contact list')).out).toMatch(/ann@acme\.example .* everything/);
    expect((await admin('contact remove BEN@acme.example')).out).toBe('Removed.\n');
    expect((await admin('contact remove ben@acme.example')).err).toContain('(not_found)');
    const last = await admin(`contact remove ${added.json().id}`);
    expect(last).toMatchObject({ status: 1, out: '' });
    expect(last.err).toContain('(last_contact)');
    expect(server.errors).toEqual([]);
  });
});

describe('invitations at a terminal', () => {
  it('are sent, sent again and taken back by address', async ({ given, server }) => {
    const { acme } = await acmeOf(given);
    const admin = terminal(server, await given.apiToken(acme));
    const invited = await shell(
      server,
      await given.apiToken(acme),
    )(
      'invitation create --email carol@gmail.com --given-name Carol --family-name Cole --country US --language de',
    );
    expect(done(invited)).toEqual([0, '']);
    expect(invited.out).toMatch(/outcome +invited/);
    expect((await admin('invitation list --state pending')).out).toMatch(
      /carol@gmail\.com +Carol Cole +pending/,
    );
    server.clock.advance(3600);
    expect((await admin('invitation resend Carol@gmail.com --json')).json()).toMatchObject({
      sends: 2,
      state: 'pending',
    });
    expect((await admin('invitation revoke carol@gmail.com')).out).toBe('Revoked.\n');
    const late = await admin('invitation resend carol@gmail.com');
    expect(late).toMatchObject({ status: 1, out: '' });
    expect(late.err).toContain('(invitation_closed)');
    expect((await admin('invitation revoke dan@gmail.com')).err).toContain('(not_found)');
    expect((await admin('invitation list --state pending')).out).toBe('None.\n');
    expect(server.errors).toEqual([]);
  });
});

describe('approvals at a terminal', () => {
  it('are decided several at once, each answered for itself', async ({ given, server }) => {
    const { acme } = await acmeOf(given);
    const ids: string[] = [];
    for (const name of ['una', 'vic', 'wim'])
      ids.push(await given.waiting(await given.user(`${name}@acme.example`), acme));
    const [una, vic, wim] = ids;
    const admin = terminal(server, await given.apiToken(acme));
    expect((await admin('approval list')).out).toMatch(
      /una@acme\.example [^]*vic@acme\.example [^]*wim@acme\.example/,
    );
    const approved = await shell(
      server,
      await given.apiToken(acme),
    )(`approval decide approve ${una},${vic} --entitlement-country DE`);
    expect(done(approved)).toEqual([0, '']);
    expect(approved.out.match(/ approved/g)).toHaveLength(2);
    const mixed = await admin(`approval decide reject ${vic},${wim} --json`);
    expect(mixed.status).toBe(1);
    expect(mixed.json().items).toMatchObject([
      { result: 'refused', code: 'already_decided' },
      { result: 'rejected', code: null },
    ]);
    const again = await admin(`approval decide approve ${wim}`);
    expect(again).toMatchObject({ status: 1, out: '' });
    expect(again.err).toContain('(already_decided)');
    expect((await admin('approval list')).out).toBe('None.\n');
    expect((await admin('approval list --state rejected')).out).toContain('wim@acme.example');
    expect(server.errors).toEqual([]);
  });
});

describe('webhooks at a terminal', () => {
  it('are made, tested, paused, given another secret and removed', async ({ given, server }) => {
    const { acme } = await acmeOf(given);
    const admin = terminal(server, await given.apiToken(acme));
    const made = await shell(
      server,
      await given.apiToken(acme),
    )('webhook create https://hooks.acme.example/x --action user.* --action group.created --json');
    expect(done(made)).toEqual([0, '']);
    const { id, secret, actions } = made.json();
    expect([secret, actions]).toEqual([
      expect.stringMatching(/^whsec_/),
      ['user.*', 'group.created'],
    ]);
    expect((await admin('webhook list')).out).toMatch(/hooks\.acme\.example\/x .* active/);
    expect((await admin(`webhook show ${id}`)).out).not.toContain('whsec_');
    expect((await admin(`webhook pause ${id}`)).out).toMatch(/state +paused/);
    expect((await admin(`webhook resume ${id} --json`)).json().state).toBe('active');
    expect((await admin(`webhook change ${id} --description Import --json`)).json()).toMatchObject({
      description: 'Import',
      actions,
    });
    expect((await admin(`webhook rotate-secret ${id} --json`)).json().secret).not.toBe(secret);
    const test = await admin(`webhook test ${id} --json`);
    expect(test.json()).toMatchObject({ type: 'webhook.test' });
    expect((await admin(`webhook deliveries ${id}`)).out).toMatch(/webhook\.test +pending/);
    expect((await admin(`webhook skip ${id} ${test.json().id} --json`)).json().state).toBe(
      'skipped',
    );
    expect((await admin(`webhook replay ${id} --since 2020-01-01T00:00:00Z`)).status).toBe(0);
    const inside = await admin('webhook create https://169.254.169.254/ --action *');
    expect(inside.err).toContain('(invalid_value)');
    expect((await admin('webhook list --installation')).err).toContain('(permission_denied)');
    const operator = terminal(server, await given.apiToken());
    expect((await operator('webhook list --installation')).out).toBe('None.\n');
    expect((await admin(`webhook remove ${id}`)).out).toBe('Removed.\n');
    expect((await admin(`webhook show ${id}`)).err).toContain('(not_found)');
    expect(server.errors).toEqual([]);
  });
});

describe('explain at a terminal', () => {
  it('says for people what each door does, who can change it, and what a sign-in says', async ({
    given,
    server,
  }) => {
    const { acme, ann } = await acmeOf(given);
    const client = await given.client({ requiresAccount: true });
    await given.locked(ann, 'admin', 'She is on leave.');
    const operator = shell(server, await given.apiToken());
    const said = await operator(
      `explain Ann@acme.example --account acme.example --client ${client.id}`,
    );
    expect(done(said)).toEqual([0, '']);
    expect(said.out).toMatch(/address +ann@acme\.example/);
    expect(said.out).toContain('Is a member of this account. An administrator locked them.');
    expect(said.out).toMatch(
      /when +an administrator adds them, a file adds them, .*\nverdict +refuse \(already_member\)\nwhat it says +ann@acme\.example is already in your account\./,
    );
    expect(said.out).toMatch(/when +signs in to Planner\nverdict +deny \(locked\.admin\)/);
    expect(said.out).toMatch(/who can change it +an administrator of the account/);
    const json = await operator(`explain ann@acme.example --account ${acme.id} --json`);
    expect(json.json()).toMatchObject({
      person: { id: ann.id, locks: ['admin'] },
      signIn: { access: 'deny' },
    });
    expect(json.json().doors).toHaveLength(12);
    expect(server.errors).toEqual([]);
  });

  it('asks nothing of an account where none is named, and says so', async ({ given, server }) => {
    const { acme } = await acmeOf(given);
    const operator = terminal(server, await given.apiToken());
    const alone = await operator('explain new@acme.example');
    expect(alone.out).toContain('give --account');
    expect(alone.out).toMatch(/registers\nverdict +create_pending\n/);
    expect(alone.out).not.toContain('an administrator adds them');
    expect((await operator('explain nonsense')).out).toContain('nonsense (is none)');
    const admin = terminal(server, await given.apiToken(acme));
    expect((await admin('explain new@acme.example')).out).toMatch(
      /an administrator adds them, .*\nverdict +create_member/,
    );
    const unknown = await admin('explain new@acme.example --client nowhere');
    expect(unknown).toMatchObject({ status: 1, out: '' });
    expect(unknown.err).toContain('(client_not_found)');
    expect(server.errors).toEqual([]);
  });

  it('tells an account nothing about the people of another', async ({ given, server }) => {
    const { acme } = await acmeOf(given);
    const beta = await given.account('Beta Engineering', { owns: ['beta.example'] });
    await given.locked(await given.user('bob@beta.example', { of: beta }), 'admin');
    const admin = terminal(server, await given.apiToken(acme));
    const { out } = await admin('explain bob@beta.example');
    expect(out).toContain('domain_owned_by_other');
    expect(out).toContain('not yours to know');
    for (const secret of ['Beta', beta.id, 'locked']) expect(out).not.toContain(secret);
    expect((await admin(`explain bob@beta.example --account ${beta.id}`)).err).toContain(
      '(account_not_found)',
    );
  });
});
