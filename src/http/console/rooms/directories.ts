import { isId } from '#platform/ids.ts';
import { requireAccount } from '#identity/access/rights.ts';
import { Refusal } from '#identity/refusal.ts';
import { decideHold } from '#identity/scim/brake.ts';
import { findExchanges, requireExchange, type ExchangeLine } from '#identity/scim/exchanges.ts';
import { directoryHealth, healthOfToken } from '#identity/scim/health.ts';
import { rehearseAgain, replayed, type Replayed } from '#identity/scim/replay.ts';
import {
  changeScimToken,
  createScimToken,
  requireScimToken,
  revokeScimToken,
} from '#identity/scim/token.ts';
import { departurePolicies, domainPolicies } from '#identity/scim/caller.ts';
import type { Translate } from '#messages/translate.ts';
import { originOf } from '../../context.ts';
import { healthText, meaningText } from '../../directory-text.ts';
import { secretPage } from '../../pages/console/forms.ts';
import {
  directoriesPage,
  directoryPage,
  exchangePage,
  newDirectoryPage,
  outcomeNames,
  type ExchangeShown,
} from '../../pages/console/directories.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const atOnce = 50;
const day = 24 * 3600_000;
const fresh = { fresh: true };

/** Directories that create, change and remove people by themselves (SCIM). */
export const directories: Room = {
  menu: {
    path: '/scim',
    title: 'rooms.scim',
    section: 'organization',
    right: 'scim_tokens:read',
  },
  open(door) {
    door.get('/scim', 'scim_tokens:read', (visit) => showAll(visit));

    door.get('/scim/new', 'scim_tokens:manage', (visit) => showNew(visit), fresh);
    door.post('/scim/new', 'scim_tokens:manage', (visit) => create(visit), fresh);

    door.get('/scim/requests/:requestId', 'scim_tokens:read', (visit) => showRequest(visit));
    door.post('/scim/requests/:requestId/replay', 'scim_tokens:read', (visit) => replay(visit));

    door.get('/scim/:tokenId', 'scim_tokens:read', (visit) => showOne(visit));
    door.post('/scim/:tokenId', 'scim_tokens:manage', (visit) => change(visit), fresh);
    door.post('/scim/:tokenId/hold', 'scim_tokens:manage', (visit) => decide(visit), fresh);
    door.post('/scim/:tokenId/revoke', 'scim_tokens:revoke', async (visit) => {
      await visit.act((work, { account }) => revokeScimToken(work, account.id, tokenOf(visit)));
      visit.done('/scim', visit.t('rooms.tokens.revoked'));
    });
  },
};

function tokenOf({ params }: Visit): string {
  return params['tokenId']!;
}

function shownLine(
  { id, token, at, outcome, status, dryRun, meaning }: ExchangeLine,
  t: Translate,
): ExchangeShown {
  return { id, token, at, outcome, status, dryRun, summary: meaningText(meaning, t).summary };
}

async function showAll(visit: Visit): Promise<void> {
  const { sql, account, now, tools } = visit;
  await tools.directories.flush();
  const person = visit.value('person').slice(0, 200);
  const outcome = outcomeNames.find((one) => one === visit.value('outcome'));
  const cursor = visit.cursor(['scim', person, outcome ?? '']);
  if (cursor.after !== undefined && !isId(cursor.after)) throw new Refusal('invalid_cursor');
  const [health, found] = await Promise.all([
    directoryHealth(sql, account.id, now),
    findExchanges(sql, {
      accountId: account.id,
      person: person || undefined,
      outcome,
      before: cursor.after,
      limit: atOnce + 1,
    }),
  ]);
  const { items, nextCursor } = cursor.page(found, atOnce, ({ id }) => id);
  visit.show(
    directoriesPage({
      ...visit.page,
      endpoint: new URL('/scim/v2', tools.foundation.issuer).href,
      health: health.map((one) => ({ ...one, says: healthText(one, visit.t) })),
      exchanges: items.map((one) => shownLine(one, visit.t)),
      filter: { person, outcome: outcome ?? '' },
      nextCursor,
      later: cursor.after !== undefined,
      may: visit.may('scim_tokens:manage'),
    }),
  );
}

