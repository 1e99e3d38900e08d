import { Migration } from '@mikro-orm/migrations';

/**
 * How much happened on which day, for charts: counted from the sealed audit log along its one order,
 * so that neither a sign-in waits for a counter nor a chart reads the log.
 */
export class Migration20261122071000_reports extends Migration {
  override up(): void {
    // The zero id counts what belongs to no account, the id of ones everything.
    this.addSql(`
      create table daily_figures (
        account_id  uuid not null,
        day         date not null,
        figure      text not null,
        count       bigint not null,
        primary key (account_id, day, figure)
      ) with (fillfactor = 80)`);
    this.addSql('create index daily_figures_age on daily_figures (day)');
    // How far the log was counted: the position of the last row.
    this.addSql(`
      create table counting (
        log       text primary key,
        position  bigint not null
      )`);
    // Wrong passwords, until they are counted: of people, and of names nobody has alike.
    this.addSql(`
      create table wrong_passwords (
        id          bigint generated always as identity primary key,
        account_id  uuid,
        at          timestamptz not null
      )`);
    this.addSql(`
      create index user_locks_open_of_account on user_locks (account_id, user_id)
      where released_at is null and account_id is not null`);
  }
}
