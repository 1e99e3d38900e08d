import type { MessageKey } from '#messages/translate.ts';
import type { Refusal, RefusalCode } from '#identity/refusal.ts';
import type { ConsoleFrame } from '../pages/console/frame.ts';

/** Those that name an address, where none is known. */
const unnamed: Partial<Record<RefusalCode, MessageKey>> = {
  already_member: 'refusal.already_member_unnamed',
  pending_approval: 'refusal.pending_approval_unnamed',
  already_invited: 'refusal.already_invited_unnamed',
};

/** A refusal in the reader's language, beside its cause. The types ask for a text of each. */
export function refusalText({ t }: Pick<ConsoleFrame, 't'>, refusal: Refusal): string {
  const { code, details } = refusal;
  const { email, invitedAt } = details;
  const named = typeof email === 'string' && (code !== 'already_invited' || Boolean(invitedAt));
  const key: MessageKey = (named ? null : unnamed[code]) ?? `refusal.${code}`;
  return t(key, {
    ...(typeof email === 'string' && { email }),
    ...(typeof invitedAt === 'string' && { date: new Date(invitedAt) }),
  });
}

/** 404 for what is not there, 403 for what one may not do, 409 for what cannot be now. */
export function refusalStatus({ code }: Refusal): number {
  if (code === 'not_found' || code.endsWith('_not_found')) return 404;
  if (forbidden.has(code)) return 403;
  return code === 'rate_limited' ? 429 : 409;
}

const forbidden = new Set<RefusalCode>([
  'permission_denied',
  'cannot_grant_higher_role',
  'cannot_act_on_higher_role',
  'account_on_hold',
]);
