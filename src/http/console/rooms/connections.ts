import { requireAccount } from '#identity/access/rights.ts';
import { breakGlassOf } from '#identity/credentials/break-glass.ts';
import { listConflicts } from '#identity/federation/conflicts.ts';
import { connectionKinds, presetNames, type Connection } from '#identity/federation/connection.ts';
import { newConnectionKey } from '#identity/federation/key.ts';
import { healthFigures } from '#identity/federation/health.ts';
import {
  activateConnection,
  disableConnection,
  removeConnection,
  setMode,
  testConnection,
} from '#identity/federation/lifecycle.ts';
import {
  changeConnection,
  createConnection,
  listConnections,
  requireConnection,
} from '#identity/federation/manage.ts';
import { addSecret, listSecrets, revokeSecret } from '#identity/federation/secrets.ts';
import { readinessReport } from '#identity/federation/readiness.ts';
import { listSetupLinks, makeSetupLink, revokeSetupLink } from '#identity/federation/setup-link.ts';
import { Refusal } from '#identity/refusal.ts';
import { connectionPage, stepPage, steps, type Step } from '../../pages/console/connection.ts';
import {
  connectionsPage,
  newConnectionPage,
  type ConnectionRow,
} from '../../pages/console/connections.ts';
import { secretPage } from '../../pages/console/forms.ts';
import { readinessText } from '../../readiness-text.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const fresh = { fresh: true };
const home = '/connections';
/** One of them. */
export const one = `${home}/:connectionId`;

/** The account's own identity providers: set up, tried out, switched on, looked after. */
export const connections: Room = {
  menu: {
    path: home,
    title: 'rooms.connections',
    section: 'organization',
    right: 'connections:read',
  },
  open(door) {
    door.get(home, 'connections:read', async (visit) => {
      const all = await listConnections(visit.sql, visit.account.id);
      const conflicts = await listConflicts(visit.sql, visit.account.id, { limit: 1 });
      visit.show(
        connectionsPage({
          ...visit.page,
          connections: all.map(rowOf),
          conflicts: conflicts.length > 0,
          may: visit.may('connections:manage'),
        }),
      );
    });
    door.get(`${home}/new`, 'connections:manage', (visit) => showNew(visit), fresh);
    door.post(`${home}/new`, 'connections:manage', (visit) => create(visit), fresh);

    door.get(one, 'connections:read', (visit) => showOne(visit));
    door.post(`${one}/set-up`, 'connections:manage', (visit) => setUp(visit), fresh);
    door.post(`${one}/test`, 'connections:manage', (visit) => test(visit));
    for (const step of steps)
      door.get(`${one}/${step}`, 'connections:manage', (visit) => showStep(visit, step), fresh);
    door.post(
      `${one}/activate`,
      'connections:manage',
      (visit) =>
        carryOut(visit, () =>
          visit.act((work, { account }) =>
            activateConnection(work, account.id, idOf(visit), {
              withoutBreakGlass: visit.value('without') === 'yes',
            }),
          ),
        ),
      fresh,
    );
    door.post(`${one}/enforce`, 'connections:manage', (visit) => enforce(visit), fresh);
    door.post(
      `${one}/relax`,
      'connections:manage',
      (visit) =>
        carryOut(visit, () =>
          visit.act((work, { account }) =>
            setMode(work, account.id, idOf(visit), { mode: 'optional' }),
          ),
        ),
      fresh,
    );
    door.post(
      `${one}/sign-out`,
      'connections:manage',
      (visit) =>
        carryOut(visit, () =>
          visit.act((work, { account }) =>
            changeConnection(work, account.id, idOf(visit), {
              signOutUpstream: visit.value('where') === 'everywhere',
            }),
          ),
        ),
      fresh,
    );
    door.post(
      `${one}/disable`,
      'connections:manage',
      (visit) =>
        carryOut(visit, () =>
          visit.act((work, { account }) =>
            disableConnection(
              work,
              account.id,
              idOf(visit),
              visit.value('reason').slice(0, 500) || null,
            ),
          ),
        ),
      fresh,
    );
    door.post(
      `${one}/remove`,
      'connections:manage',
      async (visit) => {
        await visit.act((work, { account }) => removeConnection(work, account.id, idOf(visit)));
        visit.done(home, visit.t('rooms.removed'));
      },
      fresh,
    );

    door.post(`${one}/secrets`, 'connections:manage', (visit) => giveSecret(visit), fresh);
    door.post(
      `${one}/secrets/:secretId/revoke`,
      'connections:manage',
      (visit) =>
        carryOut(visit, () =>
          visit.act(async (work, { account }) =>
            revokeSecret(
              work,
              await requireConnection(work, account.id, idOf(visit), { taken: true }),
              visit.params['secretId']!,
            ),
          ),
        ),
      fresh,
    );

    door.post(`${one}/keys`, 'connections:manage', (visit) => makeKey(visit), fresh);

    door.post(`${one}/links`, 'connections:manage', (visit) => makeLink(visit), fresh);
    door.post(`${one}/links/:linkId/revoke`, 'connections:manage', async (visit) => {
      await visit.act(async (work, { account }) =>
        revokeSetupLink(
          work,
          await requireConnection(work, account.id, idOf(visit)),
          visit.params['linkId']!,
        ),
      );
      visit.done(`${home}/${idOf(visit)}#links`, visit.t('rooms.tokens.revoked'));
    });
  },
};

