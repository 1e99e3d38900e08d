import type { MessageKey } from '#messages/translate.ts';
import { isId, newId } from '#platform/ids.ts';
import { changeRoles } from '#identity/access/change-roles.ts';
import type { Capability } from '#identity/access/rights.ts';
import { resendInvitation, pendingInvitationOf } from '#identity/belonging/invite.ts';
import { removeFromAccount } from '#identity/belonging/remove.ts';
import { sendResetByAdministrator } from '#identity/credentials/administer-password.ts';
import { changeMembers } from '#identity/groups/membership.ts';
import { Refusal } from '#identity/refusal.ts';
import {
  lockableReasons,
  lockByAdministrator,
  unlockByAdministrator,
  type LockableReason,
} from '#identity/users/administer-locks.ts';
import { setEntitlementCountry } from '#identity/users/entitlement.ts';
import { userOfAccount, type UserRecord } from '#identity/users/find-users.ts';
import { listChoices, peopleOf } from '#identity/users/list-choices.ts';
import type { Person } from '#identity/users/person.ts';
import { removedPeople, restoreUser } from '#identity/users/restore.ts';
import { endEverySession } from '#identity/users/sessions.ts';
import type { Work } from '#identity/work.ts';
import {
  actionDonePage,
  actionPage,
  type ActionField,
  type Refused,
} from '../../pages/console/user-actions.ts';
import type { Asked, Room, Visit } from '../room.ts';
import { chosenIds, packIds } from '../selection.ts';

/** What was filled in beside the people it is for. */
interface Input {
  note: string;
  reason: LockableReason;
  give: string[];
  take: string[];
  into: string;
  outOf: string;
  country: string;
  pinned: boolean;
}

/** Something that is done to people, one or many: each for themselves, by the rule the API calls. */
interface UserAction {
  key: string;
  right: Capability;
  title: MessageKey;
  /** What will happen, a paragraph each. */
  what: readonly MessageKey[];
  done: MessageKey;
  field?: ActionField;
  danger?: boolean;
  /** For who was removed. */
  former?: boolean;
  /** The action that takes it back. */
  undo?: string;
  /** What is missing in what was filled in. */
  missing?(input: Input): MessageKey | null;
  run(work: Work, asked: Asked & { person: Person }, input: Input): Promise<unknown>;
}

/** More at once than this needs that one has just signed in (behaviour.md section 7, rule 4). */
const manyRemovals = 10;

