import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { loadConfig } from '#config/load.ts';
import type { Database } from '#platform/database/database.ts';
import { embeddedOver } from '#platform/database/embedded.ts';
import { migrate } from '#platform/database/migrate.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import { parsers } from '#platform/database/types.ts';
import type { Sql } from '#platform/database/sql.ts';
import { log as makeLog } from '#platform/observability/log.ts';
import { passwordHasher, type PasswordHasher } from '#platform/password-hash.ts';
import { createConnection } from '#identity/federation/manage.ts';
import { addSecret } from '#identity/federation/secrets.ts';
import { createScimToken } from '#identity/scim/token.ts';
import { createApp, type App } from '../../../src/app.ts';
import { entities } from '../../../src/entities.ts';
import { migrationsFolder } from '../../../src/main.ts';
import { connectedSaml } from '../../support/saml-connection.ts';
import { password, World } from '../../support/world.ts';
import type { Place } from '../flows.ts';
import { serveParent, startService, type Service } from '../service.ts';

/** One process of the whole program, set up as `src/main.ts` does, with its statements counted. */

const people = 64;
let hashing = true;
let statements = 0;
let database: Database | undefined;
let app: App | undefined;
let server: Server | undefined;
let upstream: Service | undefined;

serveParent(
  {
    /** `url` of a PostgreSQL, or a dump of a migrated embedded database, or neither. */
    async start({
      url,
      template,
      issuer,
    }: {
      url: string | null;
      template: string | null;
      issuer: string | null;
    }) {
      database = counting(await open(url, template));
      server = createServer((request, response) => app!.listener(request, response));
      await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const address = issuer ?? `http://localhost:${port}`;
      const config = loadConfig({
        NODE_ENV: 'test',
        ISSUER: address,
        SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      });
      if (issuer === null && template === null) await migrate(database, migrationsFolder);
      app = await createApp({
        config,
        database,
        log: makeLog('error'),
        hasher: hasherWithSwitch(passwordHasher()),
        // Nobody is told to wait: how much there is room for is what is measured.
        scimPerSecond: 1_000_000,
      });
      await app.start();
      return { port, issuer: address };
    },

    /**
     * `narrow`: what people have beside their place in the account is left out. `full`: there are groups
     * of ten thousand. `saml`: connections that speak it.
     */
    async seed({
      crowd,
      narrow,
      full,
      saml,
    }: {
      crowd: number;
      narrow: boolean;
      full: boolean;
      saml: number;
    }): Promise<Omit<Place, 'host' | 'ports'>> {
      const given = new World(app!.foundation, () => database!.notify('ostiary_clients', ''));
      await given.terms('1');
      await given.terms('1', { kind: 'privacy' });
      const acme = await given.account('Acme', { owns: ['acme.example'], number: '1001' });
      const persons = [];
      for (let index = 0; index < people; index += 1)
        persons.push(
          await given.user(`person${index}@acme.example`, {
            of: acme,
            roles: ['co_administrator'],
            givenName: 'Ann',
          }),
        );
      if (crowd > 0) await fill(given, crowd, acme.id, narrow);
      const resource = await given.resource('https://api.example/');
      const client = await given.client({
        name: 'Bench',
        requiresAccount: true,
        resources: [resource],
        metadata: {
          grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        },
      });
      return {
        paths: {
          authorize: '/oauth/authorize',
          token: '/oauth/token',
          userinfo: '/oauth/userinfo',
          introspect: '/oauth/introspect',
          discovery: '/.well-known/openid-configuration',
          keys: '/oauth/jwks',
        },
        client,
        resource,
        people: persons.map(({ email }) => ({ email, password })),
        federated: await federate(given),
        saml: await federateBySaml(given, saml),
        scim: await directory(given, acme.id, full),
      };
    },

    /** Whether passwords are hashed, or any password is right at once. */
    hashing({ on }: { on: boolean }) {
      hashing = on;
    },

    /** Mails wait: rendering them is not what is measured. */
    async quiet() {
      await app!.delivery.stop();
    },

    sample() {
      const { user, system } = process.cpuUsage();
      return { cpu: (user + system) / 1000, statements, rss: process.memoryUsage.rss() };
    },
  },
  async () => {
    server?.closeAllConnections();
    server?.close();
    await app?.stop();
    await database?.close();
    await upstream?.stop();
  },
);

