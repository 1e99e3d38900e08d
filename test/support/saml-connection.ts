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
import { keyOf } from './saml-idp.ts';
import type { World } from './world.ts';

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
    logoutBy = 'Redirect',
  }: {
    entityId?: string;
    redirect?: string | null;
    post?: string | null;
    logout?: string | null;
    logoutBy?: 'Redirect' | 'POST';
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
    : `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-${logoutBy}" Location="${logout}" ResponseLocation="${logout}/done"/>`
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
    logoutBy = 'Redirect',
    settings = {},
    ...input
  }: ConnectionInput & {
    state?: Connection['state'];
    redirect?: string | null;
    post?: string | null;
    logout?: string | null;
    logoutBy?: 'Redirect' | 'POST';
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
    const metadata = readMetadata(idpMetadata([theirs], { redirect, post, logout, logoutBy }));
    await importMetadata(work, made, metadata, { url: null, byHand: true });
    await work.query(
      'update connections set state = $2, settings = settings || $3::jsonb where id = $1',
      [made.id, state, JSON.stringify(settings)],
    );
    return requireConnection(work, account.id, made.id);
  });
}
