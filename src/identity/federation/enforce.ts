import { bypassesSso } from '../credentials/break-glass.ts';
import { mail } from '../mail/mail.ts';
import { toReader, type Reader } from '../mail/recipient.ts';
import { endSession } from '../users/sessions.ts';
import { revokeAccess } from '../users/revoke.ts';
import { unitOfWork, type Foundation } from '../work.ts';
import { sweepAttempts } from './attempt.ts';

const actor = { type: 'system', id: 'federation' } as const;
/** So many people in one transaction: nobody waits for all of a large company. */
const batch = 100;
/** A password that ended is kept so long, so that an operator can give it back. */
const rollbackMs = 30 * 24 * 3600_000;

/**
 * What follows from how connections are set, for many people, bit by bit: those whose passwords will
 * end are told; those whose passwords ended are put out where they came in by one; and where a
 * connection was disabled, the applications of those who came in by it are told. A crash in between
 * loses nothing: what is left to be done is read each time. Who may come in does not wait for this.
 *
 * Returns whether there may be more to do.
 */
export async function carryOutModes(foundation: Foundation): Promise<boolean> {
  const more = [
    await announceEnds(foundation),
    await putOutPasswords(foundation),
    await endDisabled(foundation),
  ];
  const { database, clock } = foundation;
  await sweepAttempts(database, clock());
  await database.query('delete from passwords where disabled_at < $1', [
    new Date(clock().getTime() - rollbackMs),
  ]);
  return more.some(Boolean);
}

/** Who belongs to a connection's account by a domain of it, and may not come in past it. */
const concerned = `
  users u join connection_domains b on b.domain = split_part(u.email, '@', 2)
  where b.connection_id = $1 and u.account_id = $2 and u.affiliation = 'member'
    and not (${bypassesSso})`;

interface Due {
  id: string;
  account_id: string;
  account: string;
  enforced_at: Date;
}

/** Mails to everybody who has a password that will end. The same mail is queued once. */
async function announceEnds(foundation: Foundation): Promise<boolean> {
  return unitOfWork(foundation, { actor }, async (work) => {
    const [due] = await work.query<Due>(
      `select c.id, c.account_id, a.name as account, c.enforced_at
       from connections c join accounts a on a.id = c.account_id
       where c.mode = 'enforced' and c.state = 'active' and c.noticed_at is null
         and c.deleted_at is null
       order by c.enforced_at limit 1 for update of c skip locked`,
    );
    if (!due) return false;
    const key = `password_ends:${due.id}:${due.enforced_at.getTime()}:`;
    const people = await work.query<Reader>(
      `select u.id, u.email_display as email, u.given_name as name, u.language
       from ${concerned}
         and exists (select from passwords w where w.user_id = u.id and w.disabled_at is null)
         and not exists (select from outbox o where o.dedup_key = $3 || u.id)
       order by u.id limit ${batch}`,
      [due.id, due.account_id, key],
    );
    for (const reader of people)
      mail(
        work,
        toReader(reader),
        {
          kind: 'password_ends',
          account: due.account,
          endsAt: due.enforced_at,
          signInLink: work.link('/'),
        },
        { dedupKey: `${key}${reader.id}` },
      );
    if (people.length < batch)
      await work.query('update connections set noticed_at = $2 where id = $1', [due.id, work.now]);
    return true;
  });
}

/** From the moment on: passwords end, and whoever came in by one is out. */
async function putOutPasswords(foundation: Foundation): Promise<boolean> {
  return unitOfWork(foundation, { actor }, async (work) => {
    const [due] = await work.query<Due>(
      `select c.id, c.account_id from connections c
       where c.mode = 'enforced' and c.state = 'active' and c.enforced_at <= $1
         and c.swept_at is null and c.deleted_at is null
       order by c.enforced_at limit 1 for update skip locked`,
      [work.now],
    );
    if (!due) return false;
    const people = await work.query<{ id: string }>(
      `select u.id from ${concerned}
         and (exists (select from passwords w where w.user_id = u.id and w.disabled_at is null)
           or exists (select from oidc_sessions s where s.user_id = u.id and s.federation is null)
           or exists (select from oidc_artifacts t where t.user_id = u.id and t.federation is null
                      and t.model = 'RefreshToken'))
       order by u.id limit ${batch} for update of u`,
      [due.id, due.account_id],
    );
    for (const { id } of people) {
      await work.query(
        'update passwords set disabled_at = $2 where user_id = $1 and disabled_at is null',
        [id, work.now],
      );
      await revokeAccess(work, id);
      work.record(
        'federation.enforced',
        { type: 'user', id },
        { connection: due.id },
        due.account_id,
      );
    }
    if (people.length < batch)
      await work.query('update connections set swept_at = $2 where id = $1', [due.id, work.now]);
    return true;
  });
}

/** A connection is no more: what stood on it has fallen already, and applications are to know. */
async function endDisabled(foundation: Foundation): Promise<boolean> {
  return unitOfWork(foundation, { actor }, async (work) => {
    const [due] = await work.query<{ id: string }>(
      `select id from connections where state = 'disabled' and swept_at is null
         and disabled_at is not null
       order by disabled_at limit 1 for update skip locked`,
    );
    if (!due) return false;
    const sessions = await work.query<{ uid: string }>(
      `select s.uid from federated_links l join oidc_sessions s on s.user_id = l.user_id
       where l.connection_id = $1::uuid and s.federation ->> 'connection' = $2
       order by s.uid limit ${batch}`,
      [due.id, due.id],
    );
    for (const { uid } of sessions) await endSession(work, uid, 'connection disabled');
    if (sessions.length < batch)
      await work.query('update connections set swept_at = $2 where id = $1', [due.id, work.now]);
    return true;
  });
}
