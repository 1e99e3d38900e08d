import { isRecord } from './dialect.ts';

/** What came of a request. */
export const outcomes = ['read', 'changed', 'nothing', 'refused', 'held', 'failed'] as const;
export type ExchangeOutcome = (typeof outcomes)[number];

/** What an exchange came to, in codes and values: each door says it in the reader's language. */
export interface Meaning {
  /** What was asked: `user.create`, `bulk`. */
  kind: string;
  /** Whom or what it was about, by name. */
  what: string | null;
  /** Whose way of speaking it was, as far as can be told. */
  directory: string | null;
  outcome: ExchangeOutcome;
  status: number;
  dryRun: boolean;
  /** How many changes were made, or would have been. */
  count: number;
  /** Why it was refused, as the directory was told. */
  detail: string | null;
  changes: MeantChange[];
  /** How the request differs from the standard, and was understood: names of quirks. */
  dialect: string[];
  /** Where it was refused. */
  rule: { code: string; advice: Advice } | null;
}

export const changeCodes = [
  'more',
  'created',
  'joined',
  'changed',
  'deactivated',
  'locked',
  'unlocked',
  'removed',
  'restored',
  'entitlement',
  'invited',
  'approved',
  'group_created',
  'group_changed',
  'group_removed',
  'group_in',
  'group_out',
  'other',
] as const;
export type ChangeCode = (typeof changeCodes)[number];

export interface MeantChange {
  code: ChangeCode;
  /** A person's address or a group's name; an id where it is known by nothing else. */
  whom: string;
  /** Attributes, or reasons of locks; or the audit action where there is no word for it. */
  fields: string[];
  /** Who came in or left, where it was one. */
  member: string | null;
  count: number | null;
}

/** One of the audit rows that the exchange wrote, or would have. */
export interface Change {
  action: string;
  target: { type: string; id: string };
  details: Record<string, unknown>;
}

/** Stands for those that were too many to be told one by one; `count` says how many. */
export const moreChanges = 'more';

function countOf(changes: readonly Change[]): number {
  const last = changes.at(-1);
  const more = last?.action === moreChanges ? Number(last.details['count']) - 1 : 0;
  return changes.length + more;
}

export interface Explained {
  kind: string;
  label: string | null;
  outcome: ExchangeOutcome;
  status: number;
  reason: string | null;
  detail: string | null;
  directory: string | null;
  dialect: readonly string[];
  changes: readonly Change[];
  dryRun: boolean;
}

/** @param nameOf a person's or group's name by their id, where they are still there */
export function meaningOf(exchange: Explained, nameOf: (id: string) => string | null): Meaning {
  const { directory, dialect, changes, kind, label, outcome, status, dryRun, detail } = exchange;
  return {
    kind,
    what: label === null ? null : (nameOf(label) ?? label),
    directory,
    outcome,
    status,
    dryRun,
    count: countOf(changes),
    detail,
    changes: changes.map((change) => meant(change, nameOf)),
    dialect: [...dialect],
    rule: ruleOf(exchange),
  };
}

const codes: Readonly<Record<string, ChangeCode>> = {
  [moreChanges]: 'more',
  'user.added': 'created',
  'user.affiliated': 'joined',
  'user.changed': 'changed',
  'user.locked': 'locked',
  'user.unlocked': 'unlocked',
  'user.unaffiliated': 'removed',
  'user.restored': 'restored',
  'user.entitlement_changed': 'entitlement',
  'invitation.sent': 'invited',
  'approval.approved': 'approved',
  'group.created': 'group_created',
  'group.changed': 'group_changed',
  'group.removed': 'group_removed',
  'group.members_added': 'group_in',
  'group.members_removed': 'group_out',
};

