import type { Refused } from './refused.ts';

/** What stands in the way on this machine: no refusal of a rule, and no bug of ours. */
export interface Trouble extends Pick<Refused, 'code' | 'message'> {
  code: (typeof ours)[keyof typeof ours] | 'port_in_use' | 'address' | 'database' | 'file';
}

const ours = {
  FolderInUse: 'folder_in_use',
  FolderDamaged: 'folder_damaged',
  BadSettings: 'bad_settings',
  BackupProblem: 'backup_problem',
  WrongKey: 'wrong_key',
} as const;

/** Nobody is there, or nobody answers. */
const unreachable = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** PostgreSQL does not let us in, has no such database, is full, or is not up yet. */
const turnedAway = /^(28...|3D...|53300|57P03)$/;

/** Null for what is a bug, whose stack somebody has to see. */
export function troubleOf(error: unknown): Trouble | null {
  if (!(error instanceof Error)) return null;
  const { name, message } = error;
  if (name in ours) return { code: ours[name as keyof typeof ours], message };
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return { code: 'port_in_use', message: `The port is in use: ${message}. Set PORT.` };
  if (syscall === 'listen' || syscall === 'getaddrinfo')
    return { code: 'address', message: `${message}. Look at HOST, PORT and DATABASE_URL.` };
  if (unreachable.test(code) || turnedAway.test(code))
    return {
      code: 'database',
      message: `The database cannot be used: ${message || code}. Look at DATABASE_URL.`,
    };
  if (syscall !== undefined) return { code: 'file', message };
  return null;
}
