import { hash } from 'node:crypto';

/**
 * How many a filter found, for as long as somebody walks through its pages: counting them for each page
 * costs more than the page. A total is what it was at the first page (RFC 7644, section 3.4.2.4, has
 * clients expect that people come and go meanwhile), for a minute at most, and until the account's own
 * directory changes anything here. The last page counts itself.
 */
export interface Totals {
  known(accountId: string, scope: string, now: Date): number | null;
  keep(accountId: string, scope: string, total: number, now: Date): void;
  /** Something of the account was changed. */
  forget(accountId: string): void;
}

const keptMs = 60_000;
/** So many accounts, and filters of each. */
const mostAccounts = 500;
const mostOfOne = 20;

interface Known {
  total: number;
  until: number;
}

export function totals(): Totals {
  const accounts = new Map<string, Map<string, Known>>();
  const nameOf = (scope: string): string => hash('sha256', scope, 'base64url');
  return {
    known(accountId, scope, now) {
      const found = accounts.get(accountId)?.get(nameOf(scope));
      return found && found.until > now.getTime() ? found.total : null;
    },
    keep(accountId, scope, total, now) {
      const ofOne = accounts.get(accountId) ?? new Map<string, Known>();
      putLast(ofOne, nameOf(scope), { total, until: now.getTime() + keptMs }, mostOfOne);
      putLast(accounts, accountId, ofOne, mostAccounts);
    },
    forget(accountId) {
      accounts.delete(accountId);
    },
  };
}

/** The first one goes where there are too many. */
function putLast<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}
