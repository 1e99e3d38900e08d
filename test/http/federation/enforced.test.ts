import { describe, expect } from 'vitest';
import { carryOutModes } from '#identity/federation/enforce.ts';
import { setMode } from '#identity/federation/lifecycle.ts';
import { receiver } from '#test/http/oidc/back-channel-logout/receiver.ts';
import { it } from '#test/support/it.ts';
import { codeOf, redeem, refresh, tokensFor } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { breakGlass, connected, dan, leave, provider, signInUpstream, silent } from './support.ts';

const acmeIdp = provider();

/** Does what is due, until nothing is. */
async function carriedOut(given: World): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) if (!(await carryOutModes(given.foundation))) return;
  throw new Error('It does not come to an end.');
}

describe('when an account ends passwords', () => {
  it('everybody who has one is told a day before, and is out when it comes', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const eve = await breakGlass(given, acme);
    const other = await given.user('kim@else.example', { of: acme });
    const client = await given.client();
    const connection = await connected(given, acme, acmeIdp);
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' }).catch(
      () => null,
    );
    expect(tokens).toBeNull(); // Her address leads to the provider by now; she asks for her password.
    const local = await leave(browser, client, ann.email);
    const uid = local.location!.searchParams.get('state')!.split('.')[0];
    const page = await browser.get(`/sign-in/${uid}?local=1`);
    const signedIn = await browser.follow(
      await browser.submit(page.forms[0]!, { password: ann.password }),
    );
    codeOf(signedIn);

    await expect(
      given.work((work) =>
        setMode(work, acme.id, connection.id, {
          mode: 'enforced',
          at: new Date(work.now.getTime() + 3600_000),
        }),
      ),
    ).rejects.toMatchObject({ code: 'invalid_value' });
    await given.work((work) => setMode(work, acme.id, connection.id, { mode: 'enforced' }));
    await carriedOut(given);
    await carriedOut(given);
    await server.app.delivery.drain();
    const mails = (await given.mails()).filter(({ kind }) => kind === 'password_ends');
    expect(mails.map(({ recipient }) => recipient)).toEqual([ann.email]);
    expect(mails[0]!.text).toContain('Acme');
    expect((await silent(browser, client)).searchParams.get('code')).not.toBeNull();

    server.clock.advance(24 * 3600 + 60);
    await carriedOut(given);
    expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');
    const enabled = await given.rows<{ email: string }>(
      `select u.email from passwords p join users u on u.id = p.user_id
       where p.disabled_at is null order by 1`,
    );
    expect(enabled.map(({ email }) => email)).toEqual([eve.email, other.email]);
    expect((await given.events()).filter((one) => one === 'federation.enforced')).toHaveLength(1);
    void program;

    // Back again: who lost a password gets a new one by a reset, and the old hash is forgotten in time.
    await given.work((work) => setMode(work, acme.id, connection.id, { mode: 'optional' }));
    server.clock.advance(31 * 24 * 3600);
    await carriedOut(given);
    expect(await given.rows('select 1 from passwords where user_id = $1', [ann.id])).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('needs somebody who could come in without the company', async ({ given }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, acmeIdp);
    await expect(
      given.work((work) =>
        setMode(work, acme.id, connection.id, { mode: 'enforced', immediately: true }),
      ),
    ).rejects.toMatchObject({ code: 'connection_not_ready' });
  });
});

describe('when a connection is disabled', () => {
  it('applications are told of everybody who came in by it, and of nobody else', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const heard = await receiver();
    try {
      const acme = await given.account('Acme', { owns: ['acme.example'] });
      const connection = await connected(given, acme, acmeIdp);
      const client = await given.client({
        metadata: {
          backchannel_logout_uri: heard.uri,
          backchannel_logout_session_required: true,
        },
      });
      acmeIdp.person = dan;
      const back = await signInUpstream(browser, client, dan.email, {
        scope: 'openid offline_access',
      });
      const tokens = (await redeem(program, client, codeOf(back))).json;
      await given.rows(
        `update connections set state = 'disabled', disabled_at = now() where id = $1`,
        [connection.id],
      );
      expect((await refresh(program, client, tokens.refresh_token)).status).toBe(400);
      await carriedOut(given);
      await server.app.delivery.drain();
      expect(heard.tokens).toHaveLength(1);
      expect(await given.rows('select 1 from oidc_sessions where federation is not null')).toEqual(
        [],
      );
    } finally {
      await heard.close();
    }
  });
});

describe("a logout token of a company's provider", () => {
  it('ends what stood on that session, once, and nothing else does', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const connection = await connected(given, acme, acmeIdp);
    const client = await given.client();
    const laptop = server.agent();
    const phone = server.agent();
    acmeIdp.person = { ...dan, sid: 'on the laptop' };
    codeOf(await signInUpstream(laptop, client, dan.email));
    acmeIdp.person = { ...dan, sid: 'on the phone' };
    codeOf(await signInUpstream(phone, client, dan.email));
    const say = async (token: string) =>
      (
        await program.post(`/federation/${connection.id}/backchannel-logout`, {
          form: { logout_token: token },
        })
      ).status;
    const isIn = async (browser: typeof laptop) =>
      (await silent(browser, client)).searchParams.has('code');

    const now = Math.floor(Date.now() / 1000);
    for (const [why, token] of [
      ['garbage', 'x.y.z'],
      ['an ID token', await acmeIdp.sign(acmeIdp.claimsOf(dan, null, 'x'))],
      ['another audience', await acmeIdp.logoutToken({ sub: 'dan-1', aud: 'else' })],
      ['another issuer', await acmeIdp.logoutToken({ sub: 'dan-1', iss: 'https://else.example' })],
      ['a nonce', await acmeIdp.logoutToken({ sub: 'dan-1', nonce: 'n' })],
      ['nobody', await acmeIdp.logoutToken({})],
      ['an hour ago', await acmeIdp.logoutToken({ sub: 'dan-1', iat: now - 3600 })],
    ] as const)
      expect([why, await say(token)]).toEqual([why, 400]);
    expect([await isIn(laptop), await isIn(phone)]).toEqual([true, true]);

    expect(await say(await acmeIdp.logoutToken({ sid: 'on the laptop' }))).toBe(200);
    expect([await isIn(laptop), await isIn(phone)]).toEqual([false, true]);

    const everywhere = await acmeIdp.logoutToken({ sub: 'dan-1' });
    expect(await say(everywhere)).toBe(200);
    expect(await isIn(phone)).toBe(false);
    // Sent again, it does not end what began after it.
    acmeIdp.person = dan;
    codeOf(await signInUpstream(laptop, client, dan.email));
    expect(await say(everywhere)).toBe(200);
    expect(await isIn(laptop)).toBe(true);
  });
});
