import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { acceptAll, asClient, refresh, typePassword, userinfo } from '#test/support/sign-in.ts';
import type { GivenClient, World } from '#test/support/world.ts';
import { verified } from '../support.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:device_code';

function television(given: World, more: object = {}): Promise<GivenClient> {
  return given.client({
    name: 'Television',
    ...more,
    metadata: {
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: [grantType, 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    },
  });
}

async function start(
  program: Agent,
  client: GivenClient,
  extra: Record<string, string> = {},
): Promise<{ device_code: string; user_code: string; [name: string]: unknown }> {
  const answer = await asClient(program, '/oauth/device_authorization', client, {
    scope: 'openid email',
    ...extra,
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json;
}

function poll(program: Agent, client: GivenClient, device_code: string): Promise<Answer> {
  return asClient(program, '/oauth/token', client, { grant_type: grantType, device_code });
}

/** The person types the code and confirms it; what comes then is given back. */
async function confirm(browser: Agent, userCode: string): Promise<Answer> {
  const page = await browser.get('/device');
  const question = await browser.submit(page.forms[0]!, { user_code: userCode });
  return browser.follow(await browser.submit(question.forms[0]!));
}

describe('RFC 8628: devices without a keyboard', () => {
  it('are told a code for the person and one for themselves', async ({
    given,
    program,
    server,
  }) => {
    const client = await television(given);
    expect(await start(program, client)).toEqual({
      device_code: expect.any(String),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${server.url}/device`,
      verification_uri_complete: expect.stringContaining(`${server.url}/device?user_code=`),
      expires_in: 600,
      interval: 5,
    });
  });

  it('wait until the person has typed the code, signed in and said yes; then get their tokens, once', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await television(given);
    const ann = await given.user();
    const { device_code, user_code } = await start(program, client, {
      scope: 'openid email offline_access',
    });
    expect((await poll(program, client, device_code)).json.error).toBe('authorization_pending');

    const page = await browser.get('/device');
    expect(page.status).toBe(200);
    const question = await browser.submit(page.forms[0]!, {
      user_code: user_code.toLowerCase().replace('-', ' '),
    });
    expect(question.words).toContain(user_code);
    expect(question.words).toContain('Television');
    const signIn = await browser.follow(await browser.submit(question.forms[0]!));
    const done = await typePassword(browser, signIn, ann);
    expect(done.status).toBe(200);
    expect(done.words).toContain('Television');

    const tokens = await poll(program, client, device_code);
    expect(tokens.status).toBe(200);
    const { claims } = await verified(program, tokens.json.id_token, client.id);
    expect(claims.sub).toBe(ann.id);
    expect((await userinfo(program, tokens.json.access_token)).json.email).toBe(ann.email);
    expect((await refresh(program, client, tokens.json.refresh_token)).status).toBe(200);
    expect((await poll(program, client, device_code)).json.error).toBe('invalid_grant');
    expect(server.errors).toEqual([]);
  });

  it('a person who is signed in already only says yes', async ({ given, browser, program }) => {
    const client = await television(given);
    const ann = await given.user();
    const first = await start(program, client);
    await typePassword(browser, await confirm(browser, first.user_code), ann);
    const second = await start(program, client);
    expect((await confirm(browser, second.user_code)).words).toContain('Television');
    expect((await poll(program, client, second.device_code)).status).toBe(200);
  });

  it('a code in the link is shown to be compared, and never taken for a yes', async ({
    given,
    browser,
    program,
  }) => {
    const client = await television(given);
    const { device_code, user_code, verification_uri_complete } = await start(program, client);
    const carried = await browser.get(verification_uri_complete as string);
    expect(carried.words).toContain('Connect a device');
    expect(carried.words).not.toContain('back to the application');
    const question = await browser.submit(carried.forms[0]!);
    expect(question.words).toContain(user_code);
    expect(question.forms[0]!.fields).toMatchObject({ user_code, confirm: 'yes' });
    expect((await poll(program, client, device_code)).json.error).toBe('authorization_pending');
  });

  it('one that asks again within five seconds is told to slow down, until the person has decided', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await television(given);
    const ann = await given.user();
    const { device_code, user_code } = await start(program, client);
    expect((await poll(program, client, device_code)).json.error).toBe('authorization_pending');
    expect((await poll(program, client, device_code)).json.error).toBe('slow_down');
    server.clock.advance(5);
    expect((await poll(program, client, device_code)).json.error).toBe('authorization_pending');
    await typePassword(browser, await confirm(browser, user_code), ann);
    expect((await poll(program, client, device_code)).status).toBe(200);
  });

  it('the person says no: the device is told, and its code is dead', async ({
    given,
    browser,
    program,
  }) => {
    const client = await television(given);
    const { device_code, user_code } = await start(program, client);
    const page = await browser.get('/device');
    const question = await browser.submit(page.forms[0]!, { user_code });
    const { confirm: _confirm, ...fields } = question.forms[0]!.fields;
    const stopped = await browser.post('/device', { form: { ...fields, abort: 'yes' } });
    expect(stopped.status).toBeLessThan(500);
    expect((await poll(program, client, device_code)).json.error).toBe('access_denied');
    expect((await poll(program, client, device_code)).json.error).toBe('invalid_grant');
  });

  it('the person declines what a third party asks for: the device is told', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await television(given, { firstParty: false });
    const ann = await given.user();
    const { device_code, user_code } = await start(program, client);
    const consent = await typePassword(browser, await confirm(browser, user_code), ann);
    const decline = consent.forms.find(({ action }) => action.endsWith('/decline'))!;
    const end = await browser.follow(await browser.submit(decline));
    expect(end.status).toBeLessThan(500);
    expect((await poll(program, client, device_code)).json.error).toBe('access_denied');
    expect(server.errors).toEqual([]);
  });

  it('a third party gets tokens when the person agrees', async ({ given, browser, program }) => {
    const client = await television(given, { firstParty: false });
    const { device_code, user_code } = await start(program, client);
    const consent = await typePassword(
      browser,
      await confirm(browser, user_code),
      await given.user(),
    );
    await acceptAll(browser, consent);
    expect((await poll(program, client, device_code)).status).toBe(200);
  });

  it('a code nobody gave out, none, and one that was used are refused on the page', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await television(given);
    const ann = await given.user();
    const { user_code } = await start(program, client);
    await typePassword(browser, await confirm(browser, user_code), ann);
    for (const typed of ['BBBB-BBBB', '', user_code, '<script>', 'x'.repeat(5000)]) {
      const page = await browser.get('/device');
      const answer = await browser.submit(page.forms[0]!, { user_code: typed });
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain('<script>alert');
      expect(answer.forms[0]!.fields).toHaveProperty('user_code');
    }
    expect(server.errors).toEqual([]);
  });

  it('codes expire, for the person and for the device', async ({ given, browser, program }) => {
    const client = await television(given);
    const { device_code, user_code } = await start(program, client);
    await given.rows(
      `update oidc_artifacts set payload = jsonb_set(payload, '{exp}', '1')
       where model = 'DeviceCode'`,
    );
    const page = await browser.get('/device');
    expect((await browser.submit(page.forms[0]!, { user_code })).status).toBe(400);
    expect((await poll(program, client, device_code)).json.error).toBe('expired_token');
  });

  it('a device code belongs to its client', async ({ given, browser, program }) => {
    const client = await television(given);
    const other = await television(given, { name: 'Other' });
    const { device_code, user_code } = await start(program, client);
    expect((await poll(program, other, device_code)).json.error).toBe('invalid_grant');
    await typePassword(browser, await confirm(browser, user_code), await given.user());
    expect((await poll(program, other, device_code)).json.error).toBe('invalid_grant');
    expect((await poll(program, client, device_code)).status).toBe(200);
  });

  it('twenty polls at once after the yes give tokens once', async ({ given, browser, program }) => {
    const client = await television(given);
    const { device_code, user_code } = await start(program, client);
    await typePassword(browser, await confirm(browser, user_code), await given.user());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => poll(program, client, device_code)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('the hash in the database opens nothing', async ({ given, browser, program }) => {
    const client = await television(given);
    const { user_code } = await start(program, client);
    await typePassword(browser, await confirm(browser, user_code), await given.user());
    const [row] = await given.rows<{ id: string }>(
      `select id from oidc_artifacts where model = 'DeviceCode'`,
    );
    for (const device_code of [row!.id, `h:${row!.id}`])
      expect((await poll(program, client, device_code)).json.error).toBe('invalid_grant');
  });

  it('a form that was not ours to begin with is refused', async ({ given, browser, program }) => {
    const client = await television(given);
    const { device_code, user_code } = await start(program, client);
    await browser.get('/device');
    const forms: Record<string, string>[] = [
      { user_code, confirm: 'yes' },
      { user_code, confirm: 'yes', xsrf: 'x' },
    ];
    for (const form of forms) {
      const answer = await browser.post('/device', { form });
      expect(answer.status).toBe(400);
    }
    expect((await poll(program, client, device_code)).json.error).toBe('authorization_pending');
  });

  it('a browser that comes with nothing is told what is wrong, and can go on from there', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await television(given);
    const { user_code } = await start(program, client);
    for (const answer of [
      await browser.get('/device/expired'),
      await browser.post('/device', { form: { user_code, confirm: 'yes', xsrf: 'x' } }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.forms[0]!.fields).toHaveProperty('user_code');
    }
    const fresh = server.agent();
    const page = await fresh.get('/device/expired');
    const question = await fresh.submit(page.forms[0]!, { user_code });
    expect(question.words).toContain('Television');
    expect(server.errors).toEqual([]);
  });

  it('a client that is not registered for it gets no code', async ({ given, program }) => {
    const answer = await asClient(program, '/oauth/device_authorization', await given.client(), {
      scope: 'openid',
    });
    expect(answer.status).toBe(400);
  });
});
