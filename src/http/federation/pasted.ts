import { UpstreamProblem, type UpstreamAssertion } from '#identity/federation/assertion.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import { Refusal } from '#identity/refusal.ts';
import type { SamlUpstream } from './saml.ts';

/** What a pasted response says, and when it was said. */
export interface Pasted {
  assertion: UpstreamAssertion;
  issuedAt: Date;
}

/**
 * A SAMLResponse that somebody pasted, for the simulator.
 *
 * @throws {Refusal} `invalid_value`, which says why it would not be believed; `not_found` for a
 *   connection that speaks no SAML
 */
export async function readPasted(
  saml: Pick<SamlUpstream, 'read'>,
  realm: Realm,
  response: string,
): Promise<Pasted> {
  if (realm.connection.kind !== 'saml') throw new Refusal('not_found');
  try {
    return await saml.read(realm, response);
  } catch (error) {
    if (!(error instanceof UpstreamProblem)) throw error;
    throw new Refusal('invalid_value', { samlResponse: error.detail });
  }
}
