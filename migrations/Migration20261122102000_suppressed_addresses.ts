import { Migration } from '@mikro-orm/migrations';

/** Addresses whose mails come back: nothing is sent there until somebody says that it is right again. */
export class Migration20261122102000_suppressed_addresses extends Migration {
  override up(): void {
    this.addSql(`
      create table suppressed_addresses (
        email       text collate "C" primary key,
        reason      text not null check (reason in ('refused', 'bounced', 'complained')),
        code        text,
        since       timestamptz not null,
        last_at     timestamptz not null,
        tried_at    timestamptz
      )`);
  }
}
