import { type Html, html } from '#platform/html.ts';
import { named, postForm } from '../../form.ts';
import { accountStatuses, type AccountStatusShown } from './accounts.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors } from './forms.ts';
import { countryName } from './people.ts';
import { facts, part, table } from './parts.ts';

export interface OrganizationPage extends ConsoleFrame {
  organization: {
    id: string;
    name: string;
    number: string | null;
    countries: readonly string[];
    status: AccountStatusShown;
    holdReason: string | null;
    heldAt: Date | null;
    closesAt: Date | null;
    users: number;
    createdAt: Date;
    administrators: readonly { id: string; name: string; email: string; role: string }[];
    contacts: readonly { id: string; name: string; email: string; country: string | null }[];
  };
  /** What was typed as the reason to hold it, and what is wrong with that. */
  reason: string;
  errors: Errors;
  may: { hold: boolean; close: boolean; move: boolean };
}

const base = '/console/organization';

/** The account itself: what it is called, who looks after it, and how it stands. */
export function organizationPage(page: OrganizationPage): Html {
  const { t, csrf, organization, reason, errors, may } = page;
  const { status } = organization;
  return consolePage(page, {
    title: t('rooms.organization'),
    failed: Object.keys(errors).length > 0,
    main: [
      part(
        named(organization.name),
        [
          html`<p>
            <span class="badge ${status === 'active' ? 'success' : 'warning'}"
              >${t(accountStatuses[status])}</span
            >
          </p>`,
          facts([
            [t('rooms.organization.number'), organization.number && named(organization.number)],
            [
              t('rooms.organization.countries'),
              organization.countries.map((one) => countryName({ t }, one)).join(', '),
            ],
            [t('rooms.domain.users'), organization.users.toLocaleString(t.locale)],
            [t('rooms.created'), when(page, organization.createdAt, 'day')],
            [t('rooms.organization.held'), organization.heldAt && when(page, organization.heldAt)],
            [t('rooms.reason'), organization.holdReason && named(organization.holdReason, 500)],
            [
              t('rooms.organization.closes'),
              organization.closesAt && whenever(page, organization.closesAt),
            ],
          ]),
        ],
        { id: 'status' },
      ),
      part(
        t('rooms.settings.administrators'),
        organization.administrators.length === 0
          ? html`<p class="hint">${t('rooms.organization.no_administrators')}</p>`
          : table({
              caption: t('rooms.settings.administrators'),
              rows: organization.administrators,
              columns: [
                {
                  title: t('rooms.name'),
                  cell: ({ id, name, email }) =>
                    html`<a href="${`/console/users/${id}`}">${named(name || email)}</a>`,
                },
                { title: t('rooms.email'), cell: ({ email }) => named(email) },
                {
                  title: t('rooms.tokens.role'),
                  wide: true,
                  cell: ({ role }) =>
                    t(
                      role === 'account_administrator'
                        ? 'rooms.role.administrator'
                        : 'rooms.role.co',
                    ),
                },
              ],
            }),
      ),
      may.hold &&
        part(t('rooms.domain.operator'), [
          status === 'active' &&
            postForm({ action: `${base}/hold`, csrf }, [
              questions(
                [
                  {
                    kind: 'line',
                    name: 'reason',
                    label: t('rooms.reason'),
                    hint: t('rooms.organization.hold_hint'),
                    value: reason,
                  },
                ],
                errors,
              ),
              html`<div class="actions">
                <button type="submit">${t('rooms.organization.hold')}</button>
              </div>`,
            ]),
          status === 'on_hold' &&
            act(page, {
              action: `${base}/resume`,
              label: t('rooms.organization.resume'),
              kind: 'primary',
            }),
          status === 'closing' &&
            act(page, {
              action: `${base}/keep`,
              label: t('rooms.organization.keep'),
              kind: 'primary',
            }),
          html`<div class="actions">
            ${may.move && html`<a class="button" href="${`${base}/merge`}">${t('rooms.organization.merge')}</a>`}
            ${may.move && html`<a class="button" href="${`${base}/split`}">${t('rooms.organization.split')}</a>`}
            ${
              may.close &&
              (status === 'active' || status === 'on_hold') &&
              html`<a class="button danger" href="${`${base}/close`}"
                >${t('rooms.organization.close')}</a
              >`
            }
          </div>`,
        ]),
    ],
  });
}

export function closePage(page: ConsoleFrame & { name: string; errors: Errors }): Html {
  const { t, errors } = page;
  return formPage(page, {
    title: t('rooms.organization.close'),
    lead: t('rooms.organization.close_text'),
    back: { href: base, title: t('rooms.organization') },
    action: `${base}/close`,
    asked: [
      {
        kind: 'line',
        name: 'reason',
        label: t('rooms.reason'),
        hint: t('rooms.organization.hold_hint'),
      },
      {
        kind: 'line',
        name: 'confirm',
        label: t('rooms.organization.type_name'),
        hint: named(page.name),
      },
    ],
    errors,
    button: t('rooms.organization.close'),
    danger: true,
  });
}

export function newAccountPage(
  page: ConsoleFrame & {
    values: Readonly<
      Record<
        'name' | 'number' | 'countries' | 'email' | 'givenName' | 'familyName' | 'country',
        string
      >
    >;
    countries: readonly (readonly [code: string, name: string])[];
    errors: Errors;
    failure?: string | null;
  },
): Html {
  const { t, values, countries, errors, failure } = page;
  return formPage(page, {
    title: t('rooms.account.new'),
    lead: t('rooms.account.new_lead'),
    back: { href: '/console/accounts', title: t('console.accounts') },
    action: '/console/accounts/new',
    errors,
    failure,
    asked: [
      { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
      {
        kind: 'line',
        name: 'number',
        label: t('rooms.organization.number'),
        value: values.number,
        optional: true,
      },
      {
        kind: 'line',
        name: 'countries',
        label: t('rooms.organization.countries'),
        hint: t('rooms.organization.countries_hint'),
        value: values.countries,
        optional: true,
      },
      {
        kind: 'email',
        name: 'email',
        label: t('rooms.account.contact'),
        value: values.email,
      },
      { kind: 'line', name: 'givenName', label: t('rooms.given_name'), value: values.givenName },
      { kind: 'line', name: 'familyName', label: t('rooms.family_name'), value: values.familyName },
      {
        kind: 'choice',
        name: 'country',
        label: t('rooms.country'),
        value: values.country,
        options: countries,
      },
    ],
    button: t('rooms.create'),
  });
}
