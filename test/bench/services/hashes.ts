import { availableParallelism } from 'node:os';
import { passwordHasher } from '#platform/password-hash.ts';
import { serveParent } from '../service.ts';

/** Verifies passwords and does nothing else: no sign-in can be quicker on this machine. */

const hasher = passwordHasher();
const parallel = availableParallelism();
const stored = hasher.hash('a long enough sentence');

serveParent({
  async run({ seconds }: { seconds: number }) {
    const hash = await stored;
    const took: number[] = [];
    const began = performance.now();
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        let now = performance.now();
        do {
          if (!(await hasher.verify('a long enough sentence', hash))) throw new Error('Not it.');
          const then = now;
          now = performance.now();
          took.push(now - then);
        } while (now < began + seconds * 1000);
      }),
    );
    const elapsed = (performance.now() - began) / 1000;
    took.sort((a, b) => a - b);
    return {
      operations: took.length,
      seconds: elapsed,
      p50: took[Math.floor(took.length * 0.5)]!,
      p99: took[Math.floor(took.length * 0.99)]!,
      cpu: 0,
    };
  },
  sample: () => {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1000, statements: 0, rss: process.memoryUsage.rss() };
  },
});
