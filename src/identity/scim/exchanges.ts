import type { Sql } from '#platform/database/sql.ts';
import { canonicalEmail } from '../users/email.ts';
import { Refusal } from '../refusal.ts';
import {
  meaningOf,
  type Change,
  type Explained,
  type Meaning,
  type ExchangeOutcome,
} from './meaning.ts';

/** One request of a directory and what it came to, as it stands in a list. */
export interface ExchangeLine {
  id: string;
  tokenId: string;
  token: string;
  at: Date;
  durationMs: number;
  method: string;
  target: string;
  status: number;
  outcome: ExchangeOutcome;
  dryRun: boolean;
  /** Whether it can be asked again. */
  replayable: boolean;
  meaning: Meaning;
}

export interface ExchangeDetail extends ExchangeLine {
  ip: string | null;
  userAgent: string | null;
  /** Without secrets; what is the person's alone is hidden. */
  request: unknown;
  response: unknown;
}

export interface ExchangeFilter {
  accountId: string;
  tokenId?: string | undefined;
  /** An id, an address or a name as the directory knows it. */
  person?: string | undefined;
  outcome?: ExchangeOutcome | undefined;
  since?: Date | undefined;
  /** The id that the page before ended with. */
  before?: string | undefined;
  limit: number;
}

type Row = Omit<ExchangeDetail, 'meaning'> & Explained & { changes: Change[] };

const line = `e.id, e.token_id as "tokenId", t.name as token, e.at, e.duration_ms as "durationMs",
  e.method, e.target, e.status, e.outcome, e.dry_run as "dryRun", e.sealed is not null as replayable,
  e.kind, e.label, e.reason, e.detail, e.directory, e.dialect, e.changes`;

/** The latest first. */
export async function findExchanges(
  sql: Sql,
  { accountId, tokenId, person, outcome, since, before, limit }: ExchangeFilter,
): Promise<ExchangeLine[]> {
  const subjects = person === undefined ? null : await subjectsOf(sql, accountId, person);
  const rows = await sql.query<Row>(
    `select ${line} from scim_exchanges e join scim_tokens t on t.id = e.token_id
     where e.account_id = $1 and ($2::uuid is null or e.token_id = $2)
       and ($3::text[] is null or e.subjects && $3) and ($4::text is null or e.outcome = $4)
       and ($5::timestamptz is null or e.at >= $5) and ($6::uuid is null or e.id < $6)
     order by e.id desc limit $7`,
    [accountId, tokenId ?? null, subjects, outcome ?? null, since ?? null, before ?? null, limit],
  );
  return explained(sql, rows);
}

/** @throws {Refusal} `not_found` */
export async function requireExchange(
  sql: Sql,
  accountId: string,
  id: string,
): Promise<ExchangeDetail> {
  const rows = await sql.query<Row>(
    `select ${line}, e.ip, e.user_agent as "userAgent", e.request, e.response
     from scim_exchanges e join scim_tokens t on t.id = e.token_id
     where e.account_id = $1 and e.id = $2`,
    [accountId, id],
  );
  const [found] = await explained(sql, rows);
  if (!found) throw new Refusal('not_found');
  return found as ExchangeDetail;
}

/** Everything by which a directory may have named a person: in this account, whichever way they are meant. */
async function subjectsOf(sql: Sql, accountId: string, text: string): Promise<string[]> {
  const email = canonicalEmail(text);
  const known = email ?? text.toLowerCase();
  const rows = await sql.query<{ name: string }>(
    `select distinct unnest(array[u.id::text, u.email] || array(
         select a.id::text from affiliations a
         where a.user_id = u.id and a.account_id = $1)) as name
     from users u
     where exists (select from affiliations a where a.user_id = u.id and a.account_id = $1)
       and (u.email = $2 or u.id::text = $2
         or exists (select from affiliations a where a.id::text = $2 and a.user_id = u.id))`,
    [accountId, known],
  );
  return [...new Set([known, ...rows.map(({ name }) => name)])].filter((one) => one !== null);
}

async function explained(sql: Sql, rows: readonly Row[]): Promise<ExchangeLine[]> {
  const names = await namesOf(
    sql,
    rows.flatMap(({ label, changes }) => [
      label,
      ...changes.flatMap(({ target, details }) => [target.id, details['user']]),
    ]),
  );
  return rows.map(({ kind, label, reason, detail, directory, dialect, changes, ...row }) => ({
    ...row,
    meaning: meaningOf(
      { ...row, kind, label, reason, detail, directory, dialect, changes },
      (id) => names.get(id) ?? null,
    ),
  }));
}

/** What an exchange that was not kept comes to. */
export async function meaningFor(sql: Sql, facts: Explained): Promise<Meaning> {
  const names = await namesOf(sql, [
    facts.label,
    ...facts.changes.flatMap(({ target, details }) => [target.id, details['user']]),
  ]);
  return meaningOf(facts, (id) => names.get(id) ?? null);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** How people and groups are called today. */
async function namesOf(sql: Sql, ids: readonly unknown[]): Promise<Map<string, string>> {
  const asked = [...new Set(ids)].filter((id) => typeof id === 'string' && uuid.test(id));
  if (asked.length === 0) return new Map();
  const rows = await sql.query<{ id: string; name: string }>(
    `select u.id::text, u.email_display as name from users u
     where u.id = any ($1::uuid[]) and u.email is not null
     union all
     select a.id::text, u.email_display from affiliations a join users u on u.id = a.user_id
     where a.id = any ($1::uuid[]) and u.email is not null
     union all
     select g.id::text, g.name from groups g where g.id = any ($1::uuid[])`,
    [asked as string[]],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
