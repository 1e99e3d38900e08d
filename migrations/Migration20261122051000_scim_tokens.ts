import { Migration } from '@mikro-orm/migrations';

/**
 * What a directory shows when it speaks SCIM to us: a token of one account, or a client of ours
 * that asks for tokens with scope `scim`. Either way one row, and all that is set or written down
 * about a directory hangs on it.
 */
export class Migration20261122051000_scim_tokens extends Migration {
  override up(): void {
    this.addSql(`
      create table scim_tokens (
        id              uuid primary key,
        account_id      uuid not null references accounts,
        name            text not null check (name <> ''),
        secret_hash     text collate "C" unique,
        client_id       text collate "C" references clients on delete cascade,
        users           boolean not null default true,
        groups          boolean not null default true,
        read_only       boolean not null default false,
        dry_run         boolean not null default false,
        domain_policy   text not null default 'owned'
                        check (domain_policy in ('owned', 'any_unowned')),
        classic_config  boolean not null default false,
        created_by      jsonb not null,
        created_at      timestamptz not null,
        expires_at      timestamptz,
        last_used_at    timestamptz,
        last_used_ip    text,
        revoked_at      timestamptz,
        check ((secret_hash is null) <> (client_id is null)),
        check ((secret_hash is null) = (expires_at is null)),
        check (users or groups)
      ) with (fillfactor = 80)`);
    this.addSql('create index scim_tokens_of_account on scim_tokens (account_id, id)');
    // An application writes into one account, or nobody could say whose people it changes.
    this.addSql(`
      create unique index scim_tokens_one_per_client on scim_tokens (client_id)
      where client_id is not null and revoked_at is null`);
    this.addSql(`
      create index scim_tokens_expiry on scim_tokens (expires_at) where revoked_at is null`);
  }
}
