import { Router } from '@koa/router';
import { isId } from '#platform/ids.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { findRealm } from '#identity/federation/home-realm.ts';
import { listSecrets } from '#identity/federation/secrets.ts';
import { readForm } from '../body.ts';
import { queryText } from '../context.ts';
import { readPerson } from '../person-form.ts';
import { Problem } from '../problem.ts';
import type { UpstreamDoor } from '../upstream.ts';
import { comingBack } from './back.ts';
import { entering } from './enter.ts';
import { leaving, testMark } from './leave.ts';
import { samlRoutes } from './saml-routes.ts';
import { signingOut, type SignOut } from './sign-out.ts';
import { finishTest, testLinks, type TestLinks } from './try-out.ts';
import { turningBack } from './turn-back.ts';
import { wayOf, type FederationDoorDependencies } from './way.ts';

export interface FederationDoor extends UpstreamDoor {
  routes(): Router;
  /** See `TestLinks`. */
  testLink: TestLinks['make'];
  /** See `SignOut`. */
  signOutThere: SignOut['there'];
}

/**
 * The way to companies' own identity providers and back.
 *
 *     /sign-in/{uid}, an address of a federated domain -> leave -> the provider
 *     -> /federation/{id}/callback -> /sign-in/{uid}/federated/{id} -> decided -> the engine
 *                                  '-> /sign-in/{uid}/federated/{id}/{attempt}  (asked for something)
 *
 * The way back goes by an address under `/sign-in/{uid}` because only there the browser shows that it
 * is the one that began this sign-in: its cookie has that path. One address per connection to come
 * back to keeps one provider from answering for another (mix-up, RFC 9700 section 4.4).
 */
export function federationDoor(dependencies: FederationDoorDependencies): FederationDoor {
  const way = wayOf(dependencies);
  const { foundation, csrf, saml, sessions } = way;
  const { database } = foundation;
  const turnBack = turningBack(way);
  const { failed, stray } = turnBack;
  const { leave, tryOut } = leaving(way, turnBack);
  const { loginOf, broughtBack, waitingOf, arrived } = comingBack(way, turnBack);
  const decide = entering(way, turnBack);
  const links = testLinks(foundation);
  const signOut = signingOut(way);

  return { leave, routes, testLink: links.make, signOutThere: signOut.there };

  function routes(): Router {
    const router = new Router();

    /** The answer of a provider. It goes on where the browser shows which sign-in it is in. */
    router.get('/federation/:connectionId/callback', async (ctx) => {
      const { connectionId = '' } = ctx.params;
      const state = queryText(ctx, 'state') ?? '';
      const [uid = ''] = state.split('.');
      if (uid === testMark) {
        const attempt = await broughtBack(ctx, connectionId);
        if (attempt?.purpose !== 'test') return stray(ctx, connectionId);
        const assertion = await arrived(ctx, attempt, null);
        return assertion ? finishTest(way, ctx, attempt, assertion) : undefined;
      }
      if (!isId(connectionId) || !/^[A-Za-z0-9_-]{10,100}$/.test(uid))
        return stray(ctx, connectionId);
      ctx.status = 303;
      ctx.set('Cache-Control', 'no-store');
      ctx.redirect(`/sign-in/${uid}/federated/${connectionId}?${ctx.querystring}`);
    });

    /**
     * A test sign-in, by a link that an administrator was given. Without one, where a company's portal
     * sends its people: they sign in to their profile, as from any application, and whose address it
     * names (`login_hint`) is at their provider at once (OpenID Connect Core 1.0, section 4).
     */
    router.get('/federation/:connectionId/start', async (ctx) => {
      const { connectionId = '' } = ctx.params;
      const test = queryText(ctx, 'test');
      const good = test === undefined || links.isGood(connectionId, test);
      const realm = good ? await findRealm(database, connectionId) : null;
      if (!realm || (test === undefined && realm.connection.state !== 'active'))
        throw new Problem(404, 'not_found', 'There is nothing here.');
      if (test !== undefined) return tryOut(ctx, realm);
      const loginHint = canonicalEmail(queryText(ctx, 'login_hint'));
      sessions.signIn(ctx, '/profile', loginHint === null ? {} : { loginHint });
    });

    /** The public halves of the keys by which we prove ourselves (private_key_jwt). */
    router.get('/federation/:connectionId/jwks', async (ctx) => {
      const { connectionId = '' } = ctx.params;
      const secrets = isId(connectionId) ? await listSecrets(database, connectionId) : [];
      ctx.set('Cache-Control', 'public, max-age=300');
      ctx.body = {
        keys: secrets.filter(({ kind }) => kind === 'private_key').map((key) => key.publicPart),
      };
    });

    router.get('/sign-in/:uid/federated/:connectionId', async (ctx) => {
      const { uid = '', connectionId = '' } = ctx.params;
      const interaction = await loginOf(ctx, uid);
      if (!interaction) return;
      const attempt = await broughtBack(ctx, connectionId);
      if (attempt?.interaction !== uid) return stray(ctx, connectionId);
      const assertion = await arrived(ctx, attempt, interaction);
      if (assertion) await decide(ctx, { interaction, attempt, assertion });
    });

    /** Something is asked of the person before they come in; or they come from a form of SAML. */
    router.get('/sign-in/:uid/federated/:connectionId/:attemptId', async (ctx) => {
      const waiting = await waitingOf(ctx);
      if (waiting) await decide(ctx, waiting, { shown: true });
    });

    router.post('/sign-in/:uid/federated/:connectionId/:attemptId', async (ctx) => {
      const waiting = await waitingOf(ctx);
      if (!waiting) return;
      const form = await readForm(ctx);
      csrf.check(ctx, form, waiting.interaction.uid);
      switch (waiting.attempt.need) {
        case 'attributes':
          return decide(ctx, waiting, readPerson(form));
        case 'step_up': {
          const { password = '', code = '' } = form;
          return decide(ctx, waiting, { password, code });
        }
        default:
          return decide(ctx, waiting);
      }
    });

    signOut.addTo(router);
    samlRoutes(router, {
      foundation,
      saml,
      csrf,
      failed,
      stray,
      finishTest: (ctx, attempt, assertion) => finishTest(way, ctx, attempt, assertion),
    });
    return router;
  }
}
