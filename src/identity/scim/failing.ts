import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';
import { healthOfToken, type DirectoryHealth } from './health.ts';

const day = 24 * 3600_000;
const actor = { type: 'system', id: 'scim' } as const;

/**
 * Tells the administrators of a directory whose requests keep failing, once, and once more when it
 * works again (M20). One that only tries, or is held, is not told of: nothing is lost by the first,
 * and there is a letter of its own about the second. Several processes may look at once.
 */
export async function watchDirectories(foundation: Foundation): Promise<void> {
  const now = foundation.clock();
  const suspects = await foundation.database.query<{ id: string; since: Date | null }>(
    `select t.id, t.failing_since as since from scim_tokens t
     join accounts a on a.id = t.account_id and a.status in ('active', 'on_hold', 'closing')
     where t.revoked_at is null and not t.dry_run
       and (t.failing_since is not null or exists (
         select from scim_exchanges e
         where e.token_id = t.id and e.outcome in ('refused', 'failed') and e.at > $1 offset 4))
     order by t.id`,
    [new Date(now.getTime() - 2 * day)],
  );
  for (const { id, since } of suspects) {
    const health = await healthOfToken(foundation.database, id, now);
    if (!health) continue;
    if (since === null && health.state === 'failing') await begins(foundation, health);
    else if (since !== null && worksSince(health, since)) await ends(foundation, health, since);
  }
}

function worksSince({ state, lastSuccessAt }: DirectoryHealth, since: Date): boolean {
  return state !== 'failing' && state !== 'held' && lastSuccessAt !== null && lastSuccessAt > since;
}

function begins(foundation: Foundation, health: DirectoryHealth): Promise<void> {
  const { tokenId, errors, requests, lastError } = health;
  return unitOfWork(foundation, { actor }, async (work) => {
    const [token] = await work.query<{ account_id: string }>(
      `update scim_tokens set failing_since = $2
       where id = $1 and failing_since is null and revoked_at is null returning account_id`,
      [tokenId, work.now],
    );
    if (!token) return;
    work.record(
      'scim_token.failing',
      { type: 'scim_token', id: tokenId },
      { name: health.name, errors, requests, lastError },
      token.account_id,
    );
    await tell(work, token.account_id, health, 'failing');
  });
}

function ends(foundation: Foundation, health: DirectoryHealth, since: Date): Promise<void> {
  const { tokenId, name } = health;
  return unitOfWork(foundation, { actor }, async (work) => {
    const [token] = await work.query<{ account_id: string }>(
      `update scim_tokens set failing_since = null
       where id = $1 and failing_since = $2 returning account_id`,
      [tokenId, since],
    );
    if (!token) return;
    work.record(
      'scim_token.recovered',
      { type: 'scim_token', id: tokenId },
      { name, since: since.toISOString() },
      token.account_id,
    );
    await tell(work, token.account_id, health, 'recovered');
  });
}

async function tell(
  work: Work,
  accountId: string,
  { tokenId, name: label, lastError, errors, requests }: DirectoryHealth,
  event: 'failing' | 'recovered',
): Promise<void> {
  const [account] = await work.query<{ name: string }>('select name from accounts where id = $1', [
    accountId,
  ]);
  for (const reader of await administratorsOf(work, accountId))
    mail(work, toReader(reader), {
      kind: 'directory_failing',
      account: account!.name,
      label,
      event,
      errors,
      requests,
      lastError: event === 'failing' ? lastError : null,
      settingsLink: work.link(
        event === 'failing' ? '/console/scim?outcome=refused' : `/console/scim/${tokenId}`,
      ),
    });
}
