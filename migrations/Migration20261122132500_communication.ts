import { Migration } from '@mikro-orm/migrations';

/** Mail goes to another address than the one of the sign-in once it was proved: this is that one. */
export class Migration20261122132500_communication extends Migration {
  override up(): void {
    this.addSql('alter table users add column communication_proved text');
  }
}
