import { Router } from '@koa/router';
import type { Context } from 'koa';
import { egress, EgressRefused, type EgressAllowance } from '#platform/egress.ts';
import type { SamlVerifier } from '#platform/saml/verifier.ts';
import { askingFor, standingOf } from '#identity/access/standing.ts';
import { claimDomain } from '#identity/domains/claim-domain.ts';
import { isOwned } from '#identity/domains/domain.ts';
import { listDomains } from '#identity/domains/list-domains.ts';
import type { ProofNetwork } from '#identity/domains/look-for-proof.ts';
import { proofRecord } from '#identity/domains/proof-record.ts';
import { verifyDomain } from '#identity/domains/verify-domain.ts';
import type { Connection } from '#identity/federation/connection.ts';
import { goodOutcomes, latestTest } from '#identity/federation/kept-traces.ts';
import { changeConnection, requireConnection } from '#identity/federation/manage.ts';
import { addSecret, listSecrets } from '#identity/federation/secrets.ts';
import { mapAssertion, usualClaims } from '#identity/federation/mapping.ts';
import { oidcSettings } from '#identity/federation/oidc-settings.ts';
import { importMetadata, samlConnection } from '#identity/federation/saml/manage.ts';
import { addSamlKey, hasSamlKey } from '#identity/federation/saml/own-keys.ts';
import { readProviderMetadata } from '#identity/federation/saml/read-metadata.ts';
import { ourAddresses, samlSettings } from '#identity/federation/saml/settings.ts';
import {
  noteSetupLinkUsed,
  openSetupLink,
  type OpenSetupLink,
} from '#identity/federation/setup-link.ts';
import {
  connectDirectory,
  finishSetup,
  setupDirectory,
  setupProgress,
} from '#identity/federation/setup-progress.ts';
import { assertionOf } from '#identity/federation/simulate.ts';
import { Refusal } from '#identity/refusal.ts';
import { domainForPeople } from '#identity/users/email.ts';
import { unitOfWork, type Foundation, type Work, type WorkContext } from '#identity/work.ts';
import { newOwnKey } from '#platform/saml/own-key.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import {
  setupAttributes,
  setupInvalidPage,
  setupPage,
  type SetupAttribute,
  type SetupDomain,
  type SetupProblem,
  type SetupStep,
  type SetupTrouble,
} from '../pages/setup.ts';
import { rateLimit } from '../rate-limit.ts';
import type { Sessions } from '../sessions.ts';

export interface SetupDependencies {
  foundation: Foundation;
  csrf: Csrf;
  proofs: ProofNetwork;
  egress: EgressAllowance;
  saml: SamlVerifier;
  testLink(connectionId: string): { url: string };
  sessions: Pick<Sessions, 'current'>;
}

type Outcome =
  | { saved: SetupStep }
  | { problem: SetupTrouble }
  | { shown: { link: OpenSetupLink; token: string } };

/** Metadata as people paste it, in a form. */
const formLimit = 768 * 1024;

/**
 * The page of a setup link (peers.md F1): `/setup/{secret}`. The IT of a company proves the domain,
 * connects the provider, chooses the mapping and tries it out; each step by the rules that the
 * administration API follows, in the name of the link.
 */
