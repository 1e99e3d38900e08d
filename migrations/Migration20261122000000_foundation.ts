import { Migration } from '@mikro-orm/migrations';

/**
 * The ground of everything: accounts and the domains they own, people and what locks them, what
 * proves them, the terms they accepted, the applications they sign in to, and the two records that
 * go with every change: the audit row and the outbox row.
 *
 * The invariants of behaviour.md section 13 sit in the schema, not in code alone.
 */
export class Migration20261122000000_foundation extends Migration {
  override up(): void {
    this.accounts();
    this.people();
    this.credentials();
    this.terms();
    this.records();
    this.applications();
    this.engine();
  }

  private accounts(): void {
    this.addSql(`
      create table accounts (
        id           uuid primary key,
        number       text unique,
        name         text not null check (name <> ''),
        countries    text[] not null default '{}',
        status       text not null default 'active'
                     check (status in ('active', 'on_hold', 'closing', 'closed', 'merged')),
        hold_reason  text,
        held_at      timestamptz,
        merged_into  uuid references accounts,
        settings     jsonb not null default '{}',
        created_at   timestamptz not null,
        updated_at   timestamptz not null,
        version      integer not null default 1,
        check ((status = 'merged') = (merged_into is not null))
      )`);

    this.addSql(`
      create table domains (
        id          uuid primary key,
        account_id  uuid not null references accounts,
        name        text collate "C" not null check (name = lower(name)),
        state       text not null check (state in ('listed', 'pending', 'owned', 'contested', 'at_risk',
                    'lapsed', 'released', 'expired', 'cancelled')),
        proof       text check (proof in ('email', 'dns', 'https', 'operator')),
        challenge   text,
        signup      text not null default 'approve' check (signup in ('approve', 'auto', 'closed')),
        claimed_at  timestamptz,
        owned_at    timestamptz,
        checked_at  timestamptz,
        expires_at  timestamptz,
        created_at  timestamptz not null,
        version     integer not null default 1
      )`);
    // Many accounts may claim a domain while it is pending. Only one can own it.
    this.addSql(`
      create unique index domains_one_owner on domains (name)
      where state in ('owned', 'at_risk', 'lapsed')`);
    this.addSql(`
      create unique index domains_once_per_account on domains (account_id, name)
      where state in ('listed', 'pending', 'owned', 'contested', 'at_risk', 'lapsed')`);
  }

