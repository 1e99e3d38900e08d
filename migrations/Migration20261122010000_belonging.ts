import { Migration } from '@mikro-orm/migrations';

/**
 * How people come to belong to an account: they register and wait, are invited and accept, or are in
 * a domain that another account lets this one use. And who hears of it: webhooks.
 */
export class Migration20261122010000_belonging extends Migration {
  override up(): void {
    // What new people of a domain are given (behaviour.md F03).
    this.addSql(`
      alter table domains
        add column defaults        jsonb not null default '{}',
        add column proof_mailbox   text,
        add column failing_since   timestamptz,
        add column failed_checks   integer not null default 0,
        add column next_check_at   timestamptz,
        add column lapsed_at       timestamptz,
        add column released_at     timestamptz`);
    this.addSql(`
      create index domains_to_check on domains (next_check_at)
      where state in ('pending', 'owned', 'at_risk', 'lapsed', 'contested')`);

    // One account lets another add people of its domain, or is asked to, or to let it go.
    this.addSql(`
      create table domain_requests (
        id            uuid primary key,
        kind          text not null check (kind in ('access', 'release', 'transfer')),
        domain        text collate "C" not null,
        owner_id      uuid not null references accounts,
        claimant_id   uuid not null references accounts,
        state         text not null default 'open'
                      check (state in ('open', 'granted', 'refused', 'revoked', 'withdrawn', 'expired', 'done')),
        message       text,
        contact       text,
        requested_by  jsonb not null,
        requested_at  timestamptz not null,
        decided_by    jsonb,
        decided_at    timestamptz,
        expires_at    timestamptz,
        due_at        timestamptz
      )`);
    this.addSql(`
      create unique index domain_requests_one_open on domain_requests (kind, domain, claimant_id)
      where state in ('open', 'granted')`);

    this.addSql(`
      create table approval_requests (
        id            uuid primary key,
        user_id       uuid not null references users on delete cascade,
        account_id    uuid not null references accounts,
        source        text not null check (source in ('registration', 'rejoin', 'federated')),
        client_id     text collate "C",
        state         text not null default 'open'
                      check (state in ('open', 'approved', 'rejected', 'superseded', 'expired')),
        requested_at  timestamptz not null,
        decided_at    timestamptz,
        decided_by    jsonb,
        note          text,
        message       text
      )`);
    this.addSql(`
      create unique index approval_requests_one_open on approval_requests (user_id)
      where state = 'open'`);
    this.addSql(`
      create index approval_requests_of_account on approval_requests (account_id, requested_at, id)
      where state = 'open'`);

    this.addSql(`
      create table invitations (
        id                   uuid primary key,
        account_id           uuid not null references accounts,
        email                text collate "C" not null,
        email_display        text not null,
        given_name           text not null default '',
        family_name          text not null default '',
        country              text,
        entitlement_country  text,
        roles                text[] not null default '{}',
        groups               uuid[] not null default '{}',
        invited_by           jsonb not null,
        inviter_id           uuid references users,
        secret_hash          text collate "C" unique,
        state                text not null default 'pending'
                             check (state in ('pending', 'accepted', 'declined', 'revoked', 'expired', 'superseded')),
        sends                integer not null default 1,
        sent_at              timestamptz not null,
        created_at           timestamptz not null,
        expires_at           timestamptz not null,
        decided_at           timestamptz,
        decided_by           uuid
      )`);
    this.addSql(`
      create unique index invitations_one_pending on invitations (account_id, email)
      where state = 'pending'`);
    this.addSql(`create index invitations_of_email on invitations (email) where state = 'pending'`);
    this.addSql('create index invitations_of_account on invitations (account_id, created_at, id)');

    // The head of each account's audit chain; the zero id is the installation's own.
    this.addSql(`
      create table audit_chains (
        account_id  uuid primary key,
        seq         bigint not null,
        hash        text not null
      )`);

    this.addSql(`
      create table webhooks (
        id           uuid primary key,
        account_id   uuid references accounts,
        url          text not null,
        description  text not null default '',
        actions      text[] not null default '{}',
        sealed       text not null,
        state        text not null default 'active' check (state in ('active', 'paused', 'failing')),
        cursor       bigint not null default 0,
        failures     integer not null default 0,
        last_error   text,
        last_sent_at timestamptz,
        created_by   jsonb not null,
        created_at   timestamptz not null
      )`);

    // What a file or a directory wrote last, and what an administrator pinned (behaviour.md F24).
    this.addSql(`
      alter table users
        add column entitlement_pinned boolean not null default false,
        add column break_glass        boolean not null default false,
        add column erasing_at         timestamptz,
        add column erasure_date       timestamptz,
        add column former_email_mark  text`);
  }
}
