import type { Context } from 'koa';
import { keyedHash, sameSecret } from '#platform/secrets.ts';
import type { UpstreamAssertion, UpstreamProblem } from '#identity/federation/assertion.ts';
import type { Attempt } from '#identity/federation/attempt.ts';
import { decideFederatedSignIn } from '#identity/federation/decide.ts';
import { readFederatedFacts } from '#identity/federation/facts.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import { testSucceeded } from '#identity/federation/test-sign-in.ts';
import type { FederationTrace } from '#identity/federation/trace.ts';
import type { Foundation } from '#identity/work.ts';
import { originOf, pageContext, sendPage } from '../context.ts';
import { federationTestPage } from '../pages/federation.ts';
import { mappedOf, type Way } from './way.ts';

export interface TestLinks {
  /** A link by which somebody tries the connection out, signing nobody in. Good for an hour. */
  make(connectionId: string): { url: string; expiresAt: Date };
  isGood(connectionId: string, presented: string): boolean;
}

export function testLinks({ vault, clock, issuer }: Foundation): TestLinks {
  const key = vault.derive('federation-test')[0]!;
  return {
    make(connectionId) {
      const expires = Math.floor(clock().getTime() / 1000) + 3600;
      const mac = keyedHash(key, `${connectionId}.${expires}`);
      return {
        url: `${issuer}/federation/${connectionId}/start?test=${expires}.${mac}`,
        expiresAt: new Date(expires * 1000),
      };
    },

    isGood(connectionId, presented) {
      const [expires = '', mac = ''] = presented.split('.');
      return (
        sameSecret(mac, keyedHash(key, `${connectionId}.${expires}`)) &&
        Number(expires) * 1000 > clock().getTime()
      );
    },
  };
}

/** What would happen, and nothing of it: nobody is made, linked or signed in. */
export async function finishTest(
  { foundation }: Way,
  ctx: Context,
  attempt: Attempt,
  assertion: UpstreamAssertion,
): Promise<void> {
  const { realm, trace } = attempt;
  const now = foundation.clock();
  const mapped = mappedOf(attempt, assertion);
  trace.append(now, 'mapped', { ...mapped });
  // As it would be once the connection is active.
  const connection = { ...realm.connection, state: 'active' as const };
  const facts = await readFederatedFacts(foundation.database, {
    realm: { ...realm, connection },
    assertion,
    mapped,
    now,
  });
  const said = decideFederatedSignIn(facts);
  trace.append(now, 'decided', { ...said });
  trace.outcome = said.outcome === 'refuse' ? said.reason : said.outcome;
  await testSucceeded(foundation, {
    realm,
    trace,
    ok: said.outcome !== 'refuse',
    origin: originOf(ctx),
  });
  showTest(ctx, realm, trace, { assertion, mapped: { ...mapped } });
}

export function showTest(
  ctx: Context,
  { connection }: Realm,
  trace: FederationTrace,
  {
    problem,
    assertion,
    mapped = {},
  }: {
    problem?: UpstreamProblem;
    assertion?: UpstreamAssertion;
    mapped?: Record<string, unknown>;
  },
): void {
  const last = trace.steps.at(-1)?.data ?? {};
  sendPage(
    ctx,
    200,
    federationTestPage({
      ...pageContext(ctx),
      connection: connection.name,
      ok: !problem && last['outcome'] !== 'refuse',
      outcome: trace.outcome ?? problem?.code ?? '',
      detail: problem?.detail,
      received: assertion?.claims ?? {},
      mapped,
      trace: trace.id,
    }),
  );
}
