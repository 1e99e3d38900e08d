import type { World } from './world.ts';

/** Until so many statements wait for a row that another transaction holds. PostgreSQL tells. */
export async function untilWaiting(given: World, many: number): Promise<void> {
  for (;;) {
    const [row] = await given.rows<{ waiting: number }>(
      `select count(*)::int as waiting from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (row!.waiting === many) return;
  }
}
