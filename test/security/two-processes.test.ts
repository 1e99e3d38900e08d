import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { invite } from '#identity/belonging/invite.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { Agent, type Answer } from '#test/support/agent.ts';
import { testDatabase } from '#test/support/database.ts';
import { it } from '#test/support/it.ts';
import {
  asClient,
  authorizeUrl,
  refresh,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import type { GivenUser, World } from '#test/support/world.ts';
import { caller, type Caller } from '../http/admin/support.ts';
import { freePort, ready, spawnServer, type ServerProcess } from '../platform/process.ts';

/**
 * The races of security.md D-21 to D-32, D-61 to D-64 and D-79 to D-80 between two processes on one
 * PostgreSQL, both started as they are in production. Over the embedded database there is one process
 * only; what races there is in `domains-race`, `administrators`, `races` and `invitation.test.ts`.
 */
const processes: ServerProcess[] = [];
let folder: string;

const chosen = 'seven quiet otters swim';

describe.skipIf(inject('templateUrl') === null)('two processes over one PostgreSQL', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostiary-pair-'));
    const { url } = await testDatabase();
    for (const name of ['one', 'other'])
      processes.push(
        spawnServer(await freePort(), {
          DATABASE_URL: url!,
          DATA_DIR: join(folder, name),
          DEMO: '0',
        }),
      );
    await Promise.all(processes.map((one) => ready(one)));
  }, 120_000);

  afterAll(async () => {
    await Promise.all(processes.map((one) => one.kill('SIGTERM')));
    await rm(folder, { recursive: true, force: true });
  });

  const browsers = () => processes.map(({ url }) => new Agent(url));
  const programs = () => processes.map(({ url }) => new Agent(url, { cookies: false }));
  const callers = (token: string) =>
    programs().map((program) => caller(program, token)) as [Caller, Caller];

  function noneFailed(answers: readonly Answer[]): void {
    expect(answers.map(({ status, text }) => (status >= 500 ? text : ''))).toEqual(
      answers.map(() => ''),
    );
  }

  it('make one owner of a domain that two organizations are given at once, and its people follow one rule (D-23, D-28)', async ({
    given,
  }) => {
    const [here, there] = callers(await given.apiToken());
    const [acme, beta] = [await given.account('Acme'), await given.account('Beta')];
    for (let round = 0; round < 10; round += 1) {
      const domain = `round${round}.test`;
      const at = ({ id }: { id: string }): string => `/accounts/${id}/domains`;
      for (const account of [acme, beta]) await here.post(at(account), { domain, method: 'dns' });
      const person = {
        email: `ann@${domain}`,
        givenName: 'Ann',
        familyName: 'Archer',
        country: 'US',
      };
      const answers = await Promise.all([
        here.post(`${at(acme)}/${domain}/attest`, { reason: 'Seen.' }),
        there.post(`${at(beta)}/${domain}/attest`, { reason: 'Seen.' }),
        here.post(`/accounts/${beta.id}/users`, person),
        there.post(`/accounts/${acme.id}/users`, person),
      ]);
      noneFailed(answers);
      const owners = await given.rows<{ account_id: string }>(
        `select account_id from domains where name = $1 and state = 'owned'`,
        [domain],
      );
      expect(owners).toHaveLength(1);
      const belongs = await given.rows<{ account_id: string }>(
        `select u.account_id from users u where u.email = $1 and u.affiliation = 'member'`,
        [person.email],
      );
      expect(belongs.every(({ account_id: id }) => id === owners[0]!.account_id)).toBe(true);
    }
  });

  it('always leave an organization somebody who looks after it (D-79)', async ({ given }) => {
    const [here, there] = callers(await given.apiToken());
    const acts = [
      (by: Caller, user: string) => by.post(`${user}/roles`, { remove: ['account_administrator'] }),
      (by: Caller, user: string) => by.post(`${user}/lock`, { note: 'x' }),
      (by: Caller, user: string) => by.delete(user),
    ];
    for (let round = 0; round < 12; round += 1) {
      const account = await given.account(`Acme ${round}`);
      const make = async (name: string) =>
        `/accounts/${account.id}/users/${(await given.user(`${name}${round}@acme.example`, { of: account, roles: ['account_administrator'], password: null })).id}`;
      const [amy, bea] = [await make('amy'), await make('bea')];
      const answers = await Promise.all([
        acts[round % 3]!(here, amy),
        acts[Math.floor(round / 3) % 3]!(there, bea),
      ]);
      expect(
        answers.map(({ status }) => (status < 300 ? 'done' : String(status))).toSorted(),
      ).toEqual(['409', 'done']);
      expect(answers.find(({ status }) => status === 409)!.json.code).toBe('last_administrator');
    }
  });

  /** The address of an invitation that was sent. */
  async function invited(given: World, account: { id: string; name: string }, email: string) {
    const secret = newSecret();
    const id = await given.work(async (work) => {
      const made = await invite(work, account, {
        email,
        givenName: 'New',
        familyName: 'Person',
        country: 'US',
        roles: [],
        groups: [],
        entitlementCountry: null,
      });
      await work.query('update invitations set secret_hash = $2 where id = $1', [
        made,
        secretHash(secret),
      ]);
      return made;
    });
    return { id, path: `/invitations/${secret}` };
  }

  const accept = (browser: Agent, page: Answer, typed: Record<string, string> = {}) =>
    browser.submit(
      page.forms.find(({ action }) => action.endsWith('/accept'))!,
      typed,
    );

  it('take an invitation once, or it is revoked: never both (D-80)', async ({ given }) => {
    const acme = await given.account('Acme');
    const [, there] = callers(await given.apiToken(acme));
    for (let round = 0; round < 4; round += 1) {
      const email = `new${round}@gmail.com`;
      const { id, path } = await invited(given, acme, email);
      const two = browsers();
      const pages = await Promise.all(two.map((one) => one.get(path)));
      const typed = { country: 'US', password: chosen, password_again: chosen };
      const [revoked, ...accepted] = await Promise.all([
        round % 2 ? there.delete(`/accounts/${acme.id}/invitations/${id}`) : null,
        ...two.map((one, index) => accept(one, pages[index]!, typed)),
      ]);
      noneFailed(accepted);
      const won = [revoked?.status === 204, ...accepted.map(({ status }) => status < 400)];
      expect(won.filter(Boolean)).toHaveLength(1);
      const members = await given.rows(
        `select 1 from users u join affiliations a on a.user_id = u.id and a.ended_at is null
         where u.email = $1 and u.account_id = $2`,
        [email, acme.id],
      );
      expect(members).toHaveLength(won[0] ? 0 : 1);
    }
  });

  /** A browser of the person at each process, signed in. */
  async function signedIn(user: GivenUser): Promise<Agent[]> {
    return Promise.all(
      browsers().map(async (browser) => {
        await typePassword(browser, await browser.follow(await browser.get('/profile')), user);
        return browser;
      }),
    );
  }

  it('take a person into one of two organizations that invited them (D-80)', async ({ given }) => {
    const accounts = [await given.account('Acme'), await given.account('Beta')];
    const ann = await given.user('ann@gmail.com');
    const two = await signedIn(ann);
    for (let round = 0; round < 4; round += 1) {
      const links = [
        await invited(given, accounts[0]!, ann.email),
        await invited(given, accounts[1]!, ann.email),
      ];
      const pages = await Promise.all(two.map((one, index) => one.get(links[index]!.path)));
      const answers = await Promise.all(two.map((one, index) => accept(one, pages[index]!)));
      noneFailed(answers);
      const open = await given.rows<{ account_id: string }>(
        'select account_id from affiliations where user_id = $1 and ended_at is null',
        [ann.id],
      );
      expect(open).toHaveLength(1);
      expect((await given.person(ann))!.account!.id).toBe(open[0]!.account_id);
      // As if they had never been there.
      await given.rows(`delete from affiliations where user_id = $1`, [ann.id]);
      await given.rows(`update users set affiliation = 'none', account_id = null where id = $1`, [
        ann.id,
      ]);
      await given.rows('delete from invitations');
    }
  });

  it('spend a link for a new password once (D-62)', async ({ given }) => {
    const ann = await given.user();
    const secret = newSecret();
    await given.rows(
      `insert into one_time_tokens (id, purpose, user_id, subject, secret_hash, created_at, expires_at)
       values (gen_random_uuid(), 'password_reset', $1, $2, $3, now(), now() + interval '30 min')`,
      [ann.id, ann.email, secretHash(secret)],
    );
    const two = browsers();
    const pages = await Promise.all(two.map((one) => one.get(`/reset-password?token=${secret}`)));
    const answers = await Promise.all(
      two.map((one, index) =>
        one.submit(pages[index]!.forms[0]!, {
          password: `${chosen} ${index}`,
          password_again: `${chosen} ${index}`,
        }),
      ),
    );
    noneFailed(answers);
    const changed = await given.rows(
      `select 1 from audit_events where target_id = $1 and action = 'password.changed'`,
      [ann.id],
    );
    expect(changed.length).toBeLessThanOrEqual(1);
    const spent = await given.rows(
      'select 1 from one_time_tokens where secret_hash = $1 and used_at is not null',
      [secretHash(secret)],
    );
    expect(spent).toHaveLength(1);
    expect(answers.filter(({ status }) => status < 400)).toHaveLength(1);
  });

  it('ask for new terms, and refuse who is locked, at the next request to either (D-61, D-63)', async ({
    given,
  }) => {
    const acme = await given.account('Acme');
    const [here] = callers(await given.apiToken());
    const client = await given.client();
    const [ann, bob] = [
      await given.user('ann@acme.example', { of: acme }),
      await given.user('bob@acme.example', { of: acme }),
    ];
    const [one, other] = [new Agent(processes[0]!.url), new Agent(processes[1]!.url)];
    const scope = { scope: 'openid offline_access' };
    const ofAnn = await tokensFor(one, client, ann, scope);
    const ofBob = await tokensFor(other, client, bob, scope);

    const locked = await here.post(`/accounts/${acme.id}/users/${bob.id}/lock`, { note: 'x' });
    expect(locked.status).toBe(200);
    for (const program of programs()) {
      expect((await userinfo(program, ofBob.access_token)).status).toBe(401);
      const introspected = await asClient(program, '/oauth/introspect', client, {
        token: ofBob.access_token,
      });
      expect(introspected.json).toEqual({ active: false });
      expect((await refresh(program, client, ofBob.refresh_token!)).json.error).toBe(
        'invalid_grant',
      );
    }
    const silent = await other.get(authorizeUrl(client, { prompt: 'none' }));
    expect(silent.location?.searchParams.get('error')).toBe('login_required');

    const published = await here.post('/terms', {
      kind: 'tos',
      version: '2',
      texts: [{ locale: 'en', title: 'Terms', body: 'Be good.' }],
    });
    expect(published.status).toBe(201);
    for (const program of programs().reverse()) {
      expect((await userinfo(program, ofAnn.access_token)).status).toBe(401);
      expect((await refresh(program, client, ofAnn.refresh_token!)).json.error).toBe(
        'invalid_grant',
      );
    }
    const asked = await one.get(authorizeUrl(client, { prompt: 'none' }));
    expect(asked.location?.searchParams.get('error')).toBe('interaction_required');
  });

  it('begin a merge once, whichever of two operators confirms it', async ({ given }) => {
    const [acme, beta] = [await given.account('Acme'), await given.account('Beta')];
    const [operator] = callers(await given.apiToken());
    const path = `/accounts/${acme.id}/merge`;
    const { digest } = (await operator.post(path, { into: beta.id })).json;
    const proposal = (
      await operator.post(path, { into: beta.id, mode: 'propose', confirm: digest, reason: 'Sold' })
    ).json.proposal;
    const confirm = `/account-move-proposals/${proposal.id}/confirm`;
    const [here] = callers((await given.operator('olga@ostiary.example')).token);
    const [, there] = callers((await given.operator('otto@ostiary.example')).token);
    const answers = await Promise.all([
      here.post(confirm, { digest }),
      there.post(confirm, { digest }),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  it('wrote nothing down as an error', () => {
    for (const one of processes)
      expect(
        one
          .output()
          .split('\n')
          .filter((line) => /"level":(50|60|"error"|"fatal")/.test(line)),
      ).toEqual([]);
  });
});
