import { newId } from '#platform/ids.ts';
import type { Work } from '../work.ts';
import type { Identity, Source } from './user.ts';

export interface NewUser {
  /** In canonical form; nobody has it yet. */
  email: string;
  emailDisplay: string;
  givenName: string;
  familyName: string;
  country: string | null;
  language?: string | null;
  identity: Identity;
  source: Source;
}

/**
 * A new person, of no account. Their address is theirs alone: a second one fails on the unique
 * index, whichever door it came through.
 */
export async function createUser(work: Work, user: NewUser): Promise<string> {
  const id = newId(work.now.getTime());
  await work.query(
    `insert into users (id, email, email_display, given_name, family_name, country, language,
       identity, source, email_verified_at, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`,
    [
      id,
      user.email,
      user.emailDisplay,
      user.givenName,
      user.familyName,
      user.country,
      user.language ?? null,
      user.identity,
      user.source,
      user.identity === 'ready' ? work.now : null,
      work.now,
    ],
  );
  work.record('user.added', { type: 'user', id }, { source: user.source });
  return id;
}
