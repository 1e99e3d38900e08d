import { egress, EgressRefused, type EgressAllowance } from '#platform/egress.ts';
import type { IdpMetadata } from '#platform/saml/metadata.ts';
import { documentLimits } from '#platform/saml/raw-guard.ts';
import { SamlRefused } from '#platform/saml/refused.ts';
import type { SamlVerifier } from '#platform/saml/verifier.ts';
import { Refusal } from '../../refusal.ts';

export interface MetadataTools {
  egress: EgressAllowance;
  saml: SamlVerifier;
}

/**
 * Reads the metadata of a provider: pasted, or fetched by the one guarded way out. Never while a
 * transaction is open.
 *
 * @throws {Refusal} `invalid_value`, which says what is wrong with it
 */
export async function readProviderMetadata(
  { egress: allowance, saml }: MetadataTools,
  given: { xml?: string | undefined; url?: string | undefined },
): Promise<{ metadata: IdpMetadata; url: string | null }> {
  try {
    if (given.url === undefined)
      return { metadata: await saml.metadata(given.xml ?? ''), url: null };
    return { metadata: await saml.metadata(await fetched(allowance, given.url)), url: given.url };
  } catch (error) {
    if (error instanceof SamlRefused || error instanceof EgressRefused)
      throw new Refusal('invalid_value', {
        [given.url === undefined ? 'xml' : 'url']: error.message,
      });
    throw error;
  }
}

async function fetched(allowance: EgressAllowance, url: string): Promise<string> {
  let answer;
  try {
    answer = await egress(allowance).send(url, {
      timeoutMs: 5000,
      maxBytes: documentLimits.bytes,
      headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' },
    });
  } catch (error) {
    if (error instanceof EgressRefused) throw error;
    const { code } = error as { code?: string };
    throw new SamlRefused('malformed', `Nothing answers there (${code ?? 'failed'}).`);
  }
  if (answer.status !== 200)
    throw new SamlRefused('malformed', `It answers with status ${answer.status}.`);
  return answer.body.toString('utf8');
}
