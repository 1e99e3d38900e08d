import { partOf, type Outgoing, type Work } from './work.ts';

/**
 * Runs one of several things that a unit of work does: where it fails, it alone is taken back, with
 * what it wrote down and sent, and the rest goes on.
 *
 * @throws what `command` throws
 */
export async function attempt<T>(work: Work, command: (work: Work) => Promise<T>): Promise<T> {
  const recorded: Parameters<Work['record']>[] = [];
  const sent: Outgoing[] = [];
  await work.query('savepoint attempt');
  let result: T;
  try {
    result = await command(
      partOf(work, {
        record: (...row) => void recorded.push(row),
        send: (outgoing) => void sent.push(outgoing),
      }),
    );
    await work.flush();
  } catch (error) {
    await work.query('rollback to savepoint attempt');
    await work.query('release savepoint attempt');
    throw error;
  }
  await work.query('release savepoint attempt');
  for (const row of recorded) work.record(...row);
  for (const outgoing of sent) work.send(outgoing);
  return result;
}
