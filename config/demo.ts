import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApiToken } from '#identity/access/api-token.ts';
import { grantRole } from '#identity/access/roles.ts';
import { foundAccount } from '#identity/accounts/create-account.ts';
import {
  changeClient,
  createClient,
  type NewClient,
} from '#identity/applications/manage-clients.ts';
import { storePassword } from '#identity/credentials/password.ts';
import { createConnection } from '#identity/federation/manage.ts';
import { addSecret } from '#identity/federation/secrets.ts';
import { createScimToken } from '#identity/scim/token.ts';
import { acceptTerms, publishTerms } from '#identity/terms/terms.ts';
import { affiliate } from '#identity/users/affiliate.ts';
import { createUser } from '#identity/users/create-user.ts';
import { unitOfWork, type Foundation, type Work } from '#identity/work.ts';
import { newId } from '#platform/ids.ts';
import { newSecret, type Vault } from '#platform/secrets.ts';
import type { PasswordHasher } from '#platform/password-hash.ts';
import type { Config } from './schema.ts';

export interface DemoPerson {
  email: string;
  password: string;
}

export interface DemoAccount {
  id: string;
  name: string;
  domains: string[];
  scimToken: string;
  apiToken: string;
  administrator: DemoPerson;
  coAdministrator?: DemoPerson;
  newcomer?: DemoPerson;
  users: DemoPerson[];
  /** Federated with the demo's own corporate identity provider. */
  connection?: { id: string; kind: 'oidc' };
}

/** What the corporate identity provider needs besides: its people are those of `corporateIdp`. */
export interface DemoCorporateIdp {
  issuer: string;
  users: (DemoPerson & {
    givenName: string;
    familyName: string;
    country?: string;
    groups?: string[];
  })[];
  client: { client_id: string; client_secret: string };
}

/** `demo.json`: contract.md section 4. Keys are only ever added. */
export interface Demo {
  issuer: string;
  operator: DemoPerson & { apiToken: string };
  accounts: DemoAccount[];
  clients: Record<string, Record<string, string>>;
  resource: { identifier: string; scope: string };
  backchannel: { port: number; path: string };
  corporateIdp?: DemoCorporateIdp;
}

interface Place {
  foundation: Foundation;
  hasher: PasswordHasher;
}

interface Cast {
  name: string;
  number: string;
  domain: string;
  autoApproval: boolean;
  administrator: [given: string, family: string];
  coAdministrator?: [given: string, family: string];
  newcomer?: [given: string, family: string];
  users: [given: string, family: string][];
  /** Its people sign in at a provider of its own: those above, and these. */
  federated?: DemoCorporateIdp['users'];
}

const cast: Cast[] = [
  {
    name: 'Acme',
    number: '1001',
    domain: 'acme.example',
    autoApproval: true,
    administrator: ['Fay', 'Miller'],
    coAdministrator: ['Cole', 'Winter'],
    newcomer: ['Newcomer', 'Young'],
    users: [
      ['Ann', 'Archer'],
      ['Bob', 'Baker'],
      ['Eve', 'Eastwood'],
    ],
  },
  {
    name: 'Beta',
    number: '1002',
    domain: 'beta.example',
    autoApproval: false,
    administrator: ['Bea', 'Stone'],
    users: [['Ben', 'Brook']],
  },
  {
    name: 'Globex',
    number: '1003',
    domain: 'globex.example',
    autoApproval: false,
    administrator: ['Gus', 'Holm'],
    users: [['Gina', 'Lake']],
    federated: [
      {
        email: 'dan@globex.example',
        password: '',
        givenName: 'Dan',
        familyName: 'Dale',
        country: 'US',
        groups: ['Engineering'],
      },
      { email: 'hal@globex.example', password: '', givenName: 'Hal', familyName: 'Reed' },
    ],
  },
];

const resource = { identifier: 'https://api.example/', scope: 'api:read' };
const backchannel = { port: 4899, path: '/bcl' };
const scope = 'openid profile email phone address organization roles groups offline_access';

/**
 * The world of `npm start`: three organizations, a few people, the applications of contract.md, and
 * the file that says how to be any of them. Seeded once; a database that has it keeps it.
 *
 * Returns what `demo.json` holds, or null where the database has other people in it.
 */
