import type { Room } from '../room.ts';
import { account } from './account.ts';
import { addingUsers } from './add-user.ts';
import { approvals } from './approvals.ts';
import { contacts } from './contacts.ts';
import { erasures } from './erasures.ts';
import { groups } from './groups.ts';
import { invitations } from './invitations.ts';
import { roles } from './roles.ts';
import { user } from './user.ts';
import { userChange } from './user-change.ts';
import { userActions } from './user-actions.ts';
import { users } from './users.ts';

/**
 * All that is about people. Of two addresses that fit, the first one counts: `/users/add` stands
 * before `/users/:userId`.
 */
export const peopleRooms: readonly Room[] = [
  users,
  approvals,
  addingUsers,
  invitations,
  userActions,
  user,
  userChange,
  groups,
  roles,
  contacts,
  erasures,
  account,
];
