import { type Child, type Html, html, raw } from '#platform/html.ts';
import {
  alert,
  field,
  hidden,
  named,
  notice,
  postForm,
  primary,
  select,
  textArea,
} from '../../form.ts';
import type { Errors } from './forms.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import {
  clear,
  confirmPage,
  empty,
  facts,
  filters,
  pager,
  part,
  searchField,
  sendOrCancel,
  table,
  withQuery,
  type Column,
} from './parts.ts';
import {
  countryName,
  nameAndEmail,
  nameOf,
  statusBadge,
  type Named,
  type StatusShown,
} from './people.ts';

interface GroupShown {
  id: string;
  name: string;
  description: string;
  type: 'standard' | 'entitlement';
  entitlementCountry: string | null;
  source: 'local' | 'scim' | 'idp';
  members: number;
  version: number;
}

export interface GroupsPage extends ConsoleFrame {
  groups: readonly GroupShown[];
  q: string;
  nextCursor: string | null;
  later: boolean;
  may: boolean;
}

function kind({ t }: ConsoleFrame, { type, source }: GroupShown): Child {
  return [
    t(type === 'entitlement' ? 'people.group.entitlement' : 'people.group.standard'),
    source !== 'local' && html` <span class="badge">${t('people.from_directory')}</span>`,
  ];
}

export function groupsPage(page: GroupsPage): Html {
  const { t, groups, q, nextCursor, later, may } = page;
  const title = t('people.groups');
  const add = html`<a class="button primary" href="/console/groups/new"
    >${t('people.group.new')}</a
  >`;
  return consolePage(page, {
    title,
    lead: t('people.groups.lead'),
    actions: may && add,
    main: [
      filters(
        page,
        'list',
        searchField({
          label: t('people.group.name'),
          value: q,
        }),
      ),
      html`<div id="list" class="list">
        ${
          groups.length === 0
            ? q === ''
              ? empty(t('people.groups.none'))
              : empty(t('people.groups.none_found'), clear(page, '/console/groups'))
            : table({
                caption: title,
                rows: groups,
                rowId: ({ id }) => `group-${id}`,
                columns: [
                  {
                    title: t('people.group.name'),
                    cell: ({ id, name, description }) => [
                      html`<a href="/console/groups/${id}">${named(name)}</a>`,
                      description && html`<span class="hint">${named(description)}</span>`,
                    ],
                  },
                  { title: t('people.group.type'), wide: true, cell: (group) => kind(page, group) },
                  {
                    title: t('people.entitlement'),
                    wide: true,
                    cell: ({ entitlementCountry }) => countryName(page, entitlementCountry),
                  },
                  {
                    title: t('people.group.members'),
                    number: true,
                    cell: ({ members }) => members.toLocaleString(t.locale),
                  },
                ],
              })
        }
        ${pager(page, { href: withQuery('/console/groups', { q }), nextCursor, later })}
      </div>`,
    ],
  });
}

export interface GroupValues {
  name: string;
  description: string;
  type: 'standard' | 'entitlement';
  entitlementCountry: string;
}

export interface GroupFormPage extends ConsoleFrame {
  /** Null for a new one. */
  group: GroupShown | null;
  values: GroupValues;
  countries: readonly string[];
  errors: Errors;
  /** Why it was refused, where no field is to blame. */
  failure: string | null;
}

