import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';

/** There are more sign-ins than hashes can be computed for. Nothing was checked, nothing counted. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super('Too many sign-ins at this moment.');
    this.retryAfter = retryAfter;
  }
}

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** The same, for who has a place already. */
  hashReserved(password: string): Promise<string>;
  /** Whether the password is the one. `null` costs the same as any hash: nobody has that one. */
  verify(password: string, stored: string | null): Promise<boolean>;
  /** Whether a hash was made with weaker parameters than today's. */
  isOutdated(stored: string): boolean;
  /** Takes a place before anything is counted, so that a request that is shed costs nobody a try. */
  reserve(): Promise<() => void>;
}

const argon2id = 2;

/** What a hash costs: KiB of memory, and how often it is gone through. */
export interface HashCost {
  memory: number;
  passes: number;
}

/** Argon2id as OWASP's password storage cheat sheet has it: 19 MiB, two passes, one lane. */
const owasp: HashCost = { memory: 19_456, passes: 2 };

/**
 * Hashes at most as many passwords at once as there are cores, keeps a short queue, and beyond that
 * says no at once: an answer in time is worth more than a queue nobody reaches the end of.
 */
export function passwordHasher({
  parallel = availableParallelism(),
  queue = parallel * 16,
  cost: { memory, passes } = owasp,
}: { parallel?: number; queue?: number; cost?: HashCost } = {}): PasswordHasher {
  const parameters = {
    algorithm: argon2id,
    memoryCost: memory,
    timeCost: passes,
    parallelism: 1,
  };
  const prefix = `$argon2id$v=19$m=${memory},t=${passes},p=1$`;
  let admitted = 0;
  let computing = 0;
  const waiting: (() => void)[] = [];
  let decoy: Promise<string> | undefined;

  function reserve(): Promise<() => void> {
    if (admitted >= parallel + queue) return Promise.reject(new Overloaded(2));
    admitted += 1;
    let released = false;
    return Promise.resolve(() => {
      if (!released) admitted -= 1;
      released = true;
    });
  }

  /** A core is taken for the hash alone: who has a place reads and counts while others compute. */
  async function compute<T>(work: () => Promise<T>): Promise<T> {
    if (computing < parallel) computing += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else computing -= 1;
    }
  }

  return {
    reserve,
    async hash(password) {
      const done = await reserve();
      try {
        return await compute(() => hash(normalize(password), parameters));
      } finally {
        done();
      }
    },
    hashReserved: (password) => compute(() => hash(normalize(password), parameters)),
    async verify(password, stored) {
      decoy ??= hash('nobody has this password', parameters);
      const compared = stored ?? (await decoy);
      const matches = await compute(() => verify(compared, normalize(password)));
      return matches && stored !== null;
    },
    isOutdated: (stored) => !stored.startsWith(prefix),
  };
}

/** NFKC, so that the same password typed on two keyboards is one (NIST SP 800-63B, 3.1.1.2). */
function normalize(password: string): string {
  return password.normalize('NFKC');
}
