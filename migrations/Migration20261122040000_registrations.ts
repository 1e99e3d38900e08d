import { Migration } from '@mikro-orm/migrations';

/**
 * Registrations that wait for their mailbox to be proved. They are no users yet: who registers an
 * address that is not theirs has reserved nothing (security.md 3.5). And who wants no reminders.
 */
export class Migration20261122040000_registrations extends Migration {
  override up(): void {
    this.addSql(`
      create table registrations (
        id               uuid primary key,
        email            text collate "C" not null check (email = lower(email)),
        email_display    text not null,
        given_name       text not null,
        family_name      text not null,
        country          text not null check (country ~ '^[A-Z]{2}$'),
        locale           text not null,
        browser_hash     text collate "C" not null,
        link_hash        text collate "C" unique,
        code_hash        text collate "C",
        pass_hash        text collate "C" unique,
        tries            integer not null default 0,
        client_id        text collate "C",
        sign_in          text collate "C",
        state            text not null
                         check (state in ('asked', 'open', 'done', 'replaced')),
        user_id          uuid references users on delete cascade,
        created_at       timestamptz not null,
        code_expires_at  timestamptz not null,
        link_expires_at  timestamptz,
        pass_expires_at  timestamptz,
        expires_at       timestamptz not null,
        settled_at       timestamptz
      )`);
    this.addSql(`
      create unique index registrations_one_alive on registrations (email)
      where state in ('asked', 'open')`);
    this.addSql('create index registrations_of_user on registrations (user_id)');
    this.addSql('create index registrations_expiry on registrations (expires_at)');

    this.addSql(`
      create table mail_optouts (
        user_id  uuid not null references users on delete cascade,
        letter   text not null,
        at       timestamptz not null,
        primary key (user_id, letter)
      )`);

    this.addSql(
      `create index invitations_expiry on invitations (expires_at) where state = 'pending'`,
    );
    this.addSql(`
      create index approval_requests_age on approval_requests (requested_at) where state = 'open'`);
  }
}
