import { Router } from '@koa/router';
import type { Context } from 'koa';
import {
  addPasskey,
  addTotp,
  factorsOf,
  removeFactor,
  renameFactor,
  renewRecoveryCodes,
  totpBeingSetUp,
} from '#identity/credentials/factors.ts';
import { passkeyCreation, readNewPasskey } from '#identity/credentials/passkey.ts';
import { recoveryCodesLeft } from '#identity/credentials/recovery-codes.ts';
import { Refusal } from '#identity/refusal.ts';
import { demandsSecondFactor, policyFor, type Method } from '#identity/sign-in/assurance.ts';
import type { SecondFactorPolicy } from '#identity/sign-in/second-factor-policy.ts';
import type { Person } from '#identity/users/person.ts';
import { unitOfWork, type Foundation, type Work } from '#identity/work.ts';
import { again } from '../again.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, sendPage } from '../context.ts';
import type { PageContext } from '../layout.ts';
import { addFactorPage, recoveryCodesPage, type OwnFactors } from '../pages/second-factor.ts';
import { Problem } from '../problem.ts';
import type { CurrentSession } from '../sessions.ts';
import { sendRecoveryCodes, totpView } from '../totp-view.ts';
import { deviceName } from '../user-agent.ts';
import { posted, type PostedDependencies } from './posted.ts';

export interface FactorPagesDependencies extends PostedDependencies {
  foundation: Foundation;
  policy: SecondFactorPolicy;
  /** Key of the recovery codes: see `AppSecrets`. */
  recoveryKey: Buffer;
}

/** What the profile shows. */
export async function ownFactorsOf(
  { database }: Pick<Foundation, 'database'>,
  person: Person,
  policy: SecondFactorPolicy,
): Promise<OwnFactors> {
  return {
    items: await factorsOf(database, person.id),
    codesLeft: await recoveryCodesLeft(database, person.id),
    mayAdd: mayAdd(person, policy),
    demanded: demandsSecondFactor(person, policy),
  };
}

function mayAdd(person: Person, policy: SecondFactorPolicy): boolean {
  return policyFor(person, policy) !== 'off' || demandsSecondFactor(person, policy);
}

/**
 * `/profile/factors`: a person adds, renames and removes what proves them beside their password. All
 * of it right after they proved anew who they are, with a second factor where they have one (ASVS
 * 7.5.1): whoever finds a browser open must not leave a key of their own behind.
 */
