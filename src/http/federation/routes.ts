import { Router } from '@koa/router';
import type { Context } from 'koa';
import { newId, isId } from '#platform/ids.ts';
import { keyedHash, sameSecret } from '#platform/secrets.ts';
import { administratorsOf } from '#identity/accounts/administrators.ts';
import { checkCodeBeside } from '#identity/credentials/check-second-factor.ts';
import { checkPassword, type PasswordDependencies } from '#identity/credentials/check-password.ts';
import { UpstreamProblem, type UpstreamAssertion } from '#identity/federation/assertion.ts';
import {
  beginAttempt,
  keepAssertion,
  newState,
  takeAttempt,
  waitingAttempt,
  type Attempt,
} from '#identity/federation/attempt.ts';
import type { ConnectionKind } from '#identity/federation/connection.ts';
import { decideFederatedSignIn, type FederatedRefusal } from '#identity/federation/decide.ts';
import { readFederatedFacts } from '#identity/federation/facts.ts';
import { answerWithoutAttempt, upstreamFailed } from '#identity/federation/turned-back.ts';
import { findRealm, homeRealm, type Realm } from '#identity/federation/home-realm.ts';
import { upstreamLogout, type UpstreamLogout } from '#identity/federation/logout.ts';
import { listSecrets } from '#identity/federation/secrets.ts';
import { mapAssertion } from '#identity/federation/mapping.ts';
import {
  signInFederated,
  type Arrival,
  type FederatedResult,
} from '#identity/federation/sign-in.ts';
import { testSucceeded } from '#identity/federation/test-sign-in.ts';
import { FederationTrace, type TraceStore } from '#identity/federation/trace.ts';
import type { UpstreamProtocol } from '#identity/federation/upstream.ts';
import { isOwnAcr, lacksFactorBeside } from '#identity/sign-in/assurance.ts';
import type { Person } from '#identity/users/person.ts';
import { endSession } from '#identity/users/sessions.ts';
import { unitOfWork, type Foundation } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, referenceOf, sendPage } from '../context.ts';
import { countryOptions } from '../countries.ts';
import type { Csrf } from '../csrf.ts';
import type { Interaction, Interactions } from '../interactions.ts';
import {
  federationAskPage,
  federationStepUpPage,
  type FederationStepUpPage,
  federationStopPage,
  federationTestPage,
  type FederationStop,
} from '../pages/federation.ts';
import type { PersonErrors, PersonFields } from '../pages/register.ts';
import { expiredPage } from '../pages/trouble.ts';
import { readPerson } from '../person-form.ts';
import { Problem } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { showRefusal } from '../refused.ts';
import type { SamlUpstream } from './saml.ts';
import { samlRoutes, type FailedWay } from './saml-routes.ts';
import type { UpstreamDoor } from '../upstream.ts';

export interface FederationDoorDependencies {
  foundation: Foundation;
  interactions: Interactions;
  csrf: Csrf;
  oidc: UpstreamProtocol;
  saml: SamlUpstream;
  traces: TraceStore;
  passwords: PasswordDependencies;
  /** Key of the recovery codes: see `AppSecrets`. */
  recoveryKey: Buffer;
  /** What a sign-in says in `acr` where the provider says nothing. */
  acr: string;
  /** Seconds for which a provider's word is good. */
  ceiling: number;
  /**
   * Verifies what a provider says about a session that ended there.
   *
   * @throws {UpstreamProblem}
   */
  logout(realm: Realm, token: string): Promise<UpstreamLogout>;
}

/** What the way back carries besides the secret: which sign-in it belongs to, or that it is a test. */
const testMark = 'test';

export interface FederationDoor extends UpstreamDoor {
  routes(): Router;
  /** A link by which somebody tries the connection out, signing nobody in. Good for an hour. */
  testLink(connectionId: string): { url: string; expiresAt: Date };
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
  const { foundation, interactions, csrf, traces, passwords, acr, ceiling, oidc, saml } =
    dependencies;
  const { database, vault, clock, issuer } = foundation;
  const protocols = new Map<ConnectionKind, UpstreamProtocol>(
    [oidc, saml].map((protocol) => [protocol.kind, protocol]),
  );
  const testKey = vault.derive('federation-test')[0]!;
  const strays = rateLimit(30, clock);

  return { leave, routes, testLink };

  // --- Out

