import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import type { Connection } from './connection.ts';

export interface LinkView {
  id: string;
  userId: string;
  email: string | null;
  subject: string;
  how: string;
  linkedAt: Date;
  lastUsedAt: Date;
}

/** Who is linked to whom there, the last used first. */
export function listLinks(
  sql: Sql,
  connectionId: string,
  {
    userId = null,
    linkId = null,
    after,
    limit,
  }: {
    /** Of this person, or this one alone. */
    userId?: string | null;
    linkId?: string | null;
    after: string | null;
    limit: number;
  },
): Promise<LinkView[]> {
  return sql.query<LinkView>(
    `select l.id, l.user_id as "userId", u.email_display as email, l.subject, l.how,
       l.linked_at as "linkedAt", l.last_used_at as "lastUsedAt"
     from federated_links l join users u on u.id = l.user_id
     where l.connection_id = $1 and l.unlinked_at is null and ($2::uuid is null or l.user_id = $2)
       and ($3::uuid is null or l.id > $3) and ($5::uuid is null or l.id = $5)
     order by l.id limit $4`,
    [connectionId, userId, after, limit, linkId],
  );
}

/**
 * Takes a link away, after a re-hire or a rebuilt directory: the next sign-in of the person links them
 * anew. The subject of before is nobody else's from then on.
 *
 * @throws {Refusal} `not_found`
 */
export async function unlink(
  work: Work,
  { id: connectionId, accountId }: Pick<Connection, 'id' | 'accountId'>,
  linkId: string,
): Promise<void> {
  const [link] = await work.query<{ user_id: string }>(
    `update federated_links set unlinked_at = $3, unlinked_by = $4
     where id = $1 and connection_id = $2 and unlinked_at is null returning user_id`,
    [linkId, connectionId, work.now, JSON.stringify(work.actor)],
  );
  if (!link) throw new Refusal('not_found');
  work.record(
    'identity.unlinked',
    { type: 'user', id: link.user_id },
    { connection: connectionId, link: linkId },
    accountId,
  );
}