function showNew(visit: Visit, errors: Typed['errors'] = {}): void {
  visit.show(
    newDirectoryPage({
      ...visit.page,
      values: {
        name: visit.value('name'),
        reach: visit.value('reach') || 'both',
        dryRun: visit.value('dry_run') || 'no',
        policy: visit.value('policy') || 'owned',
        departures: visit.value('departures') || 'everybody',
        days: visit.value('days') || '365',
      },
      errors,
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function create(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const name = typed.line('name');
  const reach = typed.choice('reach', ['both', 'users', 'read']);
  const dryRun = typed.choice('dry_run', ['no', 'yes']) === 'yes';
  const domainPolicy = typed.choice('policy', domainPolicies);
  const departurePolicy = typed.choice('departures', departurePolicies);
  const days = [90, 180, 365].find((one) => String(one) === visit.value('days')) ?? 90;
  if (!typed.ok) return showNew(visit, typed.errors);
  try {
    const { token, secret } = await visit.act((work, { account }) =>
      createScimToken(work, account.id, {
        name,
        scopes: { users: true, groups: reach !== 'users', readOnly: reach === 'read' },
        dryRun,
        domainPolicy,
        departurePolicy,
        expiresAt: new Date(work.now.getTime() + days * day),
      }),
    );
    visit.show(
      secretPage(visit.page, {
        title: name,
        back: { href: `/console/scim/${token.id}`, title: visit.t('rooms.scim') },
        secrets: [
          [visit.t('rooms.scim.endpoint'), new URL('/scim/v2', visit.tools.foundation.issuer).href],
          [visit.t('rooms.tokens.token'), secret ?? ''],
        ],
      }),
      201,
    );
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'limit_reached') throw error;
    showNew(visit, { name: visit.reason(error) });
  }
}

async function showOne(visit: Visit, errors: Typed['errors'] = {}): Promise<void> {
  const { sql, now, t } = visit;
  const token = await requireScimToken(sql, visit.account.id, tokenOf(visit), now);
  await visit.tools.directories.flush();
  const health = (await healthOfToken(sql, token.id, now))!;
  visit.show(
    directoryPage({
      ...visit.page,
      token,
      health: { ...health, says: healthText(health, t) },
      errors,
      may: visit.may('scim_tokens:manage'),
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function change(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const changed = {
    name: typed.line('name'),
    dryRun: typed.choice('dry_run', ['no', 'yes']) === 'yes',
    domainPolicy: typed.choice('policy', domainPolicies),
    departurePolicy: typed.choice('departures', departurePolicies),
    limits: {
      number: typed.number('number', 1, 1_000_000) ?? 1,
      share: typed.number('share', 1, 100) ?? 1,
      minutes: typed.number('minutes', 1, 10_080) ?? 1,
    },
  };
  if (!typed.ok) return showOne(visit, typed.errors);
  await visit.act((work, { account }) =>
    changeScimToken(work, account.id, tokenOf(visit), changed),
  );
  visit.done(`/scim/${tokenOf(visit)}`, visit.t('rooms.saved'));
}

/** An administrator decides about a directory that is held: it would put out too many people. */
async function decide(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const decision = typed.choice('decision', ['release', 'keep']);
  const allow = typed.number('allow', 1, 1_000_000, { optional: true });
  if (!typed.ok) return showOne(visit, typed.errors);
  await visit.act((work, { account }) =>
    decideHold(work, account.id, tokenOf(visit), decision, allow),
  );
  visit.done(`/scim/${tokenOf(visit)}`, visit.t('rooms.saved'));
}

async function showRequest(visit: Visit, again: Replayed | null = null): Promise<void> {
  await visit.tools.directories.flush();
  const found = await requireExchange(visit.sql, visit.account.id, visit.params['requestId']!);
  const { meaning, ...exchange } = found;
  visit.show(
    exchangePage({
      ...visit.page,
      exchange: { ...exchange, ...meaningText(meaning, visit.t) },
      replayed: again && { ...again, ...meaningText(again.meaning, visit.t) },
    }),
  );
}

/** Asks again what a directory asked, and keeps nothing of it. */
async function replay(visit: Visit): Promise<void> {
  const { tools, account, asking, person, ctx } = visit;
  await tools.directories.flush();
  const id = visit.params['requestId']!;
  const rehearsed = await rehearseAgain(
    tools.foundation,
    { actor: { type: 'user', id: person.id }, origin: originOf(ctx) },
    tools.directories.rehearse,
    id,
    (work) => requireAccount(work, asking, 'scim_tokens:read', account.id),
  );
  const again = await visit.act((work) => replayed(work, account.id, id, rehearsed));
  await showRequest(visit, again);
}
