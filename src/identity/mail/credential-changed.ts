import type { Work } from '../work.ts';
import type { Letters } from './letter.ts';
import { mail } from './mail.ts';
import type { Recipient } from './recipient.ts';

type Told = Letters['credential_changed'];

/**
 * Tells somebody that what they sign in with was changed (M11), whoever did it.
 *
 * @param link where they look at it, or undo it until `revertsUntil`: a path of ours.
 * @param origin from where it was done; null where that was not the person.
 */
export function tellChanged(
  work: Work,
  to: Recipient,
  what: Told['what'],
  {
    link,
    origin = work.origin.ip ?? null,
    revertsUntil = null,
  }: { link: string } & Partial<Pick<Told, 'origin' | 'revertsUntil'>>,
): void {
  mail(work, to, {
    kind: 'credential_changed',
    what,
    at: work.now,
    origin,
    link: work.link(link),
    revertsUntil,
  });
}
