import { Migration } from '@mikro-orm/migrations';

/** Whom a directory may lock or remove: everybody in the account, or only those it looks after. */
export class Migration20261122172500_departure_policy extends Migration {
  override up(): void {
    this.addSql(
      `alter table scim_tokens add column departure_policy text not null default 'everybody'
         check (departure_policy in ('everybody', 'own_people'))`,
    );
  }
}
