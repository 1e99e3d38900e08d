import type { MessageKey, Translate } from '#messages/translate.ts';
import type { Actor } from '#identity/access/actor.ts';
import { auditActions, type AuditAction } from '#identity/audit/actions.ts';
import type { AuditTarget } from '#identity/work.ts';

/**
 * The audit log in the reader's language. The types ask for a text of every action, actor and target
 * there is; what an older version wrote down and nobody writes any more is told by its code.
 */
export function actionText(t: Translate, action: string): string {
  return known.has(action) ? t(`audit.${action as AuditAction}`) : action;
}

const known = new Set<string>(auditActions);

export function actorText(t: Translate, type: string): string {
  return type in actors ? t(actors[type as Actor['type']]) : type;
}

const actors = {
  user: 'audit.actor.user',
  api_token: 'audit.actor.api_token',
  scim_token: 'audit.actor.scim_token',
  setup_link: 'audit.actor.setup_link',
  command_line: 'audit.actor.command_line',
  system: 'audit.actor.system',
  anonymous: 'audit.actor.anonymous',
} as const satisfies Record<Actor['type'], MessageKey>;

export function targetText(t: Translate, type: string): string {
  return type in targets ? t(targets[type as AuditTarget['type']]) : type;
}

const targets = {
  user: 'audit.target.user',
  account: 'audit.target.account',
  address: 'audit.target.address',
  client: 'audit.target.client',
  terms: 'audit.target.terms',
  domain: 'audit.target.domain',
  key: 'audit.target.key',
  api_token: 'audit.target.api_token',
  scim_token: 'audit.target.scim_token',
  group: 'audit.target.group',
  approval: 'audit.target.approval',
  invitation: 'audit.target.invitation',
  role: 'audit.target.role',
  webhook: 'audit.target.webhook',
  connection: 'audit.target.connection',
  audit: 'audit.target.audit',
  bulk_job: 'audit.target.bulk_job',
  resource: 'audit.target.resource',
  session: 'audit.target.session',
} as const satisfies Record<AuditTarget['type'], MessageKey>;
