import { Migration } from '@mikro-orm/migrations';

/**
 * Rows of a file that hang together: what one does decides what comes of the next. They are tried in
 * one go, and done in their order, whoever works on them. Null for a row that stands alone.
 */
export class Migration20261122104000_bulk_chains extends Migration {
  override up(): void {
    this.addSql('alter table bulk_rows add column chain integer');
    this.addSql(`
      create index bulk_rows_chained on bulk_rows (job_id, chain, row)
      where chain is not null and waiting`);
  }
}
