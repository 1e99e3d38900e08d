import type { Sql } from '#platform/database/sql.ts';
import { accessDecision } from '../access/access-decision.ts';
import type { Federation } from '../federation/standing.ts';
import { personJson, type Person } from '../users/person.ts';
import type { Method } from './assurance.ts';

/**
 * What a person has proved so far in one sign-in, while more is asked of them. It is kept with the
 * sign-in, hence for one browser, and is worth nothing elsewhere.
 */
export interface PartialProof {
  userId: string;
  methods: Method[];
  /** When the first of it was shown, in milliseconds since 1970. */
  at: number;
  /** How often they had been put out when what they showed was read; unknown where a session shows it. */
  putOut?: number;
  /**
   * When they signed in, in seconds since 1970, where they add a second factor to a session they had:
   * a code alone makes nothing fresh. Null where they sign in anew.
   */
  signedInAt: number | null;
  /** What a finished sign-in needs: the trusted device it came from, and whether it is to be kept. */
  deviceId: string | null;
  remember: boolean;
  /** They came in past their company's identity provider. */
  breakGlass?: boolean;
  /** Their company's provider proved them before: what it said, and what the session stands on. */
  upstream?: { amr: string[]; authTime: number | null; federation: Federation };
}

const life = 15 * 60_000;

/**
 * Whose it is, as they are now, while it is good: for a quarter of an hour, and not beyond a new
 * password, nor beyond the moment at which they were put out. Who is locked is still known, to be told so.
 */
export async function personOfProof(
  sql: Sql,
  proof: PartialProof,
  now: Date,
): Promise<Person | null> {
  if (now.getTime() - proof.at > life) return null;
  const [row] = await sql.query<{ person: Person | null; outdated: boolean }>(
    `select ${personJson('$1::uuid', '$2::timestamptz')} as person,
            exists (select from passwords where user_id = $1 and set_at > $3) as outdated`,
    [proof.userId, now, new Date(proof.at)],
  );
  if (!row?.person || row.outdated) return null;
  const { person } = row;
  const isPutOut = proof.putOut !== undefined && proof.putOut !== person.putOut;
  return isPutOut && accessDecision(person, null).access !== 'deny' ? null : person;
}