export function setupRoutes({
  foundation,
  csrf,
  proofs,
  egress: allowance,
  saml,
  testLink,
  sessions,
}: SetupDependencies): Router {
  const { database, vault, clock, issuer } = foundation;
  const router = new Router({ prefix: '/setup/:secret' });
  const limit = rateLimit(30, clock);

  router.get('/', async (ctx) => {
    const link = await opened(ctx);
    if (!link) return;
    await unitOfWork(foundation, contextOf(ctx, link), (work) => noteSetupLinkUsed(work, link));
    const saved = queryText(ctx, 'saved');
    await show(ctx, link, saved && isStep(saved) ? { saved } : null);
  });

  step('/domain', async (_ctx, link, form, context) => {
    await unitOfWork(foundation, context, async (work) => {
      const claim = await claimDomain(work, link.accountId, {
        domain: form['domain'] ?? '',
        method: 'dns',
      });
      // What the account owns already leads here at once.
      if (isOwned(claim)) await lead(work, link, claim.name);
    });
    return { saved: 'domain' };
  });

  step('/check', async (_ctx, link, form, context) => {
    const { domain } = await verifyDomain(
      foundation,
      proofs,
      context,
      { accountId: link.accountId, name: form['domain'] ?? '' },
      () => Promise.resolve(),
    );
    if (!isOwned(domain)) return { problem: { step: 'domain', what: 'domain_missing' } };
    await unitOfWork(foundation, context, (work) => lead(work, link, domain.name));
    return { saved: 'domain' };
  });

  step('/provider', async (_ctx, link, form, context) => {
    const { kind } = await requireConnection(database, link.accountId, link.connectionId);
    if (kind === 'saml') await connectSaml(link, form, context);
    else await connectOidc(link, form, context);
    return { saved: 'provider' };
  });

  step('/mapping', async (_ctx, link, form, context) => {
    await unitOfWork(foundation, context, async (work) => {
      const { mapping } = await requireConnection(work, link.accountId, link.connectionId);
      const attributes = { ...mapping.attributes };
      for (const attribute of setupAttributes) {
        const names = namesIn(attribute, form[attribute]);
        if (names.length > 0) attributes[attribute] = names;
        else delete attributes[attribute];
      }
      await changeConnection(work, link.accountId, link.connectionId, {
        mapping: { attributes },
      });
    });
    return { saved: 'mapping' };
  });

  step('/directory', async (ctx, link, _form, context) => {
    if (!link.directory) throw new Refusal('not_found');
    const token = await unitOfWork(foundation, context, async (work) => {
      const connection = await requireConnection(work, link.accountId, link.connectionId);
      return connectDirectory(work, link, connection);
    });
    // It is shown on this page, and never again.
    const now = (await openSetupLink(database, String(ctx['params'].secret), clock())) ?? link;
    return { shown: { link: now, token } };
  });

  return router;

  /** A form of the page: it is done, and the page shown again; or what is wrong is said beside it. */
  function step(
    path: `/${string}`,
    act: (
      ctx: Context,
      link: OpenSetupLink,
      form: Record<string, string>,
      context: WorkContext,
    ) => Promise<Outcome>,
  ): void {
    router.post(path, async (ctx) => {
      const link = await opened(ctx);
      if (!link) return;
      const form = await readForm(ctx, { limit: formLimit });
      csrf.check(ctx, form);
      const of: SetupStep = stepOf(path);
      let outcome: Outcome;
      if (limit.take(link.id) > 0) outcome = { problem: { step: of, what: 'wait', typed: form } };
      else
        try {
          outcome = await act(ctx, link, form, contextOf(ctx, link));
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          outcome = { problem: troubleOf(of, form, error) };
        }
      if ('problem' in outcome) return show(ctx, link, outcome);
      if ('shown' in outcome) return show(ctx, outcome.shown.link, outcome);
      ctx.status = 303;
      ctx.redirect(`${addressOf(ctx)}?saved=${outcome.saved}#step-${outcome.saved}`);
    });
  }

  async function opened(ctx: Context): Promise<OpenSetupLink | null> {
    const link = await openSetupLink(database, String(ctx['params'].secret), clock());
    if (!link) sendPage(ctx, 410, setupInvalidPage(pageContext(ctx)));
    return link;
  }

  function contextOf(ctx: Context, link: OpenSetupLink): WorkContext {
    return {
      actor: { type: 'setup_link', id: link.id, name: link.contact },
      origin: originOf(ctx),
    };
  }

  /** From now on the domain leads to the connection, beside those that do. */
  async function lead(work: Work, link: OpenSetupLink, name: string): Promise<void> {
    const { domains } = await requireConnection(work, link.accountId, link.connectionId, {
      taken: true,
    });
    if (domains.includes(name)) return;
    await changeConnection(work, link.accountId, link.connectionId, {
      domains: [...domains, name],
    });
  }

  async function connectSaml(
    link: OpenSetupLink,
    form: Record<string, string>,
    context: WorkContext,
  ): Promise<void> {
    const xml = form['xml']?.trim();
    const given = xml ? { xml } : { url: form['url']?.trim() ?? '' };
    const [{ metadata, url }, has] = await Promise.all([
      readProviderMetadata({ egress: allowance, saml }, given),
      hasSamlKey(database, link.connectionId),
    ]);
    const key = has ? null : await newOwnKey(new URL(issuer).host, clock());
    await unitOfWork(foundation, context, async (work) => {
      const connection = await samlConnection(work, link.accountId, link.connectionId, {
        taken: true,
      });
      if (key && !(await hasSamlKey(work, connection.id)))
        await addSamlKey(work, vault, connection, key);
      await importMetadata(work, connection, metadata, { url, byHand: true });
    });
  }

  async function connectOidc(
    link: OpenSetupLink,
    form: Record<string, string>,
    context: WorkContext,
  ): Promise<void> {
    const address = form['issuer']?.trim() ?? '';
    const clientId = form['client_id']?.trim() ?? '';
    const secret = form['client_secret'] ?? '';
    try {
      egress(allowance).check(address);
    } catch (error) {
      if (!(error instanceof EgressRefused)) throw error;
      throw new Refusal('invalid_value', { issuer: error.message });
    }
    if (clientId === '' || clientId.length > 255 || address.length > 500)
      throw new Refusal('invalid_value', { clientId: 'It must not be empty.' });
    if (secret !== '' && (secret.length < 8 || secret.length > 1000))
      throw new Refusal('invalid_value', { clientSecret: 'It has 8 characters at least.' });
    await unitOfWork(foundation, context, async (work) => {
      const connection = await changeConnection(work, link.accountId, link.connectionId, {
        issuer: address,
        oidc: { clientId },
      });
      if (secret !== '')
        await addSecret(work, vault, connection, {
          kind: 'client_secret',
          value: secret,
          expiresAt: null,
        });
    });
  }

  async function show(ctx: Context, link: OpenSetupLink, outcome: Outcome | null): Promise<void> {
    const connection = await requireConnection(database, link.accountId, link.connectionId);
    await finishSetup(foundation, link);
    const [domains, secrets, test, samlKey] = [
      await domainsOf(link, connection),
      await listSecrets(database, connection.id),
      await latestTest(database, connection.id),
      connection.kind === 'saml' && (await hasSamlKey(database, connection.id)),
    ];
    const settings = samlSettings(connection);
    const { kind, mapping } = connection;
    const received = test && assertionOf(connection, test.steps);
    const complete = await setupProgress(database, connection, link);
    const { provider } = complete;
    const directory = link.directory ? await setupDirectory(database, link) : null;
    const { entityId, acsUrl } = ourAddresses(issuer, connection.id);
    const problem = outcome && 'problem' in outcome ? outcome.problem : undefined;
    sendPage(
      ctx,
      problem ? 422 : 200,
      setupPage({
        ...pageContext(ctx),
        csrf: csrf.token(ctx),
        account: link.account,
        expiresAt: link.expiresAt,
        action: addressOf(ctx),
        kind,
        domains,
        ours:
          kind === 'saml'
            ? { kind, entityId, acsUrl, metadataUrl: samlKey ? entityId : null }
            : { kind, redirectUri: `${issuer}/federation/${connection.id}/callback` },
        issuer: connection.issuer,
        metadataUrl: settings.metadataUrl,
        clientId: kind === 'oidc' ? oidcSettings(connection.settings).clientId : null,
        secretKept: secrets.length > 0,
        certificates: [
          ...settings.certificates.map((one) => ({ ...one, staged: false })),
          ...settings.staged.map((one) => ({ ...one, staged: true })),
        ].map(({ fingerprint, notAfter, staged }) => ({
          fingerprint,
          staged,
          notAfter: new Date(notAfter),
        })),
        mapping: named(mapping.attributes),
        usual: named(usualClaims[kind]) as Record<SetupAttribute, string>,
        seen: received ? { ...mapAssertion(kind, mapping, received) } : null,
        directory: link.directory
          ? {
              endpoint: new URL('/scim/v2', issuer).href,
              token: outcome && 'shown' in outcome ? outcome.shown.token : null,
              made: directory !== null,
              dryRun: directory?.dryRun ?? true,
              firstRequestAt: directory?.firstRequestAt ?? null,
            }
          : null,
        testHref: provider ? testLink(connection.id).url : null,
        test: test && {
          at: test.beganAt,
          ok: goodOutcomes.includes(test.outcome ?? ''),
          outcome: test.outcome ?? '',
          trace: test.id,
        },
        complete,
        saved: outcome && 'saved' in outcome ? outcome.saved : undefined,
        problem,
        consoleHref: await wayBack(ctx, link),
      }),
    );
  }

  /** The connection in the console, for who may look at it there. */
  async function wayBack(ctx: Context, link: OpenSetupLink): Promise<string | null> {
    const session = await sessions.current(ctx);
    if (!session) return null;
    const standing = await standingOf(database, session.person, {
      actingIn: link.accountId,
      provedAnew: false,
    });
    return standing.account?.id === link.accountId && askingFor(standing, 'connections:read')
      ? `/console/connections/${link.connectionId}`
      : null;
  }

  /** The claims of the account that the link may go on with: of others it says nothing. */
  async function domainsOf(link: OpenSetupLink, connection: Connection): Promise<SetupDomain[]> {
    const entries = await listDomains(database, link.accountId, clock());
    const elsewhere = new Set(
      (
        await database.query<{ domain: string }>(
          `select b.domain from connection_domains b join connections c on c.id = b.connection_id
           where c.account_id = $1 and c.id <> $2 and c.deleted_at is null`,
          [link.accountId, connection.id],
        )
      ).map(({ domain }) => domain),
    );
    return entries
      .map(({ domain }) => domain)
      .filter(
        (claim) =>
          connection.domains.includes(claim.name) ||
          isOwned(claim) ||
          claim.state === 'pending' ||
          claim.state === 'contested',
      )
      .map((claim) => {
        const record = claim.method === 'dns' ? proofRecord(claim, 'dns') : null;
        return {
          name: claim.name,
          displayName: domainForPeople(claim.name),
          state: connection.domains.includes(claim.name)
            ? 'here'
            : elsewhere.has(claim.name)
              ? 'elsewhere'
              : isOwned(claim)
                ? 'free'
                : 'pending',
          record: record?.type === 'TXT' ? { name: record.name, value: record.value } : null,
        };
      });
  }
}

