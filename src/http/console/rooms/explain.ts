import type { MessageKey } from '#messages/translate.ts';
import { countConflict, takeAdd } from '#identity/belonging/limits.ts';
import { clientById } from '#identity/applications/manage-clients.ts';
import { Refusal, type RefusalCode } from '#identity/refusal.ts';
import { explain as explainAddress, type Explanation } from '#identity/verdict/explain.ts';
import type { Outcome } from '#identity/verdict/verdict.ts';
import { explainPage, type ExplainPage } from '../../pages/console/explain.ts';
import type { Room, Visit } from '../room.ts';

/** What would happen to an address at every door, and why: it saves a support call. */
export const explain: Room = {
  menu: {
    path: '/explain',
    title: 'rooms.explain',
    section: 'people',
    right: 'explain:read',
  },
  open(door) {
    door.get('/explain', 'explain:read', async (visit) => {
      const email = visit.value('email').slice(0, 320);
      const chosen = visit.value('client');
      const clients = await visit.sql.query<{ id: string; name: string }>(
        'select id, name from clients where disabled_at is null order by lower(name) limit 200',
      );
      const about = {
        ...visit.page,
        address: email,
        client: chosen,
        clients: clients.map(({ id, name }) => [id, name] as const),
      };
      if (email === '') return visit.show(explainPage({ ...about, said: null }));
      try {
        const said = await ask(visit, email, chosen || null);
        visit.show(explainPage({ ...about, said: shownOf(visit, said) }));
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'rate_limited') throw error;
        visit.show(explainPage({ ...about, said: null, error: visit.reason(error) }), 429);
      }
    });
  },
};

/**
 * It tells what adding would tell, so it counts like it (behaviour.md section 6).
 *
 * @throws {Refusal} `rate_limited`, `client_not_found`
 */
async function ask(visit: Visit, email: string, clientId: string | null): Promise<Explanation> {
  const { sql, account, asking, now } = visit;
  const operator = asking.role === 'operator';
  if (!operator) await takeAdd(sql, account.id, now);
  const said = await visit.act(async (work) => {
    const client = clientId === null ? null : await clientById(work, clientId);
    return explainAddress(work, email, {
      accountId: account.id,
      client: client && {
        name: client.name,
        policy: client,
      },
      everything: operator,
      now: work.now,
    });
  });
  const adding = said.doors.find(({ door }) => door === 'admin_add');
  if (!operator && adding?.code) await countConflict(sql, account.id, adding.code, now);
  return said;
}

function shownOf(
  visit: Visit,
  { email, domain, person, signIn, doors }: Explanation,
): NonNullable<ExplainPage['said']> {
  const alike = new Map<
    string,
    { doors: string[]; good: boolean; text: string; resolver: string }
  >();
  for (const { door, outcome, code, resolver } of doors) {
    const text =
      code === null ? visit.t(outcomes[outcome]) : visit.reason(new Refusal(code as RefusalCode));
    const good = code === null && outcome !== 'tell_holder' && outcome !== 'refuse';
    const key = JSON.stringify([text, good, resolver]);
    const known = alike.get(key);
    if (known) known.doors.push(door);
    else alike.set(key, { doors: [door], good, text, resolver });
  }
  return {
    email,
    standing: domain.standing,
    person: person && { ...person, here: person.accountId === visit.account.id },
    signIn,
    doors: [...alike.values()],
  };
}

const outcomes: Record<Outcome, MessageKey> = {
  create_member: 'rooms.outcome.create_member',
  create_provisional: 'rooms.outcome.invite',
  create_unaffiliated: 'rooms.outcome.create_unaffiliated',
  create_pending: 'rooms.outcome.create_pending',
  create_auto_approved: 'rooms.outcome.auto_approved',
  await_approval: 'rooms.outcome.await_approval',
  add: 'rooms.outcome.add',
  invite: 'rooms.outcome.invite',
  approve: 'rooms.outcome.add',
  accept: 'rooms.outcome.add',
  nothing: 'rooms.outcome.nothing',
  change_email: 'rooms.outcome.change_email',
  sign_in_here: 'rooms.outcome.ask_password',
  sign_in_upstream: 'rooms.outcome.upstream',
  tell_holder: 'rooms.outcome.tell_holder',
  refuse: 'rooms.outcome.refuse',
};
