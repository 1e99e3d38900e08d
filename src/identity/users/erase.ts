import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { keyedHash, newSecret, secretHash } from '#platform/secrets.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import type { LetterOf } from '../mail/letter.ts';
import { mail } from '../mail/mail.ts';
import { toPerson, toReader } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import { protectAccount, takeOut } from './affiliate.ts';
import { forgetAttempts, lockUser, unlockUser } from './lock.ts';
import { findPerson, type Person } from './person.ts';
import { revokeAccess } from './revoke.ts';

/**
 * TO BE FORGOTTEN (behaviour.md F35)
 *
 *     asked --by a managed person--> waiting --administrator--> grace --30 days--> erased
 *                                            \-> refused              \-> cancelled
 *     asked --by anybody else------------------------------------> grace
 *
 * A person is managed where their account owns the domain of their address. In the grace they are
 * locked, and may change their mind by the link of the mail; so may an operator for them. What is
 * erased is gone: what stays is the id, which is never used again, so that the audit log, the terms
 * they accepted and who belonged where stay true; and a mark of the address, by which a search for
 * it still finds what happened.
 */
export const grace = 30 * 24 * 3600_000;

export interface ErasureRequest {
  id: string;
  userId: string;
  email: string | null;
  name: string;
  state: 'waiting' | 'grace' | 'cancelled' | 'refused' | 'done';
  requestedAt: Date;
  dueAt: Date | null;
  note: string | null;
}

/** The name of the account whose administrators decide about a person, or null where they do. */
export async function managerOf(sql: Sql, person: Person): Promise<string | null> {
  if (person.affiliation !== 'member' || !person.account || person.email === null) return null;
  const owned = await sql.query(
    `select 1 from domains d join users u on split_part(u.email, '@', 2) = d.name
     where u.id = $1 and d.account_id = $2 and d.state in ('owned', 'at_risk', 'lapsed')`,
    [person.id, person.account.id],
  );
  return owned.length > 0 ? person.account.name : null;
}

/**
 * A person asks to be deleted, or an operator for them. Returns whether the grace has begun, or their
 * administrators decide.
 *
 * @throws {Refusal} `last_administrator`, `user_is_fulfillment_contact`
 */
export async function requestErasure(work: Work, person: Person): Promise<'erasing' | 'requested'> {
  await work.query('select 1 from users where id = $1 for update', [person.id]);
  const [open] = await work.query<{ state: 'waiting' | 'grace'; account_id: string | null }>(
    `select state, account_id from erasure_requests
     where user_id = $1 and state in ('waiting', 'grace')`,
    [person.id],
  );
  if (open?.state === 'grace') return 'erasing';
  const decides = work.actor.type === 'user' ? await managerOf(work, person) : null;
  if (open && decides !== null && open.account_id === person.account!.id) return 'requested';
  if (person.account && person.affiliation === 'member')
    await protectAccount(work, person.id, person.account.id);

  // Whoever was to decide about it has nothing to say any more, or an operator asks now.
  await work.query(
    `update erasure_requests set state = 'cancelled', decided_at = $2
     where user_id = $1 and state = 'waiting'`,
    [person.id, work.now],
  );
  const id = newId(work.now.getTime());
  await work.query(
    `insert into erasure_requests (id, user_id, account_id, state, requested_by, requested_at)
     values ($1, $2, $3, 'waiting', $4, $5)`,
    [
      id,
      person.id,
      decides === null ? null : person.account!.id,
      JSON.stringify(work.actor),
      work.now,
    ],
  );
  work.record(
    'user.erasure_requested',
    { type: 'user', id: person.id },
    { managed: decides !== null },
    person.account?.id,
  );
  if (decides === null) {
    await beginGrace(work, id, person);
    return 'erasing';
  }
  for (const to of await administratorsOf(work, person.account!.id))
    mail(work, toReader(to), {
      kind: 'erasure_request',
      account: decides,
      user: nameOf(person),
      requestsLink: work.link('/console/erasures'),
    });
  return 'requested';
}

/** The requests that wait for an account's administrators, or (null) all that are open. */
export function openErasures(sql: Sql, accountId: string | null): Promise<ErasureRequest[]> {
  return sql.query<ErasureRequest>(
    `select r.id, r.user_id as "userId", u.email_display as email,
       trim(u.given_name || ' ' || u.family_name) as name, r.state,
       r.requested_at as "requestedAt", r.due_at as "dueAt", r.note
     from erasure_requests r join users u on u.id = r.user_id
     where r.state in ('waiting', 'grace') and ($1::uuid is null or r.account_id = $1)
     order by r.requested_at, r.id limit 200`,
    [accountId],
  );
}

