import { Migration } from '@mikro-orm/migrations';

/**
 * The audit log becomes a chain that is sealed in one order for all readers; webhooks read along it.
 * Accounts are merged, split and closed in batches; people ask to be erased.
 */
export class Migration20261122030000_events extends Migration {
  override up(): void {
    this.chain();
    this.webhooks();
    this.accounts();
    this.erasure();
    this.addSql(`
      alter table roles
        add column client_id         text collate "C" references clients on delete set null,
        add column revoke_on_remove  boolean not null default false`);
    this.addSql(`update roles set revoke_on_remove = true where built_in`);
  }

  private chain(): void {
    // Where the row stands among all sealed rows: one order for readers of every chain.
    this.addSql('alter table audit_events add column position bigint');
    this.addSql(`
      create unique index audit_events_position on audit_events (position)
      where position is not null`);
    this.addSql(`
      create unique index audit_events_chain on audit_events
      (coalesce(account_id, '00000000-0000-0000-0000-000000000000'), seq) where seq is not null`);
    this.addSql(`
      create index audit_events_of_account_sealed on audit_events (account_id, position)
      where position is not null`);
    this.addSql(`create index audit_events_of_actor on audit_events ((actor ->> 'id'), id)`);
    this.addSql(`
      create or replace function refuse_audit_change() returns trigger language plpgsql as $$
      begin
        if tg_op = 'UPDATE' and old.hash is null and new.hash is not null
           and (to_jsonb(new) - '{seq,prev_hash,hash,position}'::text[])
             = (to_jsonb(old) - '{seq,prev_hash,hash,position}'::text[]) then
          return new;
        end if;
        raise exception 'audit_events is append-only' using errcode = 'restrict_violation';
      end $$`);
    // What only who has the installation's key can make: it shows that the end was not cut off.
    this.addSql('alter table audit_chains add column mark text');
  }

  private webhooks(): void {
    this.addSql(`
      alter table webhooks
        add column failing_since  timestamptz,
        add column updated_at     timestamptz,
        add column version        integer not null default 1`);
    this.addSql('create index webhooks_of_account on webhooks (account_id, id)');
    this.addSql(`
      create table webhook_deliveries (
        id             uuid primary key,
        webhook_id     uuid not null references webhooks on delete cascade,
        event_id       bigint,
        position       bigint,
        subject        text not null,
        state          text not null default 'pending'
                       check (state in ('pending', 'delivered', 'skipped')),
        attempts       integer not null default 0,
        status         integer,
        error          text,
        duration_ms    integer,
        created_at     timestamptz not null,
        first_at       timestamptz,
        available_at   timestamptz not null,
        claimed_until  timestamptz,
        delivered_at   timestamptz,
        unique (webhook_id, event_id)
      ) with (fillfactor = 80)`);
    this.addSql(`
      create index webhook_deliveries_waiting on webhook_deliveries (webhook_id, available_at)
      where state = 'pending'`);
    this.addSql(`
      create index webhook_deliveries_of_subject on webhook_deliveries
      (webhook_id, subject, position) where state = 'pending'`);
    this.addSql(`
      create index webhook_deliveries_age on webhook_deliveries (created_at)
      where state <> 'pending'`);
  }

  private accounts(): void {
    this.addSql(`
      alter table accounts
        add column closes_at       timestamptz,
        add column closing_reason  text`);
    this.addSql(`
      create index accounts_closing on accounts (closes_at) where status = 'closing'`);

    // A merge or a split that is under way: what is still to be done, so that it goes on after a crash.
    this.addSql(`
      create table account_moves (
        id            uuid primary key,
        kind          text not null check (kind in ('merge', 'split')),
        source_id     uuid not null references accounts,
        target_id     uuid not null references accounts,
        state         text not null default 'running' check (state in ('running', 'done')),
        options       jsonb not null,
        report        jsonb not null,
        reason        text not null,
        requested_by  jsonb not null,
        created_at    timestamptz not null,
        finished_at   timestamptz,
        check (source_id <> target_id)
      )`);
    this.addSql(`
      create unique index account_moves_one_source on account_moves (source_id)
      where state = 'running'`);
    this.addSql(`
      create table account_move_people (
        move_id   uuid not null references account_moves on delete cascade,
        user_id   uuid not null references users on delete cascade,
        moved_at  timestamptz,
        primary key (move_id, user_id)
      )`);
    this.addSql(`
      create index account_move_people_waiting on account_move_people (move_id, user_id)
      where moved_at is null`);
  }

  private erasure(): void {
    this.addSql(`
      create table erasure_requests (
        id            uuid primary key,
        user_id       uuid not null references users on delete cascade,
        account_id    uuid references accounts,
        state         text not null check (state in ('waiting', 'grace', 'cancelled', 'refused', 'done')),
        requested_by  jsonb not null,
        requested_at  timestamptz not null,
        decided_by    jsonb,
        decided_at    timestamptz,
        note          text,
        due_at        timestamptz
      )`);
    this.addSql(`
      create unique index erasure_requests_one_open on erasure_requests (user_id)
      where state in ('waiting', 'grace')`);
    this.addSql(`
      create index erasure_requests_due on erasure_requests (due_at) where state = 'grace'`);
    this.addSql(`
      create index erasure_requests_of_account on erasure_requests (account_id, requested_at)
      where state = 'waiting'`);
    // An address that was erased is known again by its mark, and by nothing else.
    this.addSql(`
      create index users_former_email on users (former_email_mark)
      where former_email_mark is not null`);
  }
}
