import { Migration } from '@mikro-orm/migrations';

/** A domain may take along what is below it. A subdomain that came along so names its parent. */
export class Migration20261122104000_subdomains extends Migration {
  override up(): void {
    this.addSql(`
      alter table domains
        add column include_subdomains boolean not null default false,
        add column parent_id uuid references domains`);
    this.addSql('create index domains_below on domains (parent_id) where parent_id is not null');
    this.addSql(`
      create index domains_with_subdomains on domains (name)
      where include_subdomains and state in ('owned', 'at_risk', 'lapsed')`);
  }
}
