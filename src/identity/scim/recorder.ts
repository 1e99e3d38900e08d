import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/observability/log.ts';
import type { Vault } from '#platform/secrets.ts';
import type { AuditRow } from '../work.ts';
import { canonicalEmail } from '../users/email.ts';
import { decoded, isRecord, recognise } from './dialect.ts';
import type { Exchange, GivenAnswer, SentRequest } from './exchange.ts';
import { moreChanges, type Change, type ExchangeOutcome, type Explained } from './meaning.ts';
import { shownOf, shownText, storable, withoutSecrets } from './redact.ts';

/**
 * THE FLIGHT RECORDER. What each directory sent and was answered, kept for thirty days: what is shown
 * without secrets, and what a replay needs, sealed.
 *
 * It stands beside the work and holds nothing up: rows are gathered and written many at a time. What
 * is lost when a process dies in that moment are rows of the recorder, never of the audit log.
 */
export interface Recorder {
  note(exchange: Exchange, sent: SentRequest, answer: GivenAnswer): void;
  /** Writes what was gathered. */
  flush(): Promise<void>;
}

/** How long an exchange is kept. */
export const keptFor = 30 * 24 * 3600_000;

const momentMs = 2;
const gatherMs = 200;
const mostAtOnce = 200;
const mostShown = 32_768;
const mostSealed = 262_144;
const mostSubjects = 3000;
/** Of a list, so many are kept. */
export const mostListed = 20;
const mostChanges = 50;

interface Noted {
  exchange: Exchange;
  sent: SentRequest;
  answer: GivenAnswer;
  duration: number;
}

export function recorder({
  database,
  vault,
  clock,
  log,
}: {
  database: Database;
  vault: Vault;
  clock: Clock;
  log: Pick<Log, 'error'>;
}): Recorder {
  let noted: Noted[] = [];
  let rows: string[] = [];
  let turn: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  /**
   * A moment after the answer: what its directory asks next goes first. Not later: a list is some
   * thousand objects, and kept until the rows are written they would outlive the young generation and
   * cost more to collect than the list to make.
   */
  function toRows(): void {
    clearTimeout(turn);
    turn = undefined;
    for (const one of noted)
      try {
        rows.push(JSON.stringify(rowOf(vault, one)));
      } catch (error) {
        log.error({ error }, notWritten);
      }
    noted = [];
    if (rows.length >= mostAtOnce) void flush();
    else timer ??= setTimeout(() => void flush(), gatherMs).unref();
  }

  function flush(): Promise<void> {
    if (noted.length > 0) toRows();
    clearTimeout(timer);
    timer = undefined;
    const batch = rows;
    rows = [];
    if (batch.length > 0) writing = write(batch, writing);
    return writing;
  }

  /** One batch after the other: none overtakes the one before. */
  async function write(batch: readonly string[], before: Promise<void>): Promise<void> {
    await before;
    try {
      for (const some of portions(batch))
        await database.query(insert, [`[${some.join(',')}]`], { fleeting: true });
    } catch (error) {
      log.error({ error }, notWritten);
    }
  }

  return {
    note(exchange, sent, answer) {
      const duration = Math.max(0, clock().getTime() - exchange.begun.getTime());
      noted.push({ exchange, sent, answer, duration });
      turn ??= setTimeout(toRows, momentMs).unref();
    },
    flush,
  };
}

const notWritten = 'what directories sent could not be written down';

/** So much goes into one statement: others that wait behind it wait for a moment. */
const mostSent = 1_000_000;
const mostRows = 50;

function* portions(rows: readonly string[]): Generator<string[]> {
  let some: string[] = [];
  let length = 0;
  for (const row of rows) {
    if (some.length === mostRows || (some.length > 0 && length + row.length > mostSent)) {
      yield some;
      some = [];
      length = 0;
    }
    some.push(row);
    length += row.length;
  }
  if (some.length > 0) yield some;
}

/** A token that is gone meanwhile has no rows. */
const insert = `
  insert into scim_exchanges (id, token_id, account_id, at, duration_ms, method, target, kind, label,
    status, outcome, reason, detail, directory, dialect, subjects, changes, request, response, sealed,
    dry_run, ip, user_agent)
  select r.id, r.token_id, r.account_id, r.at, r.duration_ms, r.method, r.target, r.kind, r.label,
    r.status, r.outcome, r.reason, r.detail, r.directory, r.dialect, r.subjects, r.changes, r.request,
    r.response, r.sealed, r.dry_run, r.ip, r.user_agent
  from jsonb_to_recordset($1::jsonb) as r(id uuid, token_id uuid, account_id uuid, at timestamptz,
    duration_ms int, method text, target text, kind text, label text, status int, outcome text,
    reason text, detail text, directory text, dialect text[], subjects text[], changes jsonb,
    request jsonb, response jsonb, sealed text, dry_run boolean, ip text, user_agent text)
  where exists (select from scim_tokens t where t.id = r.token_id)`;

