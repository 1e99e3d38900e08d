import { Migration } from '@mikro-orm/migrations';

/**
 * Files that add, change or remove many people at once (behaviour.md F18, section 9): a job, and a row
 * for each line of the file. A row is done in one transaction with what it does, so that nothing is
 * done twice, whoever works on it and however often it is killed.
 */
export class Migration20261122072100_bulk extends Migration {
  override up(): void {
    // `asking` and `actor`: with whose rights. Whether they still have them is looked at for each row.
    this.addSql(`
      create table bulk_jobs (
        id           uuid primary key,
        account_id   uuid not null references accounts,
        kind         text not null check (kind in ('add', 'update', 'delete')),
        state        text not null
                     check (state in ('checking', 'checked', 'running', 'done', 'cancelled')),
        options      jsonb not null,
        columns      text[] not null,
        total        integer not null,
        asking       jsonb not null,
        actor        jsonb not null,
        origin       jsonb not null default '{}',
        succeeded    integer,
        skipped      integer,
        failed       integer,
        created_at   timestamptz not null,
        checked_at   timestamptz,
        started_at   timestamptz,
        finished_at  timestamptz,
        rows_until   timestamptz not null,
        swept_at     timestamptz
      )`);
    this.addSql('create index bulk_jobs_of_account on bulk_jobs (account_id, id)');
    this.addSql(`
      create index bulk_jobs_open on bulk_jobs (created_at) where state in ('checking', 'running')`);
    this.addSql('create index bulk_jobs_to_sweep on bulk_jobs (rows_until) where swept_at is null');

    // `fixed`: the file alone says that nothing can come of it. `before`: what an undo puts back.
    this.addSql(`
      create table bulk_rows (
        job_id    uuid not null references bulk_jobs on delete cascade,
        row       integer not null,
        cells     jsonb not null,
        waiting   boolean not null default true,
        fixed     boolean not null default false,
        counted   boolean not null default false,
        result    text check (result in ('ok', 'skipped', 'error')),
        code      text,
        message   text,
        user_id   uuid,
        before    jsonb,
        attempts  integer not null default 0,
        primary key (job_id, row),
        check (waiting = (result is null))
      )`);
    this.addSql('create index bulk_rows_waiting on bulk_rows (job_id, row) where waiting');
    this.addSql('create index bulk_rows_of_user on bulk_rows (user_id) where user_id is not null');
  }
}
