import { Migration } from '@mikro-orm/migrations';

/**
 * What happened on each way through a connection, and what came of it; links by which a company's IT
 * sets a connection up; assertions that were used, so that none is used twice.
 */
export class Migration20261122061000_traces extends Migration {
  override up(): void {
    // Kept for 30 days. `steps` holds what was said about people, and no secret.
    this.addSql(`
      create table federated_traces (
        id             uuid primary key,
        connection_id  uuid not null references connections on delete cascade,
        account_id     uuid not null references accounts,
        purpose        text not null check (purpose in ('sign_in', 'test')),
        outcome        text,
        user_id        uuid references users on delete cascade,
        steps          jsonb not null,
        began_at       timestamptz not null
      ) with (fillfactor = 70)`);
    this.addSql(`
      create index federated_traces_of_connection on federated_traces
      (connection_id, id desc)`);
    this.addSql('create index federated_traces_age on federated_traces (began_at)');
    this.addSql(`
      create index federated_traces_of_user on federated_traces (user_id)
      where user_id is not null`);

    this.addSql('alter table connections add column metadata_due_at timestamptz');
    this.addSql(`
      create index connections_metadata_due on connections (metadata_due_at)
      where metadata_due_at is not null and deleted_at is null`);

    this.addSql(`
      create table saml_assertions (
        connection_id  uuid not null references connections on delete cascade,
        assertion_id   text collate "C" not null,
        until          timestamptz not null,
        primary key (connection_id, assertion_id)
      )`);
    this.addSql('create index saml_assertions_age on saml_assertions (until)');

    this.addSql(`
      create table connection_setup_links (
        id             uuid primary key,
        connection_id  uuid not null references connections on delete cascade,
        account_id     uuid not null references accounts,
        secret_hash    text collate "C" not null unique,
        contact        text not null default '',
        may_activate   boolean not null default false,
        created_by     jsonb not null,
        created_at     timestamptz not null,
        expires_at     timestamptz not null,
        last_used_at   timestamptz,
        revoked_at     timestamptz
      )`);
    this.addSql(
      'create index connection_setup_links_of on connection_setup_links (connection_id, created_at)',
    );
  }
}
