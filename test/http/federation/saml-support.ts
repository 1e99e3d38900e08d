import { createSign } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Connection } from '#identity/federation/connection.ts';
import {
  createConnection,
  requireConnection,
  type ConnectionInput,
} from '#identity/federation/manage.ts';
import { importMetadata } from '#identity/federation/saml/manage.ts';
import { addSamlKey } from '#identity/federation/saml/own-keys.ts';
import type { SamlSettings } from '#identity/federation/saml/settings.ts';
import { newId } from '#platform/ids.ts';
import { readMetadata } from '#platform/saml/metadata.ts';
import { certificateBody, type OwnKey } from '#platform/saml/own-key.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import {
  base64,
  honest,
  keyOf,
  newSamlId,
  samlResponse,
  sha256,
  type Said,
  type Signing,
} from '#test/support/saml-idp.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenClient, World } from '#test/support/world.ts';
import { leave } from './support.ts';

export const idpEntityId = 'https://idp.acme.example/saml';
export const idpSignOn = 'https://idp.acme.example/saml/sso';

/** Where the provider takes part in single logout, where a test has it do so. */
export const idpSignOut = 'https://idp.acme.example/saml/slo';

/** Metadata as a provider publishes it. */
export function idpMetadata(
  keys: readonly Pick<OwnKey, 'certificate'>[],
  {
    entityId = idpEntityId,
    redirect = idpSignOn,
    post = null,
    logout = null,
  }: {
    entityId?: string;
    redirect?: string | null;
    post?: string | null;
    logout?: string | null;
  } = {},
): string {
  const service = (binding: string, location: string | null): string =>
    location === null
      ? ''
      : `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${location}"/>`;
  return `<?xml version="1.0"?>
<!-- people write comments into these -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${entityId}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAuthnRequestsSigned="true">
${keys
  .map(
    ({ certificate }) =>
      `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificateBody(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  )
  .join('\n')}
