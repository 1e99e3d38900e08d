import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  tokensFor,
  userinfo,
} from '#test/support/sign-in.ts';
import { silent, spa, verified } from '../support.ts';

const offline = { scope: 'openid email offline_access' };

describe('RFC 6749, section 6, and RFC 9700, section 2.2.2: refresh tokens', () => {
  it('are given to a first-party application that asks for offline_access, and to nobody who does not', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    expect((await tokensFor(browser, client, ann)).refresh_token).toBeUndefined();
    const tokens = await tokensFor(browser, client, ann, offline);
    expect(tokens.refresh_token).toMatch(/^[\w-]{44}$/);
    expect(tokens.scope).toBe('openid email offline_access');
  });

  it('a third party gets one when the person agreed to it on a page that was asked for', async ({
    given,
    browser,
  }) => {
    const client = await given.client({ firstParty: false });
    const ann = await given.user();
    const without = await signIn(browser, client, ann, offline);
    const tokens = await redeem(browser, client, codeOf(await acceptAll(browser, without)));
    expect(tokens.json.refresh_token).toBeUndefined();
    const page = await browser.follow(
      await browser.get(authorizeUrl(client, { ...offline, prompt: 'consent' })),
    );
    const more = await redeem(browser, client, codeOf(await acceptAll(browser, page)));
    expect(more.json.refresh_token).toBeTruthy();
  });

  it('a client that may not refresh gets none', async ({ given, browser }) => {
    const client = await given.client({ metadata: { grant_types: ['authorization_code'] } });
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    expect(tokens.refresh_token).toBeUndefined();
    const answer = await refresh(browser, client, 'x'.repeat(44));
    expect(answer.status).toBe(400);
  });

  for (const [kind, input] of Object.entries({ confidential: {}, public: spa }))
    it(`of a ${kind} client are exchanged at each use, for new tokens of the same sign-in`, async ({
      given,
      browser,
      program,
    }) => {
      const client = await given.client(input);
      const ann = await given.user();
      const first = await tokensFor(browser, client, ann, { ...offline, nonce: 'n' });
      const answer = await refresh(program, client, first.refresh_token!);
      expect(answer.status).toBe(200);
      const second = answer.json;
      expect(second.refresh_token).not.toBe(first.refresh_token);
      expect(second.access_token).not.toBe(first.access_token);
      const before = (await verified(program, first.id_token, client.id)).claims;
      const after = (await verified(program, second.id_token, client.id)).claims;
      // OpenID Connect Core 1.0, section 12.2
      for (const claim of ['iss', 'sub', 'aud', 'auth_time', 'acr'])
        expect(after[claim]).toEqual(before[claim]);
      expect(after.iat).toBeGreaterThanOrEqual(before.iat!);
      expect((await userinfo(program, second.access_token)).json.email).toBe(ann.email);
    });

  it('a refresh token that comes a second time betrays a thief: the whole family is dead', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client(spa);
    const first = await tokensFor(browser, client, await given.user(), offline);
    const second = (await refresh(program, client, first.refresh_token!)).json;
    const third = (await refresh(program, client, second.refresh_token)).json;

    const replay = await refresh(program, client, first.refresh_token!);
    expect(replay.status).toBe(400);
    expect(replay.json.error).toBe('invalid_grant');
    expect((await refresh(program, client, third.refresh_token)).json.error).toBe('invalid_grant');
    for (const { access_token } of [first, second, third])
      expect((await userinfo(program, access_token)).status).toBe(401);
    expect(await given.rows(`select 1 from oidc_artifacts where grant_id is not null`)).toEqual([]);
  });

  it('the person stays signed in, and the application gets new tokens by asking again', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const first = await tokensFor(browser, client, await given.user(), offline);
    await refresh(program, client, first.refresh_token!);
    await refresh(program, client, first.refresh_token!);
    const answer = await redeem(browser, client, codeOf(await silent(browser, client, offline)));
    expect(answer.status).toBe(200);
    expect((await refresh(program, client, answer.json.refresh_token)).status).toBe(200);
  });

  it('belong to their client', async ({ given, browser, program }) => {
    const client = await given.client();
    const other = await given.client({ name: 'Other' });
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    expect((await refresh(program, other, tokens.refresh_token!)).json.error).toBe('invalid_grant');
    expect((await refresh(program, client, tokens.refresh_token!)).status).toBe(200);
  });

  it('may be used for less, never for more', async ({ given, browser, program }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    const ask = (refresh_token: string, scope: string) =>
      asClient(program, '/oauth/token', client, {
        grant_type: 'refresh_token',
        refresh_token,
        scope,
      });
    const more = await ask(tokens.refresh_token!, 'openid email profile');
    expect(more.json.error).toBe('invalid_scope');
    const less = await ask(tokens.refresh_token!, 'openid');
    expect(less.json.scope).toBe('openid');
    expect(Object.keys((await userinfo(program, less.json.access_token)).json)).toEqual(['sub']);
    const whole = await refresh(program, client, less.json.refresh_token);
    expect(whole.json.scope).toBe('openid email offline_access');
  });

  it('live two weeks from each use, and ninety days in all', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    const lives = async (): Promise<number> => {
      const [row] = await given.rows<{ payload: { iat: number; exp: number } }>(
        `select payload from oidc_artifacts where model = 'RefreshToken' and consumed_at is null`,
      );
      return row!.payload.exp - row!.payload.iat;
    };
    const day = 24 * 3600;
    expect(await lives()).toBe(14 * day);
    await given.rows(
      `update oidc_artifacts set payload = jsonb_set(payload, '{iiat}',
         to_jsonb((payload ->> 'iiat')::int - ${80 * day})) where model = 'RefreshToken'`,
    );
    expect((await refresh(program, client, tokens.refresh_token!)).status).toBe(200);
    expect(Math.abs((await lives()) - 10 * day)).toBeLessThan(20);
  });

  it('one that has expired is refused', async ({ given, browser, program }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    await given.rows(
      `update oidc_artifacts set payload = jsonb_set(payload, '{exp}', '1')
       where model = 'RefreshToken'`,
    );
    expect((await refresh(program, client, tokens.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
  });

  it('claims are those of today: a new name is in the next ID token', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const tokens = await tokensFor(browser, client, ann, {
      scope: 'openid profile offline_access',
    });
    await given.rows(`update users set family_name = 'Baker' where id = $1`, [ann.id]);
    const { id_token } = (await refresh(program, client, tokens.refresh_token!)).json;
    expect((await verified(program, id_token, client.id)).claims['family_name']).toBe('Baker');
  });

  it('survive the session they came from, because the person wished so; other tokens do not', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const bound = await tokensFor(browser, client, ann);
    const lasting = await tokensFor(browser, client, ann, offline);
    await given.rows('delete from oidc_sessions');
    expect((await userinfo(program, bound.access_token)).status).toBe(401);
    expect((await userinfo(program, lasting.access_token)).status).toBe(200);
    expect((await refresh(program, client, lasting.refresh_token!)).status).toBe(200);
  });
});