export function groupFormPage(page: GroupFormPage): Html {
  const { t, csrf, group, values, countries, errors, failure } = page;
  const entitlement = [
    ['', t('people.do.no_country')] as const,
    ...countries.map((code) => [code, countryName(page, code)] as const),
  ];
  const back = group
    ? { href: `/console/groups/${group.id}`, title: named(group.name) }
    : { href: '/console/groups', title: t('people.groups') };
  return consolePage(page, {
    title: group ? group.name : t('people.group.new'),
    back,
    failed: failure !== null || Object.keys(errors).length > 0,
    main: html`<section class="card part">
      ${failure && alert(failure)}
      ${postForm(
        { action: group ? `/console/groups/${group.id}/change` : '/console/groups/new', csrf },
        [
          group && hidden('version', String(group.version)),
          field({
            name: 'name',
            label: t('people.group.name'),
            value: values.name,
            error: errors['name'],
            readonly: group !== null && group.source !== 'local',
            hint: group !== null && group.source !== 'local' && t('people.from_directory'),
            attributes: 'maxlength="100"',
          }),
          textArea({
            name: 'description',
            most: 500,
            label: t('people.group.description'),
            value: values.description,
            optional: true,
          }),
          group === null &&
            select({
              name: 'type',
              label: t('people.group.type'),
              hint: t('people.group.type_hint'),
              value: values.type,
              options: [
                ['standard', t('people.group.standard')],
                ['entitlement', t('people.group.entitlement')],
              ],
            }),
          (group === null || group.type === 'entitlement') &&
            select({
              name: 'entitlementCountry',
              label: t('people.entitlement'),
              hint: group === null && t('people.group.country_hint'),
              value: values.entitlementCountry,
              error: errors['entitlementCountry'],
              options: entitlement,
            }),
          sendOrCancel(page, t(group ? 'profile.save' : 'people.group.create'), back),
        ],
      )}
    </section>`,
  });
}

export interface GroupPage extends ConsoleFrame {
  group: GroupShown;
  members: readonly {
    id: string;
    email: string;
    name: string;
    entitlementCountry: string | null;
    countryMismatch: boolean;
    manages: boolean;
    addedAt: Date;
  }[];
  q: string;
  /** Who could be put in, as far as they were searched for. */
  found: readonly (Named & { status: StatusShown; inside: boolean })[];
  searched: boolean;
  nextCursor: string | null;
  later: boolean;
  may: { manage: boolean; see: boolean };
  error: string | null;
}

export function groupPage(page: GroupPage): Html {
  const { t, csrf, group, may, error } = page;
  const local = group.source === 'local';
  return consolePage(page, {
    title: group.name,
    heading: html`<bdi>${group.name}</bdi>`,
    lead: group.description && named(group.description, 500),
    back: { href: '/console/groups', title: t('people.groups') },
    failed: error !== null,
    actions: may.manage && [
      html`<a class="button" href="/console/groups/${group.id}/change"
        >${t('people.group.change')}</a
      >`,
      local &&
        html`<a class="button danger" href="/console/groups/${group.id}/remove"
          >${t('people.group.remove')}</a
        >`,
    ],
    main: [
      !local && notice('info', t('people.group.directory')),
      part(
        null,
        facts([
          [t('people.group.type'), kind(page, group)],
          [t('people.entitlement'), countryName(page, group.entitlementCountry)],
          [t('people.group.members'), group.members.toLocaleString(t.locale)],
        ]),
      ),
      local && adding(page),
      html`<section id="members">
        <h2>${t('people.group.members')}</h2>
        <div class="list">
          ${
            page.members.length === 0
              ? empty(t('people.group.empty'))
              : table({
                  caption: t('people.group.members'),
                  rows: page.members,
                  rowId: ({ id }) => `member-${id}`,
                  columns: [
                    {
                      title: t('people.name'),
                      cell: ({ id, name, email, manages }) => [
                        may.see
                          ? html`<a href="/console/users/${id}">${named(name || email)}</a>`
                          : html`<strong>${named(name || email)}</strong>`,
                        manages &&
                          html` <span class="badge success"
                            >${t('people.role.group_manager')}</span
                          >`,
                        html`<span class="hint">${named(email)}</span>`,
                      ],
                    },
                    // Who merely looks after the group sees who is in it (behaviour.md F17).
                    ...(may.see ? [entitlement(page)] : []),
                    {
                      title: t('people.group.added_at'),
                      wide: true,
                      cell: ({ addedAt }) => when(page, addedAt, 'day'),
                    },
                    {
                      title: t('console.actions'),
                      does: true,
                      cell: (member) =>
                        html`<span class="do">
                          ${may.manage && manager(page, member)}
                          ${
                            local &&
                            postForm({ action: `/console/groups/${group.id}/members`, csrf }, [
                              hidden('remove', member.id),
                              html`<button
                                class="quiet"
                                type="submit"
                                aria-label="${t('people.group.take_out', {
                                  name: member.name || member.email,
                                })}"
                              >
                                ${t('people.group.take')}
                              </button>`,
                            ])
                          }
                        </span>`,
                    },
                  ],
                })
          }
          ${pager(page, {
            href: `/console/groups/${group.id}`,
            nextCursor: page.nextCursor,
            later: page.later,
          })}
        </div>
      </section>`,
    ],
  });
}

