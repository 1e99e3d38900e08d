import type { MessageKey, Translate } from '#messages/translate.ts';
import { directoryNames, type Directory, type Quirk } from '#identity/scim/dialect.ts';
import type { DirectoryHealth, DirectoryState } from '#identity/scim/health.ts';
import type { Advice, ChangeCode, Meaning, MeantChange } from '#identity/scim/meaning.ts';

/** What an exchange with a directory came to, in words. */
export interface MeaningText {
  /** One sentence. */
  summary: string;
  changes: string[];
  directory: string | null;
  dialect: string[];
  /** `says` is as the directory was told, in English. */
  rule: { code: string; says: string; advice: string } | null;
}

export function meaningText(meaning: Meaning, t: Translate): MeaningText {
  const { directory, kind, what, rule, detail } = meaning;
  const known = directory && (directoryNames[directory as Directory] ?? directory);
  const who = known ?? t('directory.it');
  const did = t(deeds[kind] ?? 'directory.did.other', {
    who,
    named: what === null ? 'no' : 'yes',
    what: what ?? '',
  });
  return {
    summary: `${did}: ${resultText(meaning, t)}`,
    changes: meaning.changes.map((change) => changeText(change, t)),
    directory: known,
    dialect: meaning.dialect.map((quirk) =>
      quirk in dialects ? t(dialects[quirk as Quirk]) : quirk,
    ),
    rule: rule && { code: rule.code, says: detail ?? '', advice: t(adviceTexts[rule.advice]) },
  };
}

const deeds: Readonly<Record<string, MessageKey>> = {
  'user.create': 'directory.did.user_create',
  'user.replace': 'directory.did.user_replace',
  'user.change': 'directory.did.user_change',
  'user.remove': 'directory.did.user_remove',
  'user.read': 'directory.did.user_read',
  'user.search': 'directory.did.user_search',
  'group.create': 'directory.did.group_create',
  'group.replace': 'directory.did.group_replace',
  'group.change': 'directory.did.group_change',
  'group.remove': 'directory.did.group_remove',
  'group.read': 'directory.did.group_read',
  'group.search': 'directory.did.group_search',
  'all.search': 'directory.did.all_search',
  bulk: 'directory.did.bulk',
  discovery: 'directory.did.discovery',
};

function resultText({ outcome, status, dryRun, detail, count }: Meaning, t: Translate): string {
  const mode = dryRun ? 'yes' : 'no';
  // What a directory is told is English, whoever reads it here.
  const with_ = (text: string): string => (detail === null ? text : `${text} ${detail}`);
  switch (outcome) {
    case 'read':
      return t('directory.result.read');
    case 'changed':
      return with_(t('directory.result.changed', { count, mode }));
    case 'nothing':
      return detail ?? t('directory.result.nothing', { mode });
    case 'held':
      return t('directory.result.held', { count, mode });
    case 'failed':
      return t('directory.result.failed', { status });
    case 'refused':
      break;
  }
  return with_(t('directory.result.refused'));
}

const changes = {
  more: 'directory.change.more',
  created: 'directory.change.created',
  joined: 'directory.change.joined',
  changed: 'directory.change.changed',
  deactivated: 'directory.change.deactivated',
  locked: 'directory.change.locked',
  unlocked: 'directory.change.unlocked',
  removed: 'directory.change.removed',
  restored: 'directory.change.restored',
  entitlement: 'directory.change.entitlement',
  invited: 'directory.change.invited',
  approved: 'directory.change.approved',
  group_created: 'directory.change.group_created',
  group_changed: 'directory.change.group_changed',
  group_removed: 'directory.change.group_removed',
  group_in: 'directory.change.group_in',
  group_out: 'directory.change.group_out',
  other: 'directory.change.other',
} as const satisfies Record<ChangeCode, MessageKey>;

function changeText({ code, whom, fields, member, count }: MeantChange, t: Translate): string {
  return t(changes[code], {
    whom,
    fields: fields.join(', '),
    some: fields.length > 0 ? 'yes' : 'no',
    who: member === null ? 'many' : 'one',
    member: member ?? '',
    count: count ?? 0,
  });
}

