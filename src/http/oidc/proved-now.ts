import { Provider } from 'oidc-provider';
import type { Federation } from '#identity/federation/standing.ts';

/**
 * What the person's proof of this request stands on: null where they proved themselves here, undefined
 * where they did not prove anything now.
 */
export function provedNow(): Federation | null | undefined {
  const login = Provider.ctx?.oidc.result?.login as { federation?: Federation } | undefined;
  return login && (login.federation ?? null);
}