  async function leave(ctx: Context, interaction: Interaction, email: string): Promise<boolean> {
    const realm = await homeRealm(database, email);
    if (!realm || !protocols.has(realm.connection.kind)) return false;
    const { params } = interaction;
    await depart(ctx, realm, {
      interaction,
      identifier: email,
      prompt: forwarded(params['prompt']),
      maxAge: maxAgeOf(params),
      acrValues: textOf(params['acr_values']),
    });
    return true;
  }

  async function depart(
    ctx: Context,
    realm: Realm,
    {
      interaction,
      identifier,
      prompt = null,
      maxAge = null,
      acrValues = null,
    }: {
      interaction: Interaction | null;
      identifier: string | null;
      prompt?: string | null;
      maxAge?: number | null;
      acrValues?: string | null;
    },
  ): Promise<void> {
    const { connection } = realm;
    const now = clock();
    const trace = new FederationTrace({
      id: newId(now.getTime()),
      connectionId: connection.id,
      accountId: connection.accountId,
      purpose: interaction ? 'sign_in' : 'test',
      beganAt: now,
    });
    const state = `${interaction?.uid ?? testMark}.${newState()}`;
    try {
      const { redirectTo, remember } = await protocols
        .get(connection.kind)!
        .depart(realm, { state, loginHint: identifier, prompt, maxAge, acrValues }, trace);
      await beginAttempt(database, vault, {
        state,
        browser: csrf.browser(ctx),
        interaction: interaction?.uid ?? null,
        identifier,
        remembered: remember,
        trace,
      });
      await traces.save(database, trace);
      ctx.status = 303;
      ctx.redirect(redirectTo.href);
    } catch (problem) {
      if (!(problem instanceof UpstreamProblem)) throw problem;
      await failed(ctx, { realm, trace, way: wayOf(interaction), problem });
    }
  }

  // --- Back

  function routes(): Router {
    const router = new Router();

    /** The answer of a provider. It goes on where the browser shows which sign-in it is in. */
    router.get('/federation/:connectionId/callback', async (ctx) => {
      const { connectionId } = ctx.params;
      const state = queryText(ctx, 'state') ?? '';
      const [uid = ''] = state.split('.');
      if (uid === testMark) return tested(ctx, connectionId!);
      if (!isId(connectionId) || !/^[A-Za-z0-9_-]{10,100}$/.test(uid))
        return stray(ctx, connectionId);
      ctx.status = 303;
      ctx.set('Cache-Control', 'no-store');
      ctx.redirect(`/sign-in/${uid}/federated/${connectionId}?${ctx.querystring}`);
    });

    /** A test sign-in, by a link that an administrator was given. */
    router.get('/federation/:connectionId/start', async (ctx) => {
      const { connectionId = '' } = ctx.params;
      const [expires = '', mac = ''] = (queryText(ctx, 'test') ?? '').split('.');
      const good =
        sameSecret(mac, keyedHash(testKey, `${connectionId}.${expires}`)) &&
        Number(expires) * 1000 > clock().getTime();
      const realm = good ? await findRealm(database, connectionId) : null;
      if (!realm || !protocols.has(realm.connection.kind))
        throw new Problem(404, 'not_found', 'There is nothing here.');
      await depart(ctx, realm, { interaction: null, identifier: null });
    });

    /** Back-channel logout of the provider (OpenID Connect Back-Channel Logout 1.0, section 2.7). */
    router.post('/federation/:connectionId/backchannel-logout', async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      const { connectionId = '' } = ctx.params;
      const realm = await findRealm(database, connectionId);
      const form = await readForm(ctx);
      const token = form['logout_token'] ?? '';
      try {
        if (!realm || realm.connection.kind !== 'oidc')
          throw new UpstreamProblem('upstream_error', 'There is no such connection.');
        const said = await dependencies.logout(realm, token);
        await upstreamLogout(foundation, realm.connection, said, originOf(ctx));
        ctx.status = 200;
        ctx.body = '';
      } catch (problem) {
        if (!(problem instanceof UpstreamProblem)) throw problem;
        ctx.status = 400;
        ctx.body = { error: 'invalid_request' };
      }
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
      if (assertion) await decide(ctx, interaction, { attempt, assertion });
    });

    /** Something is asked of the person before they come in; or they come from a form of SAML. */
    router.get('/sign-in/:uid/federated/:connectionId/:attemptId', async (ctx) => {
      const waiting = await waitingOf(ctx);
      if (!waiting) return;
      const { interaction, attempt } = waiting;
      await decide(ctx, interaction, { attempt, assertion: attempt.assertion }, { shown: true });
    });

