import { administratorNames } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { affiliate } from '../users/affiliate.ts';
import { findPerson } from '../users/person.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { openApproval } from './open-approval.ts';
import { enterDoor } from './door.ts';
import { defaultsOf, entitledIn, give } from './given.ts';

/**
 * Finds the place of a person who registered, once they have accepted the terms (behaviour.md U8 to
 * U10): with whoever owns their domain, at once or after an approval, or nowhere. Once, and only for
 * a registration: who is unaffiliated for another reason is not moved by new terms.
 */
export async function settleRegistration(work: Work, userId: string): Promise<void> {
  const [registration] = await work.query<{ id: string; client_id: string | null }>(
    'select id, client_id from registrations where user_id = $1 and settled_at is null',
    [userId],
  );
  if (!registration) return;
  const person = await findPerson(work, userId, work.now);
  if (!person?.email || person.outstandingTerms.length > 0) return;

  const before = await readFacts(work, person.email, null, work.now);
  await enterDoor(work, before.owner?.id ?? null, [person.email]);
  const [mine] = await work.query(
    'update registrations set settled_at = $2 where id = $1 and settled_at is null returning 1',
    [registration.id, work.now],
  );
  if (!mine) return;

  const facts = await readFacts(work, person.email, null, work.now);
  const said = verdict('settling', facts);
  if (said.outcome === 'await_approval')
    return openApproval(work, {
      userId,
      accountId: said.joins!,
      source: 'registration',
      clientId: registration.client_id,
    });
  let account: { id: string; name: string; countries: string[] } | undefined;
  if (said.outcome === 'add') {
    [account] = await work.query<{ id: string; name: string; countries: string[] }>(
      'select id, name, countries from accounts where id = $1',
      [said.joins],
    );
    const defaults = await defaultsOf(work, facts.email!, account!.id);
    await affiliate(work, userId, account!.id, 'auto_approved', {
      entitlementCountry: entitledIn(account!, null, person.country, defaults.entitlementCountry),
    });
    // The rule of the domain gives service roles alone: see `defaultsOf`.
    await give(
      work,
      { role: 'co_administrator', accountId: account!.id, userId: null },
      userId,
      account!.id,
      defaults,
    );
  }
  mail(work, toPerson(person), {
    kind: 'welcome',
    account: account?.name ?? null,
    administrators: await administratorNames(work, account?.id ?? null),
    signInLink: work.link('/'),
  });
}
