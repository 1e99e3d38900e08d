import { z } from 'zod';

/** A number that is counted in, and what is said of anything else. */
const count = (least: number, most: number) => {
  const error = `must be a number from ${least} to ${most}.`;
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

/** One word of a few. */
const oneOf = <const Words extends [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}.` });

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

const flag = oneOf(['0', '1', 'true', 'false']).transform(
  (text) => text === '1' || text === 'true',
);

/**
 * Every setting: its name in the environment, its default, what it does. Contract.md section 2.
 *
 * Defaults that depend on others (`ISSUER` on `PORT`, `DATABASE_URL` on `DATA_DIR`) are filled in by
 * `load.ts`.
 */
export const Settings = z.object({
  NODE_ENV: oneOf(['development', 'production', 'test']).default('development'),
  ISSUER: z
    .url({ protocol: /^https?$/, error: 'must be an address, https://... or http://...' })
    .optional()
    .describe(
      'The public address. It is the `iss` of every token; every link and every metadata document is built from it, never from a request. Changing it invalidates all tokens.',
    ),
  HOST: z.string().min(1).default('127.0.0.1').describe('The address to listen on.'),
  PORT: count(0, 65_535).default(3000).describe('The port to listen on.'),
  DATABASE_URL: z
    .string()
    .regex(/^(postgres(ql)?:\/\/|pglite:).+/, 'must be postgres://... or pglite:<folder>')
    .optional()
    .describe('A PostgreSQL, or a folder for the embedded database.'),
  DATA_DIR: z.string().min(1).default('.data').describe('Where embedded data and demo.json go.'),
  SECRET_KEY: z
    .string()
    .optional()
    .describe(
      '32 bytes or more, base64; encrypts stored secrets and signs cookies. Several, comma separated, while one is rotated: the first encrypts, all decrypt.',
    ),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be smtp://... or smtps://...' })
    .optional()
    .describe('Where mail is handed over. Without it mail is kept and shown at /dev/mailbox.'),
  MAIL_FROM: z
    .string()
    .regex(/^(?:[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, 'must be Name <address>.')
    .default('Ostiary <no-reply@localhost.localdomain>')
    .describe('The sender of every mail.'),
  DNS_SERVERS: list.describe('Resolvers for domain proof, host:port, comma separated.'),
  TRUSTED_PROXIES: list.describe(
    'Addresses or networks (10.0.0.0/8) whose forwarding headers count.',
  ),
  EGRESS_ALLOW: list.describe(
    'Private addresses or host names that outgoing requests may reach: federation metadata, back-channel logout, webhooks.',
  ),
  WORKERS: count(1, 256).default(1).describe('Processes that serve. PostgreSQL only.'),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  SECOND_FACTOR: oneOf(['off', 'optional', 'admins', 'all'])
    .default('optional')
    .describe(
      'Who has to have a second factor: nobody (and nobody may), who wants to, administrators, everybody. Accounts and domains may be stricter.',
    ),
  SECOND_FACTOR_REMEMBER_DAYS: count(0, 30)
    .default(0)
    .describe('Days for which a browser may remember that a second factor was shown. 0: never.'),
  STEP_UP_MINUTES: count(1, 60)
    .default(5)
    .describe('How long a person who has just proved who they are may change what guards them.'),
  DEMO: flag.optional().describe('1 seeds the demo, 0 does not.'),
});

export type Settings = z.infer<typeof Settings>;

/** The settings as the program uses them. */
export interface Config {
  production: boolean;
  issuer: string;
  host: string;
  port: number;
  database: { kind: 'postgres'; url: string } | { kind: 'embedded'; folder: string };
  dataDir: string;
  secrets: readonly Buffer[];
  smtpUrl: string | null;
  mailFrom: string;
  dnsServers: readonly string[];
  trustedProxies: readonly string[];
  egressAllow: readonly string[];
  workers: number;
  logLevel: string;
  secondFactor: {
    policy: 'off' | 'optional' | 'admins' | 'all';
    rememberDays: number;
    stepUpMinutes: number;
  };
  demo: boolean;
}
