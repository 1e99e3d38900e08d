import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';

const day = 24 * 3600_000;

/** So many days before a token is over its administrators are told (M20). */
const warnings = [30, 7, 1] as const;

interface Ending {
  id: string;
  name: string;
  account_id: string;
  account: string;
  expires_at: Date;
}

/**
 * Tells the administrators of SCIM tokens that are soon over. Each warning is sent once, whichever
 * process looks first; who was asleep for a while is told the nearest one. To be called now and then.
 */
export async function tellExpiring(foundation: Foundation): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'system', id: 'scim' } }, async (work) => {
    for (const warning of warnings.toReversed())
      for (const token of await ending(work, warning)) await tell(work, token);
  });
}

/** Those that come so close to their end for the first time; they are marked as told. */
function ending(work: Work, warning: number): Promise<Ending[]> {
  return work.query<Ending>(
    `update scim_tokens t set warned_days = $2
     from accounts a
     where a.id = t.account_id and a.status in ('active', 'on_hold', 'closing')
       and t.revoked_at is null and t.expires_at > $1 and t.expires_at <= $3
       and (t.warned_days is null or t.warned_days > $2)
       and t.created_at <= t.expires_at - interval '1 day' * $2::int
     returning t.id, t.name, t.account_id, a.name as account, t.expires_at`,
    [work.now, warning, new Date(work.now.getTime() + warning * day)],
  );
}

async function tell(
  work: Work,
  { id, name, account_id: accountId, account, expires_at: endsAt }: Ending,
): Promise<void> {
  const days = Math.max(1, Math.ceil((endsAt.getTime() - work.now.getTime()) / day));
  work.record(
    'scim_token.expiring',
    { type: 'scim_token', id },
    { name, expiresAt: endsAt.toISOString() },
    accountId,
  );
  for (const reader of await administratorsOf(work, accountId))
    mail(work, toReader(reader), {
      kind: 'secret_expiring',
      account,
      what: 'scim_token',
      label: name,
      days,
      endsAt,
      settingsLink: work.link(`/console/scim/${id}`),
    });
}
