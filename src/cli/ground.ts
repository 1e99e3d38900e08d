import type { Database } from '#platform/database/database.ts';

/** The settings, as far as commands need them. */
export interface GroundConfig {
  production: boolean;
  issuer: string;
  database: { kind: 'postgres'; url: string } | { kind: 'embedded'; folder: string };
  dataDir: string;
  secrets: readonly Buffer[];
  smtpUrl: string | null;
}

/** What commands that work beside the server stand on. Put together in `cli.ts`. */
export interface Ground {
  /** @throws an error with `problems` when the settings are not good. */
  config(): GroundConfig;
  /** @throws {FolderInUse} when a server runs on the embedded database. */
  openDatabase(): Promise<Database>;
  /** Another one, by its address: `postgres://…` or `pglite:<folder>`. */
  openDatabaseAt(url: string): Promise<Database>;
  migrationsFolder: string;
  /** Runs the server until it is told to stop. */
  serve(): Promise<void>;
}
