import { Migration } from '@mikro-orm/migrations';

/** Who signs out here may be signed out at their company's provider too, where the connection says so. */
export class Migration20261122102000_sign_out_upstream extends Migration {
  override up(): void {
    this.addSql(
      'alter table connections add column sign_out_upstream boolean not null default false',
    );
  }
}
