import { requireAccount } from '#identity/access/rights.ts';
import { lookAtBoth, type BothProofs } from '#identity/domains/transfer-domain.ts';
import { unitOfWork } from '#identity/work.ts';
import { domainIn } from './domain-views.ts';
import type { Preparing } from './operation.ts';

/** Before a transfer: what the proofs of both are now, where the caller may ask for it at all. */
export async function bothProofs({
  asking,
  context,
  params,
  tools,
}: Pick<
  Preparing<unknown, unknown>,
  'asking' | 'context' | 'params' | 'tools'
>): Promise<BothProofs> {
  const accountId = params['accountId']!;
  await unitOfWork(tools.foundation, context, (work) =>
    requireAccount(work, asking, 'domains:transfer', accountId),
  );
  return lookAtBoth(tools.foundation, tools.proofs, {
    claimantId: accountId,
    name: domainIn(params),
  });
}
