import type { Sql } from '#platform/database/sql.ts';
import type { AccountStatus } from '../accounts/account.ts';
import type { Mapping } from './mapping.ts';

/**
 * An account's trust in its own identity provider (behaviour.md 2.6).
 *
 *     draft -> testing -> active -> disabled
 *
 * In `testing` only testers are sent there; in `active` everybody whose address is of one of its
 * domains. `optional`: who has a password here may go on using it. `enforced`: from `enforcedAt` on
 * nobody does, but for break-glass administrators. That the provider fails is health, no state.
 */
export const connectionStates = ['draft', 'testing', 'active', 'disabled'] as const;
export type ConnectionState = (typeof connectionStates)[number];

export const connectionModes = ['optional', 'enforced'] as const;
export type ConnectionMode = (typeof connectionModes)[number];

export const connectionKinds = ['oidc', 'saml'] as const;
export type ConnectionKind = (typeof connectionKinds)[number];

/** Providers whose ways are known; `generic` is any other. */
export const presetNames = ['entra', 'okta', 'google', 'ping', 'keycloak', 'generic'] as const;
export type PresetName = (typeof presetNames)[number];

/** What is done with people who are not here yet, and with what the provider did not say. */
export interface Provisioning {
  /** Whether a first sign-in makes a person, or only the directory does. */
  mode: 'jit' | 'jit_and_scim' | 'scim_only';
  /** A name or country that was not sent: the person is asked for it, or refused. */
  missing: 'ask' | 'reject';
  requireCountry: boolean;
  /** For whom the provider names none. */
  defaultCountry: string | null;
  /** Whether names, country and address follow the provider at each sign-in. */
  syncProfile: boolean;
  /** Whether guests of the company's directory (`user_partner.com#EXT#@...`) may come in. */
  guests: boolean;
  /** Whether whom an administrator removed stays out, and asks to return (behaviour.md F30). */
  removalSticks: boolean;
  /**
   * Whether a second factor is asked for here, too (behaviour.md F28): never; where the provider does
   * not say that it asked for one; always.
   */
  secondFactor: 'trust' | 'if_missing' | 'always';
  /** Service roles, groups and country of each new person. */
  roles: string[];
  groups: string[];
  entitlementCountry: string | null;
}

export const defaultProvisioning: Provisioning = {
  mode: 'jit',
  missing: 'ask',
  requireCountry: true,
  defaultCountry: null,
  syncProfile: true,
  guests: false,
  removalSticks: true,
  secondFactor: 'trust',
  roles: [],
  groups: [],
  entitlementCountry: null,
};

export interface Connection {
  id: string;
  accountId: string;
  kind: ConnectionKind;
  preset: PresetName;
  name: string;
  state: ConnectionState;
  mode: ConnectionMode;
  /** From when on passwords are refused; may lie ahead. Null while the mode is `optional`. */
  enforcedAt: Date | null;
  /** The issuer of every assertion: the OIDC issuer, or the SAML entity id. Null in a draft. */
  issuer: string | null;
  /** What only its protocol understands: `OidcSettings`, or what SAML keeps. Never a secret. */
  settings: Record<string, unknown>;
  provisioning: Provisioning;
  mapping: Mapping;
  /** Whether signing out here signs out at the provider too, where it can be told. */
  signOutUpstream: boolean;
  /** Addresses in canonical form that are sent there while it is being tested. */
  testers: string[];
  /** The last test that went through to the end, and the version of the connection it was. */
  testedAt: Date | null;
  testedVersion: number | null;
  activatedAt: Date | null;
  disabledAt: Date | null;
  health: ConnectionHealth;
  /** The domains that lead to it. */
  domains: string[];
  createdAt: Date;
  updatedAt: Date;
  version: number;
}

export interface ConnectionHealth {
  /** Failures of the provider in a row. */
  failures: number;
  failingSince: Date | null;
  lastFailureAt: Date | null;
  lastFailure: string | null;
  lastSuccessAt: Date | null;
}

/** From so many failures in a row on, administrators are told (behaviour.md 2.6). */
export const failingFrom = 20;

/** What kinds of secrets a connection has; each protocol knows its own. */
export interface ConnectionSecret {
  id: string;
  kind: string;
  sealed: string;
  publicPart: Record<string, unknown>;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

/** The context under which a secret of a connection is sealed. */
export function secretContext(connectionId: string): string {
  return `connection:${connectionId}`;
}

/** A connection as one column of JSON. `c` is its row. */
export const connectionColumns = `
  c.id, c.account_id as "accountId", c.kind, c.preset, c.name, c.state, c.mode,
  c.enforced_at as "enforcedAt", c.issuer, c.settings, c.provisioning, c.mapping, c.testers,
  c.sign_out_upstream as "signOutUpstream",
  c.tested_at as "testedAt", c.tested_version as "testedVersion",
  c.activated_at as "activatedAt", c.disabled_at as "disabledAt",
  c.failures, c.failing_since as "failingSince", c.last_failure_at as "lastFailureAt",
  c.last_failure as "lastFailure", c.last_success_at as "lastSuccessAt",
  array(select d.domain from connection_domains d where d.connection_id = c.id order by d.domain)
    as domains,
  c.created_at as "createdAt", c.updated_at as "updatedAt", c.version`;

export type ConnectionRow = Omit<Connection, 'health' | 'provisioning' | 'mapping'> &
  ConnectionHealth & { provisioning: Partial<Provisioning>; mapping: Partial<Mapping> };

export function connectionOf(row: ConnectionRow): Connection {
  const { failures, failingSince, lastFailureAt, lastFailure, lastSuccessAt, ...rest } = row;
  return {
    ...rest,
    provisioning: { ...defaultProvisioning, ...row.provisioning },
    mapping: { attributes: {}, groups: null, roles: null, ...row.mapping },
    health: { failures, failingSince, lastFailureAt, lastFailure, lastSuccessAt },
  };
}

/** The connection with this id, as it is now; null where there is none, or none any more. */
export async function findConnection(sql: Sql, id: string): Promise<Connection | null> {
  const [row] = await sql.query<ConnectionRow>(
    `select ${connectionColumns} from connections c where c.id = $1 and c.deleted_at is null`,
    [id],
  );
  return row ? connectionOf(row) : null;
}

/** Whether somebody with this address is sent to the provider. */
export function routes(
  { state, testers }: Pick<Connection, 'state' | 'testers'>,
  email: string | null,
): boolean {
  return state === 'active' || (state === 'testing' && email !== null && testers.includes(email));
}

/** Whether passwords are refused to people of the connection's domains at this moment. */
export function enforces(
  { state, mode, enforcedAt }: Pick<Connection, 'state' | 'mode' | 'enforcedAt'>,
  now: Date,
): boolean {
  return state === 'active' && mode === 'enforced' && enforcedAt !== null && enforcedAt <= now;
}

/** What of the account matters at the moment of a sign-in. */
export interface AccountOfConnection {
  id: string;
  name: string;
  status: AccountStatus;
}
