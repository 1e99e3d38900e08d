import type { PasswordHasher } from '#platform/password-hash.ts';
import type { Work } from '../work.ts';
import type { ScimCaller } from './caller.ts';

/** What a change of a directory's stands on: one unit of work, and who asks. */
export interface Directory {
  work: Work;
  caller: ScimCaller;
  hasher: PasswordHasher;
}