function meant({ action, target, details }: Change, nameOf: (id: string) => string | null) {
  const { name, user, users, count, reason } = details;
  const code = codes[action] ?? 'other';
  const change: MeantChange = {
    code: code === 'locked' && reason === 'directory' ? 'deactivated' : code,
    whom: nameOf(target.id) ?? target.id,
    fields: [],
    member: typeof user === 'string' ? (nameOf(user) ?? user) : null,
    count: Array.isArray(users) ? users.length : typeof count === 'number' ? count : null,
  };
  if (change.code === 'locked') change.fields = [String(reason)];
  else if (code === 'unlocked') change.fields = listed(details['reasons']);
  else if (code === 'changed' || code === 'group_changed') {
    const named = listed(details['changed']);
    change.fields = named.length > 0 ? named : Object.keys(record(details['after']));
  } else if (code === 'group_removed' && typeof name === 'string') change.whom = name;
  else if (code === 'other') change.fields = [action];
  return change;
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function listed(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function ruleOf({ outcome, status, reason, detail }: Explained): Meaning['rule'] {
  if (outcome === 'read' || outcome === 'failed') return null;
  if (reason === null && detail === null && outcome !== 'held') return null;
  const code = reason ?? (outcome === 'held' ? 'directory_held' : `http_${status}`);
  return { code, advice: advice[code] ?? byStatus[status] ?? 'compare_schemas' };
}

export const advices = [
  'leave_out_elsewhere',
  'verify_domain',
  'change_there',
  'leave_out_break_glass',
  'leave_out_operator',
  'take_over_first',
  'create_first',
  'wider_token',
  'writing_token',
  'stop_synchronizing',
  'waits_itself',
  'prove_domain',
  'must_leave_first',
  'ask_operator',
  'invite',
  'match_first',
  'invited_already',
  'decide_registration',
  'match_names',
  'appoint_another',
  'another_contact',
  'account_on_hold',
  'decide_hold',
  'change_in_directory',
  'change_in_console',
  'unmap_attribute',
  'look_at_attribute',
  'look_at_request',
  'look_at_path',
  'look_at_target',
  'look_at_filter',
  'ask_for_less',
  'rename_group',
  'no_passwords',
  'enter_live_token',
  'match_again',
  'look_at_rule',
  'reads_again',
  'send_less',
  'send_json',
  'do_without',
  'compare_schemas',
] as const;
/** What to do about a refusal. */
export type Advice = (typeof advices)[number];

const advice: Readonly<Record<string, Advice>> = {
  domain_owned_elsewhere: 'leave_out_elsewhere',
  domain_owned_by_other: 'leave_out_elsewhere',
  domain_pending: 'verify_domain',
  domain_pending_ownership: 'verify_domain',
  managed_elsewhere: 'change_there',
  break_glass: 'leave_out_break_glass',
  operator: 'leave_out_operator',
  not_of_directory: 'take_over_first',
  unknown_reference: 'create_first',
  scope: 'wider_token',
  permission_denied: 'wider_token',
  read_only: 'writing_token',
  account_closed: 'stop_synchronizing',
  rate_limited: 'waits_itself',
  domain_not_owned: 'prove_domain',
  user_in_other_account: 'must_leave_first',
  user_not_addable: 'ask_operator',
  user_exists_other_domain: 'invite',
  invitation_required: 'invite',
  already_member: 'match_first',
  already_invited: 'invited_already',
  pending_approval: 'decide_registration',
  uniqueness: 'match_names',
  last_administrator: 'appoint_another',
  user_is_fulfillment_contact: 'another_contact',
  account_on_hold: 'account_on_hold',
  directory_held: 'decide_hold',
  managed_by_directory: 'change_in_directory',
  administrator_protected: 'change_in_console',
  cannot_act_on_higher_role: 'change_in_console',
  mutability: 'unmap_attribute',
  invalidValue: 'look_at_attribute',
  invalidSyntax: 'look_at_request',
  invalidPath: 'look_at_path',
  noTarget: 'look_at_target',
  invalidFilter: 'look_at_filter',
  tooMany: 'ask_for_less',
  name_taken: 'rename_group',
  weak_password: 'no_passwords',
};

const byStatus: Readonly<Record<number, Advice>> = {
  401: 'enter_live_token',
  403: 'wider_token',
  404: 'match_again',
  409: 'look_at_rule',
  412: 'reads_again',
  413: 'send_less',
  415: 'send_json',
  429: 'waits_itself',
  501: 'do_without',
};