const dialects = {
  capital_operations: 'directory.quirk.capital_operations',
  text_booleans: 'directory.quirk.text_booleans',
  dotted_names: 'directory.quirk.dotted_names',
  schema_names: 'directory.quirk.schema_names',
  remove_with_value: 'directory.quirk.remove_with_value',
  members_without_path: 'directory.quirk.members_without_path',
  plain_manager: 'directory.quirk.plain_manager',
  unknown_schema: 'directory.quirk.unknown_schema',
  resource_in_patch: 'directory.quirk.resource_in_patch',
  optimized_flag: 'directory.quirk.optimized_flag',
  bare_filter_value: 'directory.quirk.bare_filter_value',
  filtered_sub_attribute: 'directory.quirk.filtered_sub_attribute',
} as const satisfies Record<Quirk, MessageKey>;

const adviceTexts = {
  leave_out_elsewhere: 'directory.advice.leave_out_elsewhere',
  verify_domain: 'directory.advice.verify_domain',
  change_there: 'directory.advice.change_there',
  leave_out_break_glass: 'directory.advice.leave_out_break_glass',
  leave_out_operator: 'directory.advice.leave_out_operator',
  take_over_first: 'directory.advice.take_over_first',
  create_first: 'directory.advice.create_first',
  wider_token: 'directory.advice.wider_token',
  writing_token: 'directory.advice.writing_token',
  stop_synchronizing: 'directory.advice.stop_synchronizing',
  waits_itself: 'directory.advice.waits_itself',
  prove_domain: 'directory.advice.prove_domain',
  must_leave_first: 'directory.advice.must_leave_first',
  ask_operator: 'directory.advice.ask_operator',
  invite: 'directory.advice.invite',
  match_first: 'directory.advice.match_first',
  invited_already: 'directory.advice.invited_already',
  decide_registration: 'directory.advice.decide_registration',
  match_names: 'directory.advice.match_names',
  appoint_another: 'directory.advice.appoint_another',
  another_contact: 'directory.advice.another_contact',
  account_on_hold: 'directory.advice.account_on_hold',
  decide_hold: 'directory.advice.decide_hold',
  change_in_directory: 'directory.advice.change_in_directory',
  change_in_console: 'directory.advice.change_in_console',
  unmap_attribute: 'directory.advice.unmap_attribute',
  look_at_attribute: 'directory.advice.look_at_attribute',
  look_at_request: 'directory.advice.look_at_request',
  look_at_path: 'directory.advice.look_at_path',
  look_at_target: 'directory.advice.look_at_target',
  look_at_filter: 'directory.advice.look_at_filter',
  ask_for_less: 'directory.advice.ask_for_less',
  rename_group: 'directory.advice.rename_group',
  no_passwords: 'directory.advice.no_passwords',
  enter_live_token: 'directory.advice.enter_live_token',
  match_again: 'directory.advice.match_again',
  look_at_rule: 'directory.advice.look_at_rule',
  reads_again: 'directory.advice.reads_again',
  send_less: 'directory.advice.send_less',
  send_json: 'directory.advice.send_json',
  do_without: 'directory.advice.do_without',
  compare_schemas: 'directory.advice.compare_schemas',
} as const satisfies Record<Advice, MessageKey>;

const states = {
  held: 'directory.health.held',
  expired: 'directory.health.expired',
  failing: 'directory.health.failing',
  expiring: 'directory.health.expiring',
  silent: 'directory.health.silent',
  never_used: 'directory.health.never_used',
  ok: 'directory.health.ok',
} as const satisfies Record<DirectoryState, MessageKey>;

/** How a directory is doing, in a sentence. */
export function healthText(
  { state, errors, requests, errorsInRow, daysLeft }: DirectoryHealth,
  t: Translate,
): string {
  return t(states[state], {
    errors: Math.max(errors, errorsInRow),
    requests: Math.max(requests, errorsInRow),
    days: daysLeft ?? 0,
  });
}