const actions: readonly UserAction[] = [
  {
    key: 'lock',
    right: 'users:lock',
    title: 'people.do.lock',
    what: ['people.do.lock_what', 'people.do.lock_more'],
    done: 'people.do.lock_done',
    field: 'note',
    danger: true,
    undo: 'unlock',
    missing: ({ note }) => (note === '' ? 'people.do.note_missing' : null),
    run: (work, { account, asking, person }, { note, reason }) =>
      lockByAdministrator(work, asking, account, person, { note, reason }),
  },
  {
    key: 'unlock',
    right: 'users:unlock',
    title: 'people.do.unlock',
    what: ['people.do.unlock_what', 'people.do.unlock_more'],
    done: 'people.do.unlock_done',
    run: (work, { account, asking, person }) =>
      unlockByAdministrator(work, asking, account, person),
  },
  {
    key: 'reset',
    right: 'users:reset_password',
    title: 'people.do.reset',
    what: ['people.do.reset_what'],
    done: 'people.do.reset_done',
    run: (work, { person }) => sendResetByAdministrator(work, person),
  },
  {
    key: 'invite',
    right: 'users:add',
    title: 'people.do.invite',
    what: ['people.do.invite_what'],
    done: 'people.do.invite_done',
    async run(work, { account, asking, person }) {
      if (person.affiliation !== 'provisional') {
        if (person.identity !== 'invited') throw new Refusal('already_member');
        return sendResetByAdministrator(work, person);
      }
      const { id } = await pendingInvitationOf(work, account.id, person.id);
      return resendInvitation(work, asking, account, id);
    },
  },
  {
    key: 'sessions',
    right: 'users:end_sessions',
    title: 'people.do.sessions',
    what: ['people.do.sessions_what'],
    done: 'people.do.sessions_done',
    run: (work, { account, person }) => endEverySession(work, person.id, account.id),
  },
  {
    key: 'roles',
    right: 'users:roles',
    title: 'people.do.roles',
    what: ['people.do.roles_what'],
    done: 'people.do.roles_done',
    field: 'roles',
    missing: ({ give, take }) =>
      give.length + take.length === 0 ? 'people.do.roles_missing' : null,
    run: (work, { account, asking, person }, { give, take }) =>
      changeRoles(work, asking, person, account.id, { add: give, remove: take }),
  },
  {
    key: 'groups',
    right: 'groups:manage',
    title: 'people.do.groups',
    what: ['people.do.groups_what'],
    done: 'people.do.groups_done',
    field: 'groups',
    missing: ({ into, outOf }) => (into === outOf ? 'people.do.groups_missing' : null),
    async run(work, { account, person }, { into, outOf }) {
      if (outOf) await changeMembers(work, account.id, outOf, { remove: [person.id] });
      if (into) await changeMembers(work, account.id, into, { add: [person.id] });
    },
  },
  {
    key: 'country',
    right: 'users:entitlement',
    title: 'people.do.country',
    what: ['people.do.country_what'],
    done: 'people.do.country_done',
    field: 'country',
    run: (work, { account, person }, { country, pinned }) =>
      setEntitlementCountry(work, account, person.id, { country: country || null, pinned }),
  },
  {
    key: 'remove',
    right: 'users:remove',
    title: 'people.do.remove',
    what: ['people.do.remove_what', 'people.do.remove_lock', 'people.do.remove_undo'],
    done: 'people.do.remove_done',
    danger: true,
    undo: 'restore',
    run: (work, { account, person }) => removeFromAccount(work, account.id, person),
  },
  {
    key: 'restore',
    right: 'users:restore',
    title: 'people.do.restore',
    what: ['people.do.restore_what'],
    done: 'people.do.restore_done',
    former: true,
    run: (work, { account, asking, person }) => restoreUser(work, asking, account, person),
  },
];

/** What the visitor may do to members of the account. */
export function mayOf(visit: Visit): { key: string; title: MessageKey }[] {
  return actions.filter(({ right, former }) => !former && visit.may(right));
}

/** `/users/do/…`: what will happen and to whom, and then it does. */
export const userActions: Room = {
  open(door) {
    for (const action of actions) {
      const path = `/users/do/${action.key}`;
      door.get(path, action.right, (visit) => ask(visit, action));
      door.post(path, action.right, (visit) => carryOut(visit, action), {
        repeated: ['ids', 'give', 'take'],
      });
    }
  },
};

async function ask(
  visit: Visit,
  action: UserAction,
  problem: MessageKey | null = null,
): Promise<void> {
  const { account, value } = visit;
  const people = await chosenPeople(visit, action);
  if (people.length === 0)
    return visit.done(backOf(visit, []), visit.say('people.choose_people'), { tone: 'info' });
  const ids = people.map(({ id }) => id);
  if (action.key === 'remove' && ids.length > manyRemovals && !visit.asking.provedAnew)
    throw new Refusal('step_up_required');
  // What each would be refused is found out by doing it, and not keeping it.
  const refused: Refused[] = [];
  if (action.field === undefined || action.key === 'lock')
    for (const person of people) {
      const refusal = await visit.rehearse(
        person.id,
        (work, asked) => action.run(work, asked, { ...inputOf(visit), note: '-' }),
        { former: action.former ?? false },
      );
      if (refusal) refused.push({ person, reason: visit.reason(refusal) });
    }
  const only = await theOnly(visit, action, ids);
  visit.show(
    actionPage({
      ...visit.page,
      key: action.key,
      title: action.title,
      what: action.what,
      danger: action.danger ?? false,
      field: action.field,
      people,
      refused,
      sel: packIds(ids),
      from: value('from'),
      back: backOf(visit, ids),
      choices: await listChoices(visit.sql, account.id),
      held: action.key === 'roles' && only ? only.roles : null,
      locks: action.key === 'unlock' && only ? only.locks : [],
      countries: account.countries,
      reasons: visit.asking.role === 'operator' ? lockableReasons : [],
      input: inputOf(visit),
      problem,
    }),
    problem ? 422 : 200,
  );
}

