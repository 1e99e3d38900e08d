import { unitOfWork, type Foundation, type Origin } from '../work.ts';
import type { Realm } from './home-realm.ts';
import { saveTrace } from './kept-traces.ts';
import type { FederationTrace } from './trace.ts';

/**
 * A test sign-in went through to the end: written down, with what it came to. Where the person would
 * get in, the connection counts as tested, until its settings change.
 */
export async function testSucceeded(
  foundation: Foundation,
  {
    realm: { connection },
    trace,
    ok,
    origin,
  }: { realm: Realm; trace: FederationTrace; ok: boolean; origin: Origin },
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    await work.query(
      'update federated_attempts set finished_at = $2, received = null where id = $1',
      [trace.id, work.now],
    );
    await saveTrace(work, trace);
    await work.query(
      `update connections set failures = 0, failing_since = null, last_success_at = $2,
         tested_at = case when $3 then $2 else tested_at end,
         tested_version = case when $3 then $4::int else tested_version end
       where id = $1`,
      [connection.id, work.now, ok, connection.version],
    );
    work.record(
      'connection.tested',
      { type: 'connection', id: connection.id },
      { ok, outcome: trace.outcome, attempt: trace.id },
      connection.accountId,
    );
  });
}