/**
 * An administrator decides about a person of their account.
 *
 * @throws {Refusal} `not_found`, `last_administrator`, `user_is_fulfillment_contact`
 */
export async function decideErasure(
  work: Work,
  accountId: string,
  requestId: string,
  decision: 'approve' | 'refuse',
  note: string | null = null,
): Promise<void> {
  const [request] = await work.query<{ user_id: string }>(
    `select user_id from erasure_requests
     where id = $1 and account_id = $2 and state = 'waiting' for update`,
    [requestId, accountId],
  );
  const person = request && (await findPerson(work, request.user_id, work.now));
  if (!person || person.account?.id !== accountId) throw new Refusal('not_found');
  if (decision === 'approve') {
    await protectAccount(work, person.id, accountId);
    work.record('user.erasure_approved', { type: 'user', id: person.id }, { note }, accountId);
    await beginGrace(work, requestId, person, note);
    return;
  }
  await work.query(
    `update erasure_requests set state = 'refused', decided_by = $2, decided_at = $3, note = $4
     where id = $1`,
    [requestId, JSON.stringify(work.actor), work.now, note],
  );
  work.record('user.erasure_refused', { type: 'user', id: person.id }, { note }, accountId);
  tell(work, person, { stage: 'refused', account: person.account.name });
}

async function beginGrace(
  work: Work,
  requestId: string,
  person: Person,
  note: string | null = null,
): Promise<void> {
  const dueAt = new Date(work.now.getTime() + grace);
  await work.query(
    `update users set identity = 'erasing', erasing_at = $2, erasure_date = $3, updated_at = $2,
       version = version + 1
     where id = $1`,
    [person.id, work.now, dueAt],
  );
  await work.query(
    `update erasure_requests set state = 'grace', due_at = $2, decided_by = $3, decided_at = $4,
       note = $5
     where id = $1`,
    [requestId, dueAt, JSON.stringify(work.actor), work.now, note],
  );
  await lockUser(work, person.id, 'erasing', { until: null });
  // After the lock, which puts an end to every other link that was sent.
  const secret = newSecret();
  await work.query(
    `insert into one_time_tokens (id, purpose, user_id, secret_hash, created_at, expires_at)
     values ($1, 'erasure_cancel', $2, $3, $4, $5)`,
    [newId(work.now.getTime()), person.id, secretHash(secret), work.now, dueAt],
  );
  const [asked] = await work.query<{ by: { type: string; id: string } }>(
    'select requested_by as by from erasure_requests where id = $1',
    [requestId],
  );
  tell(work, person, {
    stage: 'requested',
    by: askedBy(asked!.by, person),
    erasedAt: dueAt,
    link: work.link(`/keep-account?token=${secret}`),
  });
}

