import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { Settings, type Config } from './schema.ts';

/** Every mistake in the settings, in one message. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';

  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `These settings are missing or wrong:\n${problems.map((one) => `  - ${one}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/**
 * The configuration from the environment. The only reader of `process.env`.
 *
 * In production nothing secret has a default: whatever is missing or weak is refused at the start,
 * all of it in one message.
 *
 * @throws {BadSettings}
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const problems: string[] = [];
  const settings = readSettings(given, problems);
  const production = settings.NODE_ENV === 'production';
  const url = settings.DATABASE_URL ?? `pglite:${join(settings.DATA_DIR, 'db')}`;
  const embedded = url.startsWith('pglite:');
  const { origin: issuer, href } = new URL(settings.ISSUER ?? `http://localhost:${settings.PORT}`);

  if (href !== `${issuer}/`)
    problems.push('ISSUER: must be an origin, without a path, a query or a name.');
  if (embedded && settings.WORKERS > 1 && (settings.DATABASE_URL || !given['DATABASE_URL']))
    problems.push(
      'WORKERS: the embedded database serves one process. Set DATABASE_URL to a PostgreSQL.',
    );
  for (const proxy of settings.TRUSTED_PROXIES)
    if (!isNetwork(proxy)) problems.push(`TRUSTED_PROXIES: ${proxy} is no address and no network.`);
  for (const server of settings.DNS_SERVERS)
    if (!isServer(server)) problems.push(`DNS_SERVERS: ${server} is not host:port.`);
  for (const place of settings.EGRESS_ALLOW)
    if (!isNetwork(place) && !/^[A-Za-z0-9_.-]+$/.test(place))
      problems.push(`EGRESS_ALLOW: ${place} is no address, no network and no host name.`);
  if (production) {
    if (!given['ISSUER']) problems.push('ISSUER: the public address, https://...');
    else if (settings.ISSUER && !issuer.startsWith('https://'))
      problems.push('ISSUER: must be https in production.');
    if (!given['DATABASE_URL'] || (settings.DATABASE_URL && embedded))
      problems.push(
        'DATABASE_URL: a postgres:// address. The embedded database is for trying out.',
      );
    if (!given['SECRET_KEY']) problems.push('SECRET_KEY: 32 random bytes or more, as base64.');
    if (!given['SMTP_URL']) problems.push('SMTP_URL: where mail is handed over.');
    if (!given['MAIL_FROM']) problems.push('MAIL_FROM: the sender of every mail.');
    if (settings.DEMO) problems.push('DEMO: the demo has passwords that everybody knows.');
  }
  const secrets = readSecrets(settings.SECRET_KEY, problems, production);
  if (problems.length > 0) throw new BadSettings(problems);

  return Object.freeze<Config>({
    production,
    issuer,
    host: settings.HOST,
    port: settings.PORT,
    database: databaseAt(url),
    dataDir: settings.DATA_DIR,
    secrets: secrets ?? [localSecret(settings.DATA_DIR)],
    smtpUrl: settings.SMTP_URL ?? null,
    mailFrom: settings.MAIL_FROM,
    dnsServers: settings.DNS_SERVERS,
    trustedProxies: settings.TRUSTED_PROXIES,
    egressAllow:
      settings.EGRESS_ALLOW.length > 0 || production
        ? settings.EGRESS_ALLOW
        : ['localhost', '127.0.0.1', '::1'],
    workers: settings.WORKERS,
    logLevel: settings.LOG_LEVEL,
    secondFactor: {
      policy: settings.SECOND_FACTOR,
      rememberDays: settings.SECOND_FACTOR_REMEMBER_DAYS,
      stepUpMinutes: settings.STEP_UP_MINUTES,
    },
    demo: settings.DEMO ?? settings.NODE_ENV === 'development',
  });
}

/** The database that an address names. */
export function databaseAt(url: string): Config['database'] {
  return url.startsWith('pglite:')
    ? { kind: 'embedded', folder: resolve(url.slice('pglite:'.length)) }
    : { kind: 'postgres', url };
}

/**
 * Where the command line finds the server: `OSTIARY_URL` and `OSTIARY_TOKEN`, and in development what
 * `demo.json` says.
 */
export function loadApiSettings(environment: NodeJS.ProcessEnv = process.env): {
  url: string;
  token: string | null;
} {
  const { OSTIARY_URL: url, OSTIARY_TOKEN: token, NODE_ENV, PORT } = environment;
  const file = join(environment['DATA_DIR'] || '.data', 'demo.json');
  const demo =
    NODE_ENV !== 'production' && existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as {
          issuer: string;
          operator: { apiToken: string };
        })
      : null;
  const here = environment['ISSUER'] || (PORT ? `http://localhost:${PORT}` : null);
  return {
    url: url || here || demo?.issuer || 'http://localhost:3000',
    token: token || demo?.operator.apiToken || null,
  };
}

/** What each setting says for itself. One that is wrong counts as its default, so that all are seen. */
function readSettings(given: Record<string, unknown>, problems: string[]): Settings {
  const parsed = Settings.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = new Set(parsed.error.issues.map(({ path }) => String(path[0])));
  for (const { path, message } of parsed.error.issues)
    problems.push(`${String(path[0])}: ${message}`);
  return Settings.parse(
    Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name))),
  );
}

/** In production a key that nobody drew is weak, however long it is. */
function readSecrets(
  text: string | undefined,
  problems: string[],
  production: boolean,
): Buffer[] | undefined {
  if (text === undefined) return undefined;
  const keys = text.split(',').map((one) => one.trim());
  const secrets = keys.map((key) => Buffer.from(key, 'base64'));
  const isKey = (key: string): boolean => /^[A-Za-z0-9+/_-]+={0,2}$/.test(key);
  if (!keys.every(isKey) || secrets.some(({ length }) => length < 32))
    problems.push('SECRET_KEY: 32 random bytes or more, as base64 (openssl rand -base64 32).');
  // Of 32 drawn bytes about 30 differ; fewer than 16 come up less than once in 10^15.
  else if (production && secrets.some((secret) => new Set(secret).size < 16))
    problems.push('SECRET_KEY: is not random (openssl rand -base64 32).');
  return secrets;
}

/** Made once, beside the data it protects, for whoever just tries things out. */
function localSecret(dataDir: string): Buffer {
  const file = join(dataDir, 'secret.key');
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return Buffer.from(readFileSync(file, 'utf8'), 'base64');
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  if (!isIP(address) || more.length > 0) return false;
  if (bits === undefined) return true;
  try {
    new BlockList().addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    return /^\d+$/.test(bits);
  } catch {
    return false;
  }
}

/** `127.0.0.1:53`, `[::1]:53`, `resolver:53`, or without a port. */
function isServer(text: string): boolean {
  if (isIP(text)) return true;
  const [, literal, name, port = '53'] =
    /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = literal === undefined ? name !== undefined : isIP(literal) === 6;
  return host && Number(port) > 0 && Number(port) < 65_536;
}
