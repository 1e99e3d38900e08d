import { unaffiliate } from '../users/affiliate.ts';
import type { Person } from '../users/person.ts';
import type { Work } from '../work.ts';
import { pendingInvitationOf, revokeInvitation } from './invite.ts';

/**
 * An administrator removes somebody from their account (behaviour.md U14). Who was merely invited
 * leaves nothing, and is not locked for it.
 *
 * @throws {Refusal} `last_administrator`, `user_is_fulfillment_contact`
 */
export async function removeFromAccount(
  work: Work,
  accountId: string,
  person: Pick<Person, 'id' | 'affiliation'>,
): Promise<void> {
  if (person.affiliation === 'provisional') {
    const { id } = await pendingInvitationOf(work, accountId, person.id);
    return revokeInvitation(work, accountId, id);
  }
  return unaffiliate(work, person.id, accountId, 'administrator');
}
