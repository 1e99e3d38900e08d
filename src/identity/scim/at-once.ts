import type { Sql } from '#platform/database/sql.ts';
import { isId } from '#platform/ids.ts';
import { workAtOnce, type Foundation, type Origin } from '../work.ts';
import type { Ahead } from './ahead.ts';
import { orNull } from './error.ts';
import type { Conditions } from './etag.ts';
import { contextOf, type Exchange } from './exchange.ts';
import { accountSchema } from './schema.ts';
import {
  changedBy,
  finished,
  inRecord,
  oneMore,
  saidOfPerson,
  setWords,
  wordsOf,
} from './user-change.ts';
import { lockedColumns, managerOf, ofAccount, userTables, type LockedUser } from './user-record.ts';
import type { Resource } from './value.ts';

/**
 * CHANGES AT ONCE. Most changes of a directory are words that stand in one row: a name to be shown, a
 * department. The person is read together with the token; what the change makes of them is written,
 * with its audit row, by one statement, **if they still are the version that was read**.
 *
 * It never says no. Whoever was changed meanwhile, whose row is taken, whatever is refused or is about
 * more than these words: null, nothing has happened, and `changeUser` does it with the row taken. So
 * nobody waits here, and a connection that others use never waits for a row.
 */
export async function changeAtOnce(
  { sql, foundation, exchange, origin }: AtOnce,
  id: string,
  change: (before: Resource) => Resource,
  conditions: Conditions,
): Promise<Resource | null> {
  const { caller } = exchange;
  if (exchange.rehearsal || !isId(id)) return null;
  const [row] = await sql.query<LockedUser>(personAsRead, [caller.accountId, id]);
  if (!row) return null;
  const changed = orNull(() => changedBy(change, row, conditions));
  if (!changed) return null;
  const { before, after, names } = changed;
  if (names.length === 0) return before;
  if (names.some((name) => notWords.has(name)) || managerOf(after) !== row.manager?.value)
    return null;
  if (row.source !== 'scim' || saidOfPerson(row, before, after).length > 0) return null;
  const manager = row.manager ?? null;
  let now: Date | undefined;
  const [written] = await workAtOnce(foundation, contextOf(exchange, origin()), (moment) => {
    now = moment;
    return {
      text: writeAtOnce,
      params: [...wordsOf(row, after, manager, caller.id, moment), row.version],
      audit: [
        {
          action: 'user.changed',
          target: { type: 'user', id: row.userId },
          details: inRecord(names),
          accountId: caller.accountId,
        },
      ],
    };
  });
  return written ? finished(after, row, manager, oneMore(row, now!)) : null;
}

export interface AtOnce {
  /** May know the person already, by `changeAhead`. */
  sql: Sql;
  foundation: Foundation;
  exchange: Exchange;
  origin: () => Origin;
}

const personAsRead = `select ${lockedColumns} from ${userTables}
  where ${ofAccount} and a.id = $2 and u.identity <> 'erased'`;

/** What `changeAtOnce` will ask. `$1` is the account. */
export function changeAhead(id: string): Ahead | null {
  return isId(id) ? { text: personAsRead, params: [null, id] } : null;
}

/** What more hangs on than a row. */
const notWords: ReadonlySet<string> = new Set([
  'userName',
  'active',
  'password',
  'emails',
  accountSchema,
]);

/**
 * Another version is anything else that is seen of the person. What decides whether a directory may
 * touch them at all is seen nowhere, and asked again.
 */
const writeAtOnce = `
  with place as (
    select a.id from ${userTables}
    where a.id = $1 and a.version = $8 and a.ended_at is null
      and not u.break_glass and u.identity <> 'erased' and u.source = 'scim'
      and not exists (
        select from role_assignments r where r.user_id = u.id and r.role = 'operator')
    for no key update of a skip locked)
  update affiliations t set ${setWords} from place where t.id = place.id returning t.id`;
