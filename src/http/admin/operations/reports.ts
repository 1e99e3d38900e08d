import { z } from 'zod';
import { countedUpTo, dashboardOf } from '#identity/reports/dashboard.ts';
import { stoppedBy } from '#identity/terms/stopped.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { Moment } from '../schemas.ts';

const count = z.number().int();
const counts = z.record(z.string(), count);

const DashboardView = z
  .object({
    from: z.string().describe('A day of UTC, such as 2026-11-22.'),
    to: z.string(),
    days: z.array(
      z.object({
        day: z.string(),
        signIns: count,
        failures: count.describe('Wrong passwords.'),
        refused: count.describe('Proved who they are, and are locked.'),
        throttled: count.describe('Had to wait after too many wrong passwords.'),
        locked: count,
        unlocked: count,
        joined: count,
        left: count,
        requested: count.describe('Asked to be let in.'),
        approved: count,
        rejected: count,
        invited: count,
      }),
    ),
    signInsBy: counts.describe('By how they signed in.'),
    joinedBy: counts.describe('By how they came.'),
    lockedBy: counts.describe('By reason.'),
    now: z
      .object({
        people: count,
        locked: count,
        pendingApprovals: count,
        oldestApprovalAt: Moment.nullable(),
        openInvitations: count,
        domainsInTrouble: count,
        webhooksFailing: count,
        connectionsFailing: count,
        signInConflicts: count,
        directoriesHeld: count,
      })
      .describe(`How it stands. Nothing is counted beyond ${countedUpTo}.`),
  })
  .meta({ id: 'Dashboard' });

const query = z.strictObject({
  days: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a number.')
    .transform(Number)
    .refine((days) => days >= 1 && days <= 366, 'Must be 1 to 366.')
    .default(30)
    .describe('How many days, today included: 1 to 366.'),
});

/** What there is to see at one look. */
export const reportOperations: readonly AnyOperation[] = [
  operation({
    id: 'getDashboard',
    tag: 'Accounts',
    method: 'get',
    path: '/accounts/:accountId/dashboard',
    summary: 'Gives the figures of an account, day by day: sign-ins, failures, locks, people.',
    description: 'What happened a moment ago is in them after a second or two.',
    right: 'reports:read',
    query,
    result: DashboardView,
    handle: (work, { account, query: { days } }) =>
      dashboardOf(work, account.id, { days, now: work.now }),
  }),
  operation({
    id: 'getDashboardOfAll',
    tag: 'Accounts',
    method: 'get',
    path: '/dashboard',
    summary: 'Gives the figures of all accounts together.',
    right: 'reports:read_all',
    query,
    result: DashboardView,
    handle: (work, { query: { days } }) => dashboardOf(work, null, { days, now: work.now }),
  }),
  operation({
    id: 'previewTerms',
    tag: 'Terms',
    method: 'get',
    path: '/terms-preview',
    summary: 'Says how many people a new version of the terms would stop.',
    right: 'terms:publish',
    query: z.strictObject({
      kind: z.enum(['tos', 'privacy']).default('tos'),
      requiresReaccept: z
        .enum(['true', 'false'])
        .transform((text) => text === 'true')
        .default(true),
    }),
    result: z
      .object({
        people: count.describe('Who would have to accept at their next sign-in.'),
        soon: count.describe('Of those, who signed in within the last thirty days.'),
      })
      .meta({ id: 'TermsPreview' }),
    handle: (work, { query: chosen }) => stoppedBy(work, chosen, work.now),
  }),
];