/** A company with a provider of its own; its people are made by their first sign-in. */
async function federate(given: World): Promise<{ email: string }[]> {
  upstream = startService('upstream');
  const { issuer } = await upstream.call<{ issuer: string }>('start');
  const globex = await given.account('Globex', { owns: ['globex.example'] });
  await given.work(async (work) => {
    const connection = await createConnection(work, globex.id, {
      kind: 'oidc',
      name: 'Globex',
      issuer,
      oidc: { clientId: 'bench' },
      domains: ['globex.example'],
    });
    await addSecret(work, given.foundation.vault, connection, {
      kind: 'client_secret',
      value: 'a secret of the bench',
      expiresAt: null,
    });
    await work.query(`update connections set state = 'active' where id = $1`, [connection.id]);
  });
  const federated = Array.from({ length: people }, (_, index) => ({
    email: `person${index}@globex.example`,
  }));
  for (const { email } of federated)
    await given.user(email, { of: globex, password: null, givenName: 'Ann' });
  return federated;
}

/** Companies whose provider speaks SAML, each with a domain. */
async function federateBySaml(given: World, companies: number): Promise<{ email: string }[]> {
  const people = Array.from({ length: companies }, (_, n) => ({ email: `ann@saml${n}.example` }));
  for (const { email } of people) {
    const domain = email.slice(email.indexOf('@') + 1);
    await connectedSaml(given, await given.account(domain, { owns: [domain] }), {
      domains: [domain],
    });
  }
  return people;
}

async function open(url: string | null, template: string | null): Promise<Database> {
  if (url !== null)
    return openPostgres(url, entities, (message) => process.stderr.write(`${message}\n`));
  const pglite = await PGlite.create({
    ...(template !== null && { loadDataDir: new Blob([await readFile(template)]) }),
    parsers,
  });
  return embeddedOver(pglite, entities);
}

/** The same database, with a count of what is sent to it. */
function counting(inner: Database): Database {
  return {
    ...inner,
    query(text, params, options) {
      statements += 1;
      return inner.query(text, params, options);
    },
    transaction(work) {
      return inner.transaction((tx) =>
        work({
          get em() {
            return tx.em;
          },
          flush: () => tx.flush(),
          forget: () => tx.forget(),
          query(text, params) {
            statements += 1;
            return tx.query(text, params);
          },
          last(text, params) {
            statements += 1;
            tx.last(text, params);
          },
        }),
      );
    },
  };
}

function hasherWithSwitch(real: PasswordHasher): PasswordHasher {
  return {
    ...real,
    verify: (typed, stored) =>
      hashing ? real.verify(typed, stored) : Promise.resolve(typed === password && stored !== null),
    reserve: () => (hashing ? real.reserve() : Promise.resolve(() => {})),
  };
}

/** A directory of the account, and two thousand of its users. */
async function directory(given: World, accountId: string, full: boolean): Promise<Place['scim']> {
  const { secret } = await given.work((work) =>
    createScimToken(work, accountId, { name: 'Bench' }),
  );
  const { users, groups } = await given.foundation.database.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    // Whoever is found is taken over at the first change: here that is over.
    await tx.query(`update users set source = 'scim' where account_id = $1 and source <> 'scim'`, [
      accountId,
    ]);
    return {
      users: await tx.query<{ id: string; userName: string }>(
        `select id, user_name as "userName" from affiliations
         where account_id = $1 and ended_at is null order by md5(id::text) limit 2000`,
        [accountId],
      ),
      groups: full ? await fullGroups(tx, accountId) : [],
    };
  });
  const [counted] = await given.rows<{ crowd: number }>(
    'select sum(people)::int as crowd from affiliation_counts where account_id = $1',
    [accountId],
  );
  return { token: secret!, accountId, users, groups, crowd: counted!.crowd };
}

/** Groups that hold ten thousand people, where there are so many; none of those whom a client adds. */
async function fullGroups(sql: Sql, accountId: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `insert into groups (id, account_id, name, source, created_at, updated_at)
     select gen_random_uuid(), $1, 'Everybody ' || n, 'scim', now(), now()
     from generate_series(1, 8) n returning id`,
    [accountId],
  );
  await sql.query(
    `insert into group_members (group_id, user_id, added_at)
     select g.id, a.user_id, now()
     from (select user_id from affiliations where account_id = $1 and ended_at is null
           order by md5(id::text) offset 2000 limit 10000) a
     cross join unnest($2::uuid[]) g (id)`,
    [accountId, rows.map(({ id }) => id)],
  );
  return rows.map(({ id }) => id);
}

/**
 * Other people, each with a session, a device and some tokens, so that tables have the size at which
 * indexes count, and PostgreSQL knows it.
 */
async function fill(given: World, crowd: number, account: string, narrow: boolean): Promise<void> {
  await given.foundation.database.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query('set local lock_timeout = 0');
    // Indexes of so many are made in a tenth of the time when everybody is there.
    const indexes = crowd >= 100_000 ? await withoutIndexes(tx) : [];
    await fillTables(tx, crowd, account, narrow);
    await tx.query(`set local maintenance_work_mem = '512MB'`);
    for (const index of indexes) await tx.query(index);
    await tx.query('analyze');
  });
}

