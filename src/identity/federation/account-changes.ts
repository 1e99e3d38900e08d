import type { Work } from '../work.ts';
import { disableConnection } from './lifecycle.ts';

/** An account no longer owns a domain: nothing leads to its connection from there. */
export async function unbindDomain(work: Work, accountId: string, domain: string): Promise<void> {
  const unbound = await work.query<{ connection_id: string }>(
    `delete from connection_domains b using connections c
     where b.domain = $1 and c.id = b.connection_id and c.account_id = $2
     returning b.connection_id`,
    [domain, accountId],
  );
  for (const { connection_id: id } of unbound)
    work.record('connection.changed', { type: 'connection', id }, { unbound: domain }, accountId);
}

/** What an account uses a domain for, so that it is not let go under its people. */
export async function connectionUse(
  work: Work,
  accountId: string,
  domain: string,
): Promise<string | null> {
  const [used] = await work.query<{ name: string }>(
    `select c.name from connection_domains b join connections c on c.id = b.connection_id
     where b.domain = $1 and c.account_id = $2 and c.state = 'active' and c.deleted_at is null`,
    [domain, accountId],
  );
  return used ? `the connection ${used.name}` : null;
}

/** Two accounts become one: its connections, and who is linked by them, go along with its domains. */
export async function moveConnections(work: Work, fromId: string, toId: string): Promise<void> {
  await work.query(
    `update connections set account_id = $2, updated_at = $3, version = version + 1
     where account_id = $1 and deleted_at is null`,
    [fromId, toId, work.now],
  );
  await work.query(
    'update federation_conflicts set closed_at = $2 where account_id = $1 and closed_at is null',
    [fromId, work.now],
  );
  await work.query('update federated_traces set account_id = $2 where account_id = $1', [
    fromId,
    toId,
  ]);
}

/** An account ends: nobody is sent to its providers any more. */
export async function disableConnections(
  work: Work,
  accountId: string,
  reason: string,
): Promise<void> {
  const alive = await work.query<{ id: string }>(
    `select id from connections
     where account_id = $1 and state <> 'disabled' and deleted_at is null order by id`,
    [accountId],
  );
  for (const { id } of alive) await disableConnection(work, accountId, id, reason);
}
