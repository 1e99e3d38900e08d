import { countedUpTo, dashboardOf } from '#identity/reports/dashboard.ts';
import { dashboardPage, periods, type DashboardPage } from '../../pages/console/dashboard.ts';
import type { Room, Visit } from '../room.ts';

/** What happened lately in the account, and what waits for its administrators. */
export const dashboard: Room = {
  menu: {
    path: '/dashboard',
    title: 'rooms.dashboard',
    section: 'start',
    right: 'reports:read',
  },
  open(door) {
    door.get('/dashboard', 'reports:read', (visit) => show(visit, visit.account.id));
  },
};

/** The same for all accounts together, for operators. */
export const figures: Room = {
  menu: {
    path: '/figures',
    title: 'rooms.figures',
    section: 'installation',
    right: 'reports:read_all',
    everywhere: true,
  },
  open(door) {
    door.get('/figures', 'reports:read_all', (visit) => show(visit, null));
  },
};

async function show(visit: Visit, accountId: string | null): Promise<void> {
  const { sql, now, t } = visit;
  const period = periods.find((one) => String(one) === visit.value('days')) ?? 30;
  const { now: standing, ...shown } = await dashboardOf(sql, accountId, { days: period, now });
  const all = accountId === null;
  visit.show(
    dashboardPage({
      ...visit.page,
      ...shown,
      path: all ? '/console/figures' : '/console/dashboard',
      title: t(all ? 'rooms.figures' : 'rooms.dashboard'),
      lead: all ? t('rooms.figures.lead') : undefined,
      period,
      countedUpTo,
      people: standing.people,
      waiting: waitingFor(standing, all),
    }),
  );
}

/** Operators see how many there are everywhere; what is done about them is done in one account. */
function waitingFor(
  standing: Awaited<ReturnType<typeof dashboardOf>>['now'],
  all: boolean,
): DashboardPage['waiting'] {
  const to = (path: string): string => `/console${all ? '/accounts' : path}`;
  return [
    {
      count: standing.pendingApprovals,
      text: 'rooms.waiting.approvals',
      href: to('/approvals'),
      tone: 'warning',
    },
    {
      count: standing.domainsInTrouble,
      text: 'rooms.waiting.domains',
      href: to('/domains'),
      tone: 'danger',
    },
    {
      count: standing.directoriesHeld,
      text: 'rooms.waiting.directories',
      href: to('/scim'),
      tone: 'danger',
    },
    {
      count: standing.connectionsFailing,
      text: 'rooms.waiting.connections',
      href: to('/connections'),
      tone: 'danger',
    },
    {
      count: standing.signInConflicts,
      text: 'rooms.waiting.conflicts',
      href: to('/connections/conflicts'),
      tone: 'warning',
    },
    {
      count: standing.webhooksFailing,
      text: 'rooms.waiting.webhooks',
      href: all ? '/console/installation/webhooks' : '/console/webhooks',
      tone: 'danger',
    },
    {
      count: standing.locked,
      text: 'rooms.waiting.locked',
      href: to('/users?status=locked'),
      tone: 'info',
    },
    {
      count: standing.openInvitations,
      text: 'rooms.waiting.invitations',
      href: to('/invitations'),
      tone: 'info',
    },
  ];
}
