import { Migration } from '@mikro-orm/migrations';

/** How a domain is being proved, how far its loss has gone, and whose addresses are in it. */
export class Migration20261122023000_domain_proof extends Migration {
  override up(): void {
    this.addSql(`
      alter table domains
        add column method         text check (method in ('dns', 'https', 'email')),
        add column at_risk_at     timestamptz,
        add column mailed_at      timestamptz,
        add column closed_reason  text`);
    this.addSql(`
      create index users_of_domain on users (split_part(email, '@', 2))
      where email is not null`);
    this.addSql('create index domains_of_name on domains (name)');
    this.addSql(
      'create index domain_requests_of_owner on domain_requests (owner_id, requested_at)',
    );
    this.addSql(
      'create index domain_requests_of_claimant on domain_requests (claimant_id, requested_at)',
    );
  }
}
