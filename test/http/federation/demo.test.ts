import { describe, expect } from 'vitest';
import { corporateIdp } from '../../../src/http/dev/corporate-idp.ts';
import { freePort } from '#test/platform/process.ts';
import { Agent } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { acceptAll, codeOf, redeem } from '#test/support/sign-in.ts';
import { createConnection } from '#identity/federation/manage.ts';
import { addSecret } from '#identity/federation/secrets.ts';
import { leave, silent } from './support.ts';

describe("the demo's own corporate identity provider", () => {
  it('lets a person in who types their password there, and tells us when they sign out', async ({
    given,
    browser,
    server,
  }) => {
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    const globex = await given.account('Globex', { owns: ['globex.example'] });
    const connection = await given.work(async (work) => {
      const made = await createConnection(work, globex.id, {
        kind: 'oidc',
        name: 'Globex',
        issuer,
        oidc: { clientId: 'ostiary' },
        domains: ['globex.example'],
      });
      await addSecret(work, given.foundation.vault, made, {
        kind: 'client_secret',
        value: 'a secret of the demo',
        expiresAt: null,
      });
      await work.query(`update connections set state = 'active' where id = $1`, [made.id]);
      return made;
    });
    const at = `${server.url}/federation/${connection.id}`;
    const company = corporateIdp({
      issuer,
      company: 'Globex',
      client: {
        id: 'ostiary',
        secret: 'a secret of the demo',
        redirectUri: `${at}/callback`,
        signedOutUri: `${at}/signed-out`,
        backchannelLogoutUri: `${at}/backchannel-logout`,
      },
      users: [
        {
          email: 'hal@globex.example',
          password: 'hal there',
          givenName: 'Hal',
          familyName: 'Reed',
        },
      ],
    });
    await company.listen(port, '127.0.0.1');
    try {
      await given.terms();
      const client = await given.client();
      const away = await leave(browser, client, 'hal@globex.example');

      // From the company's portal they come without an application, and are sent on where it says who.
      const start = `/federation/${connection.id}/start`;
      const portal = server.agent();
      const named = await portal.get(`${start}?login_hint=hal@globex.example`);
      expect((await portal.follow(named)).location?.origin).toBe(issuer);
      expect((await portal.follow(await portal.get(start))).forms[0]!.fields).toHaveProperty(
        'email',
      );
      expect((await portal.get(`${start}?test=1.x`)).status).toBe(404);
      const nobodys = start.replace(connection.id, globex.id);
      expect((await portal.get(nobodys)).status).toBe(404);

      const there = new Agent(issuer);
      const form = await there.follow(await there.get(away.location!));
      expect(form.words).toContain('Globex: corporate sign-in');
      expect(form.forms[0]!.fields).toMatchObject({ email: 'hal@globex.example' });
      const wrong = await there.submit(form.forms[0]!, { password: 'no' });
      expect(wrong.alerts).toEqual(['This is not the right password.']);
      const back = await there.follow(
        await there.submit(form.forms[0]!, { password: 'hal there' }),
      );

      // Hal's company does not say in which country he is, so he is asked.
      const asked = await browser.follow(await browser.get(back.location!));
      expect(asked.words).toContain('A few details are missing');
      const terms = await browser.follow(await browser.submit(asked.forms[0]!, { country: 'DE' }));
      const done = await acceptAll(browser, terms);
      expect((await redeem(browser, client, codeOf(done))).status).toBe(200);
      expect(await given.rows('select email, country, family_name from users')).toEqual([
        { email: 'hal@globex.example', country: 'DE', family_name: 'Reed' },
      ]);

      // They sign out at their company: here they are out too.
      expect((await silent(browser, client)).searchParams.get('code')).not.toBeNull();
      const leaving = await there.get('/session/end');
      await there.submit(leaving.forms[0]!, { logout: 'yes' });
      expect((await silent(browser, client)).searchParams.get('error')).toBe('login_required');

      // And the other way round, where the connection says so.
      await given.rows('update connections set sign_out_upstream = true');
      const again = await there.follow(
        await there.get((await leave(browser, client, 'hal@globex.example')).location!),
      );
      const known = await there.follow(
        await there.submit(again.forms[0]!, { password: 'hal there' }),
      );
      codeOf(await browser.follow(await browser.get(known.location!)));
      const sure = await browser.get('/oauth/end_session');
      const onward = await browser.submit(sure.forms[0]!, { logout: 'yes' });
      const atGlobex = await there.get(onward.location!);
      expect(atGlobex.text).toContain('Sign out of Globex?');
      const out = await there.submit(atGlobex.forms[0]!, { logout: 'yes' });
      const end = await browser.follow(await browser.get(out.location!));
      expect(end.words).toContain('You are signed out');
      await given.rows(`update connections set state = 'disabled'`);
      expect((await portal.get(start)).status).toBe(404);
      expect(server.errors).toEqual([]);
    } finally {
      await company.close();
    }
  });
});
