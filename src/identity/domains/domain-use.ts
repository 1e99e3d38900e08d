import type { Work } from '../work.ts';
import { Refusal } from '../refusal.ts';

/** Says what an account still uses a domain for, such as a connection that is active; null for nothing. */
export type DomainUse = (work: Work, accountId: string, name: string) => Promise<string | null>;

const uses = new Set<DomainUse>();

/** Whoever builds on a domain says so here, once, at the start: then it is not let go under them. */
export function usesDomains(use: DomainUse): () => void {
  uses.add(use);
  return () => uses.delete(use);
}

/** @throws {Refusal} `domain_in_use` */
export async function refuseWhileInUse(work: Work, accountId: string, name: string): Promise<void> {
  for (const use of uses) {
    const by = await use(work, accountId, name);
    if (by !== null) throw new Refusal('domain_in_use', { domain: name, by });
  }
}
