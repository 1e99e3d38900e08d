import { Migration } from '@mikro-orm/migrations';

/**
 * How often a person was put out. A sign-in that read it before it wrote finds out at the very end
 * whether that happened meanwhile, by the row that both of them take.
 */
export class Migration20261122170000_put_out extends Migration {
  override up(): void {
    this.addSql('alter table users add column put_out integer not null default 0');
  }
}
