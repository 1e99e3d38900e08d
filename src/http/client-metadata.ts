import { metadataProblems } from '#identity/applications/client-rules.ts';
import { Refusal } from '#identity/refusal.ts';
import type { EgressAllowance } from '#platform/egress.ts';

/** Who looks at the registration of an application. */
export interface Judges {
  egress: EgressAllowance;
  /** What the engine says about the metadata of a client, or null when it would take it. */
  clientProblem(id: string, name: string, metadata: Record<string, unknown>): string | null;
}

/**
 * The house rules first, then the engine, which knows the protocol.
 *
 * @throws {Refusal} `invalid_client`, with what is wrong
 */
export function requireGoodMetadata(
  { egress, clientProblem }: Judges,
  id: string,
  clientName: string,
  metadata: Record<string, unknown>,
): void {
  const problems = metadataProblems(metadata, egress);
  if (problems.length === 0) {
    const problem = clientProblem(id, clientName, metadata);
    if (problem) problems.push({ field: 'metadata', problem });
  }
  if (problems.length > 0) throw new Refusal('invalid_client', { problems });
}

/** What the engine would fill in for somebody else: a service that signs nobody in redirects nobody. */
export function filledIn(metadata: {
  grant_types?: string[] | undefined;
}): Record<string, unknown> {
  const service =
    metadata.grant_types !== undefined &&
    !metadata.grant_types.includes('authorization_code') &&
    !metadata.grant_types.includes('urn:ietf:params:oauth:grant-type:device_code');
  return service ? { redirect_uris: [], response_types: [], ...metadata } : { ...metadata };
}
