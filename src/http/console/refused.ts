import type { MessageKey } from '#messages/translate.ts';
import type { Refusal, RefusalCode } from '#identity/refusal.ts';
import type { ConsoleFrame } from '../pages/console/frame.ts';

/** How the console says each refusal; one that is missing here is said in English. */
const texts: Partial<Record<RefusalCode, MessageKey>> = {};

/** A refusal in the reader's language, beside its cause. */
export function refusalText({ t }: Pick<ConsoleFrame, 't'>, refusal: Refusal): string {
  const key = texts[refusal.code];
  return key ? t(key) : refusal.message;
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