function entitlement(page: GroupPage): Column<GroupPage['members'][number]> {
  const { t } = page;
  return {
    title: t('people.entitlement'),
    wide: true,
    cell: ({ entitlementCountry, countryMismatch }) => [
      countryName(page, entitlementCountry),
      countryMismatch && html` <span class="badge warning">${t('people.group.mismatch')}</span>`,
    ],
  };
}

function manager(
  { t, csrf, group }: GroupPage,
  { id, name, email, manages }: GroupPage['members'][number],
): Html {
  return postForm({ action: `/console/groups/${group.id}/managers`, csrf }, [
    hidden(manages ? 'remove' : 'add', id),
    html`<button
      class="quiet"
      type="submit"
      aria-label="${t(manages ? 'people.group.unmake_manager' : 'people.group.make_manager', {
        name: name || email,
      })}"
    >
      ${t(manages ? 'people.group.no_manager' : 'people.group.manager')}
    </button>`,
  ]);
}

/** A search for administrators; the whole address for who may not look at everybody. */
function adding(page: GroupPage): Html {
  const { t, csrf, group, q, found, searched, may, error } = page;
  const action = `/console/groups/${group.id}/members`;
  return part(
    t('people.group.add'),
    may.see
      ? [
          filters(
            page,
            'found',
            searchField({
              label: t('people.search'),
              value: q,
            }),
          ),
          html`<div id="found" ${raw('aria-live="polite"')}>
            ${
              searched &&
              (found.length === 0
                ? html`<p class="hint">${t('people.none_found')}</p>`
                : html`<ul class="rows">
                    ${found.map(
                      (person) =>
                        html`<li>
                          <span> ${nameAndEmail(person)} ${statusBadge(page, person.status)} </span>
                          ${
                            person.inside
                              ? html`<span class="hint">${t('people.group.inside')}</span>`
                              : postForm({ action, csrf }, [
                                  hidden('add', person.id),
                                  html`<button
                                    type="submit"
                                    aria-label="${t('people.group.put_in', {
                                      name: nameOf(person),
                                    })}"
                                  >
                                    ${t('people.group.put')}
                                  </button>`,
                                ])
                          }
                        </li>`,
                    )}
                  </ul>`)
            }
          </div>`,
        ]
      : postForm({ action, csrf }, [
          field({
            name: 'email',
            label: t('field.email'),
            type: 'email',
            hint: t('people.group.add_hint'),
            error,
          }),
          primary(t('people.group.put')),
        ]),
  );
}

export function removeGroupPage(page: ConsoleFrame & { group: GroupShown }): Html {
  const { t, group } = page;
  return confirmPage(page, {
    title: t('people.group.remove'),
    heading: [t('people.group.remove'), ': ', html`<bdi>${group.name}</bdi>`],
    back: { href: `/console/groups/${group.id}`, title: named(group.name) },
    what: html`<p>${t('people.group.remove_what', { n: group.members })}</p>`,
    action: `/console/groups/${group.id}/remove`,
    button: t('people.group.remove'),
    danger: true,
  });
}