${
  logout === null
    ? ''
    : `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${logout}" ResponseLocation="${logout}/done"/>`
}<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
${service('HTTP-Redirect', redirect)}${service('HTTP-POST', post)}
</md:IDPSSODescriptor></md:EntityDescriptor>`;
}

/** A connection that is there, with a key of ours, and knows nothing of its provider yet. */
export async function samlDraft(
  given: World,
  account: { id: string },
  { state = 'draft', name = 'Acme ADFS', domains = ['acme.example'] as readonly string[] } = {},
): Promise<string> {
  const id = newId();
  const now = given.foundation.clock();
  await given.rows(
    `insert into connections (id, account_id, kind, name, state, created_by, created_at, updated_at)
     values ($1, $2, 'saml', $3, $4, '{}', $5, $5)`,
    [id, account.id, name, state, now.toISOString()],
  );
  const key = await keyOf('ours');
  await given.work((work) =>
    addSamlKey(work, given.foundation.vault, { id, accountId: account.id }, key),
  );
  for (const domain of domains)
    await given.rows(
      'insert into connection_domains (domain, connection_id, bound_at) values ($1, $2, $3)',
      [domain, id, now.toISOString()],
    );
  return id;
}

/** A SAML connection in use, whatever it would take to get there. */
export async function connectedSaml(
  given: World,
  account: { id: string },
  {
    state = 'active',
    post = null,
    redirect = idpSignOn,
    logout = null,
    settings = {},
    ...input
  }: ConnectionInput & {
    state?: Connection['state'];
    redirect?: string | null;
    post?: string | null;
    logout?: string | null;
    settings?: Partial<SamlSettings>;
  } = {},
): Promise<Connection> {
  const [ours, theirs] = await Promise.all([keyOf('ours'), keyOf('pinned')]);
  return given.work(async (work) => {
    const made = await createConnection(work, account.id, {
      kind: 'saml',
      name: 'Acme ADFS',
      domains: ['acme.example'],
      ...input,
    });
    await addSamlKey(work, given.foundation.vault, made, ours);
    const metadata = readMetadata(idpMetadata([theirs], { redirect, post, logout }));
    await importMetadata(work, made, metadata, { url: null, byHand: true });
    await work.query(
      'update connections set state = $2, settings = settings || $3::jsonb where id = $1',
      [made.id, state, JSON.stringify(settings)],
    );
    return requireConnection(work, account.id, made.id);
  });
}

/** What the browser brings to the provider. */
export interface Asked {
  destination: string;
  relayState: string;
  request: string;
  id: string;
  acs: string;
  sp: string;
  parameters: URLSearchParams;
}

/** Reads the request of the redirect binding. */
export function askedOf(away: Answer): Asked {
  const { location } = away;
  if (!location?.searchParams.has('SAMLRequest'))
    throw new Error(`It does not go to a SAML provider: ${location?.href ?? away.words}`);
  const request = inflateRawSync(
    Buffer.from(location.searchParams.get('SAMLRequest')!, 'base64'),
  ).toString();
  return { ...askedIn(request), ...from(location), parameters: location.searchParams };
}

function from(location: URL): { destination: string; relayState: string } {
  return {
    destination: location.origin + location.pathname,
    relayState: location.searchParams.get('RelayState') ?? '',
  };
}

/** What a request says. */
export function askedIn(request: string): { request: string; id: string; acs: string; sp: string } {
  const one = (pattern: RegExp): string => pattern.exec(request)?.[1] ?? '';
  return {
    request,
    id: one(/ ID="([^"]*)"/),
    acs: one(/AssertionConsumerServiceURL="([^"]*)"/),
    sp: one(/<saml:Issuer[^>]*>([^<]*)</),
  };
}

/** What the provider answers to it, unless a test says otherwise. */
export async function answerTo(
  asked: Asked,
  said: Partial<Said> = {},
  signing: Partial<Signing> = {},
): Promise<{ SAMLResponse: string; RelayState: string }> {
  const xml = await samlResponse(
    honest({ idp: idpEntityId, sp: asked.sp, acs: asked.acs, inResponseTo: asked.id, ...said }),
    { key: await keyOf('pinned'), ...signing },
  );
  return { SAMLResponse: base64(xml), RelayState: asked.relayState };
}

/**
 * Posts the form of the provider's page. It comes from another site, so that the browser sends none of
 * its cookies along; then the browser goes where it is sent.
 */
export async function deliver(
  server: TestServer,
  browser: Agent,
  asked: Asked,
  form: Record<string, string>,
): Promise<Answer> {
  const posted = await server.agent({ cookies: false }).post(asked.acs, {
    form,
    headers: { origin: new URL(idpSignOn).origin, 'sec-fetch-site': 'cross-site' },
  });
  return posted.location ? browser.follow(await browser.get(posted.location)) : posted;
}

/** From the address to what the person sees after their provider. */
export async function signInBySaml(
  server: TestServer,
  browser: Agent,
  client: GivenClient,
  email: string,
  said: Partial<Said> = {},
  signing: Partial<Signing> = {},
): Promise<Answer> {
  const asked = askedOf(await leave(browser, client, email));
  return deliver(server, browser, asked, await answerTo(asked, said, signing));
}

/** What a LogoutRequest of the provider says, unless a test says otherwise. */
export interface SaidLogout {
  id: string;
  issuer: string;
  destination: string;
  nameId: string;
  sessions: readonly string[];
  issued: Date;
  relayState: string | null;
  method: string;
  /** In the place of the request itself. */
  xml: string | null;
}

/** The address by which a provider signs somebody out here: a signed LogoutRequest, by redirect. */
export async function logoutUrl(
  connection: string,
  said: Partial<SaidLogout> = {},
  key?: OwnKey,
): Promise<URL> {
  const url = new URL(said.destination ?? connection);
  const {
    id = newSamlId(),
    issuer = idpEntityId,
    nameId = 'S-1-ann',
    sessions = ['s1'],
    issued = new Date(),
    relayState = 'from-idp',
    method = sha256.signature,
  } = said;
  const xml =
    said.xml ??
    `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${issued.toISOString()}" Destination="${url.href}"><saml:Issuer>${issuer}</saml:Issuer><saml:NameID>${nameId}</saml:NameID>${sessions.map((one) => `<samlp:SessionIndex>${one}</samlp:SessionIndex>`).join('')}</samlp:LogoutRequest>`;
  const signed = [
    ['SAMLRequest', deflateRawSync(xml).toString('base64')],
    ...(relayState === null ? [] : [['RelayState', relayState]]),
    ['SigAlg', method],
  ]
    .map(([name, value]) => `${name}=${encodeURIComponent(value!)}`)
    .join('&');
  const { privateKey } = key ?? (await keyOf('pinned'));
  const signature = createSign(method.endsWith('sha1') ? 'sha1' : 'sha256')
    .update(signed)
    .sign(privateKey, 'base64');
  return new URL(`${connection}?${signed}&Signature=${encodeURIComponent(signature)}`);
}