export async function seedDemo(
  { foundation, hasher }: Place,
  config: Config,
): Promise<Demo | null> {
  const file = join(config.dataDir, 'demo.json');
  const [row] = await foundation.database.query<{ seeded: boolean; people: boolean }>(
    `select exists (select from audit_events where action = 'demo.seeded') as seeded,
            exists (select from users) as people`,
  );
  if (row!.seeded) {
    const kept = readDemo(config.dataDir);
    const atHome =
      kept?.issuer === config.issuer &&
      (!kept.corporateIdp || kept.corporateIdp.issuer === corporateIssuer(config));
    if (kept === null || atHome) return kept;
    const demo = await followAddress(foundation, kept, config);
    writeDemo(file, config.dataDir, demo);
    return demo;
  }
  if (row!.people) return null;

  const people = new Map<string, string>();
  const everybody = ['operator', ...cast.flatMap(peopleOf)];
  const hashes = new Map(
    await Promise.all(
      everybody.map(async (key) => {
        const password = `Demo-${newSecret(9)}`;
        people.set(key, password);
        return [key, await hasher.hash(password)] as const;
      }),
    ),
  );

  const demo = await unitOfWork(
    foundation,
    { actor: { type: 'system', id: 'demo' } },
    async (work): Promise<Demo> => {
      const terms = await publishTerms(work, {
        kind: 'tos',
        version: '2026-06-01',
        effectiveAt: new Date('2026-06-01T00:00:00Z'),
        requiresReaccept: true,
        texts: [
          { locale: 'en', title: 'Terms of Service', body: readTerms('tos.en.md') },
          { locale: 'de', title: 'Nutzungsbedingungen', body: readTerms('tos.de.md') },
        ],
      });

      async function person(
        key: string,
        email: string,
        [givenName, familyName]: [string, string],
        { accepts = true }: { accepts?: boolean } = {},
      ): Promise<string> {
        const id = await createUser(work, {
          email,
          emailDisplay: email,
          givenName,
          familyName,
          country: 'US',
          identity: 'ready',
          source: 'local',
        });
        await storePassword(work, id, hashes.get(key)!);
        const text = terms.texts.find(({ locale }) => locale === 'en')!;
        if (accepts)
          await acceptTerms(work, {
            userId: id,
            accountId: null,
            clientId: null,
            interaction: null,
            accepted: [{ ...text, id: terms.id, kind: terms.kind, version: terms.version }],
          });
        return id;
      }

      const operator = await person('operator', 'operator@ostiary.example', ['Olga', 'Porter']);
      await grantRole(work, operator, 'operator', null);
      const operatorToken = await createApiToken(work, {
        name: 'Demo operator',
        accountId: null,
        role: 'operator',
      });

      const accounts: DemoAccount[] = [];
      let corporateIdp: DemoCorporateIdp | undefined;
      for (const one of cast) {
        const account = await seedAccount(work, one, person, people);
        accounts.push(account);
        if (one.federated)
          corporateIdp = await federate(work, foundation.vault, config, one, account);
      }

      const clients: Demo['clients'] = {};
      for (const [key, client] of Object.entries(demoClients(config.issuer))) {
        const made = await createClient(work, client);
        clients[key] = {
          client_id: made.client.id,
          ...(made.secret !== null && { client_secret: made.secret }),
          ...addressesOf(client.metadata),
        };
      }
      await work.query(
        `insert into resource_servers (identifier, name, scopes, created_at)
         values ($1, 'Demo API', $2, $3)`,
        [resource.identifier, [resource.scope, 'api:write'], work.now],
      );
      work.record('demo.seeded', { type: 'account', id: accounts[0]!.id });
      return {
        issuer: config.issuer,
        operator: {
          email: 'operator@ostiary.example',
          password: people.get('operator')!,
          apiToken: operatorToken.secret,
        },
        accounts,
        clients,
        resource,
        backchannel,
        ...(corporateIdp && { corporateIdp }),
      };
    },
  );
  writeDemo(file, config.dataDir, demo);
  return demo;
}

/**
 * The demo of before, at another address: what has the address in it is written anew, and so is what
 * has the port of the company's own provider, which may be ours now.
 */
