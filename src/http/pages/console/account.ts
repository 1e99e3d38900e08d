import { type Html, html } from '#platform/html.ts';
import { alert, field, hidden, named, notice, postForm, primary } from '../../form.ts';
import { accountStatuses, type AccountStatusShown } from './accounts.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import { confirmPage, empty, facts, part } from './parts.ts';
import { countryName, roleName } from './people.ts';
import { textArea } from './user-actions.ts';

export interface AccountPage extends ConsoleFrame {
  found: {
    name: string;
    number: string | null;
    countries: readonly string[];
    status: AccountStatusShown;
    holdReason: string | null;
    closesAt: Date | null;
    domains: readonly string[];
    administrators: readonly { id: string; email: string; name: string; role: string }[];
    fulfillmentContacts: readonly { id: string; email: string; name: string }[];
    users: number;
    createdAt: Date;
    version: number;
  };
  values: { name: string; number: string; countries: string };
  may: { rename: boolean; edit: boolean; hold: boolean; read: boolean; see: boolean };
  error: string | null;
}

export function accountPage(page: AccountPage): Html {
  const { t, csrf, found, values, may, error } = page;
  return consolePage(page, {
    title: t('people.account'),
    heading: html`<bdi>${found.name}</bdi>`,
    failed: error !== null,
    actions:
      may.hold &&
      (found.status === 'active'
        ? html`<a class="button danger" href="/console/account/hold"
            >${t('people.account.hold')}</a
          >`
        : found.status === 'on_hold' &&
          html`<a class="button" href="/console/account/resume">${t('people.account.resume')}</a>`),
    main: [
      found.holdReason && notice('warning', named(found.holdReason, 500)),
      part(t('people.account.administrators'), [
        found.administrators.length === 0
          ? empty(t('people.account.no_administrators'))
          : html`<ul class="rows">
              ${found.administrators.map(
                ({ id, name, email, role }) =>
                  html`<li>
                    <span>
                      ${
                        may.see
                          ? html`<a href="/console/users/${id}">${named(name || email)}</a>`
                          : html`<strong>${named(name || email)}</strong>`
                      }
                      <span class="hint">${named(email)}</span>
                    </span>
                    <span class="badge">${roleName(page, { key: role, name: role })}</span>
                  </li>`,
              )}
            </ul>`,
        may.see && html`<p class="hint">${t('people.account.administrators_hint')}</p>`,
      ]),
      may.read &&
        part(
          t('profile.details'),
          facts([
            [t('people.account.number'), found.number && named(found.number)],
            [t('console.status'), t(accountStatuses[found.status])],
            [t('people.account.closes'), found.closesAt && when(page, found.closesAt, 'day')],
            [
              t('people.account.countries'),
              found.countries.map((code) => countryName(page, code)).join(', '),
            ],
            [t('console.accounts.domains'), named(found.domains.join(', '))],
            [t('console.accounts.people'), found.users.toLocaleString(t.locale)],
            [
              t('people.contacts'),
              html`<a href="/console/contacts"
                >${found.fulfillmentContacts.length.toLocaleString(t.locale)}</a
              >`,
            ],
            [t('people.joined'), when(page, found.createdAt, 'day')],
          ]),
        ),
      may.rename &&
        part(t('people.account.change'), [
          error && alert(error),
          postForm({ action: '/console/account', csrf }, [
            hidden('version', String(found.version)),
            field({ name: 'name', label: t('people.account.name'), value: values.name }),
            may.edit && [
              field({
                name: 'number',
                label: t('people.account.number'),
                value: values.number,
                optional: true,
              }),
              field({
                name: 'countries',
                label: t('people.account.countries'),
                hint: t('people.account.countries_hint'),
                value: values.countries,
                optional: true,
              }),
            ],
            primary(t('profile.save')),
          ]),
        ]),
    ],
  });
}

export interface HoldPage extends ConsoleFrame {
  way: 'hold' | 'resume';
  name: string;
  error: string | null;
}

export function holdPage(page: HoldPage): Html {
  const { t, way, name, error } = page;
  const hold = way === 'hold';
  const title = t(hold ? 'people.account.hold' : 'people.account.resume');
  return confirmPage(page, {
    title,
    heading: [title, ': ', html`<bdi>${name}</bdi>`],
    back: { href: '/console/account', title: t('people.account') },
    what: html`<p>${t(hold ? 'people.account.hold_what' : 'people.account.resume_what')}</p>`,
    fields:
      hold &&
      textArea({
        name: 'note',
        label: t('people.account.reason'),
        hint: t('people.account.reason_hint'),
        value: '',
        error,
      }),
    action: `/console/account/${way}`,
    button: title,
    danger: hold,
  });
}
