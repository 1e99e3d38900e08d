import { describe, expect, inject } from 'vitest';
import { requireFactor } from '#identity/credentials/factors.ts';
import { forgetAttempts } from '#identity/users/lock.ts';
import { revokeAccess } from '#identity/users/revoke.ts';
import { endEverySession } from '#identity/users/sessions.ts';
import { counting } from '#test/support/counting.ts';
import { it } from '#test/support/it.ts';
import { again } from '../../../src/http/again.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';
import {
  acceptAll,
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  signIn,
} from '#test/support/sign-in.ts';
import { untilWaiting } from '#test/support/waiting.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';

/** The last form of a sign-in is answered by the way back to the application, and by what it brings. */

const passwordPage = async (browser: Agent, client: GivenClient, who: GivenUser, extra = {}) =>
  browser.follow(await browser.get(authorizeUrl(client, { login_hint: who.email, ...extra })));

const type = (browser: Agent, page: Answer, who: GivenUser) =>
  browser.submit(page.forms[0]!, { password: who.password });

/** Does something while the password of the next sign-in is being compared. */
function meanwhile({ app }: TestServer, act: () => Promise<unknown>): void {
  const { hasher } = app;
  const { verify } = hasher;
  hasher.verify = async (...given) => {
    hasher.verify = verify;
    await act();
    return verify(...given);
  };
}

const sessions = ({ given }: TestServer) =>
  given.rows('select user_id from oidc_sessions where user_id is not null');