async function followAddress(foundation: Foundation, kept: Demo, config: Config): Promise<Demo> {
  const demo = structuredClone(kept);
  demo.issuer = config.issuer;
  await unitOfWork(foundation, { actor: { type: 'system', id: 'demo' } }, async (work) => {
    const { id, metadata } = demoClients(config.issuer)['devApp']!;
    if (
      demo.clients['devApp'] &&
      (await work.query('select 1 from clients where id = $1', [id!])).length > 0
    ) {
      await changeClient(work, id!, { metadata });
      Object.assign(demo.clients['devApp'], addressesOf(metadata));
    }
    const globex = demo.accounts.find(({ connection }) => connection);
    if (!demo.corporateIdp || !globex) return;
    const before = demo.corporateIdp.issuer;
    demo.corporateIdp.issuer = corporateIssuer(config);
    const moved = [globex.connection!.id, before, demo.corporateIdp.issuer] as const;
    await work.query('update connections set issuer = $3 where id = $1 and issuer = $2', [
      ...moved,
    ]);
    await work.query(
      'update federated_links set issuer = $3 where connection_id = $1 and issuer = $2',
      [...moved],
    );
  });
  return demo;
}

/** Where the demo's company has its own provider: the next port. */
function corporateIssuer({ port }: Config): string {
  return `http://localhost:${(port || 3000) + 1}`;
}

