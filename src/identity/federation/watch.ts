import type { Sql } from '#platform/database/sql.ts';
import { unitOfWork, type Foundation } from '../work.ts';
import { Refusal } from '../refusal.ts';
import {
  connectionColumns,
  connectionOf,
  type Connection,
  type ConnectionRow,
} from './connection.ts';
import { tellAdministrators } from './health.ts';
import { sweepConflicts } from './conflicts.ts';
import { sweepTraces } from './kept-traces.ts';
import { importMetadata, noteMetadataProblem, noteTold, samlConnection } from './saml/manage.ts';
import { readProviderMetadata, type MetadataTools } from './saml/read-metadata.ts';
import { samlKeyKind } from './saml/own-keys.ts';
import { samlSettings } from './saml/settings.ts';
import { finishSetups } from './setup-progress.ts';

const day = 24 * 3600_000;
const hour = 3600_000;
const actor = { type: 'system', id: 'connection_watch' } as const;

/** So many days before something ends, its administrators are told (behaviour.md F29, M20). */
const notices = [30, 7, 1];

/**
 * What is to be seen to for connections: metadata is read again each day, administrators are told
 * what ends soon and which set-up is done, traces of long ago are removed. Several processes may do so at once.
 */
export async function watchConnections(
  foundation: Foundation,
  tools: MetadataTools,
): Promise<void> {
  await refreshMetadata(foundation, tools);
  await tellWhatEnds(foundation);
  await finishSetups(foundation);
  const now = foundation.clock();
  while ((await sweepTraces(foundation.database, now)) >= 1000);
  while ((await sweepConflicts(foundation.database, now)) >= 1000);
}

/** Reads metadata whose time has come. Returns how many were read. */
export async function refreshMetadata(
  foundation: Foundation,
  tools: MetadataTools,
): Promise<number> {
  const { database, clock } = foundation;
  const now = clock();
  // Whoever takes one keeps it for an hour: another process does not read it too.
  const due = await database.query<{ id: string }>(
    `update connections set metadata_due_at = $2 where id in (
       select id from connections where metadata_due_at <= $1 and deleted_at is null
         and state <> 'disabled'
       order by metadata_due_at limit 20 for update skip locked)
     returning id`,
    [now, new Date(now.getTime() + hour)],
  );
  for (const { id } of due) await refreshOne(foundation, tools, id);
  return due.length;
}

async function refreshOne(foundation: Foundation, tools: MetadataTools, id: string): Promise<void> {
  const before = await byId(foundation.database, id);
  const url = before && samlSettings(before).metadataUrl;
  if (!before || url === null) return;
  const read = await readProviderMetadata(tools, { url: url ?? undefined }).catch(
    (error: unknown) => {
      if (error instanceof Refusal) return error;
      throw error;
    },
  );
  await unitOfWork(foundation, { actor }, async (work) => {
    const connection = await samlConnection(work, before.accountId, id, { taken: true });
    if (samlSettings(connection).metadataUrl !== url) return;
    if (read instanceof Refusal) {
      const said = read.details['url'];
      await noteMetadataProblem(work, connection, typeof said === 'string' ? said : read.message);
      return;
    }
    if (connection.issuer !== null && connection.issuer !== read.metadata.entityId) {
      await noteMetadataProblem(
        work,
        connection,
        `It is the metadata of another provider by now: ${read.metadata.entityId}.`,
      );
      return;
    }
    await importMetadata(work, connection, read.metadata, { url: null, byHand: false });
  });
}

/** Tells administrators of secrets and certificates that end in 30, 7 or 1 days, once each. */
export async function tellWhatEnds(foundation: Foundation): Promise<void> {
  await tellOfSecrets(foundation);
  await tellOfCertificates(foundation);
}

async function tellOfSecrets(foundation: Foundation): Promise<void> {
  const now = foundation.clock();
  const ending = await foundation.database.query<{
    id: string;
    kind: string;
    expires_at: Date;
    told_at: Date | null;
    account_id: string;
    name: string;
  }>(
    `select s.id, s.kind, s.expires_at, s.told_at, c.account_id, c.name
     from connection_secrets s join connections c on c.id = s.connection_id
     where s.revoked_at is null and c.deleted_at is null and c.state in ('testing', 'active')
       and s.expires_at > $1 and s.expires_at <= $2
       and not exists (select from connection_secrets n where n.connection_id = s.connection_id
         and n.kind = s.kind and n.revoked_at is null
         and (n.expires_at is null or n.expires_at > $2))
     order by s.id limit 500`,
    [now, new Date(now.getTime() + notices[0]! * day)],
  );
  for (const { id, kind, expires_at: endsAt, told_at: toldAt, account_id, name } of ending) {
    const days = noticeDue(now, endsAt, toldAt);
    if (days === null) continue;
    await unitOfWork(foundation, { actor }, async (work) => {
      const taken = await work.query(
        `update connection_secrets set told_at = $2
         where id = $1 and told_at is not distinct from $3 returning 1`,
        [id, work.now, toldAt],
      );
      if (taken.length === 0) return;
      await tellAdministrators(work, account_id, {
        what: kind === samlKeyKind ? 'certificate' : 'client_secret',
        label: name,
        days,
        endsAt,
      });
    });
  }
}

/** Of the certificates that a provider signs with, the one that lasts longest matters. */
async function tellOfCertificates(foundation: Foundation): Promise<void> {
  const now = foundation.clock();
  const connections = await foundation.database.query<{ id: string; account_id: string }>(
    `select c.id, c.account_id from connections c
     where c.kind = 'saml' and c.deleted_at is null and c.state in ('testing', 'active')
       and (select max(k ->> 'notAfter') from jsonb_array_elements(
         coalesce(c.settings -> 'certificates', '[]')) k) between $1 and $2
     order by c.id limit 500`,
    [now.toISOString(), new Date(now.getTime() + notices[0]! * day).toISOString()],
  );
  for (const { id, account_id: accountId } of connections)
    await unitOfWork(foundation, { actor }, async (work) => {
      const connection = await samlConnection(work, accountId, id, { taken: true });
      const [last] = samlSettings(connection).certificates.toSorted((one, other) =>
        other.notAfter.localeCompare(one.notAfter),
      );
      if (!last) return;
      const endsAt = new Date(last.notAfter);
      const days = noticeDue(now, endsAt, last.toldAt === undefined ? null : new Date(last.toldAt));
      if (days === null) return;
      await noteTold(work, connection, last.fingerprint);
      await tellAdministrators(work, accountId, {
        what: 'certificate',
        label: connection.name,
        days,
        endsAt,
      });
    });
}

/** Whole days that are left, where one of the notices is due that was not given; null otherwise. */
export function noticeDue(now: Date, endsAt: Date, toldAt: Date | null): number | null {
  const left = endsAt.getTime() - now.getTime();
  if (left <= 0) return null;
  const notice = notices.findLast((days) => left <= days * day);
  if (notice === undefined) return null;
  const from = endsAt.getTime() - notice * day;
  if (toldAt !== null && toldAt.getTime() >= from) return null;
  return Math.max(1, Math.ceil(left / day));
}

async function byId(sql: Sql, id: string): Promise<Connection | null> {
  const [row] = await sql.query<ConnectionRow>(
    `select ${connectionColumns} from connections c where c.id = $1 and c.deleted_at is null`,
    [id],
  );
  return row ? connectionOf(row) : null;
}