/** What an exchange was and came to, apart from what was sent. */
export function factsOf(exchange: Exchange, sent: SentRequest, answer: GivenAnswer): Explained {
  const { directory, quirks } = recognise(sent);
  const kind = kindOf(sent);
  const error = errorIn(answer.body) ?? failedOperations(answer.body);
  const reason = error?.reason ?? null;
  return {
    kind,
    label: labelOf(sent, answer),
    status: answer.status,
    outcome: outcomeOf(exchange, answer, { reason, changing: isChange(kind) }),
    reason,
    detail: error && storable(error.detail).slice(0, 1000),
    directory,
    dialect: quirks,
    changes: changesOf(exchange.audit),
    dryRun: exchange.rehearsal,
  };
}

function isChange(kind: string): boolean {
  return !kind.endsWith('.read') && !kind.endsWith('.search') && kind !== 'discovery';
}

function rowOf(vault: Vault, { exchange, sent, answer, duration }: Noted): object {
  const { dryRun, ...facts } = factsOf(exchange, sent, answer);
  const worth = isChange(facts.kind) || answer.status >= 400;
  return {
    ...facts,
    dry_run: dryRun,
    id: exchange.id,
    token_id: exchange.caller.id,
    account_id: exchange.caller.accountId,
    at: exchange.begun,
    duration_ms: duration,
    method: sent.method,
    target: storable(decoded(sent.target)).slice(0, 2000),
    subjects: subjectsOf(exchange, sent, answer),
    request: bounded(sent.body),
    response: worth ? bounded(answer.body) : digest(answer.body),
    sealed: worth ? sealedOf(vault, exchange.id, sent) : null,
    ip: sent.ip,
    user_agent: sent.userAgent === null ? null : storable(sent.userAgent).slice(0, 400),
  };
}

/** What it was about: `user.create`, `group.change`, `bulk`, `discovery` and so on. */
export function kindOf({ method, target }: Pick<SentRequest, 'method' | 'target'>): string {
  const [, first = '', second = ''] = target.split('?')[0]!.split('/');
  const type = { users: 'user', groups: 'group' }[first.toLowerCase()];
  if (/^bulk$/i.test(first)) return 'bulk';
  if (/^(serviceproviderconfig|schemas|resourcetypes)$/i.test(first)) return 'discovery';
  if (first === '.search') return 'all.search';
  if (!type) return 'other';
  if (second === '.search') return `${type}.search`;
  const verb = {
    GET: second ? 'read' : 'search',
    HEAD: 'read',
    POST: 'create',
    PUT: 'replace',
    PATCH: 'change',
    DELETE: 'remove',
  }[method];
  return verb ? `${type}.${verb}` : 'other';
}

function outcomeOf(
  exchange: Exchange,
  { status }: GivenAnswer,
  { reason, changing }: { reason: string | null; changing: boolean },
): ExchangeOutcome {
  if (exchange.excess || reason === 'directory_held') return 'held';
  if (status >= 500) return 'failed';
  if (status >= 400) return 'refused';
  if (!changing) return 'read';
  return exchange.audit.length > 0 ? 'changed' : 'nothing';
}

/** What a SCIM error says, and which rule it was: a word of ours, or RFC 7644's. */
function errorIn(body: unknown): { detail: string; reason: string | null } | null {
  if (!isRecord(body) || typeof body['status'] !== 'string' || !/^[45]/.test(body['status']))
    return null;
  const detail = typeof body['detail'] === 'string' ? body['detail'] : '';
  const extension = Object.entries(body).find(([name]) => /ErrorDetail$/i.test(name))?.[1];
  const named = isRecord(extension) ? extension['reason'] : undefined;
  const reason =
    (typeof named === 'string' && named) ||
    /^\[([a-z_]+)\]/.exec(detail)?.[1] ||
    (typeof body['scimType'] === 'string' && body['scimType']) ||
    null;
  return { detail: detail.replace(/^\[[a-z_]+\]\s*/, ''), reason };
}

/** Of many operations in one request, how many were refused, and why the first. */
function failedOperations(body: unknown): ReturnType<typeof errorIn> {
  const operations = isRecord(body) ? body['Operations'] : undefined;
  if (!Array.isArray(operations)) return null;
  const failed = operations
    .map((one: unknown) => (isRecord(one) ? errorIn(one['response']) : null))
    .filter((one) => one !== null);
  const [first] = failed;
  if (!first) return null;
  const detail = `${failed.length} of ${operations.length} operations were refused, the first: ${first.detail}`;
  return { detail, reason: first.reason };
}

