import { isId } from '#platform/ids.ts';
import type { Connection } from '#identity/federation/connection.ts';
import { findRealm, type Realm } from '#identity/federation/home-realm.ts';
import {
  findTrace,
  goodOutcomes,
  listTraces,
  traceLife,
} from '#identity/federation/kept-traces.ts';
import { listLinks, unlink } from '#identity/federation/links.ts';
import { requireConnection } from '#identity/federation/manage.ts';
import {
  assertionOf,
  pastedAssertion,
  simulate,
  type Pasted,
  type Simulated,
} from '#identity/federation/simulate.ts';
import { Refusal } from '#identity/refusal.ts';
import { repeatedFields } from '../../pages/console/connection-mapping.ts';
import { linkedPeoplePage, unlinkPage } from '../../pages/console/connection-people.ts';
import {
  simulatePage,
  type SimulatedShown,
  type SimulatePage,
} from '../../pages/console/connection-simulation.ts';
import { tracePage, tracesPage } from '../../pages/console/connection-traces.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';
import { readMapping, typedMapping } from './connection-settings.ts';
import { connectionIn, idOf, one } from './connections.ts';

const atOnce = 50;
const fresh = { fresh: true };

/** What came through a connection, who is linked by it, and what would come of a sign-in. */
export const connectionLooks: Room = {
  open(door) {
    door.get(`${one}/simulate`, 'connections:manage', (visit) => showSimulator(visit));
    door.post(`${one}/simulate`, 'connections:manage', (visit) => simulateSignIn(visit), {
      repeated: repeatedFields,
      // A SAMLResponse of 256 KB, encoded for a form, and a mapping that is tried out.
      limit: 1024 * 1024,
    });
    door.get(`${one}/traces`, 'connections:read', (visit) => showTraces(visit));
    door.get(`${one}/traces/:traceId`, 'connections:read', (visit) => showTrace(visit));
    door.get(`${one}/people`, 'connections:read', (visit) => showPeople(visit));
    door.get(
      `${one}/people/:linkId/unlink`,
      'connections:manage',
      async (visit) => {
        const connection = await connectionIn(visit);
        visit.show(unlinkPage({ ...visit.page, connection, link: await linkIn(visit) }));
      },
      fresh,
    );
    door.post(
      `${one}/people/:linkId/unlink`,
      'connections:manage',
      async (visit) => {
        await visit.act(async (work, { account }) =>
          unlink(
            work,
            await requireConnection(work, account.id, idOf(visit)),
            visit.params['linkId']!,
          ),
        );
        visit.done(`/connections/${idOf(visit)}/people`, visit.t('rooms.removed'));
      },
      fresh,
    );
  },
};

// --- The simulator

async function showSimulator(
  visit: Visit,
  shown: Partial<Pick<SimulatePage, 'typed' | 'trial' | 'found' | 'errors' | 'failure'>> = {},
): Promise<void> {
  const connection = await connectionIn(visit);
  const { errors = {}, failure } = shown;
  visit.show(
    simulatePage({
      ...visit.page,
      connection,
      typed: { subject: '', claims: '', response: '', trace: visit.value('trace').slice(0, 60) },
      trial: null,
      found: null,
      ...shown,
      errors,
    }),
    failure !== undefined || Object.keys(errors).length > 0 ? 422 : 200,
  );
}

/** What a sign-in would come to, as the connection is, or with a mapping that was typed. */
async function simulateSignIn(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  // A mapping that is tried out goes along from its own page.
  const trial = visit.value('mode') === '' ? null : typedMapping(visit);
  const tried = trial && (await readMapping(visit, typed));
  const given = {
    subject: visit.value('subject'),
    claims: visit.value('claims'),
    response: visit.value('response'),
    trace: visit.value('trace'),
  };
  const shown = { trial, typed: given };
  if (visit.value('next') === 'edit') return showSimulator(visit, shown);
  const connection = await connectionIn(visit);
  const realm = await findRealm(visit.sql, connection.id);
  if (!realm) throw new Refusal('not_found');
  try {
    const read = await assertionTyped(visit, typed, realm);
    if (!typed.ok || !read) return showSimulator(visit, { ...shown, errors: typed.errors });
    const {
      saved,
      tried: other,
      differences,
    } = await simulate(visit.sql, realm, read.assertion, tried ?? {}, visit.now);
    await showSimulator(visit, {
      ...shown,
      found: {
        saved: simulated(saved),
        tried: simulated(other),
        differences,
        issuedAt: read.issuedAt,
        pasted: read.pasted,
        unverified: read.unverified,
      },
    });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'invalid_value') throw error;
    const [why = visit.reason(error)] = Object.values(error.details);
    const pasted = visit.value('response') !== '';
    await showSimulator(
      visit,
      pasted ? { ...shown, errors: { response: String(why) } } : { ...shown, failure: String(why) },
    );
  }
}

