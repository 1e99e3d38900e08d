import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Demo } from '#config/demo.ts';
import { openEmbedded } from '#platform/database/embedded.ts';
import { Agent } from '#test/support/agent.ts';
import { codeOf, redeem, refresh, signIn } from '#test/support/sign-in.ts';
import { administer, databaseUrl } from '#test/support/template.ts';
import type { GivenClient } from '#test/support/world.ts';
import { freePort, ready, spawnServer, type ServerProcess } from './process.ts';

const templateUrl = inject('templateUrl');
/** How often the server is killed. More than one are for the night. */
const rounds = Number(process.env['KILLS'] ?? 1);
const started: ServerProcess[] = [];
let folder: string;
let dataDir: string;
let database: Record<string, string>;
let query: <Row>(text: string) => Promise<Row[]>;

/** Making a database takes seconds, so the tests that need no new one share this. */
let drop: () => Promise<void>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostiary-durability-'));
  drop = await newDatabase('shared');
});

afterAll(async () => {
  for (const server of started) server.child.kill('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  await drop();
  await rm(folder, { recursive: true, force: true });
});

async function start(settings: Record<string, string> = {}): Promise<ServerProcess> {
  const server = spawnServer(await freePort(), { DATA_DIR: dataDir, ...database, ...settings });
  started.push(server);
  return server;
}

async function restart(port: string): Promise<ServerProcess> {
  const server = spawnServer(Number(port), { DATA_DIR: dataDir, ...database });
  started.push(server);
  return ready(server);
}

/** A database of this test alone: a folder, or one on PostgreSQL where the run has one. */
async function newDatabase(name: string): Promise<() => Promise<void>> {
  dataDir = join(folder, name);
  if (templateUrl === null) {
    if (name === 'shared') await copyTemplate(join(dataDir, 'db'));
    database = { DATABASE_URL: `pglite:${join(dataDir, 'db')}` };
    query = async (text) => {
      const opened = await openEmbedded(join(dataDir, 'db'), []);
      try {
        return await opened.query(text);
      } finally {
        await opened.close();
      }
    };
    return () => Promise.resolve();
  }
  const own = `ostiary_test_${process.pid}_${name.replaceAll('-', '_')}`;
  const url = databaseUrl(templateUrl, own);
  await administer(
    templateUrl,
    `drop database if exists ${own} with (force)`,
    `create database ${own}`,
  );
  database = { DATABASE_URL: url };
  query = async <Row>(text: string) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows as Row[];
    } finally {
      await client.end();
    }
  };
  return () => administer(templateUrl, `drop database if exists ${own} with (force)`);
}

/** A migrated database, as the next version of the program finds it: quicker than making one. */
async function copyTemplate(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  const dump = new Blob([await readFile(inject('templateFile')!)]);
  const copy = await PGlite.create({ dataDir: place, loadDataDir: dump });
  await copy.close();
}

async function demo(): Promise<{
  client: GivenClient;
  people: { email: string; password: string }[];
}> {
  const told = JSON.parse(await readFile(join(dataDir, 'demo.json'), 'utf8')) as Demo;
  const web = told.clients['web']!;
  return {
    client: {
      id: web['client_id']!,
      secret: web['client_secret']!,
      redirectUri: web['redirect_uri']!,
    },
    people: told.accounts.flatMap(({ users }) => users),
  };
}