describe('who types their password', () => {
  it('is sent to the application by the answer, in four requests and seven statements', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    codeOf(await signIn(browser, client, ann));
    browser.forgetCookies(/session/);
    const count = counting(server);
    const statements = await count(async () => {
      const page = await passwordPage(browser, client, ann);
      const answer = await type(browser, page, ann);
      expect(answer.status).toBe(303);
      expect(answer.location?.searchParams.get('state')).toBe('state-1');
      expect((await redeem(browser, client, codeOf(answer))).status).toBe(200);
    });
    expect(statements.length, statements.join('\n\n')).toBeLessThanOrEqual(7);
    expect(server.errors).toEqual([]);
  });

  it.for(['locked', 'signed out everywhere'] as const)(
    'is not let in where they were %s while it was compared',
    async (how, { given, browser, server }) => {
      const acme = await given.account('Acme');
      const ann = await given.user('ann@acme.example', { of: acme });
      const client = await given.client();
      const page = await passwordPage(browser, client, ann);
      meanwhile(server, () =>
        how === 'locked'
          ? given.locked(ann, 'admin')
          : given.work((work) => endEverySession(work, ann.id, acme.id)),
      );
      const answer = await type(browser, page, ann);
      expect(answer.location?.pathname).toBe(page.url.pathname);
      expect(await sessions(server)).toEqual([]);
      expect(await given.events()).not.toContain('sign_in.succeeded');
      expect(browser.cookie('ostiary_session')).toBeUndefined();
      expect(browser.cookie('ostiary_device')).toBeUndefined();
      // They are asked again; who is locked hears of it then.
      const again = await type(browser, await browser.follow(answer), ann);
      expect(again.status).toBe(how === 'locked' ? 403 : 303);
      expect(server.errors).toEqual([]);
    },
  );

  it.for(['a form', 'a pushed request', 'another person at the same browser'] as const)(
    "is not let in by the engine's own address either, as with %s, once they were put out",
    async (what, { given, browser, server, program }) => {
      const acme = await given.account('Acme');
      const ann = await given.user('ann@acme.example', { of: acme });
      const client = await given.client();
      let extra: Record<string, string | null> = { response_mode: 'form_post' };
      if (what === 'a pushed request') {
        const { searchParams } = new URL(
          authorizeUrl(client, { login_hint: ann.email }),
          server.url,
        );
        const pushed = await asClient(
          program,
          '/oauth/par',
          client,
          Object.fromEntries(searchParams),
        );
        extra = { request_uri: (pushed.json as { request_uri: string }).request_uri };
      }
      if (what === 'another person at the same browser') extra = {};
      const page = await passwordPage(browser, client, ann, extra);
      if (what === 'another person at the same browser')
        codeOf(await signIn(browser, client, await given.user('bob@acme.example')));
      const before = (await sessions(server)).length;
      const device = browser.cookie('ostiary_device');
      meanwhile(server, () => given.work((work) => endEverySession(work, ann.id, acme.id)));
      const answer = await type(browser, page, ann);
      expect(answer.location?.pathname).toBe(page.url.pathname);
      expect(await sessions(server)).toHaveLength(before);
      expect(
        (
          await given.rows(`select 1 from audit_events
          where action = 'sign_in.succeeded' and target_id = '${ann.id}'`)
        ).length,
      ).toBe(0);
      expect(browser.cookie('ostiary_device')).toEqual(device);
      expect(server.errors).toEqual([]);
    },
  );

  it('sets up no second factor with a password that was exchanged while it was compared', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client();
    const person = (await given.person(ann))!;
    const operator = { role: 'operator', accountId: null, userId: null } as const;
    await given.work((work) => requireFactor(work, operator, person, true));
    const page = await passwordPage(browser, client, ann);
    meanwhile(server, () => given.work((work) => endEverySession(work, ann.id, acme.id)));
    const next = await browser.follow(await type(browser, page, ann));
    expect(next.words).not.toContain('Set up a second step');
    expect(next.forms[0]!.fields).toHaveProperty('password');
    expect(server.errors).toEqual([]);
  });

  it('is asked for terms that came while it was compared', async ({ given, browser, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await passwordPage(browser, client, ann);
    meanwhile(server, () => given.terms('1'));
    const terms = await browser.follow(await type(browser, page, ann));
    expect(terms.words).toContain('Before you continue');
    expect(codeOf(await acceptAll(browser, terms))).toBeTruthy();
    expect((await given.events()).filter((one) => one === 'sign_in.succeeded')).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('may send it twice at once: whichever answer the browser shows leads on', async ({
    given,
    browser,
    server,
    program,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await passwordPage(browser, client, ann);
    const answered = Promise.withResolvers<void>();
    let second: Promise<Answer> | undefined;
    meanwhile(server, async () => {
      // The first is answered, and its sign-in over, while the second is still compared.
      const begun = Promise.withResolvers<void>();
      meanwhile(server, () => (begun.resolve(), answered.promise));
      second = type(browser, page, ann);
      await begun.promise;
    });
    const first = await type(browser, page, ann);
    answered.resolve();
    for (const answer of [first, (await second)!]) codeOf(answer);
    expect((await redeem(program, client, codeOf((await second)!))).status).toBe(200);
    // Who comes when all is over is too late.
    expect((await type(browser, page, ann)).status).toBe(400);
    expect(server.errors).toEqual([]);
  });

  it('is sent by an address of its own where the application takes a form', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await passwordPage(browser, client, ann, { response_mode: 'form_post' });
    const answer = await type(browser, page, ann);
    expect(answer.location?.pathname).toMatch(/^\/oauth\/authorize\//);
    expect((await browser.follow(answer)).forms[0]!.fields['code']).toBeTruthy();
    expect(server.errors).toEqual([]);
  });
});

/** Over the embedded database there is one transaction at a time. */
it.skipIf(inject('templateUrl') === null)(
  'who signs in while somebody forgets their guesses and puts them out meets no error, and is out',
  async ({ given, browser, server }) => {
    const ann = await given.user();
    const page = await passwordPage(browser, await given.client(), ann);
    const waiting = Promise.withResolvers<void>();
    let ends: Promise<void> | undefined;
    meanwhile(server, async () => {
      const begun = Promise.withResolvers<void>();
      // Whichever of the two the database gives up comes again.
      ends = again(() =>
        given.work(async (work) => {
          await forgetAttempts(work, ann.id);
          begun.resolve();
          await waiting.promise;
          await revokeAccess(work, ann.id);
        }),
      );
      await begun.promise;
    });
    const typed = type(browser, page, ann);
    await untilWaiting(given, 1);
    waiting.resolve();
    const answer = await typed;
    await ends;
    // Mostly it is the sign-in, which waited first; else they were in for a moment.
    expect([page.url.pathname, '/cb']).toContain(answer.location?.pathname);
    expect(await sessions(server)).toEqual([]);
    expect(server.errors).toEqual([]);
  },
);
