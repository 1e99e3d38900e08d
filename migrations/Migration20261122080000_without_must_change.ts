import { Migration } from '@mikro-orm/migrations';

/**
 * A password that is to be changed is one that became known to others: that is the lock
 * `compromised`, which a new password lifts. The mark beside the password was never used.
 */
export class Migration20261122080000_without_must_change extends Migration {
  override up(): void {
    this.addSql('alter table passwords drop column must_change');
  }
}
