import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { dayChart, shares } from './chart.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { lockNames } from './people.ts';

export interface DashboardPage extends ConsoleFrame {
  /** Where this page is. */
  path: string;
  title: string;
  lead?: string | undefined;
  /** Of how many days. */
  period: number;
  days: readonly DayShown[];
  signInsBy: Readonly<Record<string, number>>;
  joinedBy: Readonly<Record<string, number>>;
  lockedBy: Readonly<Record<string, number>>;
  /** How many there are at most, beyond which nobody counts. */
  countedUpTo: number;
  people: number;
  /** What waits for somebody, and where it is done. */
  waiting: readonly {
    count: number;
    text: MessageKey;
    href: string;
    tone: 'warning' | 'danger' | 'info';
  }[];
}

interface DayShown {
  day: string;
  signIns: number;
  failures: number;
  refused: number;
  locked: number;
  unlocked: number;
  joined: number;
  left: number;
  requested: number;
  approved: number;
  rejected: number;
}

export const periods = [7, 30, 90, 365] as const;

/** What happened lately, and what waits to be done. */
export function dashboardPage(page: DashboardPage): Html {
  const { t, days, period, path, people, countedUpTo } = page;
  const dates = days.map(({ day }) => day);
  const of = (key: Exclude<keyof DayShown, 'day'>): number[] => days.map((one) => one[key]);
  const number = (count: number): string =>
    count >= countedUpTo
      ? `${countedUpTo.toLocaleString(t.locale)}+`
      : count.toLocaleString(t.locale);
  const waiting = page.waiting.filter(({ count }) => count > 0);
  return consolePage(page, {
    title: page.title,
    lead: page.lead,
    main: [
      html`<section class="card part" id="waiting">
        <h2>${t('rooms.dashboard.waiting')}</h2>
        ${
          waiting.length === 0
            ? html`<p>${t('rooms.dashboard.nothing')}</p>`
            : html`<ul class="todo">
                ${waiting.map(
                  ({ count, text, href, tone }) =>
                    html`<li>
                      <a href="${href}">${t(text, { n: count })}</a>
                      <span class="badge ${tone}">${number(count)}</span>
                    </li>`,
                )}
              </ul>`
        }
        <p class="hint">${t('rooms.dashboard.people', { people: number(people) })}</p>
      </section>`,
      html`<nav class="periods" aria-label="${t('rooms.dashboard.period')}">
        ${periods.map(
          (one) =>
            html`<a
              class="button"
              href="${path}?days=${one}"
              ${one === period && html`aria-current="true"`}
              >${t('rooms.dashboard.days', { n: one })}</a
            >`,
        )}
      </nav>`,
      html`<div class="charts">
        ${dayChart(page, {
          id: 'sign-ins',
          title: t('rooms.dashboard.sign_ins'),
          days: dates,
          series: [
            { name: t('rooms.dashboard.succeeded'), values: of('signIns'), look: 'one' },
            {
              name: t('rooms.dashboard.failed'),
              values: days.map(({ failures, refused }) => failures + refused),
              look: 'two',
            },
          ],
        })}
        ${dayChart(page, {
          id: 'joined',
          title: t('rooms.dashboard.coming'),
          days: dates,
          series: [
            { name: t('rooms.dashboard.joined'), values: of('joined'), look: 'one' },
            { name: t('rooms.dashboard.left'), values: of('left'), look: 'two' },
          ],
        })}
        ${dayChart(page, {
          id: 'approvals',
          title: t('rooms.dashboard.approvals'),
          days: dates,
          series: [
            { name: t('rooms.dashboard.requested'), values: of('requested'), look: 'three' },
            { name: t('rooms.dashboard.approved'), values: of('approved'), look: 'one' },
            { name: t('rooms.dashboard.rejected'), values: of('rejected'), look: 'two' },
          ],
        })}
        ${dayChart(page, {
          id: 'locks',
          title: t('rooms.dashboard.locks'),
          days: dates,
          series: [
            { name: t('rooms.dashboard.locked'), values: of('locked'), look: 'two' },
            { name: t('rooms.dashboard.unlocked'), values: of('unlocked'), look: 'one' },
          ],
        })}
      </div>`,
      html`<div class="charts">
        ${shares(page, { title: t('rooms.dashboard.by_method'), rows: named(page, page.signInsBy, methodNames) })}
        ${shares(page, { title: t('rooms.dashboard.by_source'), rows: named(page, page.joinedBy, joinedNames) })}
        ${shares(page, { title: t('rooms.dashboard.by_reason'), rows: named(page, page.lockedBy, lockNames) })}
      </div>`,
      html`<p class="hint">${t('rooms.dashboard.utc')}</p>`,
    ],
  });
}

function named(
  { t }: ConsoleFrame,
  counts: Readonly<Record<string, number>>,
  names: Readonly<Record<string, MessageKey>>,
): { name: string; count: number }[] {
  // Kinds that are told apart in the log and not here have one name, and are one line.
  const sums = new Map<string, number>();
  for (const [kind, count] of Object.entries(counts)) {
    const key = names[kind];
    const name = key ? t(key) : kind;
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return [...sums].map(([name, count]) => ({ name, count }));
}

/** How people prove who they are. */
export const methodNames = {
  password: 'rooms.method.password',
  passkey: 'rooms.method.passkey',
  synced_passkey: 'rooms.method.passkey',
  federated: 'rooms.method.federated',
  upstream: 'rooms.method.federated',
} as const satisfies Record<string, MessageKey>;

/** How people came to an account. */
export const joinedNames = {
  added: 'rooms.source.added',
  import: 'rooms.source.import',
  invitation: 'rooms.source.invitation',
  approval: 'rooms.source.approval',
  auto_approved: 'rooms.source.auto_approved',
  restored: 'rooms.source.restored',
  fulfillment_contact: 'rooms.source.fulfillment_contact',
  moved: 'rooms.source.moved',
  directory: 'rooms.source.scim',
  adopted: 'rooms.source.scim',
  just_in_time: 'rooms.source.jit',
  demo: 'rooms.source.demo',
} as const satisfies Record<string, MessageKey>;
