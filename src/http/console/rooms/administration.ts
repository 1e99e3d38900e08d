import type { Room } from '../room.ts';
import { audit, auditOfAll } from './audit.ts';
import { figures } from './dashboard.ts';
import { domains } from './domains.ts';
import { settings } from './settings.ts';

/** The rooms of an account that are not about people. */
export const accountRooms: readonly Room[] = [domains, settings, audit];

/** The rooms of operators. */
export const installationRooms: readonly Room[] = [figures, auditOfAll];
