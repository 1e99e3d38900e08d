import { createSign } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { OwnKey } from '#platform/saml/own-key.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { idpEntityId, idpSignOn } from '#test/support/saml-connection.ts';
import {
  base64,
  honest,
  keyOf,
  newSamlId,
  samlResponse,
  sha256,
  signElement,
  type Said,
  type Signing,
} from '#test/support/saml-idp.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenClient } from '#test/support/world.ts';
import { leave } from './support.ts';

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

/** A LogoutRequest, not signed yet. */
export function logoutXml({
  id = newSamlId(),
  issuer = idpEntityId,
  nameId = 'S-1-ann',
  sessions = ['s1'],
  issued = new Date(),
  destination = '',
}: Partial<SaidLogout>): string {
  return `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${issued.toISOString()}" Destination="${destination}"><saml:Issuer>${issuer}</saml:Issuer><saml:NameID>${nameId}</saml:NameID>${sessions.map((one) => `<samlp:SessionIndex>${one}</samlp:SessionIndex>`).join('')}</samlp:LogoutRequest>`;
}

/** The form by which a provider signs somebody out here: a LogoutRequest that is signed within. */
export async function logoutForm(
  destination: string,
  said: Partial<SaidLogout> = {},
  { key, algorithms = sha256 }: { key?: OwnKey; algorithms?: typeof sha256 } = {},
): Promise<{ SAMLRequest: string; RelayState: string }> {
  const id = said.id ?? newSamlId();
  const xml = logoutXml({ destination, ...said, id });
  const signed = signElement(xml, id, key ?? (await keyOf('pinned')), algorithms);
  return { SAMLRequest: base64(signed), RelayState: 'from-idp' };
}

/** The address by which a provider signs somebody out here: a signed LogoutRequest, by redirect. */
export async function logoutUrl(
  connection: string,
  said: Partial<SaidLogout> = {},
  key?: OwnKey,
): Promise<URL> {
  const url = new URL(said.destination ?? connection);
  const { relayState = 'from-idp', method = sha256.signature } = said;
  const xml = said.xml ?? logoutXml({ ...said, destination: url.href });
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
