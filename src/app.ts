import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import type { Router } from '@koa/router';
import type { Provider } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import { systemClock } from '#platform/clock.ts';
import { CookieKeys } from '#platform/cookie-keys.ts';
import type { Database } from '#platform/database/database.ts';
import { egress as guardedEgress, egressAllowance, guardedFetch } from '#platform/egress.ts';
import { mailboxTransport, senderOf, smtpTransport } from '#platform/mail/transport.ts';
import type { Log } from '#platform/observability/log.ts';
import { metrics } from '#platform/observability/metrics.ts';
import { passwordHasher, type PasswordHasher } from '#platform/password-hash.ts';
import { repeatedly, type Repeated } from '#platform/repeat.ts';
import { samlVerifier, type SamlVerifier } from '#platform/saml/verifier.ts';
import { vault } from '#platform/secrets.ts';
import { closeDueAccounts } from '#identity/accounts/close.ts';
import { continueMoves } from '#identity/accounts/move-people.ts';
import { sealAudit } from '#identity/audit/chain.ts';
import { sweepJobs } from '#identity/bulk/job.ts';
import { workOnBulk } from '#identity/bulk/run.ts';
import { clientRegistry } from '#identity/applications/client.ts';
import { lockoutPolicy, type LockoutPolicy } from '#identity/credentials/lockout.ts';
import { forgetSuppressed } from '#identity/mail/suppression.ts';
import { tendBelonging } from '#identity/belonging/housekeeping.ts';
import { carryOut, type Task } from '#identity/credentials/tasks.ts';
import { usesDomains } from '#identity/domains/domain-use.ts';
import { domainChecker } from '#identity/domains/check-domains.ts';
import type { ProofNetwork } from '#identity/domains/look-for-proof.ts';
import { proofNetwork } from '#identity/domains/proof-network.ts';
import { watchConnections } from '#identity/federation/watch.ts';
import type { Connection } from '#identity/federation/connection.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import type { PastedText } from '#identity/federation/simulate.ts';
import { connectionUse } from '#identity/federation/account-changes.ts';
import { carryOutModes } from '#identity/federation/enforce.ts';
import { loadAppSecrets } from '#identity/keys/app-secrets.ts';
import {
  ensureSigningKeys,
  keysChannel,
  loadSigningKeys,
  newSigningKey,
} from '#identity/keys/signing-keys.ts';
import { tellExpiring } from '#identity/scim/expiry.ts';
import { watchDirectories } from '#identity/scim/failing.ts';
import { recorder, sweepExchanges, type Recorder } from '#identity/scim/recorder.ts';
import { acrs } from '#identity/sign-in/assurance.ts';
import { emailMark, eraseDue } from '#identity/users/erase.ts';
import { lookForInactive } from '#identity/users/inactivity.ts';
import { countEvents, sweepFigures } from '#identity/reports/count.ts';
import { insertOutbox, outboxParams, unitOfWork, type Foundation } from '#identity/work.ts';
import { mailHandler } from '#delivery/mail/handler.ts';
import { webhookSender, type WebhookSender } from '#delivery/webhooks.ts';
import { deliveryWorker, Undeliverable, type DeliveryWorker } from '#delivery/worker.ts';
import { mailPreviews } from '#delivery/mail/samples.ts';
import { adminApi } from './http/admin/api.ts';
import { apiDocumentation } from './http/admin/documentation.ts';
import { serveAssets } from './http/assets.ts';
import { consoleRoutes } from './http/console/console.ts';
import { devAppRoutes } from './http/dev/app.ts';
import { mailboxRoutes } from './http/dev/mailbox.ts';
import { securityHeaders } from './http/context.ts';
import { csrf } from './http/csrf.ts';
import { deviceCookie } from './http/device-cookie.ts';
import { errorPages } from './http/errors.ts';
import { keptForms } from './http/kept-forms.ts';
import { accessTokens } from './http/oidc/found-token.ts';
import { clientProblem } from './http/oidc/client-check.ts';
import { engineEndpoints } from './http/oidc/endpoint.ts';
import { sweepEngine } from './http/oidc/housekeeping.ts';
import { interactionsOf } from './http/oidc/interactions.ts';
import { ownClient, ownSessions } from './http/oidc/own-sessions.ts';
import { Bulkheads } from './http/federation/bulkhead.ts';
import { lookAt, OidcUpstream } from './http/federation/oidc.ts';
import { federationDoor } from './http/federation/routes.ts';
import { setupRoutes } from './http/federation/setup.ts';
import { readPasted } from './http/federation/pasted.ts';
import { SamlUpstream } from './http/federation/saml.ts';
import { enginePages } from './http/oidc/pages.ts';
import { plainTokens } from './http/oidc/plain-tokens.ts';
import { engine, type Lifetimes } from './http/oidc/provider.ts';
import { resuming } from './http/oidc/resume.ts';
import { preparedDocuments } from './http/prepared.ts';
import { clientAddress, pinAddress } from './http/public-address.ts';
import { observe } from './http/observe.ts';
import { domainProofRoutes } from './http/self-service/domain-proof.ts';
import { factorRoutes } from './http/self-service/factors.ts';
import { invitationRoutes } from './http/self-service/invitation.ts';
import { keepAccountRoutes } from './http/self-service/keep-account.ts';
import { passwordRoutes } from './http/self-service/password.ts';
import { registerRoutes } from './http/self-service/register.ts';
import { profileRoutes } from './http/self-service/profile/routes.ts';
import { scimDoor } from './http/scim/door.ts';
import { signInRoutes } from './http/sign-in/routes.ts';
import { systemRoutes } from './http/system.ts';
import { readDemo } from '#config/demo.ts';
import type { Config } from '#config/schema.ts';

