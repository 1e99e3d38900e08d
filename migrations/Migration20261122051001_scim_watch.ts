import { Migration } from '@mikro-orm/migrations';

/**
 * What keeps an eye on directories: a record of what each sent and was answered, a brake on how many
 * people it may put out at once, and where each attribute of a person comes from.
 */
export class Migration20261122051001_scim_watch extends Migration {
  override up(): void {
    this.brake();
    this.recorder();
    this.addSql(`alter table users add column attribute_sources jsonb not null default '{}'`);
  }

  private brake(): void {
    this.addSql(`
      alter table scim_tokens
        add column brake_number   integer not null default 100 check (brake_number > 0),
        add column brake_share    integer not null default 25 check (brake_share between 1 and 100),
        add column brake_minutes  integer not null default 60 check (brake_minutes between 1 and 10080),
        add column held_at        timestamptz,
        add column held           jsonb,
        add column kept_at        timestamptz,
        add column counted_from   timestamptz,
        add column free_until     timestamptz,
        add column free_left      integer,
        add column refused_at     timestamptz,
        add column warned_days    smallint`);
    // Whom a directory put out, once each: they are counted over the window.
    this.addSql(`
      create table scim_departures (
        token_id  uuid not null references scim_tokens on delete cascade,
        user_id   uuid not null references users on delete cascade,
        at        timestamptz not null,
        primary key (token_id, user_id)
      )`);
    this.addSql('create index scim_departures_at on scim_departures (token_id, at)');
  }

  private recorder(): void {
    this.addSql(`
      create table scim_exchanges (
        id           uuid primary key,
        token_id     uuid not null references scim_tokens on delete cascade,
        account_id   uuid not null references accounts on delete cascade,
        at           timestamptz not null,
        duration_ms  integer not null,
        method       text not null,
        target       text not null,
        kind         text not null,
        label        text,
        status       integer not null,
        outcome      text not null
                     check (outcome in ('read', 'changed', 'nothing', 'refused', 'held', 'failed')),
        reason       text,
        detail       text,
        directory    text,
        dialect      text[] not null default '{}',
        subjects     text[] not null default '{}',
        changes      jsonb not null default '[]',
        request      jsonb,
        response     jsonb,
        sealed       text,
        dry_run      boolean not null default false,
        ip           text,
        user_agent   text
      )`);
    this.addSql('create index scim_exchanges_of_token on scim_exchanges (token_id, id)');
    this.addSql('create index scim_exchanges_of_account on scim_exchanges (account_id, id)');
    this.addSql('create index scim_exchanges_about on scim_exchanges using gin (subjects)');
    this.addSql('create index scim_exchanges_at on scim_exchanges (at)');
    // For what is said about a connection: the last of each outcome, without reading them all.
    this.addSql(`
      create index scim_exchanges_outcome on scim_exchanges (token_id, outcome, at)`);
  }
}
