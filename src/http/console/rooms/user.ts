import { findEvents } from '#identity/audit/find-events.ts';
import { rankOf } from '#identity/access/roles.ts';
import { Refusal } from '#identity/refusal.ts';
import { allowMail } from '#identity/mail/suppression.ts';
import { liftersOf, mayLift } from '#identity/users/administer-locks.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { listChoices } from '#identity/users/list-choices.ts';
import type { LockReason } from '#identity/users/locks.ts';
import { authoritiesOf } from '#identity/scim/authority.ts';
import { removedPeople } from '#identity/users/restore.ts';
import { endSession, sessionsOf } from '#identity/users/sessions.ts';
import { userDetails } from '#identity/users/user-details.ts';
import { removedPage } from '../../pages/console/removed-users.ts';
import { userPage } from '../../pages/console/user.ts';
import type { UserPage } from '../../pages/console/user-shown.ts';
import { deviceName } from '../../user-agent.ts';
import type { Room, Visit } from '../room.ts';
import { mayOf } from './user-actions.ts';

const atOnce = 50;

/** One person, with everything an administrator may know; and those who were removed lately. */
export const user: Room = {
  open(door) {
    door.get('/users/removed', 'users:restore', async (visit) => {
      const cursor = visit.cursor('removed');
      const rows = await removedPeople(visit.sql, visit.account.id, visit.now, {
        before: cursor.after,
        limit: atOnce + 1,
      });
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ position }) => position);
      visit.show(
        removedPage({
          ...visit.page,
          people: items,
          nextCursor,
          later: cursor.after !== undefined,
        }),
      );
    });

    door.get('/users/:userId', 'users:read', (visit) => show(visit));

    door.post('/users/:userId/allow-mail', 'users:edit', async (visit) => {
      const userId = visit.params['userId']!;
      await visit.actOn(userId, (work, { person }) => allowMail(work, person.email));
      visit.done(`/users/${userId}`, visit.say('people.mail.allowed'));
    });

    door.post('/users/:userId/sessions', 'users:end_sessions', async (visit) => {
      const id = visit.value('session');
      await visit.actOn(visit.params['userId']!, async (work, { person }) => {
        const open = await sessionsOf(work, person.id, work.now);
        const session = open.find((one) => one.id === id);
        if (!session) throw new Refusal('not_found');
        await endSession(work, session.id, 'administrator');
      });
      visit.done(`/users/${visit.params['userId']}#sessions`, visit.say('people.session_ended'));
    });
  },
};

async function show(visit: Visit): Promise<void> {
  const { sql, account, now, asking } = visit;
  const userId = visit.params['userId']!;
  const user = await userOfAccount(sql, account.id, userId, now);
  const [details, sessions, events, authorities, choices] = await Promise.all([
    userDetails(sql, account.id, userId),
    sessionsOf(sql, userId, now),
    findEvents(sql, {
      accountId: account.id,
      target: userId,
      limit: 15,
      withoutSettings: asking.role === 'co_administrator',
    }),
    authoritiesOf(sql, userId),
    listChoices(sql, account.id),
  ]);
  const reasons = new Set(user.locks.map(({ reason }) => reason));
  const beyond = rankOf(user.roles) > rankOf([asking.role]);
  visit.show(
    userPage({
      ...visit.page,
      user,
      details,
      authorities,
      locks: user.locks.map((lock) => ({
        ...lock,
        mine: !beyond && mayLift(asking.role, lock.reason),
        lifters: liftersShown(lock.reason),
      })),
      sessions: sessions.map((session) => ({
        ...session,
        device: deviceName(session.userAgent),
        own: session.id === visit.session,
      })),
      events,
      roles: choices.roles,
      actions: mayOf(visit).filter(
        ({ key }) =>
          (key !== 'unlock' || reasons.size > 0) &&
          (key !== 'lock' || !reasons.has('admin')) &&
          (key !== 'invite' || user.status === 'invited'),
      ),
      beyond,
      self: userId === visit.person.id,
      may: {
        sessions: visit.may('users:end_sessions') && !beyond,
        audit: visit.may('audit:read'),
        change: visit.may('users:edit') && !beyond,
      },
    }),
  );
}

/** Who ends a lock, as somebody reads it who cannot. */
function liftersShown(reason: LockReason): UserPage['locks'][number]['lifters'] {
  if (reason === 'directory') return 'directory';
  const lifters = liftersOf(reason);
  if (lifters.includes('co_administrator')) return 'administrators';
  return lifters.length > 0 ? 'operator' : 'itself';
}
