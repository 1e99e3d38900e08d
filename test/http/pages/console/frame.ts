import type { Html } from '#platform/html.ts';
import type { PageContext } from '#http/layout.ts';
import type { ConsoleFrame } from '#http/pages/console/frame.ts';
import type { Sample } from '../samples.ts';

export const at = new Date('2026-11-22T09:30:00Z');
export const later = new Date('2026-12-24T17:05:00Z');

/** Words that no line breaks by itself, as German and Polish have them. */
export const long = 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzbeauftragte';
export const longAddress = `${'a-very-long-mailbox-name'.repeat(2)}@research.engineering.acme.example`;

let ids = 0;
/** An id as the console's rows have it. */
export function id(): string {
  return `01a202bd-efb0-7c68-9c51-${String(++ids).padStart(12, '0')}`;
}

const menu: ConsoleFrame['menu'] = [
  {
    title: null,
    rooms: [{ href: '/console/dashboard', title: 'rooms.dashboard', current: false }],
  },
  {
    title: 'console.menu.people',
    rooms: [
      { href: '/console/users', title: 'people.title', current: true },
      { href: '/console/approvals', title: 'people.approvals', current: false, count: 120 },
      { href: '/console/contacts', title: 'people.contacts', current: false },
    ],
  },
  {
    title: 'console.menu.organization',
    rooms: [{ href: '/console/domains', title: 'rooms.domains', current: false, count: 3 }],
  },
];

/** An administrator of Acme, at work. */
export function within(page: PageContext): ConsoleFrame {
  return {
    ...page,
    here: '/console/users?q=ann',
    email: 'fay@acme.example',
    account: { id: '01a202bd-efb0-7c68-9c51-acce00000001', name: 'Acme', status: 'active' },
    acting: false,
    menu,
    zone: 'Europe/Berlin',
  };
}

/** An operator who acts in an account with a long name, and just did something. */
export function acting(page: PageContext): ConsoleFrame {
  return {
    ...within(page),
    email: longAddress,
    account: { id: '01a202bd-efb0-7c68-9c51-acce00000002', name: long, status: 'on_hold' },
    acting: true,
    zone: null,
    flash: {
      tone: 'success',
      text: `${long}: 3`,
      undo: { action: '/console/users/do/unlock', label: 'Undo', fields: { ids: id() } },
    },
  };
}

/** Samples of one page: its values, laid over those that all have in common. */
export function states<Page extends ConsoleFrame>(
  name: string,
  render: (page: Page) => Html,
  usual: Omit<Page, keyof ConsoleFrame>,
  others: Readonly<
    Record<string, Partial<Omit<Page, keyof ConsoleFrame>> & { acting?: boolean }>
  > = {},
): Sample[] {
  const one = (
    state: string,
    values: object,
    frame: (page: PageContext) => ConsoleFrame,
  ): Sample => ({
    name: state === '' ? name : `${name}, ${state}`,
    render: (page) => render({ ...frame(page), ...usual, ...values } as unknown as Page),
  });
  return [
    one('', {}, within),
    ...Object.entries(others).map(([state, { acting: operator, ...values }]) =>
      one(state, values, operator ? acting : within),
    ),
  ];
}
