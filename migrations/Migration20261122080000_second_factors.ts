import { Migration } from '@mikro-orm/migrations';

/**
 * Second factors (behaviour.md F28): authenticator apps, passkeys and recovery codes, who has to have
 * one, and on which devices it was shown.
 */
export class Migration20261122080000_second_factors extends Migration {
  override up(): void {
    // The secret of an app is sealed: it has to be read again. Of a passkey only the public key is
    // known. `last_step` is the time step of the last code that was taken (RFC 6238, section 5.2).
    this.addSql(`
      create table factors (
        id             uuid primary key,
        user_id        uuid not null references users on delete cascade,
        kind           text not null check (kind in ('totp', 'passkey')),
        name           text not null check (name <> ''),
        sealed         text,
        last_step      bigint not null default 0,
        credential_id  text collate "C" unique,
        public_key     text,
        sign_count     bigint not null default 0,
        transports     text[] not null default '{}',
        backed_up      boolean not null default false,
        created_at     timestamptz not null,
        last_used_at   timestamptz,
        check ((kind = 'totp') = (sealed is not null)),
        check ((kind = 'passkey') = (credential_id is not null and public_key is not null))
      )`);
    this.addSql('create index factors_of_user on factors (user_id)');

    this.addSql(`
      create table recovery_codes (
        user_id    uuid not null references users on delete cascade,
        code_hash  text collate "C" not null,
        used_at    timestamptz,
        primary key (user_id, code_hash)
      )`);

    // `second_factor_at`: since when there is an app or a passkey. Kept beside the person, since it is
    // asked at each use. `second_factor_anew`: an administrator reset it; the next sign-in enrols.
    this.addSql(`
      alter table users
        add column second_factor_at        timestamptz,
        add column second_factor_required  boolean not null default false,
        add column second_factor_anew      boolean not null default false`);
    this.addSql(
      'alter table domains add column second_factor_required boolean not null default false',
    );
    // When a second factor was last shown on a device that is to be remembered.
    this.addSql('alter table trusted_devices add column second_factor_at timestamptz');
  }
}
