import { Migration } from '@mikro-orm/migrations';

/**
 * The list of people stays quick at a million: each order has an index to walk along, each rare state
 * one that holds only those in it, and any part of a name or an address is found by its triples of
 * letters. Without `pg_trgm`, which not every PostgreSQL has; and in a table of its own, so that a
 * sign-in, which touches the person, does not write them all again.
 */
export class Migration20261122072000_find_users extends Migration {
  override up(): void {
    this.addSql(`
      create function text_triples(text) returns text[] language sql immutable parallel safe as $$
        select array(select distinct substr($1, i, 3) from generate_series(1, length($1) - 2) i)
      $$`);
    // Where words begin, for who has typed one letter or two.
    this.addSql(`
      create function word_starts(text) returns text[] language sql immutable parallel safe as $$
        select array(
          select distinct '^' || left(word, n)
          from regexp_split_to_table($1, '[[:space:][:punct:]]+') word, generate_series(1, 2) n
          where length(word) >= n)
      $$`);
    // The account stands among the triples: one index finds both at once.
    this.addSql(`
      create table user_search (
        user_id  uuid primary key references users on delete cascade,
        words    text not null,
        triples  text[] not null
      )`);
    this.addSql(`
      create function keep_user_search() returns trigger language plpgsql as $$
      declare
        found_by text := lower(new.email || ' ' || new.given_name || ' ' || new.family_name);
      begin
        if tg_op = 'UPDATE'
           and (old.email, old.given_name, old.family_name, old.account_id)
             is not distinct from (new.email, new.given_name, new.family_name, new.account_id) then
          return null;
        end if;
        if found_by is null then
          delete from user_search where user_id = new.id;
          return null;
        end if;
        insert into user_search (user_id, words, triples)
        values (new.id, found_by, text_triples(found_by) || word_starts(found_by)
          || coalesce(new.account_id::text, ''))
        on conflict (user_id) do update set words = excluded.words, triples = excluded.triples;
        return null;
      end $$`);
    this.addSql(`
      create trigger users_search
      after insert or update of email, given_name, family_name, account_id on users
      for each row execute function keep_user_search()`);
    this.addSql(`
      insert into user_search (user_id, words, triples)
      select u.id, t.words, text_triples(t.words) || word_starts(t.words)
        || coalesce(u.account_id::text, '')
      from users u
      cross join lateral (select lower(u.email || ' ' || u.given_name || ' ' || u.family_name)) t (words)
      where u.email is not null`);
    this.addSql('create index user_search_triples on user_search using gin (triples)');

    this.addSql(`
      create index users_by_email on users (account_id, email) where account_id is not null`);
    this.addSql(`
      create index users_by_name on users (account_id, lower(family_name), lower(given_name), id)
      where account_id is not null`);
    this.addSql(`
      create index users_by_last_login on users
      (account_id, coalesce(last_login_at, '-infinity'::timestamptz), id)
      where account_id is not null`);
    this.addSql(`
      create index users_by_domain on users (split_part(email, '@', 2), account_id, id)
      where email is not null`);
    this.addSql(`
      create index users_not_ready on users (account_id, id)
      where identity <> 'ready' or affiliation = 'provisional'`);
    this.addSql(`
      create index users_without_country on users (account_id, id)
      where entitlement_country is null and account_id is not null`);
    this.addSql(`
      create index user_locks_open on user_locks (reason, user_id) where released_at is null`);
  }
}
