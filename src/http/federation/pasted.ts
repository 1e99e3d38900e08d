import { UpstreamProblem } from '#identity/federation/assertion.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import type { Pasted, PastedText } from '#identity/federation/simulate.ts';
import { Refusal } from '#identity/refusal.ts';
import type { OidcUpstream } from './oidc.ts';
import type { SamlUpstream } from './saml.ts';

/**
 * A SAMLResponse or an ID token that somebody pasted, for the simulator.
 *
 * @throws {Refusal} `invalid_value`, which says why it cannot be read, or would not be believed;
 *   `not_found` for a connection that speaks something else
 */
export async function readPasted(
  upstreams: { saml: Pick<SamlUpstream, 'read'>; oidc: Pick<OidcUpstream, 'read'> },
  realm: Realm,
  pasted: PastedText,
): Promise<Pasted> {
  const { kind } = realm.connection;
  const [field] = Object.keys(pasted) as ['samlResponse' | 'idToken'];
  if ((kind === 'saml') !== (field === 'samlResponse')) throw new Refusal('not_found');
  try {
    return 'samlResponse' in pasted
      ? { ...(await upstreams.saml.read(realm, pasted.samlResponse)), unverified: null }
      : await upstreams.oidc.read(realm, pasted.idToken.trim());
  } catch (error) {
    if (!(error instanceof UpstreamProblem)) throw error;
    throw new Refusal('invalid_value', { [field]: error.detail });
  }
}