/** Who may take a deletion back with this link, and until when; null where nobody may. */
export async function openErasureLink(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<{ person: Person; dueAt: Date } | null> {
  const [token] = await sql.query<{ userId: string; dueAt: Date }>(
    `select t.user_id as "userId", r.due_at as "dueAt" from one_time_tokens t
     join erasure_requests r on r.user_id = t.user_id and r.state = 'grace'
     where t.purpose = 'erasure_cancel' and t.secret_hash = $1 and t.used_at is null
       and t.expires_at > $2`,
    [secretHash(secret), now],
  );
  const person = token && (await findPerson(sql, token.userId, now));
  return person?.identity === 'erasing' ? { person, dueAt: token!.dueAt } : null;
}

/** As long as a page of a sign-in is looked at. */
const offered = 15 * 60_000;

/**
 * The same for a person who has just proved who they are: they need not look for the mail. Null where
 * nothing can be taken back.
 */
export async function offerToKeep(
  sql: Sql,
  userId: string,
  now: Date,
): Promise<{ secret: string; dueAt: Date } | null> {
  const secret = newSecret();
  const [offer] = await sql.query<{ dueAt: Date }>(
    `with due as (
       select due_at from erasure_requests where user_id = $2 and state = 'grace' and due_at > $4
     ), made as (
       insert into one_time_tokens (id, purpose, user_id, secret_hash, created_at, expires_at)
       select $1, 'erasure_cancel', $2, $3, $4, least(due_at, $5::timestamptz) from due
     )
     select due_at as "dueAt" from due`,
    [newId(now.getTime()), userId, secretHash(secret), now, new Date(now.getTime() + offered)],
  );
  return offer ? { secret, dueAt: offer.dueAt } : null;
}

/**
 * The person changes their mind, by the link of the mail.
 *
 * @throws {Refusal} `not_found` when it is too late, or was done already
 */
export async function cancelErasureByLink(
  foundation: Foundation,
  secret: string,
  origin: Origin,
): Promise<Person> {
  const found = await openErasureLink(foundation.database, secret, foundation.clock());
  if (!found) throw new Refusal('not_found');
  const { person } = found;
  await unitOfWork(foundation, { actor: { type: 'user', id: person.id }, origin }, (work) =>
    cancelErasure(work, person.id),
  );
  return person;
}

/**
 * Ends the grace, or takes back a request that still waits. Nobody is signed in by that: the person
 * signs in as they did.
 *
 * @throws {Refusal} `not_found`
 */
export async function cancelErasure(work: Work, userId: string): Promise<void> {
  await work.query('select 1 from users where id = $1 for update', [userId]);
  const [request] = await work.query<{ state: string }>(
    `update erasure_requests set state = 'cancelled', decided_by = $2, decided_at = $3
     where user_id = $1 and state in ('waiting', 'grace') returning state`,
    [userId, JSON.stringify(work.actor), work.now],
  );
  const person = await findPerson(work, userId, work.now);
  if (!request || !person) throw new Refusal('not_found');
  await work.query(
    `update users set erasing_at = null, erasure_date = null, updated_at = $2,
       version = version + 1,
       identity = case when identity <> 'erasing' then identity
         when email_verified_at is not null then 'ready'
         when source = 'registration' then 'unverified' else 'invited' end
     where id = $1`,
    [userId, work.now],
  );
  await work.query(
    `delete from one_time_tokens where user_id = $1 and purpose = 'erasure_cancel'`,
    [userId],
  );
  if (person.identity === 'erasing')
    await unlockUser(work, userId, ['erasing'], person.account?.id ?? null);
  work.record('user.erasure_cancelled', { type: 'user', id: userId }, {}, person.account?.id);
  tell(work, person, { stage: 'cancelled' });
}

/** Erases those whose time is over, one in each transaction. Returns whether there may be more. */
export async function eraseDue(foundation: Foundation, marks: Buffer): Promise<boolean> {
  const due = await foundation.database.query<{ user_id: string }>(
    `select user_id from erasure_requests where state = 'grace' and due_at <= $1
     order by due_at limit 20`,
    [foundation.clock()],
  );
  for (const { user_id: userId } of due)
    await unitOfWork(foundation, { actor: { type: 'system', id: 'erasure' } }, async (work) => {
      const [still] = await work.query(
        `select 1 from erasure_requests
         where user_id = $1 and state = 'grace' and due_at <= $2 for update`,
        [userId, work.now],
      );
      if (still) await eraseUser(work, userId, marks);
    });
  return due.length > 0;
}

/** How an address is known again: without the key nobody can try addresses. */
export function emailMark(marks: Buffer, email: string): string {
  return keyedHash(marks, email);
}

/** Tables that tell what was, by the id alone: they stay. */
const history = new Set(['affiliations', 'erasure_requests']);

/**
 * Takes everything personal away, for good. The mail that says so is the last to the address.
 *
 * What hangs on the person in the database (`on delete cascade`) goes now, whichever tables there
 * are: a table that is added later is not forgotten here.
 */
export async function eraseUser(work: Work, userId: string, marks: Buffer): Promise<void> {
  const person = await findPerson(work, userId, work.now);
  const [row] = await work.query<{ email: string; email_display: string; other: string | null }>(
    `select email, email_display, communication_email as other from users
     where id = $1 and email is not null for update`,
    [userId],
  );
  if (!row || !person) throw new Refusal('user_not_found');
  const { email } = row;
  /** As it is compared, as it stands in a mail, and where else they were written to. */
  const written = [email, row.email_display.toLowerCase(), ...(row.other ? [row.other] : [])];
  const mark = emailMark(marks, email);
  const accountId = person.account?.id ?? null;

  if (person.affiliation === 'member' && accountId !== null)
    await takeOut(work, userId, accountId, 'erased');
  await forgetAttempts(work, userId);
  await revokeAccess(work, userId, { undoable: false });
  for (const { table, column } of await hangingOn(work))
    if (!history.has(table))
      await work.query(`delete from ${table} where ${column} = $1`, [userId]);
  await work.query(
    `update bulk_rows set cells = '{}', before = null, message = null where user_id = $1`,
    [userId],
  );
  await work.query(
    `update invitations set email = $2, email_display = '', given_name = '', family_name = '',
       secret_hash = null, state = case when state = 'pending' then 'revoked' else state end
     where email = $1`,
    [email, `erased:${mark}`],
  );
  await work.query('delete from registrations where email = $1', [email]);
  await work.query('delete from one_time_tokens where subject = $1', [email]);
  await work.query(
    'update domain_requests set contact = null where lower(contact) = any ($1::text[])',
    [written],
  );
  // Mails that wait would tell an address that is nobody's any more; those that left keep a mark.
  await work.query(
    `delete from outbox where delivered_at is null
       and (subject = $1 or lower(payload #>> '{to,email}') = any ($2::text[]))`,
    [userId, written],
  );
  // What directories sent about the person, by whichever of their names.
  await work.query(
    `delete from scim_exchanges where subjects && (array[$1, $2] || array(
       select id::text from affiliations where user_id = $1::uuid))`,
    [userId, email],
  );
  await work.query('delete from suppressed_addresses where email = $1', [email]);
  for (const table of ['account_moves', 'account_move_proposals'])
    await work.query(
      `update ${table} set report = jsonb_set(report, '{roles}', (
         select jsonb_agg(case when r ->> 'userId' = $1 then r || '{"email": ""}' else r end)
         from jsonb_array_elements(report -> 'roles') r))
       where report -> 'roles' @> jsonb_build_array(jsonb_build_object('userId', $1::text))`,
      [userId],
    );
  await work.query('delete from mailbox where lower(recipient) = any ($1::text[])', [written]);
  await work.query(
    `update users set email = null, email_display = null, given_name = '', family_name = '',
       country = null, entitlement_country = null, entitlement_pinned = false, language = null,
       phone = null, job_title = null, communication_email = null,
       communication_proved = null, identity = 'erased',
       affiliation = 'none', account_id = null, email_verified_at = null, last_login_at = null,
       last_seen_at = null, second_factor_at = null, second_factor_required = false,
       second_factor_anew = false, break_glass = false, former_email_mark = $2, attribute_sources = '{}', updated_at = $3, version = version + 1
     where id = $1`,
    [userId, mark, work.now],
  );
  await work.query(
    `update erasure_requests set state = 'done', decided_at = $2
     where user_id = $1 and state in ('waiting', 'grace')`,
    [userId, work.now],
  );
  work.record('user.erased', { type: 'user', id: userId }, { mark }, accountId);
  mail(
    work,
    { email: row.email_display, locale: person.language },
    {
      kind: 'erasure',
      stage: 'done',
      by: 'person',
      account: null,
      erasedAt: null,
      link: null,
    },
  );
}

/** Every column whose rows would go if the person's row went. */
function hangingOn(sql: Sql): Promise<{ table: string; column: string }[]> {
  return sql.query(
    `select quote_ident(t.relname) as table, quote_ident(a.attname) as column
     from pg_constraint c
     join pg_class t on t.oid = c.conrelid
     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confdeltype = 'c' and c.confrelid = 'users'::regclass
       and cardinality(c.conkey) = 1
     order by 1, 2`,
  );
}

type Told = LetterOf<'erasure'>;

/** Who wanted it, as the person is told. */
function askedBy({ type, id }: { type: string; id: string }, person: Person): Told['by'] {
  if (type === 'user' && id === person.id) return 'person';
  return type === 'system' ? 'inactivity' : 'support';
}

function tell(work: Work, person: Person, letter: Pick<Told, 'stage'> & Partial<Told>): void {
  if (person.email === null) return;
  const { erasedAt = null } = letter;
  mail(
    work,
    toPerson(person),
    { kind: 'erasure', by: 'person', account: null, link: null, ...letter, erasedAt },
    erasedAt ? { expiresAt: erasedAt } : {},
  );
}

function nameOf({ givenName, familyName, email }: Person): string {
  const name = `${givenName} ${familyName}`.trim();
  return name ? `${name} (${email})` : (email ?? '');
}
