import { Migration } from '@mikro-orm/migrations';

/**
 * How many people an account has stands in several rows, so that two who change it at once need not
 * wait for each other. Which row it was followed from the connection, and two connections could meet in
 * one: whoever created a single person then waited until a Bulk of a thousand was committed. Now it is
 * one that nobody holds, or another is made; there are as many as ever were needed at once.
 */
export class Migration20261122132000_counts_without_waiting extends Migration {
  override up(): void {
    this.addSql(`
      create or replace function affiliations_count() returns trigger language plpgsql as $$
      declare
        step integer := 0;
        account uuid;
        free smallint;
        counted text := current_setting('ostiary.counted_in', true);
      begin
        if tg_op <> 'DELETE' and new.ended_at is null then
          step := 1; account := new.account_id;
        end if;
        if tg_op <> 'INSERT' and old.ended_at is null then
          step := step - 1; account := old.account_id;
        end if;
        if step <> 0 then
          -- One that this transaction holds already is not looked for among its own versions again.
          if counted like account || ':%' then
            free := split_part(counted, ':', 2)::smallint;
          else
            select c.part into free from affiliation_counts c where c.account_id = account
            order by c.part for no key update skip locked limit 1;
            if free is not null then
              perform set_config('ostiary.counted_in', account || ':' || free, true);
            end if;
          end if;
          if free is null then
            insert into affiliation_counts as c (account_id, part, people)
            values (account, 16 + pg_backend_pid() % 32000, step)
            on conflict (account_id, part) do update set people = c.people + excluded.people;
          else
            update affiliation_counts c set people = c.people + step
            where c.account_id = account and c.part = free;
          end if;
        end if;
        -- Who has left leads nobody here.
        if step < 0 then
          update affiliations set manager_id = null, version = version + 1
          where account_id = account and manager_id = old.id and ended_at is null;
        end if;
        return null;
      end $$`);
  }
}
