import type { ClientRecord } from '#identity/applications/client-record.ts';
import type { MessageKey } from '#messages/translate.ts';
import type { MetadataFault, MetadataProblem } from '#identity/applications/client-rules.ts';
import {
  addSecret,
  changeClient,
  clientById,
  createClient,
  findClients,
  isConfidential,
  listSecrets,
  newClientId,
  removeClient,
  revokeSecret,
} from '#identity/applications/manage-clients.ts';
import {
  createResourceServer,
  listResourceServers,
  removeResourceServer,
} from '#identity/applications/resource-servers.ts';
import { Refusal } from '#identity/refusal.ts';
import { filledIn, requireGoodMetadata } from '../../client-metadata.ts';
import { named } from '../../form.ts';
import {
  clientPage,
  clientsPage,
  newClientPage,
  presets,
  resourcesPage,
  type ClientRow,
  type ClientValues,
  type Preset,
} from '../../pages/console/clients.ts';
import { secretPage } from '../../pages/console/forms.ts';
import { confirmPage } from '../../pages/console/parts.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const atOnce = 50;
const day = 24 * 3600_000;
const home = '/installation/clients';
const device = 'urn:ietf:params:oauth:grant-type:device_code';

/** The OAuth applications of the installation. */
export const clients: Room = {
  menu: {
    path: home,
    title: 'rooms.clients',
    section: 'installation',
    right: 'clients:manage',
    everywhere: true,
  },
  open(door) {
    door.get(home, 'clients:manage', async (visit) => {
      const q = visit.value('q');
      const cursor = visit.cursor(['clients', q]);
      const rows = await visit.operate((work) =>
        findClients(work, { q, after: cursor.after, limit: atOnce + 1 }),
      );
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
      visit.show(
        clientsPage({
          ...visit.page,
          clients: items.map(rowOf),
          q,
          nextCursor,
          later: cursor.after !== undefined,
        }),
      );
    });

    door.get(`${home}/new`, 'clients:manage', (visit) => showNew(visit));
    door.post(`${home}/new`, 'clients:manage', (visit) => create(visit), {
      repeated: ['resources'],
    });

    const one = `${home}/:client`;
    door.get(one, 'clients:manage', (visit) => showOne(visit));
    door.post(one, 'clients:manage', (visit) => change(visit), { repeated: ['resources'] });
    for (const [verb, disabled] of [
      ['disable', true],
      ['enable', false],
    ] as const)
      door.post(`${one}/${verb}`, 'clients:manage', async (visit) => {
        const id = idOf(visit);
        await visit.operate((work) => changeClient(work, id, { disabled }));
        await visit.tools.announce.clients_changed();
        visit.done(`${home}/${id}`, visit.t('rooms.saved'));
      });
    door.post(`${one}/secrets`, 'clients:manage', (visit) => giveSecret(visit), { fresh: true });
    door.post(`${one}/secrets/:secretId/revoke`, 'clients:manage', async (visit) => {
      const id = idOf(visit);
      await visit.operate((work) => revokeSecret(work, id, visit.params['secretId']!));
      await visit.tools.announce.clients_changed();
      visit.done(`${home}/${id}#secrets`, visit.t('rooms.tokens.revoked'));
    });
    door.get(`${one}/remove`, 'clients:manage', async (visit) => {
      const { id, name } = await visit.operate((work) => clientById(work, idOf(visit)));
      visit.show(
        confirmPage(visit.page, {
          title: visit.t('rooms.remove'),
          heading: [visit.t('rooms.remove'), ': ', named(name)],
          back: { href: `/console${home}/${id}`, title: named(name) },
          what: visit.t('rooms.client.remove_text'),
          action: `/console${home}/${id}/remove`,
          button: visit.t('rooms.remove'),
          danger: true,
        }),
      );
    });
    door.post(
      `${one}/remove`,
      'clients:manage',
      async (visit) => {
        await visit.operate((work) => removeClient(work, idOf(visit)));
        await visit.tools.announce.clients_changed();
        visit.done(home, visit.t('rooms.removed'));
      },
      { fresh: true },
    );
  },
};

