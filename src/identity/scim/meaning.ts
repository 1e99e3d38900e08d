import { describeQuirk, directoryNames, isRecord, type Directory } from './dialect.ts';
import type { ExchangeOutcome } from './recorder.ts';

/** What an exchange came to, in words for an administrator. */
export interface Meaning {
  /** One sentence. */
  summary: string;
  /** What changed, or would have. */
  changes: string[];
  /** Whose way of speaking it was, as far as can be told. */
  directory: string | null;
  /** How the request differs from the standard, and was understood. */
  dialect: string[];
  /** Where it was refused. */
  rule: { code: string; says: string; advice: string } | null;
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
  const { directory, dialect, changes, kind, label } = exchange;
  const who = directory ? (directoryNames[directory as Directory] ?? directory) : 'The directory';
  const what = label === null ? null : (nameOf(label) ?? label);
  return {
    summary: `${who} ${deed(kind, what)}: ${result(exchange)}`,
    changes: changes.map((change) => changeInWords(change, nameOf)),
    directory: directory && who,
    dialect: dialect.map(describeQuirk),
    rule: ruleOf(exchange),
  };
}

const deeds: Readonly<Record<string, string>> = {
  create: 'asked to create',
  replace: 'asked to replace',
  change: 'asked to change',
  remove: 'asked to remove',
  read: 'read',
};

function deed(kind: string, what: string | null): string {
  const [type = '', verb = ''] = kind.split('.');
  if (kind === 'bulk') return 'sent many operations at once';
  if (kind === 'discovery') return 'asked what this server can do';
  if (verb === 'search')
    return type === 'all'
      ? 'looked for people and groups'
      : `looked for ${type === 'user' ? 'people' : 'groups'}`;
  const done = deeds[verb];
  if (!done) return 'sent a request';
  return `${done} ${type === 'user' ? 'the person' : 'the group'}${what === null ? '' : ` ${what}`}`;
}

function result({ outcome, status, dryRun, detail, changes }: Explained): string {
  switch (outcome) {
    case 'read':
      return 'answered.';
    case 'changed': {
      const many = countOf(changes);
      const count = many === 1 ? 'one change' : `${many} changes`;
      const made = dryRun ? `${count} would have been made; nothing was kept.` : `${count}.`;
      return detail === null ? made : `${made} ${detail}`;
    }
    case 'nothing':
      if (detail !== null) return detail;
      return dryRun ? 'nothing would have changed.' : 'everything was so already.';
    case 'held':
      if (dryRun) return 'the connection would have been held.';
      return changes.length > 0
        ? `${countOf(changes)} changes, and then the connection was held.`
        : 'not done, because the connection is held.';
    case 'failed':
      return `we failed (${status}). This is our mistake, not that of the directory.`;
    default:
      return `refused. ${detail ?? ''}`.trim();
  }
}

function changeInWords({ action, target, details }: Change, nameOf: (id: string) => string | null) {
  const whom = nameOf(target.id) ?? target.id;
  const member = typeof details['user'] === 'string' ? details['user'] : '';
  const fields = listed(details['changed']) ?? listed(Object.keys(record(details['after'])));
  switch (action) {
    case moreChanges:
      return `And ${String(details['count'])} more.`;
    case 'user.added':
      return `${whom}: created.`;
    case 'user.affiliated':
      return `${whom}: belongs to the account now.`;
    case 'user.changed':
      return fields ? `${whom}: changed ${fields}.` : `${whom}: changed.`;
    case 'user.locked':
      return details['reason'] === 'directory'
        ? `${whom}: deactivated; sessions and tokens ended.`
        : `${whom}: locked (${String(details['reason'])}).`;
    case 'user.unlocked':
      return `${whom}: no longer locked for ${listed(details['reasons']) ?? 'a reason'}.`;
    case 'user.unaffiliated':
      return `${whom}: removed from the account, with roles and groups.`;
    case 'user.restored':
      return `${whom}: back in the account.`;
    case 'user.entitlement_changed':
      return `${whom}: another entitlement country.`;
    case 'invitation.sent':
      return `An invitation was sent.`;
    case 'approval.approved':
      return `The registration that waited was approved.`;
    case 'group.created':
      return `Group ${whom}: created.`;
    case 'group.changed':
      return fields ? `Group ${whom}: changed ${fields}.` : `Group ${whom}: changed.`;
    case 'group.removed':
      return `Group ${typeof details['name'] === 'string' ? details['name'] : whom}: removed.`;
    case 'group.members_added':
      return `Group ${whom}: ${members(details, nameOf, member)} came in.`;
    case 'group.members_removed':
      return `Group ${whom}: ${members(details, nameOf, member)} left.`;
    default:
      return `${whom}: ${action.split('.')[1]?.replaceAll('_', ' ') ?? action}.`;
  }
}

