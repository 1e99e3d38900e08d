import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { checkPassword, type PasswordDependencies } from '#identity/credentials/check-password.ts';
import type { LockoutPolicy } from '#identity/credentials/lockout.ts';
import { settleRegistration } from '#identity/belonging/settle.ts';
import { nextStep, type Step } from '#identity/sign-in/next-step.ts';
import { redeemSignInPass } from '#identity/sign-in/pass.ts';
import { refused, signedIn } from '#identity/sign-in/signed-in.ts';
import { acceptTerms, termsByIds, textIn } from '#identity/terms/terms.ts';
import type { Person } from '#identity/users/person.ts';
import { endSession } from '#identity/users/sessions.ts';
import { unitOfWork, type Foundation } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, referenceOf, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { Interaction, Interactions } from '../interactions.ts';
import type { PageContext } from '../layout.ts';
import { consentPage, describeScope } from '../pages/consent.ts';
import { identifierPage, passwordPage } from '../pages/identify.ts';
import { termsPage } from '../pages/terms.ts';
import { expiredPage, throttledPage } from '../pages/trouble.ts';
import { markdown } from './markdown.ts';
import { showRefusal } from './refused.ts';

export interface SignInDependencies {
  foundation: Foundation;
  interactions: Interactions;
  hasher: PasswordHasher;
  lockout: LockoutPolicy;
  /** Key of the counters: see `AppSecrets`. */
  counters: Buffer;
  csrf: Csrf;
  device: DeviceCookie;
  /** What a password sign-in says in `acr`. */
  acr: string;
}

/**
 * The pages of a sign-in, under `/sign-in/{uid}` of one interaction of the engine.
 *
 * GET shows the step that `nextStep` names. Each POST saves what it learned and redirects to GET, or
 * gives the engine its outcome. No page routes to another (architecture.md, section 1.3).
 */
