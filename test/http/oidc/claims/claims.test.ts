import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { acceptAll, authorizeUrl, signIn, tokensFor, userinfo } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { newId } from '#platform/ids.ts';
import { said, verified } from '../support.ts';

async function groups(
  given: World,
  account: { id: string },
  user: { id: string },
  count: number,
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const id = newId();
    await given.rows(
      `insert into groups (id, account_id, name, created_at, updated_at)
       values ($1, $2, $3, now(), now())`,
      [id, account.id, `Group ${String(index).padStart(3, '0')}`],
    );
    await given.rows(
      `insert into group_members (group_id, user_id, added_at) values ($1, $2, now())`,
      [id, user.id],
    );
  }
}

describe('OpenID Connect Core, section 5.5: the claims parameter', () => {
  it('single claims, for userinfo and for the ID token', async ({ given, browser, program }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), {
      claims: JSON.stringify({
        userinfo: { name: { essential: true }, email: null },
        id_token: { given_name: null, family_name: { value: 'nobody' } },
      }),
    });
    expect((await userinfo(program, tokens.access_token)).json).toEqual({
      sub: expect.any(String),
      name: 'ann Archer',
      email: 'ann@acme.example',
    });
    const { claims } = await verified(program, tokens.id_token, client.id);
    expect(claims).toMatchObject({ given_name: 'ann', family_name: 'Archer' });
    expect(claims).not.toHaveProperty('email');
  });

  it('an essential claim that we do not know of a person is left out, and nobody is stopped', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), {
      claims: JSON.stringify({ userinfo: { phone_number: { essential: true }, nickname: null } }),
    });
    expect(Object.keys((await userinfo(program, tokens.access_token)).json)).toEqual(['sub']);
  });

  it('sub with a value asks for one person', async ({ given, browser, server }) => {
    const client = await given.client();
    const ann = await given.user();
    await tokensFor(browser, client, ann);
    const ask = (value: string) =>
      browser.get(
        authorizeUrl(client, {
          prompt: 'none',
          claims: JSON.stringify({ id_token: { sub: { value } } }),
        }),
      );
    expect(said(await ask(ann.id))).toHaveProperty('code');
    expect(said(await ask('somebody else'))['error']).toBe('login_required');
    expect(server.errors).toEqual([]);
  });

  for (const claims of [
    '',
    '{',
    '[]',
    '"x"',
    'null',
    '{}',
    '{"userinfo":1}',
    '{"id_token":[]}',
    '{"id_token":{"acr":{"essential":true,"values":"x"}}}',
  ])
    it(`claims=${claims || '(empty)'} is no reason to fail`, async ({ given, browser, server }) => {
      const client = await given.client();
      await tokensFor(browser, client, await given.user());
      const answer = await browser.get(authorizeUrl(client, { claims, prompt: 'none' }));
      if (claims === '') expect(said(answer)).toHaveProperty('code');
      else expect(said(answer)['error']).toBe('invalid_request');
      expect(server.errors).toEqual([]);
    });

  it('a third party does not get by claims what the person did not agree to', async ({
    given,
    browser,
  }) => {
    const client = await given.client({ firstParty: false });
    const ann = await given.user();
    await acceptAll(browser, await signIn(browser, client, ann));
    const answer = await browser.get(
      authorizeUrl(client, {
        prompt: 'none',
        claims: JSON.stringify({ userinfo: { email: null } }),
      }),
    );
    expect(said(answer)['error']).toBe('consent_required');
  });
});

describe('what we say about a person beyond OpenID Connect', () => {
  it('scope organization names the account of a member', async ({ given, browser, program }) => {
    const acme = await given.account('Acme', { number: '1001' });
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid organization' });
    const organization = {
      org: acme.id,
      org_name: 'Acme',
      org_number: '1001',
      ultimate_site: '1001',
      org_status: 'active',
      usage_country_iso: 'US',
    };
    expect((await userinfo(program, tokens.access_token)).json).toEqual({
      sub: ann.id,
      ...organization,
    });
    expect((await verified(program, tokens.id_token, client.id)).claims).toMatchObject(
      organization,
    );
  });

  it('whoever belongs to no account has none of it, and no empty org either', async ({
    given,
    browser,
    program,
  }) => {
    const ann = await given.user();
    const tokens = await tokensFor(browser, await given.client(), ann, {
      scope: 'openid organization',
    });
    expect((await userinfo(program, tokens.access_token)).json).toEqual({ sub: ann.id });
  });

  it('nor has somebody who waits for approval', async ({ given, browser, program }) => {
    const ann = await given.user();
    await given.rows(`update users set affiliation = 'pending' where id = $1`, [ann.id]);
    const tokens = await tokensFor(browser, await given.client(), ann, {
      scope: 'openid organization',
    });
    expect((await userinfo(program, tokens.access_token)).json).toEqual({ sub: ann.id });
  });

  it('scopes roles and groups name them', async ({ given, browser, program }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme, roles: ['co_administrator'] });
    await groups(given, acme, ann, 2);
    const tokens = await tokensFor(browser, await given.client(), ann, {
      scope: 'openid roles groups',
    });
    expect((await userinfo(program, tokens.access_token)).json).toEqual({
      sub: ann.id,
      roles: ['co_administrator'],
      groups: ['Group 000', 'Group 001'],
    });
  });

  it('two hundred groups are named; of two hundred and one is said that there are too many', async ({
    given,
    browser,
    program,
  }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client();
    await groups(given, acme, ann, 200);
    const few = await tokensFor(browser, client, ann, { scope: 'openid groups' });
    expect((await userinfo(program, few.access_token)).json.groups).toHaveLength(200);
    const id = newId();
    await given.rows(
      `insert into groups (id, account_id, name, created_at, updated_at)
       values ($1, $2, 'One more', now(), now())`,
      [id, acme.id],
    );
    await given.rows(
      `insert into group_members (group_id, user_id, added_at) values ($1, $2, now())`,
      [id, ann.id],
    );
    expect((await userinfo(program, few.access_token)).json).toEqual({
      sub: ann.id,
      groups_overage: true,
    });
    const many = await tokensFor(browser, client, ann, { scope: 'openid groups' });
    const { claims } = await verified(program, many.id_token, client.id);
    expect(claims).not.toHaveProperty('groups');
    expect(claims['groups_overage']).toBe(true);
  });

  it('userinfo says what is true now, not what was true when the token was made', async ({
    given,
    browser,
    program,
  }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    const { access_token } = await tokensFor(browser, await given.client(), ann, {
      scope: 'openid organization profile',
    });
    await given.rows(`update accounts set name = 'Apex' where id = $1`, [acme.id]);
    await given.rows(`update users set given_name = 'Anna' where id = $1`, [ann.id]);
    expect((await userinfo(program, access_token)).json).toMatchObject({
      org_name: 'Apex',
      given_name: 'Anna',
    });
  });
});
