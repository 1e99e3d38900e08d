import { newReference } from '#platform/ids.ts';
import { secretHash } from '#platform/secrets.ts';
import { comparedEmail } from '../users/email.ts';
import type { Work } from '../work.ts';
import { letters, type LetterRules } from './letter-rules.ts';
import type { Letter, LetterKind } from './letter.ts';
import type { Recipient } from './recipient.ts';

export interface MailOptions {
  /** The same key is queued once. */
  dedupKey?: string;
  /** After this it is of no use. By default the end of the link in it. */
  expiresAt?: Date;
}

/** The payload of a mail in the outbox. What is secret in the letter is sealed beside it. */
export interface QueuedMail {
  letter: { kind: LetterKind } & Record<string, unknown>;
  to: { email: string; name: string | null; locale: string | null };
  /** What support finds it by. */
  reference: string;
  /** What is left when the mail is delivered: enough to count what one address was sent. */
  kept: { letter: LetterKind; address: string };
}

/** Queues a letter. It leaves after the commit, or never if there is none. */
export function mail(
  work: Pick<Work, 'send' | 'origin'>,
  to: Recipient,
  letter: Letter,
  options: MailOptions = {},
): void {
  const { secret, until } = letters[letter.kind] as LetterRules<LetterKind>;
  const hidden = new Set<string>(secret);
  const [secrets, values] = split(letter, (name) => hidden.has(name));
  const address = addressMark(to.email);
  const payload: QueuedMail = {
    letter: values as QueuedMail['letter'],
    to: { email: to.email, name: to.name ?? null, locale: to.locale },
    reference: work.origin.reference ?? newReference(),
    kept: { letter: letter.kind, address },
  };
  work.send({
    kind: 'mail',
    subject: to.userId ?? address,
    payload: { ...payload },
    secret: hidden.size > 0 ? secrets : undefined,
    dedupKey: options.dedupKey,
    expiresAt: options.expiresAt ?? (until && Reflect.get(letter, until)),
  });
}

/** What stands for an address where the address itself is not to be kept. */
export function addressMark(email: string): string {
  return secretHash(comparedEmail(email));
}

function split(
  values: object,
  isSecret: (name: string) => boolean,
): [Record<string, unknown>, Record<string, unknown>] {
  const entries = Object.entries(values);
  return [
    Object.fromEntries(entries.filter(([name]) => isSecret(name))),
    Object.fromEntries(entries.filter(([name]) => !isSecret(name))),
  ];
}
