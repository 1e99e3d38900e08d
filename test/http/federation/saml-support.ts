import { addSamlKey } from '#identity/federation/saml/own-keys.ts';
import { newId } from '#platform/ids.ts';
import { certificateBody, type OwnKey } from '#platform/saml/own-key.ts';
import { keyOf } from '#test/support/saml-idp.ts';
import type { World } from '#test/support/world.ts';

export const idpEntityId = 'https://idp.acme.example/saml';
export const idpSignOn = 'https://idp.acme.example/saml/sso';

/** Metadata as a provider publishes it. */
export function idpMetadata(
  keys: readonly Pick<OwnKey, 'certificate'>[],
  {
    entityId = idpEntityId,
    redirect = idpSignOn,
    post = null,
  }: { entityId?: string; redirect?: string | null; post?: string | null } = {},
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
<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
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
