import type { MessageKey, Translate } from '#messages/translate.ts';

/**
 * What a row of the audit log changed or tells, in the reader's language. A field is found by its path
 * or by the end of it; one that has no text here is told by its code, as the API and the files tell
 * all of them.
 */
export function fieldText(t: Translate, path: string): string {
  const found = at(fields, path);
  return found ? t(found) : path;
}

/** A value that is a word of ours, or null for any other. */
export function valueText(t: Translate, path: string, value: unknown): string | null {
  const found = typeof value === 'string' ? at(values, path)?.[value] : undefined;
  return found ? t(found) : null;
}

/** By `settings.password.minLength`, then `password.minLength`, then `minLength`. */
function at<T>(table: Readonly<Record<string, T>>, path: string): T | undefined {
  const parts = path.split('.');
  for (let from = 0; from < parts.length; from += 1) {
    const key = parts.slice(from).join('.');
    if (Object.hasOwn(table, key)) return table[key];
  }
  return undefined;
}

const fields: Readonly<Record<string, MessageKey>> = {
  // What an account decides
  'password.minLength': 'rooms.settings.min_length',
  'password.composition': 'rooms.settings.composition',
  'lockout.attempts': 'rooms.settings.attempts',
  'lockout.minutes': 'rooms.settings.lock_minutes',
  'lockout.selfUnlock': 'rooms.settings.self_unlock',
  signUp: 'rooms.settings.sign_up',
  foreignDomains: 'rooms.settings.foreign',
  'sessions.idleMinutes': 'rooms.settings.idle',
  'sessions.hours': 'rooms.settings.hours',
  'sessions.refreshDays': 'rooms.settings.refresh',
  inactivity: 'rooms.settings.inactivity',
  'inactivity.days': 'rooms.settings.inactive_days',
  'inactivity.after': 'rooms.settings.inactive_after',
  'inactivity.afterDays': 'rooms.settings.inactive_after_days',
  accountAdminGrant: 'rooms.settings.admin_grant',
  secondFactor: 'audit.field.second_factor',
  number: 'rooms.organization.number',
  countries: 'rooms.organization.countries',
  // People, roles and groups
  name: 'rooms.name',
  description: 'people.group.description',
  email: 'field.email',
  givenName: 'profile.given_name',
  given_name: 'profile.given_name',
  familyName: 'profile.family_name',
  family_name: 'profile.family_name',
  country: 'rooms.country',
  'entitlement.country': 'people.entitlement',
  entitlementCountry: 'people.entitlement',
  pinned: 'people.do.pinned',
  'entitlement.pinned': 'people.do.pinned',
  language: 'people.language',
  communicationEmail: 'people.communication',
  role: 'rooms.tokens.role',
  roles: 'people.roles',
  groups: 'people.groups',
  requires: 'people.role.requires',
  revokeOnRemove: 'people.role.revokes',
  source: 'people.source',
  note: 'people.do.note',
  reason: 'rooms.reason',
  user: 'audit.field.user',
  account: 'audit.field.account',
  by: 'audit.field.by',
  from: 'audit.field.from',
  to: 'audit.field.to',
  fields: 'audit.field.changed',
  changed: 'audit.field.changed',
  count: 'audit.field.count',
  users: 'audit.field.count',
  people: 'audit.field.count',
  factor: 'audit.field.factor',
  required: 'audit.field.required',
  lock: 'audit.field.lock',
  until: 'audit.field.until',
  // Applications
  redirect_uris: 'rooms.client.redirect',
  post_logout_redirect_uris: 'rooms.client.logout',
  backchannel_logout_uri: 'rooms.client.backchannel',
  token_endpoint_auth_method: 'rooms.client.method',
  firstParty: 'audit.field.first_party',
  requiresAccount: 'audit.field.requires_account',
  requiresActiveAccount: 'audit.field.active_account',
  allowedAccounts: 'audit.field.allowed_accounts',
  requiredRoles: 'audit.field.required_roles',
  mayIntrospect: 'audit.field.introspects',
  resources: 'rooms.client.resources',
  disabled: 'rooms.client.disabled',
  client: 'audit.field.client',
  // Directories, tokens, webhooks
  'limits.number': 'rooms.scim.limit_number',
  'limits.share': 'rooms.scim.limit_share',
  'limits.minutes': 'rooms.scim.limit_minutes',
  departures: 'rooms.scim.limit_number',
  share: 'rooms.scim.limit_share',
  minutes: 'rooms.scim.limit_minutes',
  dryRun: 'rooms.scim.dry_run',
  domainPolicy: 'rooms.scim.policy',
  scopes: 'rooms.tokens.purpose',
  expiresAt: 'rooms.tokens.expires',
  actions: 'rooms.webhook.actions',
  host: 'rooms.address',
  url: 'rooms.address',
  // Domains and connections
  domain: 'audit.field.domain',
  domains: 'rooms.domains',
  connection: 'audit.field.connection',
  issuer: 'rooms.connection.issuer',
  preset: 'rooms.connection.vendor',
  proof: 'audit.field.proof',
  state: 'console.status',
  status: 'console.status',
  outcome: 'rooms.scim.outcome',
  kind: 'rooms.client.kind',
  method: 'audit.field.method',
  version: 'rooms.terms.version',
  fingerprint: 'setup.fingerprint',
  filter: 'audit.field.filter',
  format: 'audit.field.format',
};

const signUp = {
  approve: 'rooms.signup.approve',
  auto: 'rooms.signup.auto',
  closed: 'rooms.signup.closed',
} as const;

const values: Readonly<Record<string, Readonly<Record<string, MessageKey>>>> = {
  signUp,
  signup: signUp,
  'password.composition': {
    any: 'rooms.settings.composition_any',
    three_of_four: 'rooms.settings.composition_three',
  },
  foreignDomains: { on: 'rooms.settings.foreign_on', off: 'rooms.settings.foreign_off' },
  'inactivity.after': {
    nothing: 'rooms.settings.inactive_nothing',
    unaffiliate: 'rooms.settings.inactive_unaffiliate',
    erase: 'rooms.settings.inactive_erase',
  },
  accountAdminGrant: {
    account_admin: 'rooms.settings.grant_admin',
    account_admin_and_tokens: 'rooms.settings.grant_tokens',
    operator: 'rooms.settings.grant_operator',
  },
  domainPolicy: { owned: 'rooms.scim.policy_owned', any_unowned: 'rooms.scim.policy_any' },
};
