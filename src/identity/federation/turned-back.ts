import { unitOfWork, type Foundation, type Origin } from '../work.ts';
import type { UpstreamProblem } from './assertion.ts';
import type { Connection } from './connection.ts';
import { countFailure } from './health.ts';
import { saveTrace } from './kept-traces.ts';
import type { FederationTrace } from './trace.ts';

/**
 * Nothing came back that says who somebody is: the attempt is over, the reason is written down, and
 * where it is the provider that fails, it is counted.
 */
export async function upstreamFailed(
  foundation: Foundation,
  {
    connection,
    trace,
    problem,
    origin,
  }: {
    connection: Connection;
    trace: FederationTrace;
    problem: UpstreamProblem;
    origin: Origin;
  },
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    trace.append(work.now, 'decided', { outcome: problem.code, detail: problem.detail });
    trace.outcome = problem.code;
    await work.query(
      `update federated_attempts set finished_at = $2, received = null
       where id = $1 and finished_at is null`,
      [trace.id, work.now],
    );
    await saveTrace(work, trace);
    work.record(
      'federation.refused',
      { type: 'connection', id: connection.id },
      { reason: problem.code, detail: problem.detail, attempt: trace.id },
      connection.accountId,
    );
  });
  await countFailure(foundation, connection.id, problem, origin);
}

/** An answer that belongs to no attempt of this browser: written down, and nothing else done. */
export async function answerWithoutAttempt(
  foundation: Foundation,
  connectionId: string,
  origin: Origin,
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    const [connection] = await work.query<{ account_id: string }>(
      'select account_id from connections where id = $1',
      [connectionId],
    );
    if (connection)
      work.record(
        'federation.refused',
        { type: 'connection', id: connectionId },
        { reason: 'attempt_unknown' },
        connection.account_id,
      );
  });
}
