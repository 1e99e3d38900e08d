import type { Errors } from './forms.ts';
import { type ConsoleFrame } from './frame.ts';
import { type Signup, type StateShown } from './domains.ts';

/** What the page of a domain shows. */
export interface DomainPage extends ConsoleFrame {
  name: string;
  shown: string;
  state: StateShown;
  proof: 'dns' | 'https' | 'email' | 'operator' | null;
  record:
    | { type: 'TXT'; name: string; alternativeName: string; value: string }
    | { type: 'HTTPS'; url: string; value: string }
    | { type: 'MAIL'; mailboxes: readonly string[] }
    | null;
  /** What a look at the network found, where there was one just now. */
  findings:
    | readonly {
        method: 'dns' | 'https';
        outcome: 'found' | 'missing' | 'unknown';
        seen: readonly string[];
        answers: readonly { source: string; answer: string }[];
      }[]
    | null;
  failure?: string | undefined;
  /** What is wrong with what was typed, and that. */
  errors: Errors;
  typed: { message: string; reason: string };
  /** Whether what is below it is owned with it, or it with what is above. */
  below: 'in' | 'out' | 'along';
  signup: Signup;
  defaults: { roles: readonly string[]; groups: readonly string[]; country: string };
  roles: readonly (readonly [key: string, name: string])[];
  groups: readonly (readonly [id: string, name: string])[];
  countries: readonly (readonly [code: string, name: string])[];
  waiting: number;
  counts: Readonly<
    Record<
      | 'members'
      | 'unaffiliated'
      | 'waiting'
      | 'former'
      | 'elsewhere'
      | 'unverified'
      | 'invitedElsewhere',
      number
    >
  >;
  people: readonly { email: string; standing: string }[];
  claimedAt: Date | null;
  ownedAt: Date | null;
  checkedAt: Date | null;
  expiresAt: Date | null;
  actions: readonly string[];
  may: boolean;
  /** What operators alone may. */
  operator: { attest: boolean; transfer: 'announce' | 'decide' | null };
}