/** What `demo.json` says now, or null where there is none. */
export function readDemo(dataDir: string): Demo | null {
  const file = join(dataDir, 'demo.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Demo) : null;
}

type MakePerson = (
  key: string,
  email: string,
  name: [string, string],
  options?: { accepts?: boolean },
) => Promise<string>;

async function seedAccount(
  work: Work,
  one: Cast,
  person: MakePerson,
  passwords: ReadonlyMap<string, string>,
): Promise<DemoAccount> {
  const account = await foundAccount(work, {
    name: one.name,
    number: one.number,
    countries: ['US', 'DE', 'GB'],
  });
  await work.query(
    `insert into domains (id, account_id, name, state, proof, signup, claimed_at, owned_at, created_at)
     values ($1, $2, $3, 'owned', 'operator', $4, $5, $5, $5)`,
    [newId(), account.id, one.domain, one.autoApproval ? 'auto' : 'approve', work.now],
  );

  async function member(
    name: [string, string],
    { role, accepts }: { role?: string; accepts?: boolean } = {},
  ): Promise<DemoPerson & { id: string }> {
    const email = `${name[0].toLowerCase()}@${one.domain}`;
    const id = await person(email, email, name, accepts === undefined ? {} : { accepts });
    await affiliate(work, id, account.id, 'demo', { entitlementCountry: 'US' });
    if (role) await grantRole(work, id, role, account.id);
    return { id, email, password: passwords.get(email)! };
  }
  const shown = ({ email, password }: DemoPerson): DemoPerson => ({ email, password });

  const administrator = await member(one.administrator, { role: 'account_administrator' });
  await work.query(
    'insert into fulfillment_contacts (id, account_id, user_id, created_at) values ($1, $2, $3, $4)',
    [newId(), account.id, administrator.id, work.now],
  );
  const users: DemoPerson[] = [];
  const result: DemoAccount = {
    id: account.id,
    name: one.name,
    domains: [one.domain],
    scimToken: (await createScimToken(work, account.id, { name: `Demo ${one.name}` })).secret!,
    apiToken: (
      await createApiToken(work, {
        name: `Demo ${one.name}`,
        accountId: account.id,
        role: 'account_administrator',
      })
    ).secret,
    administrator: shown(administrator),
    users,
  };
  if (one.coAdministrator)
    result.coAdministrator = shown(await member(one.coAdministrator, { role: 'co_administrator' }));
  if (one.newcomer) result.newcomer = shown(await member(one.newcomer, { accepts: false }));
  for (const name of one.users) users.push(shown(await member(name)));
  return result;
}

/** The company's own provider, and the connection to it, in use from the first minute. */
async function federate(
  work: Work,
  vault: Vault,
  config: Config,
  one: Cast,
  account: DemoAccount,
): Promise<DemoCorporateIdp> {
  const issuer = corporateIssuer(config);
  const client = { client_id: 'ostiary', client_secret: newSecret(24) };
  const connection = await createConnection(work, account.id, {
    kind: 'oidc',
    name: `${one.name} sign-in`,
    issuer,
    oidc: { clientId: client.client_id },
    domains: [one.domain],
  });
  await addSecret(work, vault, connection, {
    kind: 'client_secret',
    value: client.client_secret,
    expiresAt: null,
  });
  await work.query(
    `update connections set state = 'active', tested_at = $2, activated_at = $2 where id = $1`,
    [connection.id, work.now],
  );
  account.connection = { id: connection.id, kind: 'oidc' };
  // Who has a password here has the same one there: nobody looks twice at demo.json.
  const here = [one.administrator, ...one.users].map(([givenName, familyName], index) => ({
    ...(index === 0 ? account.administrator : account.users[index - 1]!),
    givenName,
    familyName,
    country: 'US',
  }));
  return {
    issuer,
    client,
    users: [
      ...one.federated!.map((user) => ({ ...user, password: `Demo-${newSecret(9)}` })),
      ...here,
    ],
  };
}

function peopleOf({ domain, administrator, coAdministrator, newcomer, users }: Cast): string[] {
  return [administrator, coAdministrator, newcomer, ...users]
    .filter((name) => name !== undefined)
    .map(([given]) => `${given.toLowerCase()}@${domain}`);
}

/** The applications of contract.md section 4, and the one of `/dev/app`. */
export function demoClients(issuer: string): Record<string, NewClient> {
  const everyone = { firstParty: true, requiresAccount: false };
  const code = ['authorization_code', 'refresh_token'];
  return {
    web: {
      id: 'demo-web',
      name: 'Demo web application',
      ...everyone,
      resources: [resource.identifier],
      metadata: {
        application_type: 'web',
        redirect_uris: ['https://rp.example/cb'],
        post_logout_redirect_uris: ['https://rp.example/signed-out'],
        grant_types: code,
        scope,
        backchannel_logout_uri: `http://127.0.0.1:${backchannel.port}${backchannel.path}`,
        backchannel_logout_session_required: true,
      },
    },
    second: {
      id: 'demo-second',
      name: 'Second web application',
      ...everyone,
      metadata: {
        application_type: 'web',
        redirect_uris: ['https://rp2.example/cb'],
        post_logout_redirect_uris: ['https://rp2.example/signed-out'],
        grant_types: code,
        scope,
      },
    },
    spa: {
      id: 'demo-spa',
      name: 'Single-page application',
      ...everyone,
      resources: [resource.identifier],
      metadata: {
        application_type: 'web',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['https://spa.example/cb'],
        post_logout_redirect_uris: ['https://spa.example/'],
        grant_types: code,
        scope,
      },
    },
    native: {
      id: 'demo-native',
      name: 'Desktop client',
      ...everyone,
      metadata: {
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: [...code, 'urn:ietf:params:oauth:grant-type:device_code'],
        scope,
      },
    },
    service: {
      id: 'demo-service',
      name: 'Nightly export',
      firstParty: true,
      requiresAccount: false,
      mayIntrospect: true,
      resources: [resource.identifier],
      metadata: {
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
      },
    },
    thirdparty: {
      id: 'demo-thirdparty',
      name: 'Third-party planner',
      requiresAccount: false,
      metadata: {
        application_type: 'web',
        redirect_uris: ['https://thirdparty.example/cb'],
        post_logout_redirect_uris: ['https://thirdparty.example/signed-out'],
        grant_types: code,
        client_uri: 'https://thirdparty.example/',
        scope,
      },
    },
    devApp: {
      id: 'dev-app',
      name: 'Demo app',
      ...everyone,
      resources: [resource.identifier],
      metadata: {
        application_type: issuer.startsWith('https:') ? 'web' : 'native',
        redirect_uris: [`${issuer}/dev/app/callback`],
        post_logout_redirect_uris: [`${issuer}/dev/app`],
        grant_types: code,
        scope,
        backchannel_logout_uri: `${issuer}/dev/app/backchannel`,
        backchannel_logout_session_required: true,
      },
    },
  };
}

function addressesOf(metadata: NewClient['metadata']): Record<string, string> {
  return {
    ...first('redirect_uri', metadata['redirect_uris']),
    ...first('post_logout_redirect_uri', metadata['post_logout_redirect_uris']),
  };
}

function first(name: string, values: unknown): Record<string, string> {
  const [value] = Array.isArray(values) ? (values as string[]) : [];
  return value === undefined ? {} : { [name]: value };
}

function readTerms(name: string): string {
  return readFileSync(join(import.meta.dirname, 'terms', name), 'utf8');
}

function writeDemo(file: string, folder: string, demo: Demo): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
