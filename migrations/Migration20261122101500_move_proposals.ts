import { Migration } from '@mikro-orm/migrations';

/** Accounts are merged and split by two operators: one proposes, another confirms. */
export class Migration20261122101500_move_proposals extends Migration {
  override up(): void {
    this.addSql(`
      create table account_move_proposals (
        id             uuid primary key,
        kind           text not null check (kind in ('merge', 'split')),
        source_id      uuid not null references accounts,
        target_id      uuid references accounts,
        request        jsonb not null,
        report         jsonb not null,
        digest         text collate "C" not null,
        reason         text not null,
        state          text not null default 'open'
                       check (state in ('open', 'confirmed', 'withdrawn', 'superseded')),
        proposed_by    jsonb not null,
        proposer       text collate "C" not null,
        proposed_at    timestamptz not null,
        expires_at     timestamptz not null,
        decided_by     jsonb,
        decided_at     timestamptz,
        move_id        uuid references account_moves,
        check ((state = 'open') = (decided_at is null)),
        check ((state = 'confirmed') = (move_id is not null))
      )`);
    this.addSql(`
      create unique index account_move_proposals_one_open on account_move_proposals (source_id)
      where state = 'open'`);
  }
}
