import type { AccountStatus } from '../accounts/account.ts';

/** Which addresses a directory may create: of domains the account owns, or of any nobody else does. */
export const domainPolicies = ['owned', 'any_unowned'] as const;
export type DomainPolicy = (typeof domainPolicies)[number];

/** Whom a directory may lock or remove: everybody, or those alone whom one brought or took over. */
export const departurePolicies = ['everybody', 'own_people'] as const;
export type DeparturePolicy = (typeof departurePolicies)[number];

/** What a directory may reach. Everything it may not, it may not read either. */
export interface ScimScopes {
  users: boolean;
  groups: boolean;
  /** It looks, and changes nothing. */
  readOnly: boolean;
}

/** A directory that speaks SCIM to us, as the door knows it while it answers one request. */
export interface ScimCaller {
  /** Of the row in `scim_tokens`; the same for a client whatever token of ours it brings. */
  id: string;
  accountId: string;
  accountStatus: AccountStatus;
  name: string;
  scopes: ScimScopes;
  /** Everything is answered as if, and nothing is changed. */
  dryRun: boolean;
  domainPolicy: DomainPolicy;
  departurePolicy: DeparturePolicy;
  /** Leaves out of ServiceProviderConfig what strict clients of RFC 7643 do not know. */
  classicConfig: boolean;
  /** It touched the brake: what it wants to change has to wait for an administrator. */
  held: boolean;
}
