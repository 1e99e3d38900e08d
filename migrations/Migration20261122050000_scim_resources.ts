import { Migration } from '@mikro-orm/migrations';

/** What stands where there is no name: behind every name, so that who has none comes last. */
const none = "U&'\\+10FFFF'";

/**
 * A person in an account is a SCIM User: its `id` is the affiliation's, so that it is never given
 * again, while the person's own id outlives every account (scim.md, verdict 6).
 *
 * What a directory asks for stands on this one row, in typed columns with an index each: a condition
 * over two tables at once would be answered by reading both from end to end. The database itself keeps
 * them true to the person's row, whichever door wrote that.
 */
export class Migration20261122050000_scim_resources extends Migration {
  override up(): void {
    this.folded();
    this.affiliations();
    this.emails();
    this.groups();
    this.following();
    this.counting();
    this.existing();
    this.trigrams();
  }

  /**
   * Text as it is compared where letter case means nothing: as JavaScript's
   * `normalize('NFKC').toLowerCase()`. What `lower` alone makes of a letter depends on the database.
   */
  private folded(): void {
    this.addSql(`
      do $$ begin
        if exists (select from pg_collation where collname = 'und-x-icu') then
          create function folded(value text) returns text language sql immutable strict parallel safe
            as 'select lower(normalize(value, NFKC) collate "und-x-icu") collate "C"';
        else
          create function folded(value text) returns text language sql immutable strict parallel safe
            as 'select lower(normalize(value, NFKC)) collate "C"';
        end if;
      end $$`);
  }

  private affiliations(): void {
    this.addSql(`
      alter table affiliations
        add column provisional      boolean not null default false,
        add column user_name        text not null default '',
        add column user_name_key    text collate "C" not null default '',
        add column given_name       text not null default '',
        add column family_name      text not null default '',
        add column family_name_key  text collate "C" not null default ${none},
        add column display_name     text,
        add column display_name_key text collate "C" not null default ${none},
        add column external_id      text collate "C",
        add column manager_id       uuid,
        add column active           boolean not null default true,
        add column attributes       jsonb not null default '{}',
        add column provisioned_by   uuid,
        add column modified_at      timestamptz,
        add column version          integer not null default 1`);
    for (const [name, columns] of [
      ['user_name', 'user_name_key'],
      ['external_id', 'external_id, id'],
      ['display_name', 'display_name_key, id'],
      ['family_name', 'family_name_key, id'],
      ['created', 'began_at, id'],
      ['modified', 'modified_at, id'],
    ])
      this.addSql(`
        create index affiliations_by_${name} on affiliations (account_id, ${columns})
        where ended_at is null`);
    this.addSql(`
      create index affiliations_by_manager on affiliations (account_id, manager_id)
      where ended_at is null and manager_id is not null`);
  }

  private emails(): void {
    // Each address a directory knows of a person, for its questions alone: nobody signs in by it.
    this.addSql(`
      create table affiliation_emails (
        affiliation_id  uuid not null references affiliations on delete cascade,
        account_id      uuid not null,
        ord             smallint not null,
        type            text,
        value           text not null,
        value_key       text collate "C" not null,
        display         text,
        is_primary      boolean,
        primary key (affiliation_id, ord)
      )`);
    this.addSql(`
      create index affiliation_emails_of_value on affiliation_emails (account_id, value_key)`);
  }

  private groups(): void {
    this.addSql(`alter table groups add column name_key text collate "C"`);
    this.addSql(`update groups set name_key = folded(name)`);
    this.addSql(`
      create function groups_fold() returns trigger language plpgsql as $$
      begin
        new.name_key := folded(new.name);
        return new;
      end $$`);
    this.addSql(`
      create trigger groups_fold before insert or update of name on groups
      for each row execute function groups_fold()`);
    this.addSql('create index groups_by_name on groups (account_id, name_key, id)');
    this.addSql('create index groups_by_external_id on groups (account_id, external_id, id)');
    this.addSql('create index groups_by_created on groups (account_id, created_at, id)');
    this.addSql('create index groups_by_modified on groups (account_id, updated_at, id)');
  }