describe(`the server over ${templateUrl === null ? 'the embedded database' : 'PostgreSQL'}`, () => {
  it('loses nothing that it answered, though it is killed in the middle of sign-ins (R1, R13)', async () => {
    let server = await ready(await start());
    const { port } = new URL(server.url);
    const acknowledged: { refreshToken: string; reference: string; session: Agent }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { client, people } = await demo();
      const state = { killed: false };
      const person = async (who: { email: string; password: string }): Promise<void> => {
        while (!state.killed) {
          const browser = new Agent(server.url);
          const agentName = `round ${round} ${Math.random()}`;
          browser.headers['user-agent'] = agentName;
          try {
            const back = await signIn(browser, { ...client }, who, {
              code_challenge: null,
              code_challenge_method: null,
              scope: 'openid offline_access',
            });
            const answer = await redeem(browser, client, codeOf(back), { code_verifier: '' });
            if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
            acknowledged.push({
              refreshToken: answer.json.refresh_token,
              reference: agentName,
              session: browser,
            });
          } catch (error) {
            if (!state.killed && !/ECONN|socket hang up|aborted/.test(String(error))) throw error;
          }
        }
      };
      const before = acknowledged.length;
      const working = Promise.all(people.slice(0, 3).map(person));
      const enough = Date.now() + 20_000;
      while (acknowledged.length < before + 4 && Date.now() < enough)
        await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
      const dead = server.kill('SIGKILL');
      state.killed = true;
      await working;
      expect((await dead).signal).toBe('SIGKILL');
      server = await restart(port);
      expect(acknowledged.length).toBeGreaterThan(before);
    }

    const { client } = await demo();
    const program = new Agent(server.url, { cookies: false });
    for (const { refreshToken, session } of acknowledged) {
      expect((await refresh(program, client, refreshToken)).status).toBe(200);
      const silent = await session.get(
        `/oauth/authorize?${new URLSearchParams({ client_id: client.id, redirect_uri: client.redirectUri, response_type: 'code', scope: 'openid', prompt: 'none' })}`,
      );
      expect(silent.location?.searchParams.get('error')).toBeNull();
    }
    expect((await server.kill('SIGTERM')).code).toBe(0);
    const audited = await query<{ user_agent: string }>(
      `select user_agent from audit_events where action = 'sign_in.succeeded'`,
    );
    const written = new Set(audited.map(({ user_agent }) => user_agent));
    expect(acknowledged.filter(({ reference }) => !written.has(reference))).toEqual([]);
    // And no half of anything: whoever is in a session was written down.
    expect(
      await query(`select 1 from oidc_sessions s where user_id is not null and not exists (
        select from audit_events a where a.action = 'sign_in.succeeded' and a.target_id = s.user_id::text)`),
    ).toEqual([]);
  }, 240_000);

  it('finishes what it began when it is told to stop, and ends well', async () => {
    const server = await ready(await start());
    const { client, people } = await demo();
    const pages = await Promise.all(
      people.slice(0, 3).map(async (who) => {
        const browser = new Agent(server.url);
        const page = await browser.follow(
          await browser.get(
            `/oauth/authorize?${new URLSearchParams({ client_id: client.id, redirect_uri: client.redirectUri, response_type: 'code', scope: 'openid', login_hint: who.email })}`,
          ),
        );
        return { browser, page, who };
      }),
    );
    const typed = pages.map(({ browser, page, who }) =>
      browser.submit(page.forms[0]!, { password: who.password }),
    );
    await new Promise((resolve) => setTimeout(resolve, 15));
    const ended = server.kill('SIGTERM');
    const answers = await Promise.all(typed.map((answer) => answer.catch((error: Error) => error)));
    expect(await ended).toEqual({ code: 0, signal: null });
    for (const answer of answers)
      if (answer instanceof Error) expect(answer.message).toMatch(/ECONNREFUSED/);
      else expect(answer.status).toBe(303);
    expect(answers.some((answer) => !(answer instanceof Error))).toBe(true);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  }, 120_000);
});

describe.skipIf(templateUrl !== null)('the folder of the embedded database', () => {
  it('belongs to one process: a second one is told so and ends', async () => {
    const first = await ready(await start());
    const second = await start();
    expect((await second.ended).code).not.toBe(0);
    expect(second.output()).toMatch(
      /The embedded database in .*shared.* is in use by another process/,
    );
    expect(second.output()).not.toMatch(/\n\s+at /);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);

    // The lock goes with the process, however it ended: the killed ones above were followed by others.
    await first.kill('SIGTERM');
  }, 120_000);

  it('is made whole or not at all: killed at any moment of the first start, the next one works', async () => {
    await newDatabase('first');
    // Something else died half-way here before: it is not what a server trips over for ever.
    await mkdir(join(dataDir, 'db', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'db', 'PG_VERSION'), '17\n');
    for (const after of [400, 2000]) {
      const server = await start();
      await new Promise((resolve) => setTimeout(resolve, after));
      await server.kill('SIGKILL');
    }
    const next = await ready(await start());
    expect((await demo()).people.length).toBeGreaterThan(0);
    expect((await next.kill('SIGTERM')).code).toBe(0);
    const [aside, ...more] = (await readdir(dataDir)).filter(
      (name) => /^db\.\D/.test(name) && !name.startsWith('db.lock'),
    );
    expect([aside, more]).toEqual([expect.stringMatching(/^db\.half-made-\d+$/), []]);
    expect(await readdir(join(dataDir, aside!))).toEqual(['PG_VERSION', 'base']);
  }, 240_000);

  it('is told to be damaged where it is, and left as it is', async () => {
    const damaged = join(folder, 'damaged');
    await mkdir(join(damaged, 'global'), { recursive: true });
    for (const name of ['PG_VERSION', 'global/pg_control'])
      await writeFile(join(damaged, name), '17\n');
    await expect(openEmbedded(damaged, [])).rejects.toThrow(
      /The embedded database in .*damaged is damaged: it cannot be opened\. .*demo:reset/,
    );
    expect((await readdir(damaged)).sort()).toEqual(['PG_VERSION', 'global']);
  }, 120_000);
});

