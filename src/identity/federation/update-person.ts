import { claims } from '../scim/authority.ts';
import { adoptUpstreamCountry } from '../users/entitlement.ts';
import type { Work } from '../work.ts';
import type { Admitted, Arrival } from './arrival.ts';
import { openConflict } from './conflicts.ts';
import type { KnownPerson, SignInFacts } from './facts.ts';
import { attributeIn, emailOf, profileChanges } from './profile.ts';

/** Names, country and address follow the provider, where the connection says so. */
export async function update(
  work: Work,
  arrival: Arrival,
  facts: SignInFacts,
  before: KnownPerson,
  said: Admitted,
): Promise<void> {
  const { connection } = arrival.attempt.realm;
  const changes = profileChanges(facts, before);
  const email = said.outcome === 'sign_in' ? emailOf(said, before) : 'keep';
  if (email === 'conflict') {
    work.record(
      'federation.email_conflict',
      { type: 'user', id: before.id },
      { connection: connection.id },
      connection.accountId,
    );
    await openConflict(work, {
      accountId: connection.accountId,
      connectionId: connection.id,
      reason: 'email_conflict',
      userId: before.id,
      email: facts.mapped.identifier!,
      traceId: arrival.attempt.id,
    });
  }
  if (changes.length > 0) {
    const columns = changes.map(([column], index) => `${column} = $${index + 4}`).join(', ');
    const names = changes.map(([column]) => attributeIn[column]);
    await work.query(
      `update users set ${columns}, attribute_sources = attribute_sources || $3::jsonb,
         updated_at = $2, version = version + 1
       where id = $1`,
      [
        before.id,
        work.now,
        claims(names, 'identity_provider', connection.id, work.now),
        ...changes.map(([, value]) => value),
      ],
    );
  }
  if (email === 'update') {
    await work.query(
      `update users set email = $2, email_display = $3, email_verified_at = $4, updated_at = $4,
         attribute_sources = attribute_sources || $5::jsonb, version = version + 1
       where id = $1`,
      [
        before.id,
        facts.mapped.identifier,
        facts.mapped.identifierDisplay,
        work.now,
        claims(['email'], 'identity_provider', connection.id, work.now),
      ],
    );
  }
  if (changes.length > 0 || email === 'update')
    work.record(
      'user.changed',
      { type: 'user', id: before.id },
      {
        by: 'connection',
        connection: connection.id,
        fields: [...changes.map(([column]) => column), ...(email === 'update' ? ['email'] : [])],
      },
      connection.accountId,
    );
  if (said.outcome === 'sign_in' && facts.mapped.country && connection.provisioning.syncProfile) {
    const [account] = await work.query<{ id: string; countries: string[] }>(
      'select id, countries from accounts where id = $1',
      [connection.accountId],
    );
    await adoptUpstreamCountry(work, account!, before.id, facts.mapped.country, { wins: false });
  }
}