const hours = 3600;
const days = 24 * hours;

const lifetimes: Lifetimes = {
  sessionIdle: 12 * hours,
  sessionAbsolute: 7 * days,
  accessToken: 10 * 60,
  idToken: 10 * 60,
  refreshIdle: 14 * days,
  refreshAbsolute: 90 * days,
  federated: 24 * hours,
};

export interface AppOptions {
  config: Config;
  database: Database;
  log: Log;
  clock?: Clock;
  hasher?: PasswordHasher;
  lockout?: LockoutPolicy;
  /** Where the proofs of domains are looked for, where a test has its own. */
  proofs?: Partial<ProofNetwork>;
  /** Requests a second that one directory may send, where a bench asks for more. */
  scimPerSecond?: number;
  /** Requests a minute that one API token may send, where a test is to reach the end of them. */
  apiPerMinute?: number;
  /** What verifies SAML documents, where many programs of one test share its threads. */
  saml?: SamlVerifier;
}

export interface App {
  /** Answers HTTP requests. */
  listener(request: IncomingMessage, response: ServerResponse): void;
  foundation: Foundation;
  hasher: PasswordHasher;
  delivery: DeliveryWorker;
  webhooks: WebhookSender;
  directories: Recorder;
  provider(): Provider;
  /** Runs what is to be done now and then: delivery, sweeping, key renewal. */
  start(): Promise<void>;
  /** Takes no new requests, and finishes what was begun. */
  stop(): Promise<void>;
}

