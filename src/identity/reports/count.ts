import type { Database } from '#platform/database/database.ts';

/** What belongs to no account, such as wrong passwords for names that nobody has. */
export const nowhere = '00000000-0000-0000-0000-000000000000';

/** All accounts and none, together: what an operator sees at once. */
export const everywhere = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** How long figures are kept, in days: a year, and the month to compare with. */
const kept = 400;

/** What a row of the log counts as, or null. A day is one of UTC. */
const figure = `
  case e.action
    when 'sign_in.succeeded' then 'signed_in.' || coalesce(e.details ->> 'method', 'password')
    when 'sign_in.refused' then 'refused'
    when 'sign_in.throttled' then 'throttled'
    when 'user.locked' then 'locked.' || coalesce(e.details ->> 'reason', 'admin')
    when 'user.unlocked' then 'unlocked'
    when 'user.affiliated' then 'joined.' || coalesce(e.details ->> 'reason', 'added')
    when 'user.moved' then case when e.details ? 'from' then 'joined.moved' else 'left' end
    when 'user.unaffiliated' then 'left'
    when 'user.registered' then 'registered'
    when 'user.erased' then 'erased'
    when 'approval.requested' then 'approval_requested'
    when 'approval.approved' then 'approved'
    when 'approval.rejected' then 'rejected'
    when 'invitation.sent' then 'invited'
  end`;

/** $1 after which position, $2 how many rows. Returns the position of the last row read. */
const countLog = `
  with part as materialized (
    select position, account_id, at, action, details from audit_events
    where position > $1 order by position limit $2
  ), seen as (
    select coalesce(e.account_id, '${nowhere}') as account_id,
      (e.at at time zone 'UTC')::date as day, ${figure} as figure
    from part e
  ), added as (
    insert into daily_figures as f (account_id, day, figure, count)
    select a.id, s.day, s.figure, count(*)
    from seen s cross join lateral (values (s.account_id), ('${everywhere}'::uuid)) a (id)
    where s.figure is not null
    group by a.id, s.day, s.figure
    order by a.id, s.day, s.figure
    on conflict (account_id, day, figure) do update set count = f.count + excluded.count
  )
  select max(position) as position, count(*)::int as rows from part`;

/** $1 how many. Returns how many were counted. */
const countWrong = `
  with part as (
    delete from wrong_passwords
    where id in (select id from wrong_passwords order by id limit $1)
    returning coalesce(account_id, '${nowhere}') as account_id,
      (at at time zone 'UTC')::date as day
  ), added as (
    insert into daily_figures as f (account_id, day, figure, count)
    select a.id, p.day, 'wrong_password', count(*)
    from part p cross join lateral (values (p.account_id), ('${everywhere}'::uuid)) a (id)
    group by a.id, p.day
    order by a.id, p.day
    on conflict (account_id, day, figure) do update set count = f.count + excluded.count
  )
  select count(*)::int as rows from part`;

/**
 * Counts what was written down and sealed since the last time, `batch` rows at most, each once: the
 * counters and how far was counted are one transaction. Returns whether there is more to do.
 */
export async function countEvents(database: Database, batch = 2000): Promise<boolean> {
  // Most of the time there is nothing: then no transaction is opened for it.
  const [waiting] = await database.query<{ any: boolean }>(
    `select exists (select from audit_events e where e.position >
        coalesce((select c.position from counting c where c.log = 'audit'), 0))
      or exists (select from wrong_passwords) as any`,
  );
  if (!waiting!.any) return false;
  return database.transaction(async (tx) => {
    await tx.query(
      `insert into counting (log, position) values ('audit', 0) on conflict do nothing`,
    );
    const [turn] = await tx.query<{ position: number }>(
      `select position from counting where log = 'audit' for update skip locked`,
    );
    if (!turn) return false;
    const [log] = await tx.query<{ position: number | null; rows: number }>(countLog, [
      turn.position,
      batch,
    ]);
    if (log!.position !== null)
      await tx.query(`update counting set position = $1 where log = 'audit'`, [log!.position]);
    const [wrong] = await tx.query<{ rows: number }>(countWrong, [batch]);
    return log!.rows === batch || wrong!.rows === batch;
  });
}

/** Forgets figures that no chart shows any more. */
export async function sweepFigures(database: Database, now: Date): Promise<void> {
  await database.query('delete from daily_figures where day < $1::date', [
    new Date(now.getTime() - kept * 24 * 3600_000),
  ]);
}