export function signInRoutes(dependencies: SignInDependencies): Router {
  const { foundation, interactions, csrf, device } = dependencies;
  const { database, clock } = foundation;
  const router = new Router({ prefix: '/sign-in/:uid' });

  router.get('/', async (ctx) => {
    const interaction = await load(ctx);
    if (interaction) await show(ctx, interaction);
  });

  router.post('/identifier', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    const typed = (form['email'] ?? '').trim();
    const email = canonicalEmail(typed);
    if (email === null)
      return showIdentifier(ctx, interaction, typed, typed === '' ? 'empty' : 'invalid');
    await interactions.identify(interaction, email);
    back(ctx, interaction);
  });

  router.post('/password', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    // Whoever is asked for consent or terms has proved themselves already.
    if (interaction.prompt.name !== 'login') return back(ctx, interaction);
    const email = canonicalEmail(form['email'] ?? '') ?? identifierOf(interaction);
    if (email === null) return back(ctx, interaction);
    const password = form['password'] ?? '';
    const origin = originOf(ctx);
    if (password === '' || password.length > 1024)
      return showPassword(ctx, interaction, email, { error: 'wrong' });

    const result = await checkPassword(passwordDependencies(), {
      email,
      password,
      device: device.read(ctx),
      origin,
    });
    if (result.outcome === 'throttled') {
      ctx.set('Retry-After', String(result.minutes * 60));
      return sendPage(
        ctx,
        429,
        throttledPage({
          ...pageOf(ctx, interaction),
          minutes: result.minutes,
          reference: referenceOf(ctx),
        }),
      );
    }
    if (result.outcome !== 'right')
      return showPassword(ctx, interaction, email, { error: result.outcome });

    await proved(ctx, interaction, result.person, {
      buckets: result.buckets,
      deviceId: result.device,
      remember: form['remember'] !== undefined && form['remember'] !== '',
    });
  });

  /** Back from a registration that began here: the password was chosen a moment ago. */
  router.get('/registered', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    const { pass } = ctx.query;
    const person =
      interaction.prompt.name === 'login' && typeof pass === 'string'
        ? await redeemSignInPass(foundation, pass, csrf.browser(ctx))
        : null;
    if (!person) return back(ctx, interaction);
    await proved(ctx, interaction, person, { buckets: [], deviceId: null, remember: false });
  });

  router.post('/terms', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx, { repeated: ['accept'] });
    csrf.check(ctx, form, interaction.uid);
    const { person } = interaction;
    if (!person || stepOf(interaction, person).step !== 'terms') return back(ctx, interaction);

    // What was ticked is what was read: that version, in that language.
    const ticked = new Set((form['accept'] ?? '').split('\n'));
    const versions = await termsByIds(database, person.outstandingTerms);
    const accepted = versions.flatMap(({ id, kind, version, texts }) =>
      texts
        .filter((text) => ticked.has(termsBox(id, text.locale)))
        .slice(0, 1)
        .map(({ locale, sha256 }) => ({ id, kind, version, locale, sha256 })),
    );
    if (accepted.length < versions.length) return showTerms(ctx, interaction, person, 'missing');
    await unitOfWork(
      foundation,
      { actor: { type: 'user', id: person.id, email: person.email }, origin: originOf(ctx) },
      async (work) => {
        await acceptTerms(work, {
          userId: person.id,
          accountId: person.account?.id ?? null,
          clientId: interaction.client?.id ?? null,
          interaction: interaction.uid,
          accepted,
        });
        // Who registered finds their place now (behaviour.md U8 to U10).
        await settleRegistration(work, person.id);
      },
    );
    await proceed(ctx, interaction, { terms: {} });
  });

  router.post('/consent', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    const { person, client } = interaction;
    if (!person || !client || stepOf(interaction, person).step !== 'consent')
      return back(ctx, interaction);
    const asked = whatIsAsked(interaction);
    await unitOfWork(
      foundation,
      { actor: { type: 'user', id: person.id, email: person.email }, origin: originOf(ctx) },
      async (work) => {
        await work.query(
          `insert into consents as c (user_id, client_id, scopes, claims, resources, granted_at)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (user_id, client_id) do update set
             scopes = array(select distinct unnest(c.scopes || excluded.scopes)),
             claims = array(select distinct unnest(c.claims || excluded.claims)),
             resources = c.resources || excluded.resources, granted_at = excluded.granted_at`,
          [
            person.id,
            client.id,
            asked.scopes,
            asked.claims,
            JSON.stringify(asked.resources),
            work.now,
          ],
        );
        work.record(
          'consent.granted',
          { type: 'user', id: person.id },
          { client: client.id, ...asked },
          person.account?.id,
        );
      },
    );
    await proceed(ctx, interaction, { consent: {} });
  });

  router.post('/decline', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    csrf.check(ctx, await readForm(ctx), interaction.uid);
    const { person } = interaction;
    const terms = interaction.prompt.name === 'terms';
    await unitOfWork(
      foundation,
      {
        actor: person ? { type: 'user', id: person.id } : { type: 'anonymous' },
        origin: originOf(ctx),
      },
      async (work) => {
        if (person)
          work.record(
            terms ? 'terms.declined' : 'consent.refused',
            { type: 'user', id: person.id },
            { client: interaction.client?.id },
            person.account?.id,
          );
        // Without the terms nobody stays signed in (behaviour.md F02).
        if (terms && interaction.sessionUid !== null)
          await endSession(work, interaction.sessionUid, 'terms declined');
      },
    );
    await fail(ctx, interaction, 'access_denied', 'the end-user declined', {
      forgetSession: terms,
    });
  });

  /** Back to the application without having signed in. */
  router.get('/return', async (ctx) => {
    const interaction = await load(ctx);
    if (interaction)
      await fail(ctx, interaction, 'access_denied', 'the end-user may not sign in to this client');
  });

  router.post('/sign-out', async (ctx) => {
    const interaction = await load(ctx);
    if (!interaction) return;
    csrf.check(ctx, await readForm(ctx), interaction.uid);
    const { person, sessionUid } = interaction;
    if (person && sessionUid !== null)
      await unitOfWork(
        foundation,
        { actor: { type: 'user', id: person.id }, origin: originOf(ctx) },
        (work) => endSession(work, sessionUid, 'signed out'),
      );
    await fail(ctx, interaction, 'access_denied', 'the end-user signed out', {
      forgetSession: true,
    });
  });

  return router;

  /** A person proved who they are: they are signed in, or told why they may not be. */
  async function proved(
    ctx: Context,
    interaction: Interaction,
    person: Person,
    {
      buckets,
      deviceId,
      remember,
    }: { buckets: readonly string[]; deviceId: string | null; remember: boolean },
  ): Promise<void> {
    const origin = originOf(ctx);
    const about = {
      userId: person.id,
      accountId: person.account?.id ?? null,
      buckets,
      clientId: interaction.client?.id ?? null,
      origin,
    };
    const step = stepOf(interaction, person, { proved: true });
    if (step.step === 'refused' && step.denial.reason === 'locked') {
      await refused(foundation, { ...about, lock: step.denial.lock });
      return showRefusal(ctx, database, interaction, person, step.denial, {
        csrf: csrf.token(ctx, interaction.uid),
      });
    }

    const secret = await signedIn(foundation, { ...about, deviceId, method: 'password' });
    if (secret !== null) device.write(ctx, secret);

    // Somebody else was signed in in this browser: their session ends here.
    const other = interaction.person && interaction.person.id !== person.id;
    if (other && interaction.sessionUid !== null)
      await unitOfWork(foundation, { actor: { type: 'user', id: person.id }, origin }, (work) =>
        endSession(work, interaction.sessionUid!, 'another person signed in'),
      );
    ctx.status = 303;
    ctx.redirect(
      await interactions.finish(
        interaction,
        {
          login: {
            accountId: person.id,
            acr: dependencies.acr,
            amr: ['pwd'],
            remember,
            ts: Math.floor(clock().getTime() / 1000),
          },
        },
        { forgetSession: other ?? false },
      ),
    );
  }

  async function load(ctx: Context): Promise<Interaction | null> {
    const interaction = await interactions.load(ctx, String(ctx['params'].uid));
    if (interaction) return interaction;
    sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
    return null;
  }

  function stepOf(
    { prompt, client, identifier }: Interaction,
    person: Person | null,
    { proved = prompt.name !== 'login' }: { proved?: boolean } = {},
  ): Step {
    return nextStep({
      identifier,
      person,
      proved,
      client: client?.policy ?? null,
      consented: prompt.name !== 'consent',
    });
  }

  async function show(ctx: Context, interaction: Interaction): Promise<void> {
    const impossible = whyImpossible(interaction, dependencies.acr);
    if (impossible) return fail(ctx, interaction, ...impossible);

    const { person } = interaction;
    const change = ctx.query['change'] !== undefined;
    const identifier = identifierOf(interaction);
    const step = stepOf({ ...interaction, identifier: change ? null : identifier }, person);
    switch (step.step) {
      case 'identifier':
        return showIdentifier(ctx, interaction, identifier ?? '');
      case 'password':
        return showPassword(ctx, interaction, identifier!);
      case 'terms':
        return showTerms(ctx, interaction, person!);
      case 'consent':
        return showConsent(ctx, interaction, person!);
      case 'refused':
        return showRefusal(ctx, database, interaction, person!, step.denial, {
          csrf: csrf.token(ctx, interaction.uid),
        });
      case 'verify':
      case 'done':
        // What stopped the request is no longer so, such as a hold that was lifted meanwhile.
        return proceed(ctx, interaction, { [interaction.prompt.name]: {} });
    }
  }

  function showIdentifier(
    ctx: Context,
    interaction: Interaction,
    email: string,
    error?: 'empty' | 'invalid',
  ): void {
    const { uid, client } = interaction;
    sendPage(
      ctx,
      error ? 422 : 200,
      identifierPage({
        ...pageOf(ctx, interaction),
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/identifier`,
        email,
        error,
        registerHref: `/register?sign_in=${uid}`,
        forgotHref: `/forgot-password?sign_in=${uid}`,
        clientName: client?.name,
      }),
    );
  }

  function showPassword(
    ctx: Context,
    interaction: Interaction,
    email: string,
    { error }: { error?: 'wrong' | 'locked' } = {},
  ): void {
    const { uid, client } = interaction;
    sendPage(
      ctx,
      error ? 401 : 200,
      passwordPage({
        ...pageOf(ctx, interaction),
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/password`,
        changeHref: `/sign-in/${uid}?change`,
        email,
        error,
        forgotHref: `/forgot-password?sign_in=${uid}`,
        clientName: client?.name,
      }),
    );
  }

  async function showTerms(
    ctx: Context,
    interaction: Interaction,
    person: Person,
    error?: 'missing',
  ): Promise<void> {
    const { uid, client } = interaction;
    const page = pageOf(ctx, interaction, person);
    const versions = await termsByIds(database, person.outstandingTerms);
    const [{ before }] = (await database.query<{ before: boolean }>(
      'select exists (select from terms_acceptances where user_id = $1) as before',
      [person.id],
    )) as [{ before: boolean }];
    sendPage(
      ctx,
      error ? 422 : 200,
      termsPage({
        ...page,
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/terms`,
        declineAction: `/sign-in/${uid}/decline`,
        documents: versions.map((version) => {
          const text = textIn(version, [page.t.locale]);
          return {
            id: termsBox(version.id, text.locale),
            kind: version.kind,
            version: version.version,
            effectiveAt: version.effectiveAt,
            title: text.title,
            body: markdown(text.body),
          };
        }),
        updated: before,
        clientName: client?.name,
        error,
      }),
    );
  }

  function showConsent(ctx: Context, interaction: Interaction, person: Person): void {
    const { uid, client } = interaction;
    const page = pageOf(ctx, interaction, person);
    const { scopes, resources } = whatIsAsked(interaction);
    const text = (name: string): string | undefined => {
      const value = client?.metadata[name];
      return typeof value === 'string' ? value : undefined;
    };
    sendPage(
      ctx,
      200,
      consentPage({
        ...page,
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/consent`,
        declineAction: `/sign-in/${uid}/decline`,
        clientName: client?.name ?? '',
        clientUri: text('client_uri'),
        policyUri: text('policy_uri'),
        tosUri: text('tos_uri'),
        email: person.email ?? '',
        scopes: scopes
          .filter((scope) => scope !== 'offline_access')
          .map((scope) => describeScope(page.t, scope)),
        resources: Object.entries(resources).map(([identifier, names]) => ({
          identifier,
          scopes: names,
        })),
        offline: scopes.includes('offline_access'),
      }),
    );
  }

  function passwordDependencies(): PasswordDependencies {
    return {
      ...foundation,
      hasher: dependencies.hasher,
      policy: dependencies.lockout,
      key: dependencies.counters,
    };
  }

  async function proceed(
    ctx: Context,
    interaction: Interaction,
    result: Record<string, unknown>,
  ): Promise<void> {
    const to = await interactions.finish(interaction, result);
    ctx.status = 303;
    ctx.redirect(to);
  }

  async function fail(
    ctx: Context,
    interaction: Interaction,
    error: string,
    description: string,
    options: { forgetSession?: boolean } = {},
  ): Promise<void> {
    const result = { error, error_description: description };
    const to = await interactions.finish(interaction, result, options);
    ctx.status = 303;
    ctx.redirect(to);
  }
}