function addressOf(ctx: Context): string {
  return `/setup/${encodeURIComponent(String(ctx['params'].secret))}`;
}

function stepOf(path: string): SetupStep {
  const name = path.slice(1);
  return isStep(name) ? name : 'domain';
}

function isStep(text: string): text is SetupStep {
  return ['domain', 'provider', 'mapping', 'test', 'directory'].includes(text);
}

/** What a form says of the names of claims, one after the other. */
function namesIn(attribute: SetupAttribute, text: string | undefined): string[] {
  const names = (text ?? '')
    .split(/[,\s]+/)
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length > 10 || names.some((name) => name.length > 255))
    throw new Refusal('invalid_value', {
      [attribute]: 'Ten names at most, of 255 characters each.',
    });
  return names;
}

function named(
  attributes: Partial<Record<string, string[]>>,
): Partial<Record<SetupAttribute, string>> {
  return Object.fromEntries(
    setupAttributes
      .filter((attribute) => attributes[attribute] !== undefined)
      .map((attribute) => [attribute, attributes[attribute]!.join(', ')]),
  );
}

/** What is wrong, and with which field: the one that the rule names, or the one it comes from. */
function troubleOf(
  step: SetupStep,
  form: Readonly<Record<string, string>>,
  { code, details }: Refusal,
): SetupTrouble {
  const detail = Object.values(details)
    .filter((one) => typeof one === 'string')
    .join(' ');
  const what: SetupProblem =
    code === 'rate_limited'
      ? 'wait'
      : step === 'domain' && /^(invalid_domain|public_)/.test(code)
        ? 'domain'
        : step === 'provider'
          ? 'provider'
          : 'other';
  const named = Object.keys(details).map((name) => fieldNames[name] ?? name);
  const typedInto = ['xml', 'url', 'issuer', 'domain'].filter((name) => form[name]);
  const field = [...named, ...typedInto].find((name) => name in form);
  return {
    step,
    what,
    detail: detail || (what === 'other' ? code : undefined),
    field: what === 'wait' ? undefined : field,
    typed: form,
  };
}

const fieldNames: Readonly<Record<string, string>> = {
  clientId: 'client_id',
  clientSecret: 'client_secret',
};
