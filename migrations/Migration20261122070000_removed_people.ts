import { Migration } from '@mikro-orm/migrations';

/** Who was removed lately is found among all who ever belonged to an account. */
export class Migration20261122070000_removed_people extends Migration {
  override up(): void {
    this.addSql(`
      create index affiliations_ended on affiliations (account_id, ended_at)
      where ended_at is not null`);
  }
}
