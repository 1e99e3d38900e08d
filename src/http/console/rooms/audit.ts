import { auditActions } from '#identity/audit/actions.ts';
import { verifyAudit } from '#identity/audit/chain.ts';
import { changesOf } from '#identity/audit/changes.ts';
import { findEvents, type AuditExport } from '#identity/audit/find-events.ts';
import { targetNames } from '#identity/audit/target-names.ts';
import type { Capability } from '#identity/access/rights.ts';
import { mentionOf } from '../../audit-fields.ts';
import { auditLines, auditTable } from '../../audit-file.ts';
import { sendFile } from '../../download.ts';
import { auditCheckPage, auditPage, type AuditPage } from '../../pages/console/audit.ts';
import type { MenuEntry, Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const atOnce = 50;
const day = 24 * 3600_000;

/** What happened in the account: who did what to whom, and what it changed. */
export const audit = auditRoom('/audit', 'audit:read', {
  title: 'rooms.audit',
  section: 'organization',
});

/** What happened anywhere, for operators. */
export const auditOfAll = auditRoom('/installation/audit', 'audit:read_all', {
  title: 'rooms.audit_all',
  section: 'installation',
  everywhere: true,
});

function auditRoom(
  path: string,
  right: Capability,
  menu: Pick<MenuEntry, 'title' | 'section' | 'everywhere'>,
): Room {
  const everywhere = menu.everywhere === true;
  const accountOf = (visit: Visit): string | null => (everywhere ? null : visit.account.id);
  return {
    menu: { ...menu, path, right },
    open(door) {
      door.get(path, right, async (visit) => {
        const { filter, typed, errors } = readFilter(visit);
        const cursor = visit.cursor([path, typed]);
        const rows =
          Object.keys(errors).length > 0
            ? []
            : await findEvents(visit.sql, {
                ...filter,
                accountId: accountOf(visit),
                before: cursor.after === undefined ? undefined : Number(cursor.after),
                limit: atOnce + 1,
              });
        const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
        const events = items.map(({ details, ...event }) => ({ ...event, ...changesOf(details) }));
        const names = await targetNames(
          visit.sql,
          accountOf(visit),
          events.flatMap((event) => [event.target, ...mentioned(event)]),
        );
        visit.show(
          auditPage({
            ...visit.page,
            title: visit.t(menu.title),
            path: `/console${path}`,
            events: events.map(({ target, ...event }) => ({
              ...event,
              target: target && { ...target, name: names.get(target.id) ?? null },
            })),
            names,
            filter: typed,
            errors,
            actions: auditActions,
            withoutSettings: filter.withoutSettings === true,
            nextCursor,
            later: cursor.after !== undefined,
          }),
          Object.keys(errors).length > 0 ? 422 : 200,
        );
      });

      for (const [ending, type, rows] of [
        ['csv', 'text/csv', auditTable],
        ['jsonl', 'application/jsonl', auditLines],
      ] as const)
        door.get(`${path}.${ending}`, right, async (visit) => {
          const { filter, typed } = readFilter(visit);
          const accountId = accountOf(visit);
          // Who took the log away is in the log.
          const target = { type: 'audit', id: accountId ?? 'installation' } as const;
          const named = Object.entries(typed).flatMap(([name, value]) => (value ? [name] : []));
          const write = (work: Parameters<Parameters<Visit['operate']>[0]>[0]): Promise<void> => {
            work.record('audit.exported', target, { filter: named }, accountId);
            return Promise.resolve();
          };
          await (everywhere ? visit.operate(write) : visit.act(write));
          const text = rows(visit.sql, { ...filter, accountId });
          sendFile(visit.ctx, { name: `audit.${ending}`, type, text });
        });

      door.get(`${path}/check`, right, async (visit) => {
        const accountId = accountOf(visit);
        const { vault } = visit.tools.foundation;
        const reports = await verifyAudit(visit.sql, vault, accountId);
        const names = await targetNames(
          visit.sql,
          accountId,
          reports.map((report) =>
            report.accountId === null ? null : { type: 'account', id: report.accountId },
          ),
        );
        visit.show(
          auditCheckPage({
            ...visit.page,
            back: { href: `/console${path}`, title: visit.t(menu.title) },
            chains: reports.map((report) => ({
              name:
                report.accountId === null
                  ? 'Ostiary'
                  : (names.get(report.accountId) ?? report.accountId),
              checked: report.checked,
              fault: report.fault,
            })),
          }),
        );
      });
    },
  };
}

/** Whom and what the details of a row name by their id: as many as are shown of each. */
function mentioned({
  changes,
  rest,
}: ReturnType<typeof changesOf>): { type: string; id: string }[] {
  return [
    ...rest,
    ...changes.flatMap(({ field, before, after }) => [
      [field, before] as const,
      [field, after] as const,
    ]),
  ].flatMap(([field, value]) => {
    const type = mentionOf(field);
    if (!type) return [];
    return [value]
      .flat()
      .slice(0, 20)
      .flatMap((id) => (typeof id === 'string' ? [{ type, id }] : []));
  });
}

/** The filter as it was typed, and as it is meant. The last day named is part of what is shown. */
function readFilter(visit: Visit): {
  filter: AuditExport;
  typed: AuditPage['filter'];
  errors: Typed['errors'];
} {
  const fields = new Typed(visit);
  const action = fields.optional('action') ?? undefined;
  if (action !== undefined && !/^[a-z_]+\.([a-z_]+|\*)$/.test(action))
    fields.wrong('action', visit.say('rooms.audit.action_wrong'));
  const since = fields.day('since') ?? undefined;
  const last = fields.day('until');
  const actor = fields.optional('actor', 320) ?? undefined;
  const target = fields.optional('target', 320) ?? undefined;
  return {
    filter: {
      accountId: null,
      actor,
      target,
      action,
      since,
      until: last ? new Date(last.getTime() + day) : undefined,
      withoutSettings: visit.asking.role === 'co_administrator',
      addressMark: visit.tools.addressMark,
    },
    typed: {
      actor: visit.value('actor'),
      target: visit.value('target'),
      action: visit.value('action'),
      since: visit.value('since'),
      until: visit.value('until'),
    },
    errors: fields.errors,
  };
}