/** APIs that take JWT access tokens. */
export const resources: Room = {
  menu: {
    path: '/installation/resources',
    title: 'rooms.resources',
    section: 'installation',
    right: 'resources:manage',
    everywhere: true,
  },
  open(door) {
    const path = '/installation/resources';
    door.get(path, 'resources:manage', (visit) => showResources(visit));
    door.post(path, 'resources:manage', async (visit) => {
      const typed = new Typed(visit);
      const identifier = typed.line('identifier', 500);
      const name = typed.line('name');
      const scopes = typed.text('scopes', 10_000, { optional: true }).split(/\s+/).filter(Boolean);
      const url = URL.parse(identifier);
      if (identifier && (!url || !/^https?:$/.test(url.protocol) || identifier.includes('#')))
        typed.wrong('identifier', visit.say('rooms.wrong.address'));
      if (!scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(scope)))
        typed.wrong('scopes', visit.say('rooms.wrong.text'));
      if (!typed.ok) return showResources(visit, typed.errors);
      try {
        await visit.operate((work) =>
          createResourceServer(work, { identifier, name, scopes, ttl: 300, alg: 'ES256' }),
        );
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'resource_exists') throw error;
        return showResources(visit, { identifier: visit.reason(error) });
      }
      await visit.tools.announce.clients_changed();
      visit.done(path, visit.t('rooms.saved'));
    });
    door.post(`${path}/remove`, 'resources:manage', async (visit) => {
      await visit.operate((work) => removeResourceServer(work, visit.value('remove')));
      await visit.tools.announce.clients_changed();
      visit.done(path, visit.t('rooms.removed'));
    });
  },
};

async function showResources(visit: Visit, errors: Typed['errors'] = {}): Promise<void> {
  const failed = Object.keys(errors).length > 0;
  visit.show(
    resourcesPage({
      ...visit.page,
      resources: await listResourceServers(visit.sql, { limit: 200 }),
      values: {
        identifier: failed ? visit.value('identifier') : '',
        name: failed ? visit.value('name') : '',
        scopes: failed ? visit.value('scopes') : '',
      },
      errors,
    }),
    failed ? 422 : 200,
  );
}

function idOf({ params }: Visit): string {
  return params['client']!;
}

function rowOf(client: ClientRecord): ClientRow {
  const { id, name, firstParty, disabledAt = null } = client;
  return { id, name, firstParty, disabledAt, preset: presetOf(client.metadata) };
}

/** What kind of application a registration is. */
function presetOf(metadata: Readonly<Record<string, unknown>>): Preset {
  const grants = (metadata['grant_types'] as string[] | undefined) ?? ['authorization_code'];
  if (!grants.includes('authorization_code') && !grants.includes(device)) return 'machine';
  if (metadata['application_type'] === 'native') return 'native';
  return metadata['token_endpoint_auth_method'] === 'none' ? 'spa' : 'web';
}

/** How each kind is set up. People who know better use the API. */
const metadataOf: Record<Preset, Readonly<Record<string, unknown>>> = {
  web: {
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    require_pkce: true,
  },
  spa: {
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  },
  native: {
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token', device],
    token_endpoint_auth_method: 'none',
  },
  machine: {
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
  },
};

function typedValues(visit: Visit): ClientValues {
  return {
    name: visit.value('name'),
    redirectUris: visit.value('redirectUris'),
    logoutUris: visit.value('logoutUris'),
    backchannel: visit.value('backchannel'),
    consent: visit.value('consent') === 'yes' ? 'yes' : 'no',
    account: visit.value('account') === 'no' ? 'no' : 'yes',
    resources: visit.values('resources'),
  };
}

