import type { MessageKey, Translate } from '#messages/translate.ts';
import type { AuditTarget } from '#identity/work.ts';
import { attributeTexts, outcomeText } from './federation-text.ts';
import { joinedNames, methodNames } from './pages/console/dashboard.ts';
import { countNames } from './pages/console/domain-people.ts';
import { stateNames } from './pages/console/domains.ts';
import {
  countryName,
  languageName,
  lockNames,
  roleName,
  sourceTexts,
} from './pages/console/people.ts';

/**
 * What a row of the audit log changed or tells, in the reader's language. A field is found by its path
 * or by the end of it; one that has no text here is told by its code, as the API and the files tell
 * all of them.
 */
export function fieldText(t: Translate, path: string, action = ''): string {
  const found = at(fields, within(action, path));
  if (found) return t(found);
  const [family = '', member = ''] = path.split('.');
  return Object.hasOwn(families, family)
    ? `${t(families[family]!)}: ${languageName({ t }, member)}`
    : path;
}

/**
 * A value in the reader's words where it is one of ours: a reason, a role, a country, the name of a
 * field; null for any other, which is told as it is.
 */
export function valueText(t: Translate, path: string, value: unknown, action = ''): string | null {
  if (typeof value !== 'string') return null;
  const words = at(values, within(action, path));
  // A reason that somebody typed may be any word, `constructor` too.
  if (words && Object.hasOwn(words, value)) return t(words[value]!);
  const said = at(kinds, path)?.(t, value);
  return said === undefined || said === value ? null : said;
}

/** What a value names, where it is an id: `user` of `{"user": "01a2…"}`. */
export function mentionOf(path: string): AuditTarget['type'] | undefined {
  return at(mentions, path);
}

const mentions: Readonly<Record<string, AuditTarget['type']>> = {
  user: 'user',
  users: 'user',
  group: 'group',
  groups: 'group',
  connection: 'connection',
  client: 'client',
  clientId: 'client',
  account: 'account',
  claimant: 'account',
  from: 'account',
  into: 'account',
  to: 'account',
};

/** `bulk_job.mode`: what one name means may hang on what the row is about. */
function within(action: string, path: string): string {
  const [subject = ''] = action.split('.');
  return subject === '' ? path : `${subject}.${path}`;
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
  departurePolicy: 'rooms.scim.departures',
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
  before: 'console.status',
  status: 'console.status',
  outcome: 'rooms.scim.outcome',
  kind: 'rooms.client.kind',
  method: 'audit.field.method',
  version: 'rooms.terms.version',
  fingerprint: 'setup.fingerprint',
  filter: 'audit.field.filter',
  format: 'audit.field.format',
  locale: 'people.language',
  clientId: 'audit.field.client',
  claimant: 'audit.field.account',
  into: 'audit.field.to',
  group: 'audit.target.group',
  terms: 'audit.target.terms',
  key: 'audit.target.key',
  directory: 'audit.target.scim_token',
  contact: 'rooms.connection.contact',
  subject: 'rooms.connection.subject',
  enforcedAt: 'rooms.connection.enforced_at',
  include: 'rooms.domain.below',
  closesAt: 'rooms.organization.closes',
  type: 'people.group.type',
  succeeded: 'rooms.dashboard.succeeded',
  failed: 'rooms.dashboard.failed',
  refused: 'rooms.reason',
  why: 'rooms.reason',
  problem: 'rooms.reason',
  reasons: 'audit.field.lock',
  entitlement: 'people.entitlement',
  secondFactorRequired: 'audit.field.second_factor',
  factors: 'audit.field.factor',
  testers: 'rooms.connection.testers',
  ...countNames,
  readOnly: 'rooms.tokens.reading',
  left: 'audit.field.left',
  missing: 'audit.field.missing',
  id: 'people.id',
  methods: 'audit.field.proof',
  newDevice: 'audit.field.new_device',
  guesses: 'audit.field.guesses',
  failures: 'audit.field.failures',
  today: 'audit.field.today',
  hard: 'audit.field.hard',
  all: 'audit.field.all',
  confirmed: 'audit.field.confirmed',
  managed: 'audit.field.managed',
  mark: 'audit.field.mark',
  reverts: 'audit.field.reverts',
  ok: 'audit.field.ok',
  how: 'audit.field.how',
  attempt: 'audit.field.attempt',
  link: 'audit.field.link',
  unbound: 'audit.field.unbound',
  conflict: 'audit.field.conflict',
  detail: 'audit.field.detail',
  withoutBreakGlass: 'audit.field.no_emergency',
  mode: 'audit.field.mode',
  'bulk_job.mode': 'audit.field.tried',
  rows: 'bulk.rows',
  made: 'audit.field.made',
  certificates: 'audit.field.certificates',
  skipped: 'audit.field.skipped',
  errors: 'audit.field.errors',
  requests: 'audit.field.requests',
  lastError: 'audit.field.last_error',
  since: 'audit.field.since',
  request: 'audit.field.request',
  allow: 'audit.field.allow',
  seen: 'audit.field.seen',
  removedUnproved: 'audit.field.unproved',
  trusts: 'audit.field.trusts',
  reminder: 'audit.field.reminder',
  letter: 'audit.field.letter',
  delivery: 'audit.field.delivery',
  alg: 'audit.field.algorithm',
  withdrawn: 'audit.field.withdrawn',
  move: 'audit.field.move',
  proposal: 'audit.field.move',
  secret: 'audit.field.secret',
  claims: 'audit.field.claims',
  effectiveAt: 'audit.field.effective',
  provisioning: 'audit.field.provisioning',
  mapping: 'audit.field.mapping',
};

