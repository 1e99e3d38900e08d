import type { Room } from './room.ts';
import { accounts } from './rooms/accounts.ts';
import { accountRooms, installationRooms } from './rooms/administration.ts';
import { bulk } from './rooms/bulk.ts';
import { dashboard } from './rooms/dashboard.ts';
import { peopleRooms } from './rooms/people.ts';
import { secondFactors } from './rooms/second-factors.ts';

/** Every room of the console, in the order of the menu. To add one: a file, and a line here. */
export const rooms: readonly Room[] = [
  dashboard,
  ...peopleRooms,
  bulk,
  ...accountRooms,
  secondFactors,
  accounts,
  ...installationRooms,
];
