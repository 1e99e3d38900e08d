import type { Room } from './room.ts';
import { accounts } from './rooms/accounts.ts';

/** Every room of the console, in the order of the menu. To add one: a file, and a line here. */
export const rooms: readonly Room[] = [accounts];