/** What was typed, as a registration. Addresses that were left empty are left out. */
function readRegistration(
  visit: Visit,
  typed: Typed,
  preset: Preset,
): {
  name: string;
  firstParty: boolean;
  requiresAccount: boolean;
  resources: string[];
  metadata: Record<string, unknown>;
} {
  const lines = (name: string): string[] =>
    typed.text(name, 20_000, { optional: true }).split(/\s+/).filter(Boolean);
  const name = typed.line('name');
  const redirects = lines('redirectUris');
  const logouts = lines('logoutUris');
  const backchannel = typed.optional('backchannel', 2000);
  return {
    name,
    firstParty: preset === 'machine' || visit.value('consent') !== 'yes',
    requiresAccount: preset !== 'machine' && visit.value('account') !== 'no',
    resources: visit.values('resources'),
    metadata:
      preset === 'machine'
        ? {}
        : {
            redirect_uris: redirects,
            post_logout_redirect_uris: logouts,
            ...(backchannel !== null && { backchannel_logout_uri: backchannel }),
          },
  };
}

async function listResources(visit: Visit): Promise<(readonly [string, string])[]> {
  const rows = await listResourceServers(visit.sql, { limit: 100 });
  return rows.map(({ identifier, name }) => [identifier, name] as const);
}

async function showNew(
  visit: Visit,
  { errors = {}, problems = [] }: { errors?: Typed['errors']; problems?: string[] } = {},
): Promise<void> {
  const failed = Object.keys(errors).length > 0 || problems.length > 0;
  visit.show(
    newClientPage({
      ...visit.page,
      preset: presets.find((one) => one === visit.value('preset')) ?? 'web',
      values: typedValues(visit),
      resources: await listResources(visit),
      errors,
      problems,
    }),
    failed ? 422 : 200,
  );
}

async function create(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const preset = typed.choice('preset', presets);
  const { metadata: own, ...rest } = readRegistration(visit, typed, preset);
  if (!typed.ok) return showNew(visit, { errors: typed.errors });
  const id = newClientId();
  const metadata = filledIn({ ...metadataOf[preset], ...own });
  try {
    requireGoodMetadata(visit.tools, id, rest.name, metadata);
    const { client, secret } = await visit.operate((work) =>
      createClient(work, { id, ...rest, metadata }),
    );
    await visit.tools.announce.clients_changed();
    if (secret === null) return visit.done(`${home}/${client.id}`, visit.t('rooms.saved'));
    showSecret(visit, client.id, client.name, secret);
  } catch (error) {
    await showNew(visit, problemsOf(visit, error));
  }
}

function showSecret(visit: Visit, id: string, name: string, secret: string): void {
  visit.show(
    secretPage(visit.page, {
      title: name,
      back: { href: `/console${home}/${id}`, title: named(name) },
      secrets: [
        ['client_id', id],
        ['client_secret', secret],
      ],
    }),
    201,
  );
}

const fieldNames: Readonly<Record<string, string>> = {
  client_name: 'name',
  redirect_uris: 'redirectUris',
  post_logout_redirect_uris: 'logoutUris',
  backchannel_logout_uri: 'backchannel',
  resources: 'resources',
};

const faultTexts: Record<MetadataFault, MessageKey> = {
  grant_unknown: 'rooms.client.fault.grant_unknown',
  response_unknown: 'rooms.client.fault.response_unknown',
  machine_without_secret: 'rooms.client.fault.machine_without_secret',
  redirect_missing: 'rooms.client.fault.redirect_missing',
  wildcard: 'rooms.client.fault.wildcard',
  not_absolute: 'rooms.client.fault.not_absolute',
  fragment: 'rooms.client.fault.fragment',
  name_in_it: 'rooms.client.fault.name_in_it',
  loopback_only: 'rooms.client.fault.loopback_only',
  https_only: 'rooms.client.fault.https_only',
  private_scheme: 'rooms.client.fault.private_scheme',
  no_origin: 'rooms.client.fault.no_origin',
};