  private people(): void {
    // The address is kept twice: as the person wrote it, and in the one canonical form everything
    // compares by (security.md 3.1). Collation "C" because lower('K' as Kelvin sign) is 'k' elsewhere.
    this.addSql(`
      create table users (
        id                   uuid primary key,
        email                text collate "C" check (email = lower(email)),
        email_display        text,
        given_name           text not null default '',
        family_name          text not null default '',
        country              text check (country ~ '^[A-Z]{2}$'),
        entitlement_country  text check (entitlement_country ~ '^[A-Z]{2}$'),
        language             text,
        phone                text,
        job_title            text,
        communication_email  text collate "C",
        identity             text not null
                             check (identity in ('invited', 'unverified', 'ready', 'erasing', 'erased')),
        affiliation          text not null default 'none'
                             check (affiliation in ('none', 'pending', 'provisional', 'member')),
        account_id           uuid references accounts,
        source               text not null default 'local'
                             check (source in ('local', 'registration', 'admin', 'import', 'jit', 'scim')),
        email_verified_at    timestamptz,
        last_login_at        timestamptz,
        last_seen_at         timestamptz,
        created_at           timestamptz not null,
        updated_at           timestamptz not null,
        version              integer not null default 1,
        check ((affiliation in ('member', 'provisional')) = (account_id is not null)),
        check ((identity = 'erased') = (email is null))
      )`);
    this.addSql('create unique index users_email on users (email) where email is not null');
    this.addSql(
      'create index users_of_account on users (account_id, id) where account_id is not null',
    );

    // Who belonged to which account when: the answer to "on that day".
    this.addSql(`
      create table affiliations (
        id          uuid primary key,
        user_id     uuid not null references users on delete cascade,
        account_id  uuid not null references accounts,
        reason      text not null,
        began_at    timestamptz not null,
        ended_at    timestamptz,
        ended_by    text
      )`);
    this.addSql(`
      create unique index affiliations_one_current on affiliations (user_id)
      where ended_at is null`);
    this.addSql('create index affiliations_of_account on affiliations (account_id, began_at)');

    // A person is locked while one row here is open. Clearing one reason never clears another.
    this.addSql(`
      create table user_locks (
        id           uuid primary key,
        user_id      uuid not null references users on delete cascade,
        reason       text not null check (reason in ('too_many_attempts', 'admin', 'unaffiliated',
                     'directory', 'inactive', 'operator', 'compromised', 'erasing', 'domain_lapsed',
                     'expired')),
        account_id   uuid references accounts,
        set_by       jsonb not null,
        set_at       timestamptz not null,
        until        timestamptz,
        note         text,
        released_by  jsonb,
        released_at  timestamptz
      )`);
    this.addSql(`
      create unique index user_locks_once on user_locks (user_id, reason)
      where released_at is null`);

    this.addSql(`
      create table roles (
        key          text primary key check (key ~ '^[a-z][a-z0-9_.-]*$'),
        name         text not null,
        description  text not null default '',
        scope        text not null check (scope in ('system', 'account', 'group')),
        built_in     boolean not null default false,
        requires     text[] not null default '{}',
        created_at   timestamptz not null
      )`);
    this.addSql(`
      insert into roles (key, name, description, scope, built_in, created_at) values
        ('operator', 'Operator', 'Runs this installation: every account, every client.', 'system', true, now()),
        ('account_administrator', 'Account Administrator', 'Everything in one account, its domains and connections too.', 'account', true, now()),
        ('co_administrator', 'Co-Administrator', 'People of one account, except its Account Administrators.', 'account', true, now()),
        ('group_manager', 'Group manager', 'Members of one group.', 'group', true, now())`);

    this.addSql(`
      create table groups (
        id                   uuid primary key,
        account_id           uuid not null references accounts,
        name                 text not null check (name <> ''),
        description          text not null default '',
        type                 text not null default 'standard' check (type in ('standard', 'entitlement')),
        entitlement_country  text,
        source               text not null default 'local' check (source in ('local', 'scim', 'idp')),
        external_id          text,
        created_at           timestamptz not null,
        updated_at           timestamptz not null,
        version              integer not null default 1,
        check ((type = 'entitlement') = (entitlement_country is not null))
      )`);
    this.addSql('create unique index groups_name on groups (account_id, lower(name))');
    this.addSql(`
      create table group_members (
        group_id  uuid not null references groups on delete cascade,
        user_id   uuid not null references users on delete cascade,
        added_at  timestamptz not null,
        primary key (group_id, user_id)
      )`);
    this.addSql('create index group_members_of_user on group_members (user_id)');

    this.addSql(`
      create table role_assignments (
        id          uuid primary key,
        user_id     uuid not null references users on delete cascade,
        role        text not null references roles,
        account_id  uuid references accounts,
        group_id    uuid references groups on delete cascade,
        granted_by  jsonb not null,
        granted_at  timestamptz not null
      )`);
    this.addSql(`
      create unique index role_assignments_once on role_assignments
      (user_id, role, coalesce(group_id, '00000000-0000-0000-0000-000000000000'))`);
    this.addSql('create index role_assignments_of_account on role_assignments (account_id, role)');

    this.addSql(`
      create table fulfillment_contacts (
        id          uuid primary key,
        account_id  uuid not null references accounts,
        user_id     uuid not null references users on delete cascade,
        country     text,
        created_at  timestamptz not null
      )`);
    this.addSql(`
      create unique index fulfillment_contacts_once on fulfillment_contacts
      (account_id, user_id, coalesce(country, ''))`);
  }