/** By what a person or group is called in a list: as the directory names it. */
function labelOf({ target, body }: SentRequest, { body: answered }: GivenAnswer): string | null {
  const name = (value: unknown): string | null => {
    if (!isRecord(value)) return null;
    const found = value['userName'] ?? value['displayName'];
    return typeof found === 'string' && found !== '' ? storable(found).slice(0, 200) : null;
  };
  const id = target.split('?')[0]!.split('/')[2];
  return name(answered) ?? name(body) ?? (id && !id.startsWith('.') ? storable(id) : null);
}

/** Everybody and everything it was about: ids, addresses and names, in small letters. */
function subjectsOf(
  { audit }: Exchange,
  { target, body }: SentRequest,
  { body: answered }: GivenAnswer,
): string[] {
  const found = new Set<string>();
  // A name and an address are mostly the same.
  const seen = new Set<unknown>();
  const add = (value: unknown): void => {
    if (typeof value !== 'string' || value === '' || value.length > 320 || seen.has(value)) return;
    seen.add(value);
    if (found.size < mostSubjects)
      found.add((value.includes('@') && canonicalEmail(value)) || storable(value.toLowerCase()));
  };
  const of = (resource: unknown, depth = 0): void => {
    if (Array.isArray(resource)) for (const one of resource) of(one, depth);
    if (!isRecord(resource) || depth > 4) return;
    for (const [name, value] of Object.entries(resource))
      switch (name.toLowerCase()) {
        case 'id':
        case 'username':
        case 'externalid':
          add(value);
          break;
        case 'emails':
        case 'members':
          for (const one of Array.isArray(value) ? value : [value])
            add(isRecord(one) ? one['value'] : one);
          break;
        case 'value':
          if (isRecord(value) || Array.isArray(value)) of(value, depth + 1);
          else if (/@|^[0-9a-f-]{36}$/i.test(String(value))) add(value);
          break;
        case 'resources':
          if (Array.isArray(value)) of(value.slice(0, mostListed), depth + 1);
          break;
        case 'operations':
        case 'data':
        case 'response':
          of(value, depth + 1);
      }
  };
  const [path = '', query = ''] = target.split('?');
  add(path.split('/')[2]);
  for (const [, quoted] of decoded(query).matchAll(/"((?:[^"\\]|\\.)*)"/g)) add(quoted);
  of(body);
  of(answered);
  for (const { target: whom } of audit) add(whom.id);
  found.delete('.search');
  return [...found];
}

function changesOf(audit: readonly AuditRow[]): Change[] {
  const shown = audit.slice(0, mostChanges).map(({ action, target, details }) => ({
    action,
    target,
    details: shownOf(details) as Record<string, unknown>,
  }));
  const count = audit.length - shown.length;
  return count > 0
    ? [...shown, { action: moreChanges, target: { type: '', id: '' }, details: { count } }]
    : shown;
}

/** As it is shown, where it is not too much to be shown. */
function bounded(body: unknown): unknown {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string') return shownText(body);
  const { length } = JSON.stringify(body);
  return length > mostShown ? { omitted: `${length} characters` } : shownOf(body);
}

/** Of a list, only how many and whom: what they are stands in our own tables. */
function digest(body: unknown): unknown {
  if (!isRecord(body)) return null;
  const list = body['Resources'];
  if (!Array.isArray(list)) return { id: body['id'], userName: body['userName'] };
  return shownOf({
    totalResults: body['totalResults'],
    Resources: list
      .slice(0, mostListed)
      .map((one: unknown) =>
        isRecord(one) ? { id: one['id'], name: one['userName'] ?? one['displayName'] } : {},
      ),
  });
}

/** What it takes to ask it again. */
function sealedOf(vault: Vault, id: string, { method, target, body }: SentRequest): string | null {
  if (typeof body === 'object' && JSON.stringify(body).length > mostSealed) return null;
  const json = JSON.stringify({ method, target, body: withoutSecrets(body) });
  return json.length > mostSealed ? null : vault.seal(json, `scim_exchange:${id}`);
}

/** What a replay sends, or null where too much was sent to keep it, or nothing that could change. */
export function openSealed(
  vault: Vault,
  id: string,
  sealed: string | null,
): Pick<SentRequest, 'method' | 'target' | 'body'> | null {
  if (sealed === null) return null;
  return JSON.parse(vault.open(sealed, `scim_exchange:${id}`)) as SentRequest;
}

/** Forgets what was kept long enough, some at a time. Returns whether there is more. */
export async function sweepExchanges(database: Database, now: Date): Promise<boolean> {
  const gone = await database.query(
    `delete from scim_exchanges where id in (
       select id from scim_exchanges where at < $1 order by at limit 5000)
     returning 1`,
    [new Date(now.getTime() - keptFor)],
  );
  await database.query('delete from scim_departures where at < $1', [
    new Date(now.getTime() - 8 * 24 * 3600_000),
  ]);
  return gone.length === 5000;
}