  private following(): void {
    // A new affiliation takes over who the person is; the address stands for their e-mail at work.
    this.addSql(`
      create function affiliations_begin() returns trigger language plpgsql as $$
      begin
        select coalesce(u.email_display, ''), coalesce(u.email, ''), u.given_name, u.family_name,
               not exists (select from user_locks l where l.user_id = u.id
                 and l.reason = 'directory' and l.released_at is null)
          into new.user_name, new.user_name_key, new.given_name, new.family_name, new.active
        from users u where u.id = new.user_id;
        new.family_name_key := coalesce(folded(nullif(new.family_name, '')), ${none});
        new.modified_at := coalesce(new.modified_at, new.began_at);
        return new;
      end $$`);
    this.addSql(`
      create trigger affiliations_begin before insert on affiliations
      for each row execute function affiliations_begin()`);
    this.addSql(`
      create function affiliations_first_email() returns trigger language plpgsql as $$
      begin
        insert into affiliation_emails
          (affiliation_id, account_id, ord, type, value, value_key, is_primary)
        values (new.id, new.account_id, 0, 'work', new.user_name, new.user_name_key, true);
        return null;
      end $$`);
    this.addSql(`
      create trigger affiliations_first_email after insert on affiliations
      for each row when (new.ended_at is null) execute function affiliations_first_email()`);

    // Another name or address of the person, at whichever door, is another version of the resource.
    // Who is erased is erased here too, in every account they ever belonged to.
    this.addSql(`
      create function users_tell_affiliation() returns trigger language plpgsql as $$
      begin
        if new.email is null then
          update affiliations set user_name = '', user_name_key = '', given_name = '',
            family_name = '', family_name_key = ${none}, display_name = null,
            display_name_key = ${none}, external_id = null, manager_id = null, attributes = '{}'
          where user_id = new.id;
          delete from affiliation_emails e using affiliations a
          where a.id = e.affiliation_id and a.user_id = new.id;
          return null;
        end if;
        update affiliations set user_name = new.email_display, user_name_key = new.email,
          given_name = new.given_name, family_name = new.family_name,
          family_name_key = coalesce(folded(nullif(new.family_name, '')), ${none}),
          modified_at = date_trunc('milliseconds', new.updated_at), version = version + 1
        where user_id = new.id and ended_at is null;
        if new.email is distinct from old.email or new.email_display is distinct from old.email_display
        then
          update affiliation_emails e set value = new.email_display, value_key = new.email
          from affiliations a
          where a.id = e.affiliation_id and a.user_id = new.id and a.ended_at is null
            and e.value_key = old.email;
        end if;
        return null;
      end $$`);
    this.addSql(`
      create trigger users_tell_affiliation after update on users for each row when (
        (new.email, new.email_display, new.given_name, new.family_name, new.job_title, new.language,
         new.entitlement_country, new.source, new.email_verified_at)
        is distinct from
        (old.email, old.email_display, old.given_name, old.family_name, old.job_title, old.language,
         old.entitlement_country, old.source, old.email_verified_at))
      execute function users_tell_affiliation()`);

    // \`active\` says whether the directory's own lock is on; every lock makes another version.
    this.addSql(`
      create function locks_tell_affiliation() returns trigger language plpgsql as $$
      begin
        update affiliations a set version = version + 1,
          modified_at = date_trunc('milliseconds', greatest(new.set_at, new.released_at)),
          active = case when new.reason = 'directory' then new.released_at is not null else active end
        where a.user_id = new.user_id and a.ended_at is null;
        return null;
      end $$`);
    this.addSql(`
      create trigger locks_tell_affiliation after insert or update of released_at on user_locks
      for each row execute function locks_tell_affiliation()`);

    // A place that was only held ends with it; who joins where it was held keeps it.
    this.addSql(`
      create function users_leave_place() returns trigger language plpgsql as $$
      begin
        update affiliations set ended_at = new.updated_at, ended_by = 'superseded'
        where user_id = new.id and provisional and ended_at is null
          and account_id is distinct from new.account_id;
        return null;
      end $$`);
    this.addSql(`
      create trigger users_leave_place after update of affiliation, account_id on users for each row
      when (old.affiliation = 'provisional' and old.account_id is distinct from new.account_id)
      execute function users_leave_place()`);

    // Who comes or goes changes the group, at whichever door.
    this.addSql(`
      create function members_tell_groups() returns trigger language plpgsql as $$
      begin
        update groups g set version = g.version + 1,
          updated_at = greatest(g.updated_at, date_trunc('milliseconds', statement_timestamp()))
        from (select distinct group_id from changed) c where g.id = c.group_id;
        return null;
      end $$`);
    this.addSql(`
      create trigger members_added after insert on group_members
      referencing new table as changed for each statement execute function members_tell_groups()`);
    this.addSql(`
      create trigger members_removed after delete on group_members
      referencing old table as changed for each statement execute function members_tell_groups()`);
  }