async function carryOut(visit: Visit, action: UserAction): Promise<void> {
  const input = inputOf(visit);
  const missing = action.missing?.(input) ?? null;
  if (missing) return ask(visit, action, missing);
  const people = await chosenPeople(visit, action);
  if (people.length === 0)
    return visit.done(backOf(visit, []), visit.say('people.choose_people'), { tone: 'info' });
  if (action.key === 'remove' && people.length > manyRemovals && !visit.asking.provedAnew)
    throw new Refusal('step_up_required');
  const batchId = newId(visit.now.getTime());
  const refused: Refused[] = [];
  const changed: string[] = [];
  const undoable: string[] = [];
  for (const person of people)
    try {
      await visit.actOn(
        person.id,
        async (work, asked) => {
          await action.run(work, asked, input);
          // What was locked before, or merely invited, is not put back by taking this one back.
          if (asked.person.locks.length === 0 && asked.person.affiliation === 'member')
            undoable.push(person.id);
        },
        { batchId, former: action.former ?? false },
      );
      changed.push(person.id);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
      refused.push({ person, reason: visit.reason(error) });
    }
  const text = visit.say(action.done, { n: changed.length });
  const back = backOf(visit, action.key === 'remove' ? [] : changed);
  const undo =
    action.undo && undoable.length > 0
      ? {
          action: `/users/do/${action.undo}`,
          label: visit.say('people.undo'),
          fields: { sel: packIds([...new Set(undoable)]), from: visit.value('from') },
        }
      : undefined;
  if (refused.length === 0) return visit.done(back, text, undo && { undo });
  visit.show(
    actionDonePage({
      ...visit.page,
      title: action.title,
      text: changed.length > 0 ? text : null,
      refused,
      back,
    }),
    409,
  );
}

async function chosenPeople(visit: Visit, { former }: UserAction) {
  const ids = chosenIds(visit.values('ids'), visit.value('sel'));
  if (ids.length === 0) return [];
  return former
    ? removedPeople(visit.sql, visit.account.id, visit.now, { limit: ids.length, ids })
    : peopleOf(visit.sql, visit.account.id, ids);
}

/** The one person it is about, where the page shows what they are and have; null for several. */
async function theOnly(
  { sql, account, now }: Visit,
  { key }: UserAction,
  ids: readonly string[],
): Promise<UserRecord | null> {
  const [only] = ids;
  if ((key !== 'roles' && key !== 'unlock') || ids.length !== 1) return null;
  return userOfAccount(sql, account.id, only!, now);
}

/** To the page of the one person it was done to, or to their row in the list. */
function backOf(visit: Visit, ids: readonly string[]): string {
  const [only] = ids;
  if (visit.value('from') === 'user' && only !== undefined) return `/users/${only}`;
  return only === undefined ? '/users' : `/users#user-${only}`;
}

function inputOf({ value, values }: Visit): Input {
  const reason = value('reason');
  return {
    note: value('note').slice(0, 500),
    reason: lockableReasons.find((one) => one === reason) ?? 'admin',
    give: values('give'),
    take: values('take'),
    into: isId(value('into')) ? value('into') : '',
    outOf: isId(value('outOf')) ? value('outOf') : '',
    country: value('country'),
    pinned: value('pinned') === 'yes',
  };
}
