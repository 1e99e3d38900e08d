import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, refresh, tokensFor, userinfo } from '#test/support/sign-in.ts';
import type { GivenClient, World } from '#test/support/world.ts';
import { said, silent, verified } from '../support.ts';

function pairwise(given: World, host: string, more: object = {}): Promise<GivenClient> {
  return given.client({
    redirectUri: `https://${host}/cb`,
    ...more,
    metadata: { subject_type: 'pairwise', redirect_uris: [`https://${host}/cb`] },
  });
}

describe('OpenID Connect Core, section 8: pairwise subjects', () => {
  it('a person has another name in each sector, and the same one each time', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const one = await pairwise(given, 'one.example');
    const same = await pairwise(given, 'one.example', { name: 'Same sector' });
    const two = await pairwise(given, 'two.example');
    const subOf = async (client: GivenClient, user = ann): Promise<string> => {
      const agent = server.agent();
      const tokens = await tokensFor(agent, client, user, { scope: 'openid email' });
      const { claims } = await verified(program, tokens.id_token, client.id);
      expect((await userinfo(program, tokens.access_token)).json.sub).toBe(claims.sub);
      const introspected = await asClient(program, '/oauth/introspect', client, {
        token: tokens.access_token,
      });
      expect(introspected.json.sub).toBe(claims.sub);
      return claims.sub!;
    };
    const first = await subOf(one);
    expect(first).not.toBe(ann.id);
    expect(first).not.toContain(ann.id);
    expect(await subOf(one)).toBe(first);
    expect(await subOf(same)).toBe(first);
    expect(await subOf(two)).not.toBe(first);
    expect(await subOf(one, bob)).not.toBe(first);
    void browser;
  });

  it('survives a restart, a refresh, and is in JWT access tokens too', async ({
    given,
    browser,
    program,
  }) => {
    const resource = await given.resource();
    const client = await pairwise(given, 'one.example', { resources: [resource] });
    const tokens = await tokensFor(browser, client, await given.user(), {
      scope: 'openid offline_access api:read',
      resource,
    });
    const { sub } = (await verified(program, tokens.id_token, client.id)).claims;
    expect((await verified(program, tokens.access_token, resource)).claims.sub).toBe(sub);
    const again = (await refresh(program, client, tokens.refresh_token!)).json;
    expect((await verified(program, again.id_token, client.id)).claims.sub).toBe(sub);
  });

  it('is understood when it comes back as a hint', async ({ given, browser, server }) => {
    const client = await pairwise(given, 'one.example');
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const { id_token } = await tokensFor(browser, client, ann);
    expect(said(await silent(browser, client, { id_token_hint: id_token }))).toHaveProperty('code');
    const other = await tokensFor(server.agent(), client, bob);
    expect(said(await silent(browser, client, { id_token_hint: other.id_token }))['error']).toBe(
      'login_required',
    );
  });
});
