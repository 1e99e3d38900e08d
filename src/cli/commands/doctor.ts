import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { vault } from '#platform/secrets.ts';
import type { Command } from '../command.ts';
import type { Ground, GroundConfig } from '../ground.ts';

type State = 'ok' | 'warn' | 'fail';

interface Finding {
  check: string;
  state: State;
  found: string;
  /** What to do about it. */
  advice: string | null;
}

const finding = (check: string, state: State, found: string, advice: string | null = null) => ({
  check,
  state,
  found,
  advice,
});

export const doctorCommands: Command[] = [
  {
    noun: 'doctor',
    verb: null,
    summary: 'Looks at everything a server needs, and says what to do about what is wrong.',
    async run(_given, { ground }) {
      const findings = await examine(ground);
      return {
        json: { findings },
        text: findings
          .map(
            ({ check, state, found, advice }) =>
              `${state.padEnd(4)}  ${check}: ${found}${advice ? `\n      ${advice}` : ''}`,
          )
          .join('\n'),
        status: findings.some(({ state }) => state === 'fail') ? 1 : 0,
      };
    },
  },
];

async function examine(ground: Ground): Promise<Finding[]> {
  let config: GroundConfig;
  try {
    config = ground.config();
  } catch (error) {
    const { problems = [(error as Error).message] } = error as { problems?: readonly string[] };
    return problems.map((one) => finding('settings', 'fail', one, 'Set it in the environment.'));
  }
  return [
    finding('settings', 'ok', config.production ? 'good for production' : 'for development'),
    ...(await examineDatabase(ground, config)),
    await examineMail(config),
    await examineIssuer(config),
  ];
}

async function examineDatabase(ground: Ground, config: GroundConfig): Promise<Finding[]> {
  const { database: where } = config;
  if (where.kind === 'embedded' && !existsSync(where.folder))
    return [
      finding('database', 'warn', 'there is none yet', 'It is made when the server starts first.'),
    ];
  let database: Database;
  try {
    database = await ground.openDatabase();
    await database.query('select 1');
  } catch (error) {
    if ((error as Error).name === 'FolderInUse')
      return [finding('database', 'ok', `embedded, in use by the running server`)];
    return [
      finding(
        'database',
        'fail',
        (error as Error).message,
        'Check DATABASE_URL, and that it runs.',
      ),
    ];
  }
  try {
    const version = await examineVersion(database);
    const { pendingMigrations } = await import('#platform/database/migrate.ts');
    const pending = await pendingMigrations(database, ground.migrationsFolder);
    if (pending.length > 0)
      return [
        version,
        finding('migrations', 'warn', `${pending.length} to be done`, 'Run: ostiary migrate'),
      ];
    return [
      version,
      finding('migrations', 'ok', 'up to date'),
      await examineKeys(database, config),
      await examineClock(database),
      await examineOutbox(database),
    ];
  } finally {
    await database.close();
  }
}

async function examineVersion(database: Database): Promise<Finding> {
  const [row] = await database.query<{ number: string; text: string }>(
    `select current_setting('server_version_num') as number,
            current_setting('server_version') as text`,
  );
  const found = `${database.kind === 'embedded' ? 'embedded ' : ''}PostgreSQL ${row!.text}`;
  return Number(row!.number) >= 150_000
    ? finding('database', 'ok', found)
    : finding('database', 'fail', found, 'Use PostgreSQL 15 or newer.');
}

async function examineKeys(database: Database, { secrets }: GroundConfig): Promise<Finding> {
  const { listSigningKeys, loadSigningKeys, signingAlgorithms } =
    await import('#identity/keys/signing-keys.ts');
  const keys = await listSigningKeys(database);
  const missing = signingAlgorithms.flatMap((alg) =>
    (['current', 'next'] as const)
      .filter((state) => !keys.some((key) => key.alg === alg && key.state === state))
      .map((state) => `${state} ${alg}`),
  );
  if (keys.length === 0)
    return finding('keys', 'warn', 'there are none yet', 'They are made when the server starts.');
  try {
    await loadSigningKeys(database, vault(secrets));
  } catch {
    return finding(
      'keys',
      'fail',
      'SECRET_KEY does not open them',
      'Set the SECRET_KEY they were made with; behind a new one, separated by a comma.',
    );
  }
  return missing.length > 0
    ? finding('keys', 'fail', `missing: ${missing.join(', ')}`, 'Run: ostiary keys rotate')
    : finding(
        'keys',
        'ok',
        `${keys.length}, current and next for ${signingAlgorithms.join(' and ')}`,
      );
}

