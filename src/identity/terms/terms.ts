import { hash } from 'node:crypto';
import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

export type TermsKind = 'tos' | 'privacy';

/** One version of the terms, immutable once published (behaviour.md F02). */
export interface TermsVersion {
  id: string;
  kind: TermsKind;
  version: string;
  effectiveAt: Date;
  /** Whether those who accepted an earlier one have to accept again. */
  requiresReaccept: boolean;
  publishedAt: Date;
  texts: TermsText[];
}

export interface TermsText {
  locale: string;
  title: string;
  /** Markdown. */
  body: string;
  sha256: string;
}

export interface NewTerms {
  kind: TermsKind;
  version: string;
  effectiveAt: Date;
  requiresReaccept: boolean;
  texts: readonly { locale: string; title: string; body: string }[];
}

/** @throws {Refusal} `version_exists` */
export async function publishTerms(work: Work, terms: NewTerms): Promise<TermsVersion> {
  const id = newId(work.now.getTime());
  const rows = await work.query(
    `insert into terms_versions
       (id, kind, version, effective_at, requires_reaccept, published_by, published_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (kind, version) do nothing returning 1`,
    [
      id,
      terms.kind,
      terms.version,
      terms.effectiveAt,
      terms.requiresReaccept,
      JSON.stringify(work.actor),
      work.now,
    ],
  );
  if (rows.length === 0)
    throw new Refusal('version_exists', { kind: terms.kind, version: terms.version });
  const texts = terms.texts.map((text) => ({ ...text, sha256: textHash(text) }));
  for (const { locale, title, body, sha256 } of texts)
    await work.query(
      `insert into terms_texts (version_id, locale, title, body, sha256)
       values ($1, $2, $3, $4, $5)`,
      [id, locale, title, body, sha256],
    );
  work.record(
    'terms.published',
    { type: 'terms', id },
    {
      kind: terms.kind,
      version: terms.version,
      effectiveAt: terms.effectiveAt,
      sha256: Object.fromEntries(texts.map(({ locale, sha256 }) => [locale, sha256])),
    },
  );
  return { ...terms, id, publishedAt: work.now, texts };
}

/** What was accepted can be shown to be what was shown: over the title and the text, as UTF-8. */
function textHash({ title, body }: { title: string; body: string }): string {
  return hash('sha256', `${title}\n\n${body}`, 'hex');
}

const columns = `
  v.id, v.kind, v.version, v.effective_at as "effectiveAt",
  v.requires_reaccept as "requiresReaccept", v.published_at as "publishedAt",
  (select jsonb_agg(jsonb_build_object('locale', t.locale, 'title', t.title, 'body', t.body,
     'sha256', t.sha256) order by t.locale)
   from terms_texts t where t.version_id = v.id) as texts`;

export function listTerms(sql: Sql): Promise<TermsVersion[]> {
  return sql.query(
    `select ${columns} from terms_versions v order by v.effective_at desc, v.published_at desc`,
  );
}

/** Versions by id, the terms of service before the privacy notice. */
export function termsByIds(sql: Sql, ids: readonly string[]): Promise<TermsVersion[]> {
  return sql.query(
    `select ${columns} from terms_versions v where v.id = any ($1::uuid[]) order by v.kind desc`,
    [[...ids]],
  );
}

/** The text in the first of the languages that there is, else in English, else in any. */
export function textIn({ texts }: TermsVersion, locales: readonly string[]): TermsText {
  for (const locale of [...locales, 'en']) {
    const text = texts.find((one) => one.locale === locale);
    if (text) return text;
  }
  return texts[0]!;
}

export interface Acceptance {
  userId: string;
  accountId: string | null;
  /** Which versions, and in which language they were read. */
  accepted: readonly {
    id: string;
    locale: string;
    sha256: string;
    kind: string;
    version: string;
  }[];
  clientId: string | null;
  interaction: string | null;
}

/** Keeps the evidence: who, which text, when, where from, for which application. Never changed. */
export async function acceptTerms(work: Work, acceptance: Acceptance): Promise<void> {
  for (const { id, locale, sha256, kind, version } of acceptance.accepted) {
    await work.query(
      `insert into terms_acceptances
         (id, user_id, version_id, locale, sha256, accepted_at, ip, user_agent, client_id, interaction)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (user_id, version_id) do nothing`,
      [
        newId(work.now.getTime()),
        acceptance.userId,
        id,
        locale,
        sha256,
        work.now,
        work.origin.ip ?? null,
        work.origin.userAgent ?? null,
        acceptance.clientId,
        acceptance.interaction,
      ],
    );
    work.record(
      'terms.accepted',
      { type: 'user', id: acceptance.userId },
      { terms: id, kind, version, locale, client: acceptance.clientId },
      acceptance.accountId,
    );
  }
}

export interface Evidence {
  id: string;
  userId: string;
  email: string | null;
  kind: TermsKind;
  version: string;
  locale: string;
  sha256: string;
  acceptedAt: Date;
  ip: string | null;
  userAgent: string | null;
  clientId: string | null;
  interaction: string | null;
}

/** Who accepted what, oldest first, a page at a time: there may be millions. */
export async function* termsEvidence(sql: Sql, pageSize = 500): AsyncGenerator<Evidence> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await sql.query<Evidence>(
      `select a.id, a.user_id as "userId", u.email_display as email, v.kind, v.version, a.locale,
              a.sha256, a.accepted_at as "acceptedAt", a.ip, a.user_agent as "userAgent",
              a.client_id as "clientId", a.interaction
       from terms_acceptances a
       join terms_versions v on v.id = a.version_id
       left join users u on u.id = a.user_id
       where a.id > $1::uuid
       order by a.id limit $2`,
      [after, pageSize],
    );
    yield* rows;
    if (rows.length < pageSize) return;
    after = rows.at(-1)!.id;
  }
}
