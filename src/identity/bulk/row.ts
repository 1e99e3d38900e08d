import type { Asking, PermittedAccount } from '../access/rights.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail } from '../users/email.ts';
import type { Work } from '../work.ts';
import type { BulkOptions, Cells } from './format.ts';
import type { RowResult } from './job.ts';

/** What a row came to. */
export interface Outcome {
  result: RowResult;
  code: string;
  message: string;
  userId: string | null;
  /** What the row put something else in the place of, by column: an undo puts it back. */
  before?: Cells;
}

export interface RowContext {
  asking: Asking;
  account: PermittedAccount;
  options: BulkOptions;
}

/**
 * Whom of the account an address means.
 *
 * @throws {Refusal} `invalid_email`, `user_not_found`
 */
export async function userByEmail(work: Work, accountId: string, typed: string): Promise<string> {
  const email = canonicalEmail(typed);
  if (email === null) throw new Refusal('invalid_email');
  const [user] = await work.query<{ id: string }>(
    'select id from users where account_id = $1 and email = $2',
    [accountId, email],
  );
  if (!user) throw new Refusal('user_not_found');
  return user.id;
}