  private credentials(): void {
    this.addSql(`
      create table passwords (
        user_id      uuid primary key references users on delete cascade,
        hash         text not null,
        must_change  boolean not null default false,
        set_at       timestamptz not null
      )`);

    // Wrong guesses, counted before the hash is computed (security.md 3.9). One row for each person
    // and each trusted device, and for names nobody has, so that nothing tells them apart.
    this.addSql(`
      create table attempt_counters (
        bucket      text collate "C" primary key,
        failures    integer not null default 0,
        day_start   timestamptz not null,
        day_count   integer not null default 0,
        next_at     timestamptz,
        locked_at   timestamptz,
        recent      text[] not null default '{}',
        updated_at  timestamptz not null
      ) with (fillfactor = 70)`);
    this.addSql('create index attempt_counters_age on attempt_counters (updated_at)');

    this.addSql(`
      create table trusted_devices (
        id            uuid primary key,
        user_id       uuid not null references users on delete cascade,
        secret_hash   text collate "C" not null unique,
        user_agent    text,
        created_at    timestamptz not null,
        last_used_at  timestamptz not null,
        expires_at    timestamptz not null
      )`);
    this.addSql('create index trusted_devices_of_user on trusted_devices (user_id)');

    // Links and codes: typed by purpose, hashed, single use, bound to who asked (security.md top 15).
    this.addSql(`
      create table one_time_tokens (
        id           uuid primary key,
        purpose      text not null,
        user_id      uuid references users on delete cascade,
        subject      text collate "C",
        secret_hash  text collate "C" unique,
        code_hash    text collate "C",
        binding      text,
        tries        integer not null default 0,
        details      jsonb not null default '{}',
        created_at   timestamptz not null,
        expires_at   timestamptz not null,
        used_at      timestamptz
      )`);
    this.addSql('create index one_time_tokens_of_user on one_time_tokens (user_id, purpose)');
    this.addSql('create index one_time_tokens_of_subject on one_time_tokens (subject, purpose)');
    this.addSql('create index one_time_tokens_expiry on one_time_tokens (expires_at)');

    this.addSql(`
      create table api_tokens (
        id            uuid primary key,
        account_id    uuid references accounts,
        name          text not null,
        role          text not null references roles,
        secret_hash   text collate "C" not null unique,
        scopes        text[] not null default '{}',
        created_by    jsonb not null,
        created_at    timestamptz not null,
        expires_at    timestamptz,
        last_used_at  timestamptz,
        last_used_ip  text,
        revoked_at    timestamptz,
        check ((role = 'operator') = (account_id is null))
      )`);

    // The answer to a request that was sent before (contract.md section 6).
    this.addSql(`
      create table idempotency_keys (
        token_id      uuid not null references api_tokens on delete cascade,
        key           text collate "C" not null,
        request_hash  text not null,
        status        integer,
        body          jsonb,
        created_at    timestamptz not null,
        primary key (token_id, key)
      )`);
    this.addSql('create index idempotency_keys_age on idempotency_keys (created_at)');
  }

  private terms(): void {
    this.addSql(`
      create table terms_versions (
        id                 uuid primary key,
        kind               text not null check (kind in ('tos', 'privacy')),
        version            text not null,
        effective_at       timestamptz not null,
        requires_reaccept  boolean not null default true,
        published_by       jsonb not null,
        published_at       timestamptz not null,
        unique (kind, version)
      )`);
    this.addSql(`
      create table terms_texts (
        version_id  uuid not null references terms_versions,
        locale      text not null,
        title       text not null,
        body        text not null,
        sha256      text not null,
        primary key (version_id, locale)
      )`);
    // Evidence: it outlives the person, so user_id is no foreign key that could take it along.
    this.addSql(`
      create table terms_acceptances (
        id           uuid primary key,
        user_id      uuid not null,
        version_id   uuid not null references terms_versions,
        locale       text not null,
        sha256       text not null,
        accepted_at  timestamptz not null,
        ip           text,
        user_agent   text,
        client_id    text,
        interaction  text
      )`);
    this.addSql(
      'create unique index terms_acceptances_once on terms_acceptances (user_id, version_id)',
    );
    this.addSql(`
      create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
      end $$`);
    for (const table of ['terms_versions', 'terms_texts', 'terms_acceptances'])
      this.addSql(`
        create trigger ${table}_append_only before update or delete on ${table}
        for each row execute function refuse_change()`);
  }

