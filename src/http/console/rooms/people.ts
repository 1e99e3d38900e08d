import type { Room } from '../room.ts';
import { addingUsers } from './add-user.ts';
import { user } from './user.ts';
import { userActions } from './user-actions.ts';
import { users } from './users.ts';

/**
 * All that is about people. Of two addresses that fit, the first one counts: `/users/add` stands
 * before `/users/:userId`.
 */
export const peopleRooms: readonly Room[] = [users, addingUsers, userActions, user];