    router.post('/sign-in/:uid/federated/:connectionId/:attemptId', async (ctx) => {
      const waiting = await waitingOf(ctx);
      if (!waiting) return;
      const { interaction, attempt } = waiting;
      const form = await readForm(ctx);
      csrf.check(ctx, form, interaction.uid);
      const arrival = { attempt, assertion: attempt.assertion };
      if (attempt.need === 'attributes') {
        const { values, errors } = readPerson(form);
        return decide(ctx, interaction, arrival, { values, errors });
      }
      if (attempt.need === 'step_up')
        return decide(ctx, interaction, arrival, {
          password: form['password'] ?? '',
          code: form['code'] ?? '',
        });
      return decide(ctx, interaction, arrival);
    });

    samlRoutes(router, { foundation, saml, csrf, failed, stray, finishTest });
    return router;
  }

  async function loginOf(ctx: Context, uid: string): Promise<Interaction | null> {
    const interaction = await interactions.load(ctx, uid);
    if (interaction?.prompt.name === 'login') return interaction;
    sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
    return null;
  }

  /** The attempt whose answer this is, used up by it. */
  function broughtBack(ctx: Context, connectionId: string): Promise<Attempt | null> {
    return takeAttempt(database, vault, {
      state: queryText(ctx, 'state') ?? '',
      browser: csrf.browser(ctx),
      connectionId,
      now: clock(),
    });
  }

  async function waitingOf(ctx: Context) {
    const {
      uid = '',
      connectionId = '',
      attemptId = '',
    } = (ctx as Context & { params: Record<string, string> }).params;
    const interaction = await loginOf(ctx, uid);
    if (!interaction) return null;
    const attempt = await waitingAttempt(database, vault, {
      id: attemptId,
      browser: csrf.browser(ctx),
      connectionId,
      now: clock(),
    });
    if (attempt?.interaction !== uid) {
      await stray(ctx, connectionId);
      return null;
    }
    return { interaction, attempt };
  }

  async function arrived(
    ctx: Context,
    attempt: Attempt,
    interaction: Interaction | null,
  ): Promise<UpstreamAssertion | null> {
    const { realm, trace } = attempt;
    const { connection } = realm;
    try {
      // Disabled while the person was away: the provider is not even asked.
      if (connection.state !== 'active' && connection.state !== 'testing' && interaction)
        throw new UpstreamProblem('upstream_error', 'The connection was disabled meanwhile.');
      const url = new URL(`/federation/${connection.id}/callback?${ctx.querystring}`, issuer);
      return await protocols
        .get(connection.kind)!
        .arrive(realm, { url, form: null }, attempt.remembered, trace);
    } catch (problem) {
      if (!(problem instanceof UpstreamProblem)) throw problem;
      await failed(ctx, { realm, trace, way: wayOf(interaction), problem });
      return null;
    }
  }

  async function decide(
    ctx: Context,
    interaction: Interaction,
    { attempt, assertion }: Pick<Arrival, 'attempt' | 'assertion'>,
    {
      values,
      errors = {},
      password,
      code = '',
      shown = false,
    }: {
      values?: PersonFields;
      errors?: PersonErrors;
      password?: string;
      code?: string;
      shown?: boolean;
    } = {},
  ): Promise<void> {
    const origin = originOf(ctx);
    const arrival: Arrival = {
      attempt,
      assertion,
      clientId: interaction.client?.id ?? null,
      origin,
      ...(values && { filledIn: goodOnes(values, errors) }),
    };
    if (password !== undefined) {
      const proof = await oldPassword(ctx, attempt, assertion, password, code);
      if (proof !== 'right') return showStepUp(ctx, interaction, attempt, assertion, proof);
      arrival.steppedUp = true;
    }
    const result = await signInFederated({ foundation, traces, ceiling }, arrival);
    switch (result.outcome) {
      case 'signed_in':
        return enter(ctx, interaction, result, { attempt, assertion });
      case 'ask':
        await keepAssertion(database, vault, attempt, assertion, 'attributes');
        if (!shown && !values) return onward(ctx, interaction, attempt);
        return showAsk(ctx, interaction, attempt, assertion, result.missing, values, errors);
      case 'step_up':
        await keepAssertion(database, vault, attempt, assertion, 'step_up');
        if (!shown) return onward(ctx, interaction, attempt);
        return showStepUp(ctx, interaction, attempt, assertion);
      case 'refused':
        return refuse(ctx, interaction, attempt, assertion, result);
    }
  }

  /** The page gets an address of its own: what came from the provider is not in it. */
  function onward(ctx: Context, { uid }: Interaction, attempt: Attempt): void {
    ctx.status = 303;
    ctx.redirect(`/sign-in/${uid}/federated/${attempt.realm.connection.id}/${attempt.id}`);
  }

  async function enter(
    ctx: Context,
    interaction: Interaction,
    { userId, federation }: Extract<FederatedResult, { outcome: 'signed_in' }>,
    { attempt, assertion }: { attempt: Attempt; assertion: UpstreamAssertion },
  ): Promise<void> {
    const { secondFactor } = attempt.realm.connection.provisioning;
    const now = Math.floor(clock().getTime() / 1000);
    const amr = assertion.amr.length > 0 ? [...assertion.amr] : ['fed'];
    // When they were proved there; never later than now, whatever the provider's clock says.
    const authTime = Math.min(assertion.authTime ?? now, now);
    if (lacksFactorBeside(secondFactor, assertion)) {
      await interactions.keep(interaction, {
        userId,
        methods: ['upstream_alone'],
        at: clock().getTime(),
        signedInAt: null,
        deviceId: null,
        remember: true,
        upstream: { amr, authTime, federation },
      });
      ctx.status = 303;
      return ctx.redirect(`/sign-in/${interaction.uid}`);
    }
    // Somebody else was signed in in this browser: their session ends here.
    const other = interaction.person && interaction.person.id !== userId;
    if (other && interaction.sessionUid !== null)
      await unitOfWork(
        foundation,
        { actor: { type: 'user', id: userId }, origin: originOf(ctx) },
        (work) => endSession(work, interaction.sessionUid!, 'another person signed in'),
      );
    ctx.status = 303;
    ctx.redirect(
      await interactions.finish(
        interaction,
        {
          login: {
            accountId: userId,
            // What is called by our own names elsewhere was not proved by our rules.
            acr: assertion.acr === null || isOwnAcr(assertion.acr) ? acr : assertion.acr,
            amr,
            ts: authTime,
            federation,
          },
        },
        { forgetSession: other ?? false },
      ),
    );
  }

  // --- What is asked

  function showAsk(
    ctx: Context,
    interaction: Interaction,
    attempt: Attempt,
    assertion: UpstreamAssertion,
    missing: readonly (keyof PersonFields)[],
    values: PersonFields | undefined,
    errors: PersonErrors,
  ): void {
    const context = pageContext(ctx, { requested: interaction.params['ui_locales'] });
    const asked = new Set<string>(missing);
    const wrong = Object.fromEntries(Object.entries(errors).filter(([name]) => asked.has(name)));
    sendPage(
      ctx,
      values ? 422 : 200,
      federationAskPage({
        ...context,
        csrf: csrf.token(ctx, interaction.uid),
        action: addressOf(interaction, attempt),
        account: attempt.realm.account.name,
        email: mappedOf(attempt, assertion).identifierDisplay,
        missing,
        values: values ?? {},
        errors: wrong,
        countries: countryOptions(context.t.locale),
        returnHref: `/sign-in/${interaction.uid}/return`,
      }),
    );
  }

  function showStepUp(
    ctx: Context,
    interaction: Interaction,
    attempt: Attempt,
    assertion: UpstreamAssertion,
    error?: FederationStepUpPage['error'],
  ): void {
    sendPage(
      ctx,
      error ? 401 : 200,
      federationStepUpPage({
        ...pageContext(ctx, { requested: interaction.params['ui_locales'] }),
        csrf: csrf.token(ctx, interaction.uid),
        action: addressOf(interaction, attempt),
        account: attempt.realm.account.name,
        email: mappedOf(attempt, assertion).identifierDisplay,
        error,
        returnHref: `/sign-in/${interaction.uid}/return`,
      }),
    );
  }

  /**
   * The password of who has the address here, counted like every other guess; and their second factor,
   * where they have one (security.md 3.3).
   */
  async function oldPassword(
    ctx: Context,
    attempt: Attempt,
    assertion: UpstreamAssertion,
    password: string,
    code: string,
  ): Promise<'right' | NonNullable<FederationStepUpPage['error']>> {
    const email = mappedOf(attempt, assertion).identifier;
    if (email === null || password === '' || password.length > 1024) return 'wrong';
    const checked = await checkPassword(passwords, {
      email,
      password,
      device: null,
      origin: originOf(ctx),
      linking: true,
    });
    if (checked.outcome === 'right') {
      const shown = await checkCodeBeside(
        { ...foundation, recoveryKey: dependencies.recoveryKey },
        {
          person: checked.person,
          code,
          challenge: `federation:${attempt.id}`,
          origin: originOf(ctx),
        },
      );
      if (shown === 'right') return 'right';
      return shown === 'throttled' ? 'locked' : shown === 'missing' ? 'code' : 'code_wrong';
    }
    return checked.outcome === 'wrong' ? 'wrong' : 'locked';
  }

  function addressOf({ uid }: Interaction, attempt: Attempt): string {
    return `/sign-in/${uid}/federated/${attempt.realm.connection.id}/${attempt.id}`;
  }

  function mappedOf({ realm: { connection } }: Attempt, assertion: UpstreamAssertion) {
    return mapAssertion(connection.kind, connection.mapping, assertion);
  }

  // --- No

  async function refuse(
    ctx: Context,
    interaction: Interaction,
    attempt: Attempt,
    assertion: UpstreamAssertion,
    { reason, person, lock, missing }: Extract<FederatedResult, { outcome: 'refused' }>,
  ): Promise<void> {
    if (reason === 'locked' && person && lock)
      return showRefusal(
        ctx,
        database,
        interaction,
        person,
        { reason: 'locked', lock },
        { csrf: csrf.token(ctx, interaction.uid) },
      );
    const { account, connection } = attempt.realm;
    const stop = stops[reason];
    sendPage(
      ctx,
      403,
      federationStopPage({
        ...pageContext(ctx, {
          profile: person?.language,
          requested: interaction.params['ui_locales'],
        }),
        reason: stop,
        email: mappedOf(attempt, assertion).identifierDisplay || null,
        missing: missing.length > 0 ? missing : ['identifier'],
        account: account.name,
        administrators: await helpers(stop, account.id, person),
        trace: attempt.id,
        localHref: localHref(interaction, connection.mode),
        returnHref: `/sign-in/${interaction.uid}/return`,
      }),
    );
  }

  /** Who looks after the account is told to its own people, whom the provider has proved. */
  async function helpers(stop: FederationStop, accountId: string, person: Person | null) {
    const own = stop === 'removed' || person?.account?.id === accountId;
    return own ? administratorsOf(database, accountId) : [];
  }

  async function failed(ctx: Context, { realm, trace, way, problem }: FailedWay): Promise<void> {
    const { connection } = realm;
    await upstreamFailed(foundation, traces, {
      connection,
      trace,
      problem,
      origin: originOf(ctx),
    });
    if (!way) return showTest(ctx, realm, trace, { problem });
    const stop = problemStops[problem.code];
    const away = stop === 'unreachable';
    if (away) ctx.set('Retry-After', '30');
    sendPage(
      ctx,
      away ? 503 : 403,
      federationStopPage({
        ...pageContext(ctx, { requested: way.requested }),
        reason: stop,
        error: problem.detail,
        trace: trace.id,
        retryHref: away ? `/sign-in/${way.uid}` : undefined,
        localHref: localHref(way, connection.mode),
        returnHref: `/sign-in/${way.uid}/return`,
      }),
    );
  }

  /** While passwords are good for anybody of the domain, there is a way to them. */
  function localHref({ uid }: { uid: string }, mode: string): string | undefined {
    return mode === 'optional' ? `/sign-in/${uid}?local=1` : undefined;
  }

  /** An answer that nobody here waits for: nothing is done, and it is written down. */
  async function stray(ctx: Context, connectionId: string | undefined): Promise<void> {
    if (isId(connectionId) && strays.take(ctx.ip) === 0)
      await answerWithoutAttempt(foundation, connectionId, originOf(ctx));
    sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
  }

  // --- Tests

  function testLink(connectionId: string): { url: string; expiresAt: Date } {
    const expires = Math.floor(clock().getTime() / 1000) + 3600;
    const mac = keyedHash(testKey, `${connectionId}.${expires}`);
    return {
      url: `${issuer}/federation/${connectionId}/start?test=${expires}.${mac}`,
      expiresAt: new Date(expires * 1000),
    };
  }

  async function tested(ctx: Context, connectionId: string): Promise<void> {
    const attempt = await broughtBack(ctx, connectionId);
    if (attempt?.purpose !== 'test') return stray(ctx, connectionId);
    const assertion = await arrived(ctx, attempt, null);
    if (!assertion) return;
    await finishTest(ctx, attempt, assertion);
  }

  /** What would happen, and nothing of it: nobody is made, linked or signed in. */
  async function finishTest(
    ctx: Context,
    attempt: Attempt,
    assertion: UpstreamAssertion,
  ): Promise<void> {
    const { realm, trace } = attempt;
    const now = clock();
    const mapped = mappedOf(attempt, assertion);
    trace.append(now, 'mapped', { ...mapped });
    // As it would be once the connection is active.
    const connection = { ...realm.connection, state: 'active' as const };
    const facts = await readFederatedFacts(database, {
      realm: { ...realm, connection },
      assertion,
      mapped,
      now,
    });
    const said = decideFederatedSignIn(facts);
    trace.append(now, 'decided', { ...said });
    trace.outcome = said.outcome === 'refuse' ? said.reason : said.outcome;
    await testSucceeded(foundation, traces, {
      realm,
      trace,
      ok: said.outcome !== 'refuse',
      origin: originOf(ctx),
    });
    showTest(ctx, realm, trace, { assertion, mapped: { ...mapped } });
  }

  function showTest(
    ctx: Context,
    { connection }: Realm,
    trace: FederationTrace,
    {
      problem,
      assertion,
      mapped = {},
    }: {
      problem?: UpstreamProblem;
      assertion?: UpstreamAssertion;
      mapped?: Record<string, unknown>;
    },
  ): void {
    const last = trace.steps.at(-1)?.data ?? {};
    sendPage(
      ctx,
      200,
      federationTestPage({
        ...pageContext(ctx),
        connection: connection.name,
        ok: !problem && last['outcome'] !== 'refuse',
        outcome: trace.outcome ?? problem?.code ?? '',
        detail: problem?.detail,
        received: assertion?.claims ?? {},
        mapped,
        trace: trace.id,
      }),
    );
  }
}

