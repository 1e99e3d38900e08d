import { Migration } from '@mikro-orm/migrations';

/** Who is asked to come over from another account is reminded before the time is over. */
export class Migration20261122113500_capture extends Migration {
  override up(): void {
    this.addSql(`
      alter table invitations
        add column letter text not null default 'invitation'
          check (letter in ('invitation', 'domain_capture')),
        add column reminders smallint not null default 0`);
    this.addSql(`
      create index invitations_capture on invitations (expires_at)
      where letter = 'domain_capture' and state = 'pending'`);
  }
}
