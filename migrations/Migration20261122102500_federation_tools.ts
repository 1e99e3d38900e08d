import { Migration } from '@mikro-orm/migrations';

/**
 * Since when the requests of a directory keep failing; and of a setup link, whether it may connect a
 * directory, which one it made, and when all of it was done.
 */
export class Migration20261122102500_federation_tools extends Migration {
  override up(): void {
    this.addSql('alter table scim_tokens add column failing_since timestamptz');
    this.addSql(`
      alter table connection_setup_links
        add column directory      boolean not null default false,
        add column scim_token_id  uuid references scim_tokens on delete set null,
        add column finished_at    timestamptz`);
  }
}