/** The application may ask for a language; the person's own choice in this browser comes first. */
function pageOf(ctx: Context, { params }: Interaction, person?: Person): PageContext {
  return pageContext(ctx, { profile: person?.language, requested: params['ui_locales'] });
}

/** The box that says: this version, read in this language. */
function termsBox(version: string, locale: string): string {
  return `${version}:${locale}`;
}

function back(ctx: Context, { uid }: Interaction): void {
  ctx.status = 303;
  ctx.redirect(`/sign-in/${uid}`);
}

/** The address to sign in with: typed, hinted by the application, or of who is signed in here. */
function identifierOf({ identifier, params, person, prompt }: Interaction): string | null {
  if (identifier !== null) return identifier;
  const hint = canonicalEmail(params['login_hint']);
  if (hint !== null) return hint;
  // Signing in again, and not as somebody else.
  if (prompt.name === 'login' && person?.email && !prompt.reasons.includes('account_unavailable'))
    return canonicalEmail(person.email);
  return null;
}

/**
 * What no sign-in could fulfil: then the application is told instead of the person being asked for
 * ever (OpenID Connect Core Unmet Authentication Requirements 1.0).
 */
function whyImpossible(
  { prompt, lastSubmission }: Interaction,
  acr: string,
): [error: string, description: string] | null {
  if (prompt.name !== 'login') return null;
  const wanted = prompt.details['acr'] as { value?: string; values?: string[] } | undefined;
  if (wanted && !(wanted.values ?? [wanted.value]).includes(acr))
    return [
      'unmet_authentication_requirements',
      'the requested acr is not one that can be reached',
    ];
  const subject = prompt.reasons.every((reason) => anotherSubject.has(reason));
  if (lastSubmission['login'] && subject)
    return ['login_required', 'the end-user who signed in is not the one that was asked for'];
  return null;
}

const anotherSubject = new Set(['id_token_hint', 'claims_id_token_sub_value']);

/** The scopes, claims and resource scopes that the person has not agreed to yet. */
function whatIsAsked({ prompt, params }: Interaction): {
  scopes: string[];
  claims: string[];
  resources: Record<string, string[]>;
} {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  const requested = (typeof params['scope'] === 'string' ? params['scope'] : '')
    .split(' ')
    .filter(Boolean);
  const resources = missingResourceScopes ?? {};
  const elsewhere = new Set(Object.values(resources).flat());
  return {
    scopes: missingOIDCScope ?? requested.filter((scope) => !elsewhere.has(scope)),
    claims: missingOIDCClaims ?? [],
    resources,
  };
}
