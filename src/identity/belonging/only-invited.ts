import type { Work } from '../work.ts';

/**
 * A person whom somebody invited and nobody knows: shown in the account's list, and nothing else
 * (behaviour.md section 6, "provisional member"). They stand in nobody's way.
 */
export async function holdPlace(work: Work, userId: string, accountId: string): Promise<void> {
  await work.query(
    `update users set affiliation = 'provisional', account_id = $2, updated_at = $3
     where id = $1 and affiliation = 'none' and identity = 'invited'`,
    [userId, accountId, work.now],
  );
}

/**
 * Gives the place back when the invitation has ended without being accepted. Of a person of whom
 * nothing is left but what the inviter typed, nothing is kept; the address is free again.
 */
export async function givePlaceBack(work: Work, email: string, accountId: string): Promise<void> {
  const [held] = await work.query<{ id: string; identity: string }>(
    `update users set affiliation = 'none', account_id = null, updated_at = $3
     where email = $1 and account_id = $2 and affiliation = 'provisional'
     returning id, identity`,
    [email, accountId, work.now],
  );
  if (!held) return;
  await work.query('delete from role_assignments where user_id = $1 and account_id = $2', [
    held.id,
    accountId,
  ]);
  await work.query(
    `delete from group_members m using groups g
     where m.group_id = g.id and m.user_id = $1 and g.account_id = $2`,
    [held.id, accountId],
  );
  if (held.identity !== 'invited') return;
  const [next] = await work.query<{ account_id: string }>(
    `select account_id from invitations
     where email = $1 and state = 'pending' and expires_at > $2 order by created_at limit 1`,
    [email, work.now],
  );
  if (next) return holdPlace(work, held.id, next.account_id);
  await work.query(
    `delete from users u where u.id = $1
       and not exists (select from passwords p where p.user_id = u.id)
       and not exists (select from user_locks l where l.user_id = u.id and l.released_at is null)
       and not exists (select from affiliations a where a.user_id = u.id and not a.provisional)`,
    [held.id],
  );
}

/**
 * An invited person proved the mailbox by another way than the invitation: from now on they are
 * somebody, and nobody's. The invitation goes on waiting for their answer.
 */
export async function leavePlace(work: Work, userId: string): Promise<void> {
  await work.query(
    `delete from role_assignments r using users u
     where u.id = $1 and u.affiliation = 'provisional' and r.user_id = u.id
       and r.account_id = u.account_id`,
    [userId],
  );
  await work.query(
    `delete from group_members m using users u, groups g
     where u.id = $1 and u.affiliation = 'provisional' and m.user_id = u.id
       and g.id = m.group_id and g.account_id = u.account_id`,
    [userId],
  );
  await work.query(
    `update users set affiliation = 'none', account_id = null, communication_email = null
     where id = $1 and affiliation = 'provisional'`,
    [userId],
  );
}

export interface ProvedPerson {
  givenName: string;
  familyName: string;
  country: string | null;
  language: string | null;
  identity: 'invited' | 'ready';
  source: 'registration' | 'admin' | 'import' | 'scim';
}

/**
 * Takes over the record of somebody who was merely invited: what the inviter typed, and whatever else
 * they said about somebody who is not theirs, gives way to what is known now, by the owner of the
 * domain or the person.
 */
export async function takeOver(work: Work, userId: string, known: ProvedPerson): Promise<void> {
  await work.query(
    `update users set given_name = $2, family_name = $3, country = $4,
       language = coalesce($5, language), identity = $6, source = $7, affiliation = 'none',
       account_id = null, communication_email = null, communication_proved = null,
       phone = null, job_title = null,
       entitlement_country = null, entitlement_pinned = false, second_factor_required = false,
       second_factor_anew = false, attribute_sources = '{}', updated_at = $8,
       version = version + 1,
       email_verified_at = case when $6 = 'ready' then $8::timestamptz else email_verified_at end
     where id = $1`,
    [
      userId,
      known.givenName,
      known.familyName,
      known.country,
      known.language,
      known.identity,
      known.source,
      work.now,
    ],
  );
}
