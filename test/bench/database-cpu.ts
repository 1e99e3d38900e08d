import { readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';

/** CPU milliseconds that each process of a database server has used, by process id. */
export type DatabaseCpu = Map<number, number>;

/**
 * Finds the processes of the PostgreSQL at `url`, when it runs on this machine, and gives back what
 * reads their CPU time. Null where it runs elsewhere.
 */
export async function databaseCpu(url: string): Promise<(() => DatabaseCpu) | null> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = rows[0]!.pid;
    const status = processStatus(backend);
    if (!status?.name.startsWith('postgres')) return null;
    const postmaster = status.parent;
    return () => {
      const used: DatabaseCpu = new Map();
      for (const entry of readdirSync('/proc')) {
        const pid = Number(entry);
        if (!Number.isInteger(pid)) continue;
        if (pid !== postmaster && processStatus(pid)?.parent !== postmaster) continue;
        const nanoseconds = Number(readOr(`/proc/${pid}/schedstat`, '0').split(' ')[0]);
        used.set(pid, nanoseconds / 1e6);
      }
      return used;
    };
  } finally {
    await client.end();
  }
}

/** What was used between two readings. */
export function cpuBetween(before: DatabaseCpu, after: DatabaseCpu): number {
  let sum = 0;
  for (const [pid, used] of after) sum += used - (before.get(pid) ?? 0);
  return sum;
}

function processStatus(pid: number): { name: string; parent: number } | null {
  const match = /^\d+ \((.*)\) \S (\d+) /.exec(readOr(`/proc/${pid}/stat`, ''));
  return match && { name: match[1]!, parent: Number(match[2]) };
}

/** A process may be gone by the time it is looked at; not every system has /proc. */
function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
