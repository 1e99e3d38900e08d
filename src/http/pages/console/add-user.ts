import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { boxes, checkbox, field, hidden, named, postForm, select } from '../../form.ts';
import { languageOptions } from '../../languages.ts';
import type { Errors } from './forms.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { confirmPage, sendOrCancel } from './parts.ts';
import { countryName, roleName } from './people.ts';

export interface AddValues {
  email: string;
  givenName: string;
  familyName: string;
  country: string;
  entitlementCountry: string;
  language: string;
  roles: readonly string[];
  groups: readonly string[];
  send: boolean;
}

export interface NextStep {
  title: MessageKey;
  href: string;
}

export interface Giving extends ConsoleFrame {
  choices: {
    roles: readonly { key: string; name: string }[];
    groups: readonly { id: string; name: string }[];
  };
  /** The countries of the account. */
  entitledIn: readonly string[];
}

export interface AddPage extends Giving {
  way: 'add' | 'invite';
  values: AddValues;
  errors: Errors;
  refused: { code: string; text: string } | null;
  /** What can be done instead. */
  next: readonly NextStep[];
  countries: readonly (readonly [string, string])[];
}

export function addPage(page: AddPage): Html {
  const { t, csrf, way, values, errors, refused, next, countries } = page;
  const inviting = way === 'invite';
  const failed = refused !== null || Object.keys(errors).length > 0;
  const back = inviting
    ? { href: '/console/invitations', title: t('people.invitations') }
    : { href: '/console/users', title: t('people.title') };
  const name = (key: 'givenName' | 'familyName', label: MessageKey): Html =>
    field({
      name: key,
      label: t(label),
      value: values[key],
      error: errors[key],
    });
  return consolePage(page, {
    title: t(inviting ? 'people.invite.title' : 'people.add.title'),
    lead: t(inviting ? 'people.invite.lead' : 'people.add.lead'),
    back,
    failed,
    main: html`<section class="card part">
      ${postForm({ action: inviting ? '/console/invitations/new' : '/console/users/add', csrf }, [
        field({
          name: 'email',
          label: t('field.email'),
          type: 'email',
          value: values.email,
          autofocus: values.email === '' || undefined,
          // What speaks against taking somebody in speaks against their address.
          error:
            errors['email'] ??
            (refused && [
              refused.text,
              next.length > 0 &&
                html`<span class="actions">
                  ${next.map(({ title, href }) => html`<a class="button" href="${href}">${t(title)}</a>`)}
                </span>`,
            ]),
        }),
        html`<div class="pair">
          ${name('givenName', 'profile.given_name')} ${name('familyName', 'profile.family_name')}
        </div>`,
        select({
          name: 'country',
          label: t('profile.country'),
          value: values.country,
          options: [['', t('people.choose')], ...countries],
          error: errors['country'],
        }),
        giving(page, values, errors),
        select({
          name: 'language',
          label: t('people.language'),
          value: values.language,
          options: [['', t('people.language_unknown')], ...languageOptions],
        }),
        !inviting &&
          checkbox({
            id: 'send',
            name: 'send',
            value: 'yes',
            label: t('people.add.send'),
            checked: values.send,
          }),
        sendOrCancel(page, t(inviting ? 'people.invite.button' : 'people.add.button'), back),
      ])}
    </section>`,
  });
}

/** What the account gives somebody who joins. */
export function giving(
  page: Giving,
  { roles, groups, entitlementCountry }: Pick<AddValues, 'roles' | 'groups' | 'entitlementCountry'>,
  errors: Errors = {},
): Child {
  const { t, choices, entitledIn } = page;
  return [
    entitledIn.length > 0 &&
      select({
        name: 'entitlementCountry',
        label: t('people.entitlement'),
        value: entitlementCountry,
        error: errors['entitlementCountry'],
        options: [
          ['', t('people.entitlement_default')],
          ...entitledIn.map((code) => [code, countryName(page, code)] as const),
        ],
      }),
    html`<details ${(roles.length > 0 || groups.length > 0) && html`open=""`}>
      <summary>${t('people.add.giving')}</summary>
      ${boxes({
        name: 'role',
        legend: t('people.roles'),
        options: choices.roles
          .filter((role) => role.key !== 'group_manager')
          .map((role) => [role.key, roleName(page, role)] as const),
        chosen: roles,
        error: errors['role'],
      })}
      ${
        choices.groups.length > 0 &&
        boxes({
          name: 'group',
          legend: t('people.groups'),
          options: choices.groups.map(({ id, name }) => [id, named(name)] as const),
          chosen: groups,
          error: errors['group'],
        })
      }
    </details>`,
  ];
}

export interface JoinPage extends Giving {
  how: 'add' | 'invite' | 'transfer' | 'resend';
  userId: string;
  values: Pick<AddValues, 'email' | 'roles' | 'groups' | 'entitlementCountry'> & {
    unlock: boolean;
  };
  error: string | null;
}

const joining = {
  add: ['people.add.to_account', 'people.add.to_account_what'],
  invite: ['people.add.invite_to_account', 'people.add.invite_to_account_what'],
  transfer: ['people.add.request_transfer', 'people.add.request_transfer_what'],
  resend: ['people.add.resend', 'people.add.resend_what'],
} as const satisfies Record<JoinPage['how'], readonly [MessageKey, MessageKey]>;

/** The buttons that stand beside "already exists": what they would do, and what is given with it. */
export function joinPage(page: JoinPage): Html {
  const { t, how, userId, values, error } = page;
  const [title, what] = joining[how];
  return confirmPage(page, {
    title: t(title),
    back: { href: '/console/users/add', title: t('people.add.title') },
    error,
    what: [
      values.email && html`<p><strong>${named(values.email)}</strong></p>`,
      html`<p>${t(what)}</p>`,
    ],
    fields: [
      hidden('email', values.email),
      (how === 'add' || how === 'invite') && giving(page, values),
      how === 'add' &&
        checkbox({
          id: 'unlock',
          name: 'unlock',
          value: 'yes',
          label: t('people.add.unlock'),
          checked: values.unlock,
        }),
    ],
    action: `/console/users/${userId}/${how}`,
    button: t(title),
  });
}
