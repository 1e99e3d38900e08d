import { Migration } from '@mikro-orm/migrations';

/**
 * Somebody came by their company's provider and does not fit who is known: what an administrator has to
 * decide about, at the account whose connection it was, and at the one whose person it is. One that is
 * open for an account, a reason and an address; it is counted up, and not written twice.
 */
export class Migration20261122132210_federation_conflicts extends Migration {
  override up(): void {
    this.addSql(`
      create table federation_conflicts (
        id            uuid primary key,
        account_id    uuid not null references accounts on delete cascade,
        connection_id uuid references connections on delete cascade,
        reason        text not null check (reason in ('user_in_other_account', 'member_elsewhere',
                        'identity_conflict', 'external_id_conflict', 'link_withdrawn', 'email_conflict')),
        user_id       uuid not null references users on delete cascade,
        email         text not null,
        trace_id      uuid,
        times         integer not null default 1,
        first_at      timestamptz not null,
        last_at       timestamptz not null,
        closed_at     timestamptz
      )`);
    this.addSql(`
      create unique index federation_conflicts_open on federation_conflicts (account_id, reason, user_id)
        where closed_at is null`);
    this.addSql('create index federation_conflicts_user on federation_conflicts (user_id)');
    this.addSql('create index federation_conflicts_last on federation_conflicts (last_at)');
    this.addSql(
      `create index federation_conflicts_connection on federation_conflicts (connection_id)
        where connection_id is not null`,
    );
  }
}
