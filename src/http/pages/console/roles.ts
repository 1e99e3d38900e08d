import { type Html, html } from '#platform/html.ts';
import { alert, boxes, checkbox, field, named, postForm, textArea } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import type { Errors } from './forms.ts';
import { confirmPage, empty, table, sendOrCancel } from './parts.ts';
import { roleName } from './people.ts';

interface RoleShown {
  key: string;
  name: string;
  description: string;
  builtIn: boolean;
  requires: readonly string[];
  assigned: number;
}

export interface RolesPage extends ConsoleFrame {
  roles: readonly RoleShown[];
  /** Whether the reader says which roles there are. */
  may: boolean;
}

const meanings = {
  account_administrator: 'people.role.account_administrator_means',
  co_administrator: 'people.role.co_administrator_means',
  group_manager: 'people.role.group_manager_means',
} as const;

export function rolesPage(page: RolesPage): Html {
  const { t, roles, may } = page;
  const title = t('people.roles');
  const names = new Map(roles.map((role) => [role.key, roleName(page, role)]));
  return consolePage(page, {
    title,
    lead: t('people.roles.lead'),
    actions:
      may && html`<a class="button primary" href="/console/roles/new">${t('people.role.new')}</a>`,
    main: html`<div class="list">
      ${
        roles.length === 0
          ? empty(t('people.none_given'))
          : table({
              caption: title,
              rows: roles,
              rowId: ({ key }) => `role-${key}`,
              columns: [
                {
                  title: t('people.role'),
                  cell: (role) => [
                    html`<strong>${named(roleName(page, role))}</strong>`,
                    html`<span class="hint"
                      >${
                        role.builtIn && role.key in meanings
                          ? t(meanings[role.key as keyof typeof meanings])
                          : named(role.description, 300)
                      }</span
                    >`,
                  ],
                },
                {
                  title: t('people.role.requires'),
                  wide: true,
                  cell: ({ requires }) =>
                    named(requires.map((key) => names.get(key) ?? key).join(', ')),
                },
                {
                  title: t('people.role.people'),
                  cell: ({ key, assigned }) =>
                    assigned === 0
                      ? t('people.role.nobody')
                      : html`<a href="/console/users?role=${encodeURIComponent(key)}"
                          >${t('people.role.assigned', { n: assigned })}</a
                        >`,
                },
                {
                  title: t('console.actions'),
                  does: true,
                  cell: (role) =>
                    may &&
                    !role.builtIn &&
                    html`<span class="do">
                      <a
                        class="button quiet"
                        href="/console/roles/${encodeURIComponent(role.key)}/change"
                        aria-label="${t('people.role.change_of', { name: role.name })}"
                        >${t('people.role.change')}</a
                      >
                      <a
                        class="button quiet"
                        href="/console/roles/${encodeURIComponent(role.key)}/remove"
                        aria-label="${t('people.role.remove_of', { name: role.name })}"
                        >${t('people.role.remove')}</a
                      >
                    </span>`,
                },
              ],
            })
      }
    </div>`,
  });
}

export interface RoleValues {
  key: string;
  name: string;
  description: string;
  requires: readonly string[];
  revokeOnRemove: boolean;
}

export interface RoleFormPage extends ConsoleFrame {
  /** Null for a new one. */
  role: { key: string; name: string } | null;
  values: RoleValues;
  /** Roles that it may require. */
  others: readonly { key: string; name: string }[];
  errors: Errors;
  /** Why it was refused, where no field is to blame. */
  failure: string | null;
}

export function roleFormPage(page: RoleFormPage): Html {
  const { t, csrf, role, values, others, errors, failure } = page;
  const back = { href: '/console/roles', title: t('people.roles') };
  return consolePage(page, {
    title: role ? role.name : t('people.role.new'),
    back,
    failed: failure !== null || Object.keys(errors).length > 0,
    main: html`<section class="card part">
      ${failure && alert(failure)}
      ${postForm(
        {
          action: role
            ? `/console/roles/${encodeURIComponent(role.key)}/change`
            : '/console/roles/new',
          csrf,
        },
        [
          !role &&
            field({
              name: 'key',
              label: t('people.role.key'),
              hint: t('people.role.key_hint'),
              value: values.key,
              error: errors['key'],
            }),
          field({
            name: 'name',
            label: t('people.role.name'),
            value: values.name,
            error: errors['name'],
          }),
          textArea({
            name: 'description',
            most: 500,
            label: t('people.group.description'),
            value: values.description,
            optional: true,
          }),
          others.length > 0 &&
            boxes({
              name: 'requires',
              legend: t('people.role.requires'),
              options: others.map(({ key, name }) => [key, named(name)] as const),
              chosen: values.requires,
              error: errors['requires'],
            }),
          checkbox({
            id: 'revokeOnRemove',
            name: 'revokeOnRemove',
            value: 'yes',
            label: t('people.role.revokes'),
            checked: values.revokeOnRemove,
          }),
          sendOrCancel(page, t('profile.save'), back),
        ],
      )}
    </section>`,
  });
}

export function removeRolePage(page: ConsoleFrame & { role: RoleShown }): Html {
  const { t, role } = page;
  return confirmPage(page, {
    title: t('people.role.remove'),
    heading: [t('people.role.remove'), ': ', html`<bdi>${role.name}</bdi>`],
    back: { href: '/console/roles', title: t('people.roles') },
    what: html`<p>${t('people.role.remove_what')}</p>`,
    action: `/console/roles/${encodeURIComponent(role.key)}/remove`,
    button: t('people.role.remove'),
    danger: true,
  });
}