async function examineClock(database: Database): Promise<Finding> {
  const before = systemClock().getTime();
  const [row] = await database.query<{ at: Date }>('select clock_timestamp() as at');
  const after = systemClock().getTime();
  const skew = Math.round(row!.at.getTime() - (before + after) / 2) / 1000;
  const found = `${Math.abs(skew).toFixed(1)} s between here and the database`;
  const advice = 'Let both follow the same time server.';
  if (Math.abs(skew) > 30) return finding('clock', 'fail', found, advice);
  return Math.abs(skew) > 2
    ? finding('clock', 'warn', found, advice)
    : finding('clock', 'ok', found);
}

async function examineOutbox(database: Database): Promise<Finding> {
  const [row] = await database.query<{ late: number; waiting: number; failed: number }>(
    `select count(*) filter (where created_at < now() - interval '10 minutes')::int as late,
            count(*)::int as waiting,
            (select count(*)::int from outbox where failed_at > now() - interval '1 day') as failed
     from outbox where delivered_at is null and failed_at is null`,
  );
  const { late, waiting, failed } = row!;
  const found = `${waiting} waiting, ${late} for more than ten minutes, ${failed} given up today`;
  return late > 0 || failed > 0
    ? finding('outbox', 'warn', found, 'Look at the log for what could not be delivered.')
    : finding('outbox', 'ok', found);
}

async function examineMail({ smtpUrl, production }: GroundConfig): Promise<Finding> {
  if (smtpUrl === null)
    return production
      ? finding('mail', 'fail', 'no SMTP_URL', 'Set SMTP_URL.')
      : finding('mail', 'ok', 'kept at /dev/mailbox, because SMTP_URL is not set');
  const { hostname, port, protocol } = new URL(smtpUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = port ? Number(port) : protocol === 'smtps:' ? 465 : 587;
  const problem = await reach(host, number, protocol === 'smtp:');
  return problem === null
    ? finding('mail', 'ok', `${host}:${number} answers`)
    : finding('mail', 'fail', `${host}:${number}: ${problem}`, 'Check SMTP_URL and the firewall.');
}

/** Why there is no mail server, or null. One without TLS from the start says who it is. */
function reach(host: string, port: number, greets: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 });
    const done = (problem: string | null): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.on('connect', () => {
      if (!greets) done(null);
    });
    socket.on('data', (data: Buffer) =>
      done(data.toString('latin1').startsWith('220') ? null : 'it does not speak SMTP'),
    );
    socket.on('timeout', () => done('no answer in 5 seconds'));
    socket.on('error', (error) => done(error.message));
  });
}

async function examineIssuer({ issuer, production }: GroundConfig): Promise<Finding> {
  const advice = production
    ? 'Check that the server runs, and the proxy in front of it.'
    : 'Start it: npm start';
  try {
    const response = await fetch(new URL('/.well-known/openid-configuration', issuer), {
      signal: AbortSignal.timeout(5000),
      redirect: 'error',
    });
    const said = ((await response.json()) as { issuer?: string }).issuer;
    return said === issuer
      ? finding('issuer', 'ok', `${issuer} answers`)
      : finding(
          'issuer',
          'fail',
          `${issuer} says that it is ${said}`,
          'Set ISSUER the same everywhere.',
        );
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    const found = `${issuer} does not answer (${cause?.code ?? (error as Error).name})`;
    return finding('issuer', production ? 'fail' : 'warn', found, advice);
  }
}
