import { contactsAndOperators } from '../accounts/contacts.ts';
import { mail } from '../mail/mail.ts';
import { unitOfWork, type Foundation } from '../work.ts';
import type { ScimCaller } from './caller.ts';

/**
 * A directory would have put out the last administrator, and was told no. What it asked for was taken
 * back; this is kept: the fulfillment contacts and the operators are told, once a day however often it
 * tries.
 */
export async function tellSpared(
  foundation: Foundation,
  { id, name, accountId }: ScimCaller,
  userId: string,
): Promise<void> {
  const actor = { type: 'scim_token', id, name } as const;
  await unitOfWork(foundation, { actor }, async (work) => {
    const day = work.now.toISOString().slice(0, 10);
    const [about] = await work.query<{ account: string; user: string }>(
      `select a.name as account,
              trim(u.given_name || ' ' || u.family_name) || ' (' || u.email_display || ')' as "user"
       from accounts a, users u where a.id = $1 and u.id = $2`,
      [accountId, userId],
    );
    for (const to of await contactsAndOperators(work, accountId, { except: userId }))
      mail(
        work,
        to,
        {
          kind: 'directory_spared',
          account: about!.account,
          label: name,
          user: about!.user,
          accountLink: work.link('/console'),
        },
        { dedupKey: `spared:${id}:${userId}:${to.userId}:${day}` },
      );
  });
}
