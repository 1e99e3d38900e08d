import { isId } from '#platform/ids.ts';
import { closeConflict, listConflicts } from '#identity/federation/conflicts.ts';
import { Refusal } from '#identity/refusal.ts';
import { conflictsPage } from '../../pages/console/connection-conflicts.ts';
import type { Room, Visit } from '../room.ts';

const path = '/connections/conflicts';
const atOnce = 50;

/** People whom a company's provider names, and about whom an administrator has to decide. */
export const connectionConflicts: Room = {
  open(door) {
    door.get(path, 'connections:read', (visit) => show(visit));
    door.post(`${path}/:conflictId/close`, 'connections:manage', async (visit) => {
      await visit.act((work, { account }) =>
        closeConflict(work, account.id, visit.params['conflictId']!),
      );
      visit.done(path, visit.t('connection.conflict.closed'));
    });
  },
};

async function show(visit: Visit): Promise<void> {
  const cursor = visit.cursor(['conflicts']);
  if (cursor.after !== undefined && !isId(cursor.after)) throw new Refusal('invalid_cursor');
  const rows = await listConflicts(visit.sql, visit.account.id, {
    after: cursor.after ?? null,
    limit: atOnce + 1,
  });
  const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
  visit.show(
    conflictsPage({
      ...visit.page,
      conflicts: items,
      may: visit.may('connections:manage'),
      nextCursor,
      later: cursor.after !== undefined,
    }),
  );
}