/** Puts the program together. The only place that knows all its parts. */
export async function createApp({
  config,
  database,
  log,
  clock = systemClock,
  hasher = passwordHasher(),
  lockout = lockoutPolicy,
  proofs: ownProofs = {},
  saml = samlVerifier(),
  scimPerSecond,
  apiPerMinute,
}: AppOptions): Promise<App> {
  const { issuer } = config;
  const secure = issuer.startsWith('https:');
  const safe = vault(config.secrets);
  const foundation: Foundation = {
    database,
    vault: safe,
    clock,
    issuer,
    sent: () => delivery.nudge(),
  };
  const measures = metrics();
  let serving = true;

  // --- Keys and secrets
  const secrets = await loadAppSecrets(database, safe, clock());
  const cookieKeys = new CookieKeys(safe.derive('cookies'));
  const forms = csrf(safe.derive('forms')[0]!, issuer);
  const kept = keptForms(foundation, forms);
  await firstKeys(foundation);

  // --- The engine, made anew when the keys change
  const registry = await clientRegistry(database, clock, { builtIn: [ownClient(issuer)] });
  const sessions = ownSessions(database, clock, issuer, safe.derive('own-sign-in')[0]!, {
    policy: config.secondFactor.policy,
    stepUpSeconds: config.secondFactor.stepUpMinutes * 60,
  });
  const prepared = preparedDocuments(new URL(issuer).host, {
    'X-Content-Type-Options': 'nosniff',
    ...(secure && { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' }),
  });
  const egress = egressAllowance(config.egressAllow);
  const fetch = guardedFetch(egress);
  const proofs: ProofNetwork = { ...proofNetwork(config.dnsServers, egress), ...ownProofs };
  const checker = domainChecker(foundation, proofs, log);
  const makeEngine = async (): Promise<Provider> => {
    const provider = engine(
      {
        issuer,
        database,
        clock,
        registry,
        secrets,
        cookieKeys,
        lifetimes,
        secondFactorPolicy: config.secondFactor.policy,
        pages: enginePages(),
        fetch,
      },
      await loadSigningKeys(database, safe),
    );
    watchEngine(provider);
    return provider;
  };
  let provider = await makeEngine();
  // One renewal after the other: an older set of keys must not overtake a newer one.
  let renewing = Promise.resolve();
  const forgetKeys = await database.listen(keysChannel, () => {
    renewing = renewing.then(renew);
  });
  async function renew(): Promise<void> {
    try {
      provider = await makeEngine();
      prepared.forget();
    } catch (error) {
      log.error({ error }, 'the signing keys could not be read again');
    }
  }

  // --- What leaves
  const transport = config.smtpUrl
    ? smtpTransport({ url: config.smtpUrl })
    : mailboxTransport(database, clock);
  usesDomains(connectionUse);
  const delivery = deliveryWorker({
    database,
    vault: safe,
    clock,
    log,
    handlers: {
      mail: mailHandler({
        foundation,
        transport,
        from: senderOf(config.mailFrom),
        product: 'Ostiary',
      }),
      task: async ({ payload }) => {
        await carryOut(foundation, payload as unknown as Task);
      },
      backchannel_logout: async ({ payload }) => {
        const { clientId, userId, sid } = payload as Record<string, string>;
        const client = await provider.Client.find(clientId!);
        if (!client?.backchannelLogoutUri)
          throw new Undeliverable('the client takes no logout tokens');
        await (client as unknown as LogoutReceiver).backchannelLogout(userId!, sid!);
      },
    },
  });

  const resume = resuming({ current: () => provider, database, clock, keys: cookieKeys, issuer });
  const interactions = interactionsOf(database, registry, clock, issuer, resume);

  const webhooks = webhookSender({ foundation, egress: guardedEgress(egress), log });

  const directories = recorder({ database, vault: safe, clock, log });
  const scim = scimDoor({
    foundation,
    hasher,
    log,
    recorder: directories,
    ...(scimPerSecond !== undefined && { perSecond: scimPerSecond }),
  });

  const passwords = { ...foundation, hasher, policy: lockout, key: secrets.counters };
  const bulkheads = new Bulkheads(clock);
  const upstreamOidc = new OidcUpstream({
    issuer,
    egress: guardedEgress(egress),
    vault: safe,
    clock,
    bulkheads,
  });
  const upstreamSaml = new SamlUpstream({ issuer, vault: safe, clock, verifier: saml });
  const federation = federationDoor({
    foundation,
    interactions,
    csrf: forms,
    sessions,
    oidc: upstreamOidc,
    saml: upstreamSaml,
    passwords,
    recoveryKey: secrets.recoveryCodes,
    acr: acrs.upstream,
    ceiling: lifetimes.federated,
  });
  const administration = {
    foundation,
    egress,
    proofs,
    directories: { ...directories, rehearse: scim.rehearse },
    saml,
    federation: {
      look: (connection: Connection) => lookAt(upstreamOidc, connection),
      read: (realm: Realm, pasted: PastedText) =>
        readPasted({ saml: upstreamSaml, oidc: upstreamOidc }, realm, pasted),
      testLink: (connectionId: string) => federation.testLink(connectionId),
    },
    addressMark: (email: string) => emailMark(secrets.marks, email),
    clientProblem: (id: string, name: string, metadata: Record<string, unknown>) =>
      clientProblem(provider, id, name, metadata),
    announce: {
      clients_changed: () => registry.changed(),
      keys_changed: () => database.notify(keysChannel, ''),
    },
  };

  // --- The doors
  const device = deviceCookie(issuer);
  const app = new Koa();
  app.keys = cookieKeys as never;
  app.silent = true;
  app.use(observe(log, measures));
  app.use(securityHeaders(secure));
  app.use(errorPages(log));
  app.use(pinAddress(app, issuer));
  app.use(clientAddress(config.trustedProxies));
  app.use(async (ctx, next) => {
    if (secure) ctx.cookies.secure = true;
    await next();
  });
  // Directories ask often: they do not wait until every other address was compared with theirs.
  app.use(scim.answer);
  app.use(serveAssets());
  const plain = plainTokens({
    accessTokens: accessTokens(database, clock),
    registry,
    clock,
    issuer,
  });
  app.use(
    engineEndpoints(() => provider, {
      database,
      clock,
      issuer,
      prepared,
      plain,
      signOutThere: federation.signOutThere,
    }),
  );
  for (const router of [
    signInRoutes({
      foundation,
      interactions,
      csrf: forms,
      passwords,
      device,
      secondFactor: config.secondFactor,
      recoveryKey: secrets.recoveryCodes,
      upstream: federation,
    }),
    federation.routes(),
    setupRoutes({
      foundation,
      csrf: forms,
      proofs,
      egress,
      saml,
      testLink: (connectionId) => federation.testLink(connectionId),
      sessions,
    }),
    sessions.routes(),
    passwordRoutes({ foundation, hasher, csrf: forms }),
    registerRoutes({ foundation, hasher, csrf: forms, interactions }),
    invitationRoutes({
      foundation,
      hasher,
      csrf: forms,
      sessions,
      device: deviceCookie(issuer),
      lockout,
      counters: secrets.counters,
      recoveryKey: secrets.recoveryCodes,
    }),
    domainProofRoutes({ foundation, csrf: forms }),
    profileRoutes({
      passwords,
      sessions,
      csrf: forms,
      kept,
      device,
      secondFactorPolicy: config.secondFactor.policy,
    }),
    factorRoutes({
      foundation,
      sessions,
      csrf: forms,
      kept,
      policy: config.secondFactor.policy,
      recoveryKey: secrets.recoveryCodes,
    }),
    keepAccountRoutes({ foundation, csrf: forms }),
    ...developmentRoutes(),
    adminApi({ ...administration, log, ...(apiPerMinute && { perMinute: apiPerMinute }) }),
    consoleRoutes({ ...administration, sessions, csrf: forms, kept }),
    apiDocumentation(issuer),
    systemRoutes({
      database,
      clock,
      metrics: measures,
      serving: () => serving,
      devLinks: config.production
        ? []
        : [
            { href: '/dev/app', title: 'An application to sign in to' },
            { href: '/dev/mailbox', title: 'The mails that were sent' },
          ],
    }),
  ]) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  const handle = app.callback();

  let sweeper: NodeJS.Timeout | undefined;
  const jobs: Repeated[] = [];
  let tending: NodeJS.Timeout | undefined;
  return {
    listener(request, response) {
      if (!prepared.serve(request, response)) void handle(request, response);
    },
    foundation,
    hasher,
    delivery,
    webhooks,
    directories,
    provider: () => provider,

    async start() {
      await delivery.start();
      checker.start();
      sweeper = setInterval(() => {
        sweepEngine(database, clock()).catch((error: unknown) =>
          log.warn({ error }, 'expired rows could not be swept'),
        );
      }, 60_000);
      sweeper.unref();
      // Invitations and requests that ran out, unfinished registrations, the daily reminder.
      tending = setInterval(() => {
        tendBelonging(foundation).catch((error: unknown) =>
          log.warn({ error }, 'invitations and requests could not be looked after'),
        );
      }, 10 * 60_000);
      tending.unref();
      jobs.push(...startJobs());
    },

    async stop() {
      serving = false;
      forgetKeys();
      registry.close();
      clearInterval(sweeper);
      clearInterval(tending);
      await checker.stop();
      await directories.flush();
      await Promise.all(jobs.splice(0).map((job) => job.stop()));
      await webhooks.stop();
      await delivery.stop();
      await saml.stop();
      transport.close();
    },
  };

  /** What every process does beside answering; what another process is at, it lets be. */
  function startJobs(): Repeated[] {
    const events = repeatedly('webhooks', 1000, () => webhooks.turn(), log);
    return [
      events,
      repeatedly(
        'audit',
        1000,
        async () => {
          const sealed = (await sealAudit(database, safe)) ?? 0;
          if (sealed > 0) events.nudge();
          return sealed >= 500;
        },
        log,
      ),
      repeatedly('figures', 2000, () => countEvents(database), log),
      repeatedly('figures-sweep', 24 * 3600_000, () => sweepFigures(database, clock()), log),
      repeatedly('bulk', 1000, (stopping) => workOnBulk(foundation, log, stopping), log),
      repeatedly('bulk sweep', 3600_000, async () => (await sweepJobs(database, clock())) > 0, log),
      repeatedly('moving', 2000, () => continueMoves(foundation), log),
      repeatedly('closing', 60_000, () => closeDueAccounts(foundation), log),
      repeatedly('federation', 10_000, () => carryOutModes(foundation), log),
      repeatedly('connections', 600_000, () => watchConnections(foundation, { egress, saml }), log),
      repeatedly('erasure', 60_000, () => eraseDue(foundation, secrets.marks), log),
      repeatedly('inactivity', 3600_000, () => lookForInactive(foundation), log),
      repeatedly('expiring', 3600_000, () => tellExpiring(foundation), log),
      repeatedly('failing directories', 300_000, () => watchDirectories(foundation), log),
      repeatedly('suppressed', 24 * 3600_000, () => forgetSuppressed(foundation), log),
      repeatedly('directories', 600_000, () => sweepExchanges(database, clock()), log),
      repeatedly('deliveries', 600_000, async () => (await webhooks.sweep()) > 0, log),
    ];
  }

  /** What helps to try things out. It knows no login, so it is nowhere in production. */
  function developmentRoutes(): Router[] {
    if (config.production) return [];
    return [
      mailboxRoutes({ database, csrf: forms, previews: mailPreviews('Ostiary') }),
      devAppRoutes({
        issuer,
        clock,
        csrf: forms,
        demo: () => readDemo(config.dataDir),
        acrValues: [acrs.password, acrs.second_factor],
      }),
    ];
  }

  function watchEngine(watched: Provider): void {
    watched.on('server_error', (ctx, error) => {
      log.error({ error, path: ctx.path }, 'the engine failed');
    });
    for (const event of [
      'authorization.error',
      'grant.error',
      'introspection.error',
      'revocation.error',
      'userinfo.error',
      'pushed_authorization_request.error',
      'device_authorization.error',
      'end_session.error',
    ] as const)
      watched.on(event as 'grant.error', (_ctx, error) => {
        measures.engineErrors.inc({ event, error: error.error ?? 'unknown' });
      });
    // The engine tries once, while the person waits. What failed is tried again for a day.
    watched.on('backchannel.error', (_ctx, error, client, accountId, sid) => {
      log.warn({ error, client: client.clientId }, 'a logout token could not be delivered');
      const now = clock();
      const queued = {
        kind: 'backchannel_logout',
        subject: accountId,
        payload: { clientId: client.clientId, userId: accountId, sid },
        expiresAt: new Date(now.getTime() + 24 * 3600_000),
      } as const;
      database.query(insertOutbox, outboxParams(safe, now, [queued])).catch((failure: unknown) => {
        log.error({ error: failure }, 'a logout token could not be queued');
      });
    });
  }
}

/** A client that takes logout tokens. The engine's types do not know the method. */
interface LogoutReceiver {
  backchannelLogout(accountId: string, sid: string): Promise<void>;
}

/** The keys of a new installation. */
async function firstKeys(foundation: Foundation): Promise<void> {
  const [row] = await foundation.database.query<{ keys: number }>(
    'select count(*)::int as keys from signing_keys',
  );
  if (row!.keys > 0) return;
  const fresh = await Promise.all(
    (['RS256', 'RS256', 'ES256', 'ES256'] as const).map((alg) => newSigningKey(alg)),
  );
  await unitOfWork(foundation, { actor: { type: 'system', id: 'start' } }, (work) =>
    ensureSigningKeys(work, foundation.vault, fresh),
  );
}
