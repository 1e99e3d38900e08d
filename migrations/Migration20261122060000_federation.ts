import { Migration } from '@mikro-orm/migrations';

/**
 * Accounts trust their own identity providers: connections, the domains each of them speaks for, who
 * is who there and here, and the attempts to sign in that are under way.
 */
export class Migration20261122060000_federation extends Migration {
  override up(): void {
    this.connections();
    this.links();
    this.attempts();
    this.provenance();
  }

  private connections(): void {
    // Settings and mapping are read and written whole, by the functions of identity/federation.
    this.addSql(`
      create table connections (
        id               uuid primary key,
        account_id       uuid not null references accounts,
        kind             text not null check (kind in ('oidc', 'saml')),
        preset           text not null default 'generic',
        name             text not null check (name <> ''),
        state            text not null default 'draft'
                         check (state in ('draft', 'testing', 'active', 'disabled')),
        mode             text not null default 'optional' check (mode in ('optional', 'enforced')),
        enforced_at      timestamptz,
        issuer           text collate "C",
        settings         jsonb not null default '{}',
        provisioning     jsonb not null default '{}',
        mapping          jsonb not null default '{}',
        testers          text[] not null default '{}',
        tested_at        timestamptz,
        tested_version   integer,
        activated_at     timestamptz,
        disabled_at      timestamptz,
        noticed_at       timestamptz,
        swept_at         timestamptz,
        failures         integer not null default 0,
        failing_since    timestamptz,
        last_failure_at  timestamptz,
        last_failure     text,
        last_success_at  timestamptz,
        created_by       jsonb not null,
        created_at       timestamptz not null,
        updated_at       timestamptz not null,
        deleted_at       timestamptz,
        version          integer not null default 1,
        check ((mode = 'enforced') = (enforced_at is not null))
      )`);
    this.addSql(`
      create index connections_of_account on connections (account_id, created_at, id)
      where deleted_at is null`);

    // A domain leads to one connection; which account owns it is looked at each time.
    this.addSql(`
      create table connection_domains (
        domain         text collate "C" primary key,
        connection_id  uuid not null references connections on delete cascade,
        bound_at       timestamptz not null
      )`);
    this.addSql('create index connection_domains_of on connection_domains (connection_id)');

    // Client secrets and private keys; several of a kind are alive while one is rotated.
    this.addSql(`
      create table connection_secrets (
        id             uuid primary key,
        connection_id  uuid not null references connections on delete cascade,
        kind           text not null,
        sealed         text not null,
        public_part    jsonb not null default '{}',
        created_by     jsonb not null,
        created_at     timestamptz not null,
        expires_at     timestamptz,
        told_at        timestamptz,
        revoked_at     timestamptz
      )`);
    this.addSql('create index connection_secrets_of on connection_secrets (connection_id)');
  }

  private links(): void {
    // Who a person is to their company's provider. A row that was unlinked stays, so that nobody
    // else is taken for that person later (security.md 3.3).
    this.addSql(`
      create table federated_links (
        id             uuid primary key,
        user_id        uuid not null references users on delete cascade,
        connection_id  uuid not null references connections,
        issuer         text collate "C" not null,
        subject        text collate "C" not null,
        domain         text collate "C" not null,
        external_id    text collate "C",
        how            text not null,
        linked_at      timestamptz not null,
        last_used_at   timestamptz not null,
        unlinked_at    timestamptz,
        unlinked_by    jsonb
      )`);
    this.addSql(`
      create unique index federated_links_subject on federated_links (connection_id, issuer, subject)
      where unlinked_at is null`);
    this.addSql(`
      create unique index federated_links_person on federated_links (user_id, connection_id)
      where unlinked_at is null`);
    this.addSql(
      'create index federated_links_former on federated_links (connection_id, subject) where unlinked_at is not null',
    );
  }

  private attempts(): void {
    // From the moment the browser leaves for the provider until the person is in, or is not.
    this.addSql(`
      create table federated_attempts (
        id             uuid primary key,
        connection_id  uuid not null references connections on delete cascade,
        purpose        text not null check (purpose in ('sign_in', 'test')),
        state_hash     text collate "C" not null unique,
        browser_hash   text collate "C" not null,
        interaction    text collate "C",
        identifier     text collate "C",
        sealed         text not null,
        received       text,
        need           text,
        tries          integer not null default 0,
        created_at     timestamptz not null,
        received_at    timestamptz,
        finished_at    timestamptz,
        expires_at     timestamptz not null
      ) with (fillfactor = 80)`);
    this.addSql('create index federated_attempts_expiry on federated_attempts (expires_at)');

    // What a session or a token stands on where the person was not proved here: which connection
    // vouched for them, when, and what it calls its session.
    this.addSql('alter table oidc_sessions add column federation jsonb');
    this.addSql(`
      create index oidc_sessions_of_connection on oidc_sessions ((federation ->> 'connection'))
      where federation is not null`);
    this.addSql('alter table oidc_artifacts add column federation jsonb');
  }

  private provenance(): void {
    // What gave a role or a group, where it was no administrator: 'connection:<id>'. A mapping takes
    // back what it gave, and nothing else.
    this.addSql('alter table role_assignments add column provenance text');
    this.addSql('alter table group_members add column provenance text');
    // A password that is not accepted any more, kept for a month so that there is a way back.
    this.addSql('alter table passwords add column disabled_at timestamptz');
    this.addSql(
      'create index passwords_disabled on passwords (disabled_at) where disabled_at is not null',
    );
  }
}
