import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { withdrawConsent } from '#identity/applications/consent.ts';
import { hasPassword } from '#identity/credentials/password.ts';
import { passwordRulesFor } from '#identity/credentials/policy.ts';
import { changePassword, sessionsOf } from '#identity/users/profile.ts';
import { endOtherSessions, endSession } from '#identity/users/sessions.ts';
import { readForm } from '../../body.ts';
import { originOf, queryText, sendPage } from '../../context.ts';
import { securityPage, type SecurityPage } from '../../pages/profile/security.ts';
import type { CurrentSession } from '../../sessions.ts';
import { deviceName } from '../../user-agent.ts';
import { ownFactorsOf } from '../factors.ts';
import type { ProfileDesk } from './desk.ts';

/** `/profile/security`: the password, sessions, applications, second factors. */
export function securityRoutes(router: Router, desk: ProfileDesk): void {
  const { passwords, sessions, csrf, device, secondFactorPolicy, as, pageOf, done, doneText } =
    desk;
  const { database, clock } = passwords;

  router.get('/security', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showSecurity(ctx, session);
  });

  router.get('/password', (ctx) => {
    ctx.redirect('/profile/security');
  });

  router.post('/password', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const result = await changePassword(
      passwords,
      session.person,
      {
        current: form['current'] ?? '',
        password: form['password'] ?? '',
        again: form['password_again'] ?? '',
        session: session.uid,
        device: device.read(ctx),
      },
      originOf(ctx),
    );
    switch (result.outcome) {
      case 'changed':
        return done(ctx, '/profile/security', 'password');
      case 'problems':
        return showSecurity(ctx, session, { problems: result.problems, failed: true });
      case 'wrong':
      case 'locked':
        return showSecurity(ctx, session, { passwordError: result.outcome, failed: true });
    }
  });

  router.post('/sessions', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const own = await sessionsOf(database, session.person.id, clock());
    const chosen = own.find(({ uid }) => uid === form['session']);
    if (chosen)
      await as(ctx, session.person, (work) => endSession(work, chosen.uid, 'ended in the profile'));
    done(ctx, '/profile/security', 'session');
  });

  router.post('/sessions/others', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    csrf.check(ctx, await readForm(ctx));
    await as(ctx, session.person, (work) => endOtherSessions(work, session.person.id, session.uid));
    done(ctx, '/profile/security', 'session');
  });

  router.post('/applications', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    await as(ctx, session.person, (work) =>
      withdrawConsent(work, session.person, form['client'] ?? ''),
    );
    done(ctx, '/profile/security', 'session');
  });

  for (const path of ['/sessions', '/sessions/others', '/applications'])
    router.get(path, (ctx) => {
      ctx.redirect('/profile/security');
    });

  async function showSecurity(
    ctx: Context,
    session: CurrentSession,
    changes: Partial<SecurityPage> = {},
  ): Promise<void> {
    const { person } = session;
    const page = pageOf(ctx, session);
    const own = await sessionsOf(database, person.id, clock());
    sendPage(
      ctx,
      changes.failed ? 422 : 200,
      securityPage({
        ...page,
        done: doneText(ctx, page),
        hasPassword: await hasPassword(database, person.id),
        ...(await passwordRulesFor(database, {
          accountId: person.account?.id ?? null,
          email: person.email,
        })),
        sessions: own.map((one) => ({
          ...one,
          current: one.uid === session.uid,
          device: deviceName(one.userAgent),
        })),
        links: await database.query(
          `select c.name, l.linked_at as "linkedAt"
           from federated_links l join connections c on c.id = l.connection_id
           where l.user_id = $1 and l.unlinked_at is null order by l.linked_at`,
          [person.id],
        ),
        applications: await database.query(
          `select c.id, c.name, k.granted_at as "grantedAt"
           from consents k join clients c on c.id = k.client_id
           where k.user_id = $1 order by c.name`,
          [person.id],
        ),
        factors: {
          ...(await ownFactorsOf(passwords, person, secondFactorPolicy)),
          error: factorErrors[queryText(ctx, 'done') ?? ''],
        },
        ...changes,
      }),
    );
  }
}

const factorErrors: Record<string, 'last' | 'name'> = { last_factor: 'last', bad_name: 'name' };
