import { enterDoor, refusalOf } from '../belonging/door.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import { toPerson } from '../mail/recipient.ts';
import { protectAccount } from '../users/affiliate.ts';
import { canonicalEmail } from '../users/email.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import { claims } from './authority.ts';
import type { Directory } from './context.ts';
import { bad } from './error.ts';
import type { LockedUser } from './user-record.ts';

/**
 * A directory gives a person another address: within the domains of the account, and to nobody who
 * administers it, for with the address goes the way to a new password. Old links are dead; both
 * mailboxes are told.
 *
 * @returns the address as it is written
 * @throws {ScimError} 400 `mutability`
 * @throws {Refusal} what the verdict says, `last_administrator`
 */
export async function rename(
  { work, caller }: Directory,
  row: LockedUser,
  typed: string,
): Promise<string> {
  const email = canonicalEmail(typed)!;
  if (email !== row.email) {
    if (row.administrator) {
      await protectAccount(work, row.userId, caller.accountId, { contact: false });
      throw bad(
        'mutability',
        'userName: the address of an administrator is changed by themselves or by hand.',
        'administrator',
      );
    }
    await enterDoor(work, caller.accountId, [email]);
    // Who is merely invited has proved no address: what the directory typed, it may correct.
    const from = row.provisional ? {} : { from: row.email };
    const facts = await readFacts(work, email, caller.accountId, work.now, from);
    const said = verdict('scim_rename', facts);
    const foreign = facts.domain === 'free' || facts.domain === 'public';
    // Somebody who is merely invited is so under the one address or the other.
    const held =
      row.provisional && foreign && !facts.person && caller.domainPolicy === 'any_unowned';
    if (said.outcome === 'refuse' && !(held && said.code === 'domain_not_owned'))
      throw refusalOf(said, { email: typed, accountId: caller.accountId, userId: null });
  }
  await work.query(
    `update users set email = $2, email_display = $3, updated_at = $4, version = version + 1,
       attribute_sources = attribute_sources || $5::jsonb,
       email_verified_at = case when email = $2 or email_verified_at is null then email_verified_at
         else $4 end
     where id = $1`,
    [row.userId, email, typed, work.now, claims(['email'], 'directory', caller.id, work.now)],
  );
  if (email === row.email) return typed;
  if (row.provisional)
    await work.query(
      `update invitations set email = $3, email_display = $4
       where account_id = $1 and email = $2 and state = 'pending'`,
      [caller.accountId, row.email, email, typed],
    );
  await work.query('delete from one_time_tokens where user_id = $1 and used_at is null', [
    row.userId,
  ]);
  if (!row.provisional && row.identity === 'ready')
    for (const address of [row.userName, typed])
      tellChanged(work, toPerson({ ...row, id: row.userId, email: address }), 'email', {
        link: '/profile',
        origin: null,
      });
  return typed;
}