/** By a language or a country a path goes on, as in `sha256.de`. */
const families: Readonly<Record<string, MessageKey>> = { sha256: 'audit.field.sha256' };

const signUp = {
  approve: 'rooms.signup.approve',
  auto: 'rooms.signup.auto',
  closed: 'rooms.signup.closed',
} as const;

const proofs = {
  dns: 'rooms.domain.method_dns',
  https: 'rooms.domain.method_https',
  email: 'rooms.domain.method_email',
  operator: 'rooms.domain.method_operator',
} as const;

const methods = {
  ...methodNames,
  totp: 'mfa.app.name',
  recovery: 'mfa.use.recovery',
  recovery_code: 'mfa.use.recovery',
} as const;

const accountStates = {
  active: 'console.account.active',
  on_hold: 'console.account.on_hold',
  closing: 'console.account.closing',
  closed: 'console.account.closed',
} as const;

/** Why something was done or was not. Where somebody gave the reason, it is told as they typed it. */
const reasons: Readonly<Record<string, MessageKey>> = {
  ...joinedNames,
  // What a directory did is mostly a lock.
  ...lockNames,
  administrator: 'rooms.lock.admin',
  // Why a session ended
  'signed out': 'audit.value.signed_out',
  'signed out at the organization': 'audit.value.signed_out_there',
  'connection disabled': 'audit.value.connection_off',
  'another person signed in': 'audit.value.another_person',
  'terms declined': 'audit.value.terms_declined',
  'ended in the profile': 'audit.value.in_profile',
  // Domains, mail, invitations, files
  managed: 'audit.value.sign_in_elsewhere',
  sign_in_upstream: 'audit.value.sign_in_elsewhere',
  proof_missing: 'audit.value.proof_missing',
  contested: 'rooms.domain.contested',
  owned_by_other: 'rooms.domain.contested',
  transferred: 'audit.value.transferred',
  quarantine_over: 'audit.value.quarantine_over',
  bounced: 'audit.value.bounced',
  refused: 'audit.value.mail_refused',
  complained: 'audit.value.complained',
  declined: 'audit.value.declined',
  revoked: 'audit.value.revoked',
  expired: 'audit.value.expired',
  superseded: 'audit.value.superseded',
  accepted: 'audit.value.accepted',
  wrong_person: 'audit.value.wrong_person',
  member_elsewhere: 'outcome.user_in_other_account',
  inviter: 'audit.value.no_right',
  permission_denied: 'audit.value.no_right',
  not_addable: 'outcome.user_not_addable',
};

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
  departurePolicy: {
    everybody: 'rooms.scim.departures_everybody',
    own_people: 'rooms.scim.departures_own',
  },
  lock: lockNames,
  reasons: lockNames,
  refused: reasons,
  why: reasons,
  reason: reasons,
  by: {
    profile: 'audit.value.in_profile',
    directory: 'rooms.source.scim',
    administrator: 'rooms.lock.admin',
    connection: 'audit.value.by_connection',
    password_reset: 'audit.value.by_reset',
    activation: 'audit.value.by_activation',
    split: 'audit.value.by_split',
    limits: 'audit.value.by_limits',
  },
  source: { ...sourceTexts, rejoin: 'outcome.rejoin' },
  proof: proofs,
  method: { ...proofs, ...methods },
  methods,
  missing: attributeTexts,
  from: { ...proofs, ...stateNames, ...signUp },
  to: { ...proofs, ...stateNames, ...signUp },
  status: accountStates,
  before: accountStates,
  'bulk_job.mode': { 'dry-run': 'rooms.yes', apply: 'rooms.no' },
  mode: { optional: 'audit.value.optional', enforced: 'audit.value.enforced' },
  how: {
    first_bind: 'audit.value.first_bind',
    domain_authority: 'audit.value.domain_authority',
    step_up: 'audit.value.step_up',
  },
  kind: {
    totp: 'mfa.app.name',
    passkey: 'mfa.passkey.name',
    recovery: 'mfa.use.recovery',
    tos: 'rooms.terms.tos',
    privacy: 'rooms.terms.privacy',
    add: 'bulk.kind.add',
    update: 'bulk.kind.update',
    delete: 'bulk.kind.delete',
  },
  type: { standard: 'people.group.standard', entitlement: 'people.group.entitlement' },
  filter: {
    action: 'rooms.audit.action',
    actor: 'rooms.audit.actor',
    target: 'rooms.audit.target',
    since: 'rooms.audit.since',
    until: 'rooms.audit.until',
  },
};

/** Values of which there are too many to be listed, or which are listed elsewhere. */
const kinds: Readonly<Record<string, (t: Translate, value: string) => string>> = {
  reason: (t, value) => outcomeText(value, t),
  problem: (t, value) => outcomeText(value, t),
  outcome: (t, value) => outcomeText(value, t),
  country: (t, value) => countryName({ t }, value),
  countries: (t, value) => countryName({ t }, value),
  entitlementCountry: (t, value) => countryName({ t }, value),
  entitlement: (t, value) => countryName({ t }, value),
  language: (t, value) => languageName({ t }, value),
  locale: (t, value) => languageName({ t }, value),
  role: roleOf,
  roles: roleOf,
  fields: fieldText,
  changed: fieldText,
};

function roleOf(t: Translate, key: string): string {
  return roleName({ t }, { key, name: key });
}
