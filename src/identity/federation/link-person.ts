import { newId } from '#platform/ids.ts';
import { tellChanged } from '../mail/credential-changed.ts';
import { toPerson } from '../mail/recipient.ts';
import { domainOf } from '../users/email.ts';
import { findPerson } from '../users/person.ts';
import { revokeAccess } from '../users/revoke.ts';
import type { Work } from '../work.ts';
import type { Admitted, Arrival } from './arrival.ts';
import type { SignInFacts } from './facts.ts';

/**
 * A person who was here before signs in through their company from now on. Whatever opened a door for
 * them until now is closed: a password, sessions, tokens, links; also those of somebody who
 * registered the address before its owner did (security.md 3.3, D-03, D-04).
 */
export async function adopt(
  work: Work,
  userId: string,
  { discard }: { discard: boolean },
): Promise<void> {
  await work.query(
    discard
      ? 'delete from passwords where user_id = $1 and $2::timestamptz is not null'
      : 'update passwords set disabled_at = $2 where user_id = $1 and disabled_at is null',
    [userId, work.now],
  );
  await revokeAccess(work, userId, { undoable: false });
  await work.query(
    `update users set identity = 'ready', email_verified_at = $2, updated_at = $2,
       version = version + 1
     where id = $1`,
    [userId, work.now],
  );
}

/** From now on (connection, issuer, subject) is this person. */
export async function link(
  work: Work,
  { attempt, assertion }: Arrival,
  { mapped, holder }: SignInFacts,
  userId: string,
  said: Admitted,
): Promise<void> {
  const { connection } = attempt.realm;
  const how = said.outcome === 'link' ? said.how : said.outcome;
  await work.query(
    `insert into federated_links (id, user_id, connection_id, issuer, subject, domain, external_id,
       how, linked_at, last_used_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [
      newId(work.now.getTime()),
      userId,
      connection.id,
      assertion.issuer,
      assertion.subject,
      domainOf(mapped.identifier!),
      mapped.externalId,
      how,
      work.now,
    ],
  );
  work.record(
    'identity.linked',
    { type: 'user', id: userId },
    { how, connection: connection.id, attempt: attempt.id },
    connection.accountId,
  );
  // Who had another way in is told that it is over.
  const person = holder?.hasPassword ? await findPerson(work, userId, work.now) : null;
  if (person?.email) tellChanged(work, toPerson(person), 'upstream_linked', { link: '/profile' });
}