  private records(): void {
    // seq, prev_hash and hash are written once, by the sealer, after the commit: the chain of an
    // account must not make its sign-ins wait for one another.
    this.addSql(`
      create table audit_events (
        id           bigint generated always as identity primary key,
        at           timestamptz not null,
        account_id   uuid references accounts,
        actor        jsonb not null,
        action       text not null,
        target_type  text,
        target_id    text,
        details      jsonb not null default '{}',
        ip           text,
        user_agent   text,
        reference    text,
        batch_id     uuid,
        seq          bigint,
        prev_hash    text,
        hash         text
      )`);
    this.addSql('create index audit_events_of_account on audit_events (account_id, id)');
    this.addSql('create index audit_events_of_target on audit_events (target_id, id)');
    this.addSql('create index audit_events_unsealed on audit_events (id) where hash is null');
    this.addSql(`
      create function refuse_audit_change() returns trigger language plpgsql as $$
      begin
        if tg_op = 'UPDATE' and old.hash is null and new.hash is not null
           and (to_jsonb(new) - '{seq,prev_hash,hash}'::text[])
             = (to_jsonb(old) - '{seq,prev_hash,hash}'::text[]) then
          return new;
        end if;
        raise exception 'audit_events is append-only' using errcode = 'restrict_violation';
      end $$`);
    this.addSql(`
      create trigger audit_events_append_only before update or delete on audit_events
      for each row execute function refuse_audit_change()`);

    // What leaves after the commit. The payload is sealed where it holds a secret (a link in a mail)
    // and emptied once delivered.
    this.addSql(`
      create table outbox (
        id             bigint generated always as identity primary key,
        kind           text not null,
        dedup_key      text unique,
        subject        text not null,
        payload        jsonb not null default '{}',
        sealed         text,
        attempts       integer not null default 0,
        created_at     timestamptz not null,
        available_at   timestamptz not null,
        claimed_until  timestamptz,
        delivered_at   timestamptz,
        failed_at      timestamptz,
        expires_at     timestamptz,
        last_error     text
      ) with (fillfactor = 80)`);
    this.addSql(`
      create index outbox_waiting on outbox (available_at, id)
      where delivered_at is null and failed_at is null`);

    // How much one address was sent, and what of one subject comes first.
    this.addSql(`
      create index outbox_of_address on outbox ((payload #>> '{kept,address}'))
      where kind = 'mail'`);
    this.addSql(`
      create index outbox_of_subject on outbox (kind, subject, id)
      where delivered_at is null and failed_at is null`);

    // The development mailbox: what would have been sent.
    this.addSql(`
      create table mailbox (
        id        bigint generated always as identity primary key,
        kind      text not null,
        sender    text not null,
        recipient text not null,
        subject   text not null,
        text      text not null,
        html      text not null,
        sent_at   timestamptz not null
      )`);
    this.addSql('create index mailbox_of_recipient on mailbox (recipient, id)');
  }

