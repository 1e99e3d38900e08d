import { Migration } from '@mikro-orm/migrations';

/** What somebody typed waits, sealed, while they prove anew who they are. */
export class Migration20261122132100_kept_forms extends Migration {
  override up(): void {
    this.addSql(`
      create table kept_forms (
        id_hash     text primary key,
        user_id     uuid not null references users (id) on delete cascade,
        sealed      text not null,
        expires_at  timestamptz not null
      )`);
    this.addSql('create index kept_forms_user on kept_forms (user_id)');
    this.addSql('create index kept_forms_expiry on kept_forms (expires_at)');
  }
}
