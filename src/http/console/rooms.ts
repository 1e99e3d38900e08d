import type { Room } from './room.ts';
import { accounts } from './rooms/accounts.ts';
import { audit, auditOfAll } from './rooms/audit.ts';
import { dashboard, figures } from './rooms/dashboard.ts';
import { peopleRooms } from './rooms/people.ts';
import { settings } from './rooms/settings.ts';

/** Every room of the console, in the order of the menu. To add one: a file, and a line here. */
export const rooms: readonly Room[] = [
  dashboard,
  ...peopleRooms,
  settings,
  audit,
  accounts,
  figures,
  auditOfAll,
];
