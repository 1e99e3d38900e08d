import { isId } from '#platform/ids.ts';
import { decideApprovals, listApprovals } from '#identity/belonging/approvals.ts';
import { Refusal } from '#identity/refusal.ts';
import { listChoices } from '#identity/users/list-choices.ts';
import {
  approvalsPage,
  decidedPage,
  decidePage,
  type Decision,
} from '../../pages/console/approvals.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';

const atOnce = 50;

/** Who registered and waits to be let in: one decision for as many as are chosen (behaviour.md F04). */
export const approvals: Room = {
  menu: {
    path: '/approvals',
    title: 'people.approvals',
    section: 'people',
    right: 'approvals:decide',
    count: ({ waiting }) => waiting,
  },
  open(door) {
    door.get('/approvals', 'approvals:decide', async (visit) => {
      const cursor = visit.cursor('approvals');
      const rows = await listApprovals(visit.sql, visit.account.id, {
        after: cursor.after ?? null,
        limit: atOnce + 1,
      });
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
      visit.show(
        approvalsPage({
          ...visit.page,
          requests: items,
          nextCursor,
          later: cursor.after !== undefined,
        }),
      );
    });

    for (const decision of ['approve', 'reject'] as const) {
      const path = `/approvals/${decision}`;
      door.get(path, 'approvals:decide', (visit) => ask(visit, decision));
      door.post(path, 'approvals:decide', (visit) => decide(visit, decision), {
        repeated: ['ids', 'role', 'group'],
      });
    }
  },
};

/** Those of the queue that were chosen; who is no longer in it is told at the decision. */
async function chosen(visit: Visit) {
  const ids = visit.values('ids').filter(isId).slice(0, 200);
  if (ids.length === 0) return [];
  return listApprovals(visit.sql, visit.account.id, { after: null, limit: ids.length, ids });
}

async function ask(visit: Visit, decision: Decision, error: Refusal | null = null): Promise<void> {
  const people = await chosen(visit);
  if (people.length === 0)
    return visit.done('/approvals', visit.say('people.choose_people'), { tone: 'info' });
  visit.show(
    decidePage({
      ...visit.page,
      decision,
      people,
      choices: await listChoices(visit.sql, visit.account.id),
      entitledIn: visit.account.countries,
      values: {
        entitlementCountry: visit.value('entitlementCountry'),
        roles: visit.values('role'),
        groups: visit.values('group'),
        note: visit.value('note'),
        message: visit.value('message'),
      },
      error: error && visit.reason(error),
    }),
    error ? refusalStatus(error) : 200,
  );
}

async function decide(visit: Visit, decision: Decision): Promise<void> {
  const ids = visit.values('ids').filter(isId).slice(0, 200);
  if (ids.length === 0) return ask(visit, decision);
  try {
    const { items } = await visit.act((work, { account, asking }) =>
      decideApprovals(work, asking, account, {
        ids,
        decision,
        entitlementCountry: visit.value('entitlementCountry') || undefined,
        roles: visit.values('role'),
        groups: visit.values('group'),
        note: visit.value('note').slice(0, 500) || undefined,
        message: visit.value('message').slice(0, 500) || undefined,
      }),
    );
    const refused = items.filter(({ result }) => result === 'refused');
    const text = visit.say(
      decision === 'approve' ? 'people.approvals.approved' : 'people.approvals.rejected',
      { n: items.length - refused.length },
    );
    if (refused.length === 0) return visit.done('/approvals', text);
    visit.show(
      decidedPage({
        ...visit.page,
        text: refused.length < items.length ? text : null,
        refused: refused.map(({ email, code, decidedBy, decidedAt }) => ({
          email,
          reason: visit.reason(new Refusal(code ?? 'not_found')),
          decidedBy,
          decidedAt,
        })),
      }),
      409,
    );
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    await ask(visit, decision, error);
  }
}
