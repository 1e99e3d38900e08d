import type { LetterOf } from '../mail/letter.ts';
import { mail } from '../mail/mail.ts';
import { toReader, type Reader, type Recipient } from '../mail/recipient.ts';
import type { Work } from '../work.ts';

/** Account Administrators and fulfillment contacts, who are told what happens to an account (M22). */
export async function lookingAfter(work: Work, accountId: string): Promise<Recipient[]> {
  const people = await work.query<Reader>(
    `select u.id, u.email, u.given_name as name, u.language from users u
     where u.account_id = $1 and u.email is not null and u.affiliation = 'member' and (
       exists (select from role_assignments r where r.user_id = u.id and r.account_id = $1
         and r.role = 'account_administrator')
       or exists (select from fulfillment_contacts f where f.user_id = u.id and f.account_id = $1))
     order by u.id`,
    [accountId],
  );
  return people.map(toReader);
}

type Notice = LetterOf<'account_notice'>;

/**
 * Tells each of them what happened to an account: see `lookingAfter`.
 *
 * @param once what this is about, where it is told once however often it is said.
 */
export async function notice(
  work: Work,
  people: readonly Recipient[],
  account: string,
  event: Notice['event'],
  {
    message = null,
    into = null,
    closesAt = null,
    once,
  }: Partial<Pick<Notice, 'message' | 'into' | 'closesAt'>> & { once?: string } = {},
): Promise<void> {
  for (const to of people)
    mail(
      work,
      to,
      {
        kind: 'account_notice',
        account,
        event,
        message,
        into,
        closesAt,
        accountLink: work.link('/'),
      },
      { dedupKey: once && `${once}:${to.userId}` },
    );
}
