import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { hidden, named, postForm } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { clear, empty, filters, pager, searchField, table, withQuery } from './parts.ts';

export type AccountStatusShown = 'active' | 'on_hold' | 'closing' | 'closed' | 'merged';

export interface AccountsPage extends ConsoleFrame {
  accounts: readonly {
    id: string;
    name: string;
    number: string | null;
    status: AccountStatusShown;
    domains: readonly string[];
    users: number;
  }[];
  q: string;
  /** Where to go on once one is chosen. */
  next: string | null;
  nextCursor: string | null;
  later: boolean;
}

/** Which account an operator wants to act in. */
export function accountsPage(page: AccountsPage): Html {
  const { t, csrf, accounts, q, next, nextCursor, later } = page;
  const title = t('console.accounts');
  return consolePage(page, {
    title,
    lead: t(next === null ? 'console.accounts.lead' : 'console.accounts.choose'),
    actions: html`<a class="button primary" href="/console/accounts/new"
      >${t('rooms.account.new')}</a
    >`,
    main: [
      filters(page, 'list', [
        searchField({
          label: t('console.accounts.search'),
          value: q,
        }),
        hidden('next', next === null ? undefined : `/console${next}`),
      ]),
      html`<div id="list" class="list">
        ${
          accounts.length === 0
            ? q !== '' || later
              ? empty(t('console.accounts.none'), clear(page, '/console/accounts'))
              : empty(t('console.accounts.none_yet'))
            : table({
                caption: title,
                rows: accounts,
                columns: [
                  {
                    title: t('console.accounts.name'),
                    cell: ({ name, number }) => [
                      html`<strong>${named(name)}</strong>`,
                      number && html`<span class="hint">${named(number)}</span>`,
                    ],
                  },
                  {
                    title: t('console.accounts.domains'),
                    wide: true,
                    cell: ({ domains }) => named(domains.join(', ')),
                  },
                  {
                    title: t('console.accounts.people'),
                    number: true,
                    wide: true,
                    cell: ({ users }) => users.toLocaleString(t.locale),
                  },
                  {
                    title: t('console.status'),
                    cell: ({ status }) =>
                      html`<span class="badge ${status === 'active' ? 'success' : 'warning'}"
                        >${t(accountStatuses[status])}</span
                      >`,
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: ({ id, name }) =>
                      postForm({ action: '/console/acting', csrf }, [
                        hidden('account', id),
                        hidden('next', next === null ? undefined : `/console${next}`),
                        html`<button
                          type="submit"
                          aria-label="${t('console.accounts.act_in', { account: name })}"
                        >
                          ${t('console.accounts.act')}
                        </button>`,
                      ]),
                  },
                ],
              })
        }
        ${pager(page, {
          href: withQuery('/console/accounts', { q, next: next && `/console${next}` }),
          nextCursor,
          later,
        })}
      </div>`,
    ],
  });
}

export const accountStatuses: Record<AccountStatusShown, MessageKey> = {
  active: 'console.account.active',
  on_hold: 'console.account.on_hold',
  closing: 'console.account.closing',
  closed: 'console.account.closed',
  merged: 'console.account.merged',
};