/** Drops those that no constraint stands on. Returns what makes them again. */
async function withoutIndexes(sql: Sql): Promise<string[]> {
  const indexes = await sql.query<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(c.oid) as definition
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = any ('{users,affiliations,affiliation_emails}'::regclass[])
       and not i.indisunique`,
  );
  for (const { name } of indexes) await sql.query(`drop index ${name}`);
  return indexes.map(({ definition }) => definition);
}

async function fillTables(
  sql: Sql,
  crowd: number,
  account: string,
  narrow: boolean,
): Promise<void> {
  // Each row would tell its neighbours: here they are all made at once.
  const [{ mighty }] = (await sql.query<{ mighty: boolean }>(
    `select current_setting('is_superuser') = 'on' as mighty`,
  )) as [{ mighty: boolean }];
  if (mighty) await sql.query(`set local session_replication_role = 'replica'`);
  await sql.query(
    `insert into users (id, email, email_display, given_name, family_name, country, identity, source,
       affiliation, account_id, email_verified_at, created_at, updated_at)
     select gen_random_uuid(), 'p' || n || '@crowd.example', 'p' || n || '@crowd.example', 'Pat',
       'Number ' || n, 'DE', 'ready', 'scim', 'member', $1::uuid, now(), now(), now()
     from generate_series(1, $2::int) n`,
    [account, String(crowd)],
  );
  // One after the other, as people come.
  const came = `date_trunc('milliseconds', now()) - row_number() over () * '1 s'::interval`;
  for (const what of [
    ...(mighty
      ? [
          `affiliations (id, user_id, account_id, reason, began_at, user_name, user_name_key,
             family_name, family_name_key, given_name, modified_at, external_id)
           select gen_random_uuid(), u.id, u.account_id, 'bench', ${came},
             u.email_display, u.email, u.family_name, lower(u.family_name), u.given_name,
             ${came}, md5(u.email) from crowd u`,
          `affiliation_emails (affiliation_id, account_id, ord, type, value, value_key, is_primary)
           select a.id, a.account_id, 0, 'work', a.user_name, a.user_name_key, true
           from affiliations a where a.reason = 'bench'`,
          `affiliation_counts (account_id, part, people)
           select account_id, 99, count(*) from crowd group by 1`,
        ]
      : [
          `affiliations (id, user_id, account_id, reason, began_at)
           select gen_random_uuid(), u.id, u.account_id, 'bench', ${came} from crowd u`,
        ]),
    ...(narrow ? [] : beside),
  ])
    await sql.query(
      `with crowd as (select * from users where email like '%@crowd.example') insert into ${what}`,
    );
}

/** What people have beside their place. */
const beside = [
  `terms_acceptances (id, user_id, version_id, locale, sha256, accepted_at)
     select gen_random_uuid(), u.id, v.id, 'en', 'bench', now()
     from crowd u cross join terms_versions v`,
  `role_assignments (id, user_id, role, account_id, granted_by, granted_at)
     select gen_random_uuid(), u.id, 'co_administrator', u.account_id, '{}', now() from crowd u`,
  `user_locks (id, user_id, reason, set_by, set_at, released_by, released_at)
     select gen_random_uuid(), u.id, 'admin', '{}', now(), '{}', now() from crowd u
     where u.email like '%0@%'`,
  `passwords (user_id, hash, set_at) select u.id, 'nobody has this one', now() from crowd u`,
  `trusted_devices (id, user_id, secret_hash, created_at, last_used_at, expires_at)
     select gen_random_uuid(), u.id, md5(u.email), now(), now(), now() + '90 days' from crowd u`,
  `attempt_counters (bucket, failures, day_start, day_count, recent, updated_at)
     select 'user:' || u.id, 1, now(), 1, '{}', now() from crowd u where u.email like '%0@%'`,
  `audit_events (at, account_id, actor, action, target_type, target_id, hash)
     select now(), u.account_id, '{}', 'sign_in.succeeded', 'user', u.id::text, 'bench' from crowd u`,
  `oidc_sessions
       (uid, id_hash, user_id, payload, authorizations, created_at, seen_at, expires_at)
     select md5(u.email), sha256(u.email::bytea)::text, u.id, '{}', '{}', now(), now(), now() + '1 day'
     from crowd u`,
  `oidc_grants (id, user_id, client_id, payload, expires_at)
     select md5(u.email), u.id, 'crowd', '{}', now() + '1 day' from crowd u`,
  `oidc_artifacts
       (id, model, grant_id, session_uid, user_id, client_id, payload, expires_at)
     select md5(u.email || model), model, md5(u.email), md5(u.email), u.id, 'crowd', '{}',
       now() + '1 day'
     from crowd u, unnest('{AccessToken,RefreshToken,AuthorizationCode}'::text[]) model`,
];