  private applications(): void {
    this.addSql(`
      create table clients (
        id                       text collate "C" primary key,
        name                     text not null,
        metadata                 jsonb not null,
        first_party              boolean not null default false,
        requires_account         boolean not null default true,
        requires_active_account  boolean not null default true,
        allowed_accounts         uuid[] not null default '{}',
        required_roles           text[] not null default '{}',
        resources                text[] not null default '{}',
        may_introspect           boolean not null default false,
        disabled_at              timestamptz,
        created_at               timestamptz not null,
        updated_at               timestamptz not null,
        version                  integer not null default 1
      )`);
    this.addSql(`
      create table client_secrets (
        id            uuid primary key,
        client_id     text collate "C" not null references clients on delete cascade,
        secret_hash   text collate "C" not null,
        hint          text not null,
        created_at    timestamptz not null,
        expires_at    timestamptz,
        revoked_at    timestamptz
      )`);
    this.addSql('create index client_secrets_of_client on client_secrets (client_id)');
    this.addSql(`
      create table resource_servers (
        identifier  text collate "C" primary key,
        name        text not null,
        scopes      text[] not null,
        ttl         integer not null default 300 check (ttl between 30 and 300),
        alg         text not null default 'ES256' check (alg in ('RS256', 'ES256')),
        created_at  timestamptz not null
      )`);
    this.addSql(`
      create table consents (
        user_id     uuid not null references users on delete cascade,
        client_id   text collate "C" not null references clients on delete cascade,
        scopes      text[] not null default '{}',
        claims      text[] not null default '{}',
        resources   jsonb not null default '{}',
        granted_at  timestamptz not null,
        primary key (user_id, client_id)
      )`);

    this.addSql(`
      create table signing_keys (
        kid           text primary key,
        alg           text not null check (alg in ('RS256', 'ES256')),
        state         text not null check (state in ('next', 'current', 'retired')),
        public_jwk    jsonb not null,
        sealed        text not null,
        created_at    timestamptz not null,
        activates_at  timestamptz not null,
        retires_at    timestamptz
      )`);
    this.addSql(`
      create unique index signing_keys_one_current on signing_keys (alg)
      where state = 'current'`);
    this.addSql(`
      create table app_secrets (
        name        text primary key,
        sealed      text not null,
        created_at  timestamptz not null
      )`);
  }

  private engine(): void {
    // What oidc-provider keeps. Real columns for what is searched; jsonb for the rest. Every id that
    // is a bearer secret is kept as its SHA-256 (oidc.md section 3).
    this.addSql(`
      create table oidc_sessions (
        uid             text collate "C" primary key,
        id_hash         text collate "C" not null unique,
        user_id         uuid,
        payload         jsonb not null,
        authorizations  jsonb not null default '{}',
        login_at        timestamptz,
        ip              text,
        user_agent      text,
        created_at      timestamptz not null,
        seen_at         timestamptz not null,
        expires_at      timestamptz not null
      ) with (fillfactor = 80)`);
    this.addSql('create index oidc_sessions_of_user on oidc_sessions (user_id)');
    this.addSql('create index oidc_sessions_expiry on oidc_sessions (expires_at)');

    this.addSql(`
      create table oidc_grants (
        id          text collate "C" primary key,
        user_id     uuid,
        client_id   text collate "C",
        payload     jsonb not null,
        expires_at  timestamptz not null
      )`);
    this.addSql('create index oidc_grants_of_user on oidc_grants (user_id)');
    this.addSql('create index oidc_grants_expiry on oidc_grants (expires_at)');

    this.addSql(`
      create table oidc_artifacts (
        id           text collate "C" primary key,
        model        text not null,
        grant_id     text collate "C",
        session_uid  text collate "C",
        user_id      uuid,
        client_id    text collate "C",
        user_code    text collate "C",
        payload      jsonb not null,
        consumed_at  timestamptz,
        expires_at   timestamptz not null
      ) with (fillfactor = 85)`);
    this.addSql(
      'create index oidc_artifacts_of_grant on oidc_artifacts (grant_id) where grant_id is not null',
    );
    this.addSql(
      'create index oidc_artifacts_of_user on oidc_artifacts (user_id) where user_id is not null',
    );
    this.addSql(
      'create unique index oidc_artifacts_user_code on oidc_artifacts (user_code) where user_code is not null',
    );
    this.addSql('create index oidc_artifacts_expiry on oidc_artifacts (expires_at)');
  }
}
