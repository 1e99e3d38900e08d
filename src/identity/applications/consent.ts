import type { Person } from '../users/person.ts';
import type { Work } from '../work.ts';

/** A person takes back what they allowed an application: all that it got by it ends at once. */
export async function withdrawConsent(work: Work, person: Person, clientId: string): Promise<void> {
  const withdrawn = await work.query(
    'delete from consents where user_id = $1 and client_id = $2 returning 1',
    [person.id, clientId],
  );
  if (withdrawn.length === 0) return;
  await work.query('delete from oidc_artifacts where user_id = $1 and client_id = $2', [
    person.id,
    clientId,
  ]);
  await work.query('delete from oidc_grants where user_id = $1 and client_id = $2', [
    person.id,
    clientId,
  ]);
  work.record(
    'consent.withdrawn',
    { type: 'user', id: person.id },
    { client: clientId },
    person.account?.id,
  );
}