function members(
  details: Record<string, unknown>,
  nameOf: (id: string) => string | null,
  one: string,
): string {
  if (one) return nameOf(one) ?? one;
  const { users, count } = details;
  const many = Array.isArray(users) ? users.length : count;
  return typeof many === 'number' ? `${many} ${many === 1 ? 'person' : 'people'}` : 'people';
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function listed(value: unknown): string | null {
  return Array.isArray(value) && value.length > 0 ? value.map(String).join(', ') : null;
}

function ruleOf({ outcome, status, reason, detail }: Explained): Meaning['rule'] {
  if (outcome === 'read' || outcome === 'failed') return null;
  if (reason === null && detail === null && outcome !== 'held') return null;
  const code = reason ?? (outcome === 'held' ? 'directory_held' : `http_${status}`);
  return { code, says: detail ?? '', advice: advice[code] ?? byStatus[status] ?? general };
}

const general = 'Compare what was sent with what this server says at /scim/v2/Schemas.';

/** What to do about a refusal, by the rule that it was. */
const ownedElsewhere =
  'Another organization owns the domain of this address. Leave the person out of the scope of your directory, or ask the owner for access to the domain.';

const advice: Readonly<Record<string, string>> = {
  domain_owned_elsewhere: ownedElsewhere,
  domain_pending: 'Finish the claim of the domain first: verify it.',
  managed_elsewhere: 'This comes from elsewhere: change it there.',
  break_glass: 'This is an emergency account. Leave it out of the scope of your directory.',
  operator: 'This person runs the installation. Leave them out of the scope of your directory.',
  unknown_reference:
    'What is referred to is not there yet. Let the directory create it first; it tries again by itself.',
  scope: 'This token does not reach that. Make another with the scopes it needs.',
  read_only: 'This token only reads. Make another that may change things.',
  account_closed: 'The account is closed. Switch the synchronization off.',
  rate_limited: 'The directory asked too quickly. It waits and tries again by itself.',
  domain_owned_by_other: ownedElsewhere,
  domain_not_owned:
    'Prove the domain of this address first, or let this token create people of any domain that nobody owns.',
  domain_pending_ownership: 'Finish the claim of the domain first: verify it.',
  user_in_other_account:
    'The person belongs to another organization and has to leave it first. They see its administrators on their profile.',
  user_not_addable: 'This person cannot be added. Ask the operator.',
  user_exists_other_domain: 'Invite the person instead: their domain is not yours.',
  invitation_required: 'Invite the person instead: their domain is not yours.',
  already_member:
    'The person is in your account already. Let the directory match by userName or externalId before it creates.',
  already_invited: 'The person was invited already and has not answered yet.',
  pending_approval: 'The person registered and waits for approval: decide about it.',
  uniqueness:
    'There is somebody or a group of this name already. Let the directory match by userName or displayName before it creates.',
  last_administrator:
    'This is the last administrator who can sign in. Appoint another one first, then let the directory try again.',
  user_is_fulfillment_contact: 'Name another fulfillment contact first.',
  account_on_hold: 'The account is on hold: nobody can be added until the operator resumes it.',
  directory_held:
    'Look at what the directory wanted to do, then release it, keep it held, or raise its limits.',
  managed_by_directory: 'This is managed by the directory of the organization: change it there.',
  administrator_protected:
    'Administrators and their groups are not changed by directories. Change them in the console.',
  cannot_act_on_higher_role:
    'Administrators and their groups are not changed by directories. Change them in the console.',
  mutability: 'Take this attribute out of the mapping of your directory: it cannot be set.',
  invalidValue: 'Look at the attribute that is named, and at how your directory maps it.',
  invalidSyntax: 'What was sent is not as RFC 7644 has it. Look at the request below.',
  invalidPath: 'The path names no attribute there is. Look at the mapping of your directory.',
  noTarget: 'The path leads to a value that is not there. Look at the mapping of your directory.',
  invalidFilter:
    'The filter cannot be understood. Look at the matching attribute of your directory.',
  tooMany: 'The question is too expensive. Let the directory ask for less.',
  name_taken: 'There is a group of this name already: rename one of them.',
  permission_denied: 'This token may not do that. Make another with the scopes it needs.',
  weak_password: 'The password is not good enough. Better leave passwords out of the mapping.',
};

const byStatus: Readonly<Record<number, string>> = {
  401: 'Enter a token that is alive at the directory.',
  403: 'This token may not do that. Make another with the scopes it needs.',
  404: 'The person or group is not in this account any more. Let the directory match again.',
  409: 'Something else stands in the way: look at what the rule says.',
  412: 'It was changed by somebody else meanwhile. The directory reads it again and tries anew.',
  413: 'Let the directory send less at once.',
  415: 'The directory has to send application/scim+json or application/json.',
  429: 'The directory asked too quickly. It waits and tries again by itself.',
  501: 'This server does not do that; the directory can do without.',
};
