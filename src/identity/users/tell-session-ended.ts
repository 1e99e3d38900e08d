import type { Work } from '../work.ts';

/**
 * Has an application told that a session is over (OpenID Connect Back-Channel Logout 1.0), for as
 * long as a day, and once for a session however many causes end it.
 */
export function tellSessionEnded(
  work: Work,
  {
    clientId,
    userId,
    sid,
    session,
  }: {
    clientId: string;
    userId: string;
    /** What the application calls the session. */
    sid: string | null;
    /** What we call it. */
    session: string;
  },
): void {
  work.send({
    kind: 'backchannel_logout',
    subject: userId,
    payload: { clientId, userId, sid },
    dedupKey: `backchannel:${clientId}:${session}`,
    expiresAt: new Date(work.now.getTime() + 24 * 3600_000),
  });
}