/** Where somebody who failed may go on: the sign-in they were in. */
function wayOf(interaction: Interaction | null): FailedWay['way'] {
  return interaction && { uid: interaction.uid, requested: interaction.params['ui_locales'] };
}

const problemStops: Record<UpstreamProblem['code'], FederationStop> = {
  upstream_denied: 'denied',
  upstream_error: 'error',
  upstream_unreachable: 'unreachable',
  upstream_busy: 'unreachable',
  response_invalid: 'invalid',
  response_replayed: 'invalid',
  attempt_unknown: 'invalid',
};

/** What is told to whom the provider has proved; why exactly, the trace tells administrators. */
const stops: Record<FederatedRefusal, FederationStop> = {
  connection_disabled: 'unavailable',
  account_on_hold: 'unavailable',
  not_a_tester: 'unavailable',
  identifier_missing: 'attributes',
  identifier_ambiguous: 'attributes',
  guest_refused: 'domain',
  domain_not_owned: 'domain',
  domain_not_bound: 'domain',
  domain_owned_by_other: 'domain',
  domain_pending: 'domain',
  public_domain: 'domain',
  identity_conflict: 'conflict',
  link_withdrawn: 'conflict',
  external_id_conflict: 'conflict',
  user_in_other_account: 'conflict',
  user_not_addable: 'conflict',
  break_glass: 'conflict',
  not_provisioned: 'not_provisioned',
  attributes_missing: 'attributes',
  claim_missing: 'attributes',
  removed: 'removed',
  locked: 'unavailable',
};

function goodOnes(values: PersonFields, errors: PersonErrors): Partial<PersonFields> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => value !== '' && !errors[name as keyof PersonErrors],
    ),
  );
}

/** What of `prompt` is the provider's business: that the person proves anew who they are. */
function forwarded(prompt: unknown): string | null {
  const asked = typeof prompt === 'string' ? prompt.split(' ') : [];
  return asked.includes('login') ? 'login' : null;
}

function maxAgeOf(params: Record<string, unknown>): number | null {
  const age = Number(params['max_age']);
  return params['max_age'] !== undefined && Number.isSafeInteger(age) && age >= 0 ? age : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