/** A sign-in that was, what was pasted, or claims; whatever is there first. */
async function assertionTyped(
  visit: Visit,
  typed: Typed,
  realm: Realm,
): Promise<(Pasted & { pasted: boolean }) | null> {
  const { connection } = realm;
  const trace = typed.optional('trace', 60);
  if (trace !== null) {
    const found = isId(trace) ? await findTrace(visit.sql, connection.id, trace, visit.now) : null;
    const assertion = found && assertionOf(connection, found.steps);
    if (!assertion) typed.wrong('trace', visit.t('connection.no_such_trace'));
    return assertion && { assertion, ...typedByHand };
  }
  const sent = typed.text('response', 400_000, { optional: true });
  const text = typed.text('claims', 20_000, { optional: true });
  const token = connection.kind === 'oidc' && jwt.test(text.trim()) ? text : '';
  const pasted = sent === '' ? token : sent;
  if (pasted !== '') {
    const what = connection.kind === 'saml' ? { samlResponse: pasted } : { idToken: pasted };
    return { ...(await visit.tools.federation.read(realm, what)), pasted: true };
  }
  const subject = typed.line('subject', 1024);
  const claims = readClaims(text);
  if (!claims) typed.wrong('claims', visit.t('rooms.connection.claims_wrong'));
  return claims && { assertion: pastedAssertion(connection, { subject, claims }), ...typedByHand };
}

const typedByHand = { issuedAt: null, unverified: null, pasted: false };
/** An ID token among the claims is taken for what it is. */
const jwt = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

function readClaims(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function simulated({ outcome, bound, mapped, person, grants }: Simulated): SimulatedShown {
  return {
    outcome: outcome.outcome,
    reason: outcome.outcome === 'refuse' ? outcome.reason : null,
    bound,
    mapped,
    person,
    grants,
  };
}

// --- Traces

async function showTraces(visit: Visit): Promise<void> {
  const { sql, now } = visit;
  const connection = await connectionIn(visit);
  const outcome = ['failed', 'succeeded'].find((known) => known === visit.value('outcome')) ?? '';
  const wanted = visit.value('id').slice(0, 60);
  const cursor = visit.cursor(['traces', connection.id, outcome, wanted]);
  if (cursor.after !== undefined && !isId(cursor.after)) throw new Refusal('invalid_cursor');
  const rows =
    wanted === ''
      ? await listTraces(sql, connection.id, {
          after: cursor.after ?? null,
          limit: atOnce + 1,
          outcome: outcome || null,
          since: new Date(now.getTime() - traceLife),
        })
      : [isId(wanted) ? await findTrace(sql, connection.id, wanted, now) : null].filter(
          (trace) => trace !== null,
        );
  const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
  visit.show(
    tracesPage({
      ...visit.page,
      connection,
      traces: items.map(({ id, purpose, outcome: came, beganAt }) => ({
        id,
        purpose,
        outcome: came,
        good: came !== null && goodOutcomes.includes(came),
        beganAt,
      })),
      outcome,
      id: wanted,
      nextCursor,
      later: cursor.after !== undefined,
    }),
  );
}

async function showTrace(visit: Visit): Promise<void> {
  const connection = await connectionIn(visit);
  const trace = await findTrace(visit.sql, connection.id, visit.params['traceId']!, visit.now);
  if (!trace) throw new Refusal('not_found');
  visit.show(
    tracePage({
      ...visit.page,
      connection,
      trace: { ...trace, good: trace.outcome !== null && goodOutcomes.includes(trace.outcome) },
      replayable: visit.may('connections:manage') && assertionOf(connection, trace.steps) !== null,
    }),
  );
}

// --- Linked people

async function showPeople(visit: Visit): Promise<void> {
  const connection = await connectionIn(visit);
  const cursor = visit.cursor(['links', connection.id]);
  if (cursor.after !== undefined && !isId(cursor.after)) throw new Refusal('invalid_cursor');
  const rows = await listLinks(visit.sql, connection.id, {
    after: cursor.after ?? null,
    limit: atOnce + 1,
  });
  const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
  visit.show(
    linkedPeoplePage({
      ...visit.page,
      connection,
      links: items,
      nextCursor,
      later: cursor.after !== undefined,
      may: visit.may('connections:manage'),
    }),
  );
}

async function linkIn(visit: Visit) {
  const connection: Connection = await connectionIn(visit);
  const [link] = await listLinks(visit.sql, connection.id, {
    linkId: visit.params['linkId']!,
    after: null,
    limit: 1,
  });
  if (!link) throw new Refusal('not_found');
  return link;
}
