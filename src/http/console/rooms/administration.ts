import type { Room } from '../room.ts';
import { apiTokens, operatorTokens } from './api-tokens.ts';
import { audit, auditOfAll } from './audit.ts';
import { clients, resources } from './clients.ts';
import { connectionConflicts } from './connection-conflicts.ts';
import { connectionLooks } from './connection-looks.ts';
import { connectionSaml } from './connection-saml.ts';
import { connectionSettings } from './connection-settings.ts';
import { connections } from './connections.ts';
import { figures } from './dashboard.ts';
import { directories } from './directories.ts';
import { domains } from './domains.ts';
import { explain } from './explain.ts';
import { keys } from './keys.ts';
import { moves } from './moves.ts';
import { organization } from './organization.ts';
import { settings } from './settings.ts';
import { terms } from './terms.ts';
import { installationWebhooks, webhooks } from './webhooks.ts';

/** The rooms of an account that are not about people. */
export const accountRooms: readonly Room[] = [
  explain,
  organization,
  domains,
  connectionConflicts,
  connections,
  connectionSettings,
  connectionSaml,
  connectionLooks,
  directories,
  settings,
  apiTokens,
  webhooks,
  audit,
];

/** The rooms of operators. */
export const installationRooms: readonly Room[] = [
  figures,
  moves,
  clients,
  resources,
  terms,
  keys,
  operatorTokens,
  installationWebhooks,
  auditOfAll,
];