export function factorRoutes(dependencies: FactorPagesDependencies): Router {
  const { foundation, sessions, csrf, policy, recoveryKey } = dependencies;
  const { vault } = foundation;
  const forms = posted(dependencies);
  const router = new Router({ prefix: '/profile/factors' });
  router.use(forms.offers);

  router.get('/app', async (ctx) => {
    const session = await adding(ctx);
    if (session) await showApp(ctx, session);
  });

  router.post('/app', async (ctx) => {
    const session = await adding(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const { t } = pageOf(ctx, session);
    await add(ctx, session, 'totp', async (work) => {
      const enrolled = await addTotp(work, vault, recoveryKey, session.person, {
        binding: session.uid,
        code: form['code'] ?? '',
        name: t('mfa.app.name'),
      });
      return enrolled ?? 'wrong';
    });
  });

  router.get('/passkey', async (ctx) => {
    const session = await adding(ctx);
    if (session) showPasskey(ctx, session);
  });

  router.post('/passkey/options', async (ctx) => {
    const session = await sessions.current(ctx);
    if (!session || !sessions.isProvedAnew(session) || !mayAdd(session.person, policy))
      throw new Problem(403, 'step_up_required', 'Sign in again to do this.');
    csrf.check(ctx, await readForm(ctx));
    ctx.set('Cache-Control', 'no-store');
    ctx.body = await passkeyCreation(foundation, session.person, session.uid);
  });

  router.post('/passkey', async (ctx) => {
    const session = await adding(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const { person, uid } = session;
    const passkey = await readNewPasskey(foundation, person, uid, form['credential'] ?? '');
    if (!passkey) return showPasskey(ctx, session, 'passkey');
    const { t } = pageOf(ctx, session);
    const name = deviceName(ctx.get('user-agent')) ?? t('mfa.passkey.name');
    await add(ctx, session, passkey.backedUp ? 'synced_passkey' : 'passkey', (work) =>
      addPasskey(work, recoveryKey, person, passkey, name),
    );
  });

  router.post('/rename', async (ctx) => {
    const sent = await forms.read(ctx);
    if (!sent) return;
    const { session, form } = sent;
    const name = (form['name'] ?? '').trim();
    if (name === '' || name.length > 60 || /\p{Cc}/u.test(name)) return back(ctx, 'bad_name');
    await change(ctx, session, (work) =>
      renameFactor(work, session.person, form['factor'] ?? '', name),
    );
    back(ctx, 'factor_renamed');
  });

  router.post('/remove', async (ctx) => {
    const sent = await forms.read(ctx, { anew: true });
    if (!sent) return;
    const { session, form } = sent;
    const refused = await change(ctx, session, (work) =>
      removeFactor(work, session.person, form['factor'] ?? '', policy),
    );
    back(ctx, refused === 'last_factor' ? 'last_factor' : 'factor_removed');
  });

  router.post('/codes', async (ctx) => {
    const session = await sessions.stepUp(ctx);
    if (!session) return;
    csrf.check(ctx, await readForm(ctx));
    let codes: string[] = [];
    const refused = await change(ctx, session, async (work) => {
      codes = await renewRecoveryCodes(work, recoveryKey, session.person);
    });
    if (refused) return back(ctx);
    showCodes(ctx, session, codes, { renewed: true });
  });

  /** The codes as a file, from the page that shows them: they are known nowhere else. */
  router.post('/codes/file', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    sendRecoveryCodes(ctx, form['codes'] ?? '');
  });

  router.post('/done', (ctx) => back(ctx, 'factor_added'));
  router.post('/kept', (ctx) => back(ctx));

  // Whoever signs in again on the way to a POST comes back by GET.
  for (const path of ['/rename', '/remove', '/codes', '/codes/file', '/done', '/kept'])
    router.get(path, (ctx) => back(ctx));

  return router;

  /** Null where the person was sent to prove anew who they are, or may not add anything. */
  async function adding(ctx: Context): Promise<CurrentSession | null> {
    const session = await sessions.stepUp(ctx);
    if (!session || mayAdd(session.person, policy)) return session;
    back(ctx);
    return null;
  }

  async function add(
    ctx: Context,
    session: CurrentSession,
    method: Method,
    command: (work: Work) => Promise<{ recoveryCodes: string[] | null } | 'wrong'>,
  ): Promise<void> {
    const { person } = session;
    let outcome: Awaited<ReturnType<typeof command>>;
    try {
      outcome = await as(ctx, person, command);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (method === 'totp') return showApp(ctx, session, 'limit');
      return showPasskey(ctx, session, error.code === 'limit_reached' ? 'limit' : 'passkey');
    }
    if (outcome === 'wrong') return showApp(ctx, session, 'wrong');
    if (session.level === 'password' || session.level === 'known_device')
      await sessions.strengthen(session, method);
    if (outcome.recoveryCodes) showCodes(ctx, session, outcome.recoveryCodes);
    else back(ctx, 'factor_added');
  }

  /** Says which refusal there was. What is not there any more need not be changed. */
  async function change(
    ctx: Context,
    { person }: CurrentSession,
    command: (work: Work) => Promise<void>,
  ): Promise<Refusal['code'] | null> {
    try {
      await as(ctx, person, command);
      return null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.code;
    }
  }

  function as<T>(ctx: Context, person: Person, command: (work: Work) => Promise<T>): Promise<T> {
    const actor = { type: 'user', id: person.id, email: person.email } as const;
    return again(() => unitOfWork(foundation, { actor, origin: originOf(ctx) }, command));
  }

  function pageOf(ctx: Context, session: CurrentSession): PageContext {
    return {
      ...pageContext(ctx, { profile: session.person.language }),
      csrf: forms.token(ctx, session),
    };
  }

  async function showApp(
    ctx: Context,
    session: CurrentSession,
    error?: 'wrong' | 'limit',
  ): Promise<void> {
    const { person, uid } = session;
    const secret = await totpBeingSetUp(foundation, person.id, uid);
    sendPage(
      ctx,
      error ? 422 : 200,
      addFactorPage({
        ...pageOf(ctx, session),
        app: totpView(secret, person.email ?? ''),
        error,
      }),
    );
  }

  function showPasskey(ctx: Context, session: CurrentSession, error?: 'passkey' | 'limit'): void {
    sendPage(ctx, error ? 422 : 200, addFactorPage({ ...pageOf(ctx, session), app: null, error }));
  }

  function showCodes(
    ctx: Context,
    session: CurrentSession,
    codes: readonly string[],
    { renewed = false }: { renewed?: boolean } = {},
  ): void {
    sendPage(
      ctx,
      200,
      recoveryCodesPage({
        ...pageOf(ctx, session),
        codes,
        renewed,
        downloadAction: '/profile/factors/codes/file',
        doneAction: `/profile/factors/${renewed ? 'kept' : 'done'}`,
      }),
    );
  }

  function back(ctx: Context, what?: string): void {
    ctx.status = 303;
    ctx.redirect(`/profile/security${what ? `?done=${what}` : ''}`);
  }
}