  private counting(): void {
    // How many people an account has, so that a list need not count a million rows to say so. In
    // several rows, so that two who join at once do not wait for each other.
    this.addSql(`
      create table affiliation_counts (
        account_id  uuid not null references accounts on delete cascade,
        part        smallint not null,
        people      integer not null,
        primary key (account_id, part)
      ) with (fillfactor = 50)`);
    this.addSql(`
      create function affiliations_count() returns trigger language plpgsql as $$
      declare
        step integer := 0;
        account uuid;
      begin
        if tg_op <> 'DELETE' and new.ended_at is null then
          step := 1; account := new.account_id;
        end if;
        if tg_op <> 'INSERT' and old.ended_at is null then
          step := step - 1; account := old.account_id;
        end if;
        if step <> 0 then
          insert into affiliation_counts as c (account_id, part, people)
          values (account, pg_backend_pid() % 16, step)
          on conflict (account_id, part) do update set people = c.people + excluded.people;
        end if;
        -- Who has left leads nobody here.
        if step < 0 then
          update affiliations set manager_id = null, version = version + 1
          where account_id = account and manager_id = old.id and ended_at is null;
        end if;
        return null;
      end $$`);
    this.addSql(`
      create trigger affiliations_count after insert or delete or update of ended_at on affiliations
      for each row execute function affiliations_count()`);
  }

  private existing(): void {
    this.addSql(`
      update affiliations a set
        user_name = coalesce(u.email_display, ''), user_name_key = coalesce(u.email, ''),
        given_name = case when u.email is null then '' else u.given_name end,
        family_name = case when u.email is null then '' else u.family_name end,
        family_name_key = case when u.email is null then ${none}
          else coalesce(folded(nullif(u.family_name, '')), ${none}) end,
        began_at = date_trunc('milliseconds', a.began_at),
        modified_at = date_trunc('milliseconds', greatest(a.began_at, u.updated_at)),
        active = not exists (select from user_locks l where l.user_id = u.id
          and l.reason = 'directory' and l.released_at is null)
      from users u where u.id = a.user_id`);
    this.addSql(`alter table affiliations alter column modified_at set not null`);
    this.addSql(`
      insert into affiliation_counts (account_id, part, people)
      select account_id, 0, count(*) from affiliations where ended_at is null group by account_id`);
    this.addSql(`
      insert into affiliation_emails
        (affiliation_id, account_id, ord, type, value, value_key, is_primary)
      select id, account_id, 0, 'work', user_name, user_name_key, true
      from affiliations where ended_at is null`);
  }

  /** Where the extension may be had: a part of a name is found without reading every name. */
  private trigrams(): void {
    this.addSql(`
      do $$ begin
        if exists (select from pg_available_extensions where name = 'pg_trgm') then
          create extension if not exists pg_trgm;
          create index affiliations_parts_of_user_name on affiliations
            using gin (user_name_key gin_trgm_ops) where ended_at is null;
        end if;
      exception when insufficient_privilege then
        raise notice 'pg_trgm may not be installed by this role: parts of names are looked for slowly';
      end $$`);
  }
}