/** What is wrong with a registration: at its field, where it has one. */
function problemsOf(
  visit: Visit,
  error: unknown,
): { errors: Typed['errors']; problems: string[]; status?: number } {
  if (!(error instanceof Refusal)) throw error;
  const { problems } = error.details as { problems?: MetadataProblem[] };
  if (error.code === 'version_conflict')
    return { errors: {}, problems: [visit.reason(error)], status: 409 };
  if (error.code !== 'invalid_client' || !problems) throw error;
  const errors: Record<string, string> = {};
  const others: string[] = [];
  for (const { field, problem, code, value } of problems) {
    const [named = ''] = problem.split(' ');
    const name = fieldNames[field.split(/[.[]/)[0]!] ?? fieldNames[named];
    // What the engine finds is told in the words of the protocol.
    const said = code
      ? `${value === undefined ? '' : `${value}: `}${visit.t(faultTexts[code])}.`
      : problem;
    if (name !== undefined && name in visit.form)
      errors[name] = [errors[name] ?? [], said].flat().join(' ');
    else others.push(`${field}: ${said}`);
  }
  return { errors, problems: others };
}

async function showOne(
  visit: Visit,
  {
    errors = {},
    problems = [],
    status = 422,
  }: { errors?: Typed['errors']; problems?: string[]; status?: number } = {},
): Promise<void> {
  const id = idOf(visit);
  const client = await visit.operate((work) => clientById(work, id));
  const { metadata } = client;
  const failed = Object.keys(errors).length > 0 || problems.length > 0;
  const lines = (name: string): string =>
    ((metadata[name] as string[] | undefined) ?? []).join('\n');
  visit.show(
    clientPage({
      ...visit.page,
      client: {
        ...rowOf(client),
        createdAt: client.createdAt,
        updatedAt: client.updatedAt,
        version: client.version,
      },
      method:
        (metadata['token_endpoint_auth_method'] as string | undefined) ?? 'client_secret_basic',
      values: failed
        ? typedValues(visit)
        : {
            name: client.name,
            redirectUris: lines('redirect_uris'),
            logoutUris: lines('post_logout_redirect_uris'),
            backchannel: (metadata['backchannel_logout_uri'] as string | undefined) ?? '',
            consent: client.firstParty ? 'no' : 'yes',
            account: client.requiresAccount ? 'yes' : 'no',
            resources: client.resources,
          },
      resources: await listResources(visit),
      secrets: isConfidential(metadata) ? await listSecrets(visit.sql, id, visit.now) : null,
      errors,
      problems,
    }),
    failed ? status : 200,
  );
}

async function change(visit: Visit): Promise<void> {
  const id = idOf(visit);
  const before = await visit.operate((work) => clientById(work, id));
  const typed = new Typed(visit);
  const { metadata: own, ...rest } = readRegistration(visit, typed, presetOf(before.metadata));
  const version = typed.number('version', 1, 1_000_000_000);
  if (!typed.ok) return showOne(visit, { errors: typed.errors });
  // What the form does not show stays as it is.
  const { backchannel_logout_uri: dropped, ...kept } = before.metadata;
  void dropped;
  const metadata = filledIn({ ...kept, ...own });
  try {
    requireGoodMetadata(visit.tools, id, rest.name, metadata);
    await visit.operate((work) =>
      changeClient(work, id, { ...rest, metadata, version: version ?? undefined }),
    );
  } catch (error) {
    return showOne(visit, problemsOf(visit, error));
  }
  await visit.tools.announce.clients_changed();
  visit.done(`${home}/${id}`, visit.t('rooms.saved'));
}

async function giveSecret(visit: Visit): Promise<void> {
  const id = idOf(visit);
  const days = [90, 180, 365, 730].find((one) => String(one) === visit.value('days'));
  const made = await visit.operate(async (work) => {
    const client = await clientById(work, id);
    if (!isConfidential(client.metadata)) throw new Refusal('invalid_client');
    const expiresAt = days === undefined ? null : new Date(work.now.getTime() + days * day);
    return { ...(await addSecret(work, id, expiresAt)), name: client.name };
  });
  await visit.tools.announce.clients_changed();
  showSecret(visit, id, made.name, made.secret);
}
