import { type Html, html } from '#platform/html.ts';
import { named } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { empty, part } from './parts.ts';
import { roleName } from './people.ts';

export interface AccountPage extends ConsoleFrame {
  name: string;
  administrators: readonly { email: string; name: string; role: string }[];
}

/** Whose account it is, and whom to ask. */
export function accountPage(page: AccountPage): Html {
  const { t, name, administrators } = page;
  return consolePage(page, {
    title: t('people.account'),
    heading: html`<bdi>${name}</bdi>`,
    main: part(
      t('people.account.administrators'),
      administrators.length === 0
        ? empty(t('people.account.no_administrators'))
        : html`<ul class="rows">
            ${administrators.map(
              (one) =>
                html`<li>
                  <span>
                    <strong>${named(one.name || one.email)}</strong>
                    <span class="hint">${named(one.email)}</span>
                  </span>
                  <span class="badge">${roleName(page, { key: one.role, name: one.role })}</span>
                </li>`,
            )}
          </ul>`,
    ),
  });
}