describe.skipIf(templateUrl === null)('two processes over PostgreSQL', () => {
  it('agree at once: who is locked on one is out on the other', async () => {
    const one = await ready(await start());
    // Both answer for the same address; the second listens elsewhere.
    const port = await freePort();
    const other = spawnServer(port, { DATA_DIR: dataDir, ...database, ISSUER: one.url });
    started.push(other);
    for (let tries = 0; tries < 400; tries += 1) {
      if ((await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { client, people } = await demo();
    const who = people[0]!;
    const host = new URL(one.url).host;
    const atOther = (agent: Agent) => Object.assign(agent, { headers: { ...agent.headers, host } });
    const browser = new Agent(one.url);
    const back = await signIn(browser, client, who, {
      code_challenge: null,
      code_challenge_method: null,
      scope: 'openid offline_access',
    });
    const tokens = (await redeem(browser, client, codeOf(back), { code_verifier: '' })).json;
    const program = atOther(new Agent(`http://localhost:${port}`, { cookies: false }));
    const first = await refresh(program, client, tokens.refresh_token);
    expect(first.status).toBe(200);

    const admin = new Client({ connectionString: database['DATABASE_URL'] });
    await admin.connect();
    await admin.query(
      `insert into user_locks (id, user_id, reason, set_by, set_at)
       select gen_random_uuid(), id, 'admin', '{}', now() from users where email = $1`,
      [who.email],
    );
    await admin.end();
    expect((await refresh(program, client, first.json.refresh_token)).json.error).toBe(
      'invalid_grant',
    );
    const silent = await browser.get(
      `/oauth/authorize?${new URLSearchParams({ client_id: client.id, redirect_uri: client.redirectUri, response_type: 'code', scope: 'openid', prompt: 'none' })}`,
    );
    expect(silent.location?.searchParams.get('error')).toBe('login_required');

    // Wrong guesses on one count on the other.
    const [attacked] = people.slice(1);
    const told = [];
    for (let guess = 0; guess < 6; guess += 1) {
      const base = guess % 2 === 0 ? one.url : `http://localhost:${port}`;
      const agent = atOther(new Agent(base));
      const start = await agent.get(
        `/oauth/authorize?${new URLSearchParams({ client_id: client.id, redirect_uri: client.redirectUri, response_type: 'code', scope: 'openid', login_hint: attacked!.email })}`,
      );
      const page = await agent.get(start.location!.pathname);
      const form = page.forms[0]!;
      const answer = await agent.post(new URL(form.action).pathname, {
        form: { ...form.fields, password: `wrong ${guess}` },
      });
      told.push(answer.alerts[0]?.slice(0, 9));
    }
    expect(told).toEqual([
      "We didn't",
      "We didn't",
      "We didn't",
      "We didn't",
      'This acco',
      'This acco',
    ]);
    expect((await one.kill('SIGTERM')).code).toBe(0);
    expect((await other.kill('SIGTERM')).code).toBe(0);
  }, 120_000);

  it('workers of one server end when it is told to, and so does who looks after them', async () => {
    const server = await ready(await start({ WORKERS: '2' }));
    expect(server.output()).toContain('Ostiary is at');
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await fetch(server.url).catch(() => null)).toBeNull();
  }, 120_000);
});
