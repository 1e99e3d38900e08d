import { Account } from '#identity/accounts/account.ts';
import { ClientRecord } from '#identity/applications/client-record.ts';
import { User } from '#identity/users/user.ts';

/** Every table that MikroORM's unit of work knows. The engine's and the counters have none. */
export const entities = [Account, User, ClientRecord];
