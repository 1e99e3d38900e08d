import { decideErasure, openErasures, type ErasureRequest } from '#identity/users/erase.ts';
import { Refusal } from '#identity/refusal.ts';
import { decideErasurePage, erasuresPage } from '../../pages/console/erasures.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';

/** Who asked to be deleted, and waits for their administrators (behaviour.md F35). */
export const erasures: Room = {
  menu: {
    path: '/erasures',
    title: 'people.erasures',
    section: 'people',
    right: 'erasures:read',
  },
  open(door) {
    door.get('/erasures', 'erasures:read', async (visit) => {
      visit.show(
        erasuresPage({
          ...visit.page,
          requests: await openErasures(visit.sql, visit.account.id),
          may: visit.may('erasures:decide'),
        }),
      );
    });

    for (const decision of ['approve', 'refuse'] as const) {
      const path = `/erasures/:requestId/${decision}`;
      door.get(path, 'erasures:decide', (visit) => ask(visit, decision));
      door.post(path, 'erasures:decide', async (visit) => {
        try {
          await visit.act((work, { account }) =>
            decideErasure(
              work,
              account.id,
              visit.params['requestId']!,
              decision,
              visit.value('note').slice(0, 500) || null,
            ),
          );
        } catch (error) {
          if (!(error instanceof Refusal) || error.code === 'not_found') throw error;
          return ask(visit, decision, error);
        }
        visit.done(
          '/erasures',
          visit.say(
            decision === 'approve' ? 'people.erasure.approved' : 'people.erasure.was_refused',
          ),
        );
      });
    }
  },
};

async function ask(
  visit: Visit,
  decision: 'approve' | 'refuse',
  refusal: Refusal | null = null,
): Promise<void> {
  visit.show(
    decideErasurePage({
      ...visit.page,
      decision,
      request: await waiting(visit),
      note: visit.value('note'),
      error: refusal && visit.reason(refusal),
    }),
    refusal ? refusalStatus(refusal) : 200,
  );
}

async function waiting({ sql, account, params }: Visit): Promise<ErasureRequest> {
  const open = await openErasures(sql, account.id);
  const request = open.find(({ id, state }) => id === params['requestId'] && state === 'waiting');
  if (!request) throw new Refusal('not_found');
  return request;
}