export function idOf({ params }: Visit): string {
  return params['connectionId']!;
}

/** The connection of the address, of this account. @throws {Refusal} `not_found` */
export function connectionIn(visit: Visit): Promise<Connection> {
  return requireConnection(visit.sql, visit.account.id, idOf(visit));
}

function rowOf({ health, ...connection }: Connection): ConnectionRow {
  return { ...connection, failing: health.failingSince !== null };
}

function showNew(visit: Visit, errors: Typed['errors'] = {}): void {
  visit.show(
    newConnectionPage({
      ...visit.page,
      values: {
        name: visit.value('name'),
        kind: visit.value('kind') || 'oidc',
        preset: visit.value('preset') || 'entra',
      },
      errors,
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function create(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const preset = typed.choice('preset', presetNames);
  const kind = typed.choice('kind', connectionKinds);
  const name = typed.line('name');
  if (!typed.ok) return showNew(visit, typed.errors);
  try {
    const { id } = await visit.act((work, { account }) =>
      createConnection(work, account.id, { kind, preset, name }),
    );
    visit.done(`${home}/${id}`, visit.t('rooms.saved'));
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'limit_reached') throw error;
    showNew(visit, { name: visit.reason(error) });
  }
}

async function showOne(
  visit: Visit,
  {
    testUrl = null,
    failure,
    errors = {},
  }: { testUrl?: string | null; failure?: Refusal; errors?: Typed['errors'] } = {},
): Promise<void> {
  const { sql, now } = visit;
  const connection = await connectionIn(visit);
  const [figures, readiness, secrets, links] = await Promise.all([
    healthFigures(sql, connection.id, now),
    readinessReport(sql, connection, now),
    listSecrets(sql, connection.id),
    listSetupLinks(sql, connection.id, now),
  ]);
  const { problems, ...details } = (failure?.details ?? {}) as { problems?: unknown[] };
  const failed = failure !== undefined || Object.keys(errors).length > 0;
  visit.show(
    connectionPage({
      ...visit.page,
      connection: { ...connection, ...connection.health, ...rowOf(connection) },
      signedOutUri: new URL(
        `/federation/${connection.id}/signed-out`,
        visit.tools.foundation.issuer,
      ).href,
      figures,
      reasons: figures.reasons,
      readiness: {
        ...readiness,
        items: readiness.items.map((one) => ({ ...one, detail: readinessText(one, visit.t) })),
      },
      secrets: secrets.map(({ id, publicPart, createdAt, expiresAt }) => ({
        id,
        hint: typeof publicPart['hint'] === 'string' ? publicPart['hint'] : id.slice(-4),
        createdAt,
        expiresAt,
      })),
      links,
      testUrl,
      failure: failure && visit.reason(failure),
      problems: (problems ?? Object.values(details).filter((one) => typeof one === 'string')).map(
        String,
      ),
      failures: connection.health.failures,
      errors,
      may: visit.may('connections:manage'),
    }),
    failed ? 409 : 200,
  );
}

async function showStep(visit: Visit, step: Step, errors: Typed['errors'] = {}): Promise<void> {
  const { id, name, mode } = await connectionIn(visit);
  const withoutBreakGlass =
    step === 'activate' &&
    mode === 'optional' &&
    (await breakGlassOf(visit.sql, visit.account.id)).length === 0;
  visit.show(
    stepPage({ ...visit.page, id, name, step, withoutBreakGlass, errors }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function enforce(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const at = typed.day('at');
  if (!typed.ok) return showStep(visit, 'enforce', typed.errors);
  await carryOut(visit, () =>
    visit.act((work, { account }) =>
      setMode(work, account.id, idOf(visit), {
        mode: 'enforced',
        at,
        immediately: visit.value('immediately') === 'yes',
      }),
    ),
  );
}

/** A key of ours by which the provider knows us; it takes a moment to make. */
async function makeKey(visit: Visit): Promise<void> {
  const key = await newConnectionKey();
  await carryOut(visit, () =>
    visit.act(async (work, { account }) => {
      const connection = await requireConnection(work, account.id, idOf(visit), { taken: true });
      if (connection.kind !== 'oidc') throw new Refusal('not_found');
      return addSecret(work, visit.tools.foundation.vault, connection, {
        kind: 'private_key',
        ...key,
      });
    }),
  );
}

/** Does one step; what is in its way is told on the page of the connection. */
async function carryOut(visit: Visit, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
    return showOne(visit, { failure: error });
  }
  visit.done(`${home}/${idOf(visit)}`, visit.t('rooms.saved'));
}

const told = new Set([
  'connection_not_ready',
  'connection_in_use',
  'provider_unreachable',
  'limit_reached',
  'invalid_value',
]);

/** The administrator goes through the same steps as the IT of a company by its link. */
async function setUp(visit: Visit): Promise<void> {
  try {
    const contact = visit.person.email ?? '';
    const { url } = await visit.act(async (work, { account }) => {
      const connection = await requireConnection(work, account.id, idOf(visit));
      // Their own of before is of no more use.
      for (const link of await listSetupLinks(work, connection.id, work.now))
        if (link.contact === contact) await revokeSetupLink(work, connection, link.id);
      return makeSetupLink(work, connection, { contact, days: 1 });
    });
    visit.ctx.status = 303;
    visit.ctx.redirect(url);
  } catch (error) {
    if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
    await showOne(visit, { failure: error });
  }
}

async function makeLink(visit: Visit): Promise<void> {
  const contact = new Typed(visit).optional('contact', 200) ?? '';
  try {
    const directory = visit.value('directory') === 'yes';
    const { url } = await visit.act(async (work, { account, asking }) => {
      if (directory) await requireAccount(work, asking, 'scim_tokens:manage', account.id);
      return makeSetupLink(work, await requireConnection(work, account.id, idOf(visit)), {
        contact,
        days: 7,
        directory,
      });
    });
    visit.show(
      secretPage(visit.page, {
        title: visit.t('rooms.connection.link_new'),
        back: { href: `/console${home}/${idOf(visit)}`, title: visit.t('rooms.connections') },
        secrets: [[visit.t('rooms.address'), url]],
      }),
      201,
    );
  } catch (error) {
    if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
    await showOne(visit, { failure: error });
  }
}

/** Looks whether the provider can be reached; no transaction is open meanwhile. */
async function test(visit: Visit): Promise<void> {
  const { tools, asking, account } = visit;
  const id = idOf(visit);
  try {
    const connection = await visit.act(async (work) => {
      await requireAccount(work, asking, 'connections:manage', account.id);
      return requireConnection(work, account.id, id);
    });
    if (connection.kind === 'oidc' && connection.issuer !== null)
      await tools.federation.look(connection);
    await visit.act((work) => testConnection(work, account.id, id));
  } catch (error) {
    if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
    return showOne(visit, { failure: error });
  }
  await showOne(visit, { testUrl: tools.federation.testLink(id).url });
}

async function giveSecret(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const value = typed.line('secret', 1000);
  const expiresAt = typed.day('expires');
  if (value && value.length < 8) typed.wrong('secret', visit.t('rooms.connection.secret_hint'));
  if (!typed.ok) return showOne(visit, { errors: typed.errors });
  await carryOut(visit, () =>
    visit.act(async (work, { account }) =>
      addSecret(
        work,
        visit.tools.foundation.vault,
        await requireConnection(work, account.id, idOf(visit), { taken: true }),
        { kind: 'client_secret', value, expiresAt },
      ),
    ),
  );
}
