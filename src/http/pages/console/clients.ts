import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, named, postForm } from '../../form.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors, type Question } from './forms.ts';
import {
  clear,
  empty,
  facts,
  filters,
  pager,
  part,
  searchField,
  table,
  withQuery,
} from './parts.ts';
import { secretsTable, type SecretRow } from './secrets.ts';

/** What kinds of applications there are, and what each is set up as. */
export const presets = ['web', 'spa', 'native', 'machine'] as const;
export type Preset = (typeof presets)[number];

const presetNames: Record<Preset, MessageKey> = {
  web: 'rooms.client.web',
  spa: 'rooms.client.spa',
  native: 'rooms.client.native',
  machine: 'rooms.client.machine',
};

export interface ClientRow {
  id: string;
  name: string;
  preset: Preset;
  firstParty: boolean;
  disabledAt: Date | null;
}

export function clientsPage(
  page: ConsoleFrame & {
    clients: readonly ClientRow[];
    q: string;
    nextCursor: string | null;
    later: boolean;
  },
): Html {
  const { t, clients, q, nextCursor, later } = page;
  return consolePage(page, {
    title: t('rooms.clients'),
    lead: t('rooms.clients.lead'),
    actions: html`<a class="button primary" href="/console/installation/clients/new"
      >${t('rooms.client.new')}</a
    >`,
    main: [
      filters(
        page,
        'list',
        searchField({
          label: t('rooms.client.search'),
          value: q,
        }),
      ),
      html`<div id="list" class="list">
        ${
          clients.length === 0
            ? q === ''
              ? empty(t('rooms.clients.none'))
              : empty(t('rooms.clients.none_found'), clear(page, '/console/installation/clients'))
            : table({
                caption: t('rooms.clients'),
                rows: clients,
                columns: [
                  {
                    title: t('rooms.name'),
                    cell: ({ id, name }) => [
                      html`<a href="${hrefOf(id)}">${named(name)}</a>`,
                      html`<span class="hint">${named(id, 60)}</span>`,
                    ],
                  },
                  {
                    title: t('rooms.client.kind'),
                    wide: true,
                    cell: ({ preset }) => t(presetNames[preset]),
                  },
                  {
                    title: t('rooms.client.consent'),
                    wide: true,
                    cell: ({ firstParty }) =>
                      t(firstParty ? 'rooms.client.consent_no' : 'rooms.client.consent_yes'),
                  },
                  {
                    title: t('console.status'),
                    cell: ({ disabledAt }) => stateBadge(page, disabledAt),
                  },
                ],
              })
        }
        ${pager(page, {
          href: withQuery('/console/installation/clients', { q }),
          nextCursor,
          later,
        })}
      </div>`,
    ],
  });
}

function stateBadge({ t }: ConsoleFrame, disabledAt: Date | null): Html {
  return html`<span class="badge ${disabledAt ? 'warning' : 'success'}"
    >${t(disabledAt ? 'rooms.client.disabled' : 'rooms.client.enabled')}</span
  >`;
}

function hrefOf(id: string): string {
  return `/console/installation/clients/${encodeURIComponent(id)}`;
}

export interface ClientValues {
  name: string;
  redirectUris: string;
  logoutUris: string;
  backchannel: string;
  consent: 'yes' | 'no';
  account: 'yes' | 'no';
  resources: readonly string[];
}

function asked(
  { t }: ConsoleFrame,
  values: ClientValues,
  resources: readonly (readonly [identifier: string, name: string])[],
  signsIn: boolean,
): Question[] {
  const several = (name: string, label: MessageKey, value: string, optional = true): Question => ({
    kind: 'text',
    name,
    label: t(label),
    hint: t('rooms.one_a_line'),
    value,
    optional,
    rows: 3,
    code: true,
  });
  return [
    { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
    ...(signsIn
      ? [
          several('redirectUris', 'rooms.client.redirect', values.redirectUris),
          several('logoutUris', 'rooms.client.logout', values.logoutUris),
          {
            kind: 'url',
            name: 'backchannel',
            label: t('rooms.client.backchannel'),
            hint: t('rooms.client.backchannel_hint'),
            value: values.backchannel,
            optional: true,
          } as const,
          {
            kind: 'choice',
            name: 'consent',
            label: t('rooms.client.consent'),
            value: values.consent,
            options: [
              ['no', t('rooms.client.consent_no')],
              ['yes', t('rooms.client.consent_yes')],
            ],
          } as const,
          {
            kind: 'choice',
            name: 'account',
            label: t('rooms.client.who'),
            value: values.account,
            options: [
              ['yes', t('rooms.client.who_account')],
              ['no', t('rooms.client.who_everybody')],
            ],
          } as const,
        ]
      : []),
    ...(resources.length > 0
      ? [
          {
            kind: 'boxes',
            name: 'resources',
            label: t('rooms.client.resources'),
            chosen: values.resources,
            options: resources,
          } as const,
        ]
      : []),
  ];
}

export function newClientPage(
  page: ConsoleFrame & {
    preset: Preset;
    values: ClientValues;
    resources: readonly (readonly [string, string])[];
    errors: Errors;
    problems: readonly string[];
  },
): Html {
  const { t, preset, values, resources, errors, problems } = page;
  return formPage(page, {
    title: t('rooms.client.new'),
    back: { href: '/console/installation/clients', title: t('rooms.clients') },
    action: '/console/installation/clients/new',
    errors,
    failure: problemList(problems),
    before: html`<nav class="periods" aria-label="${t('rooms.client.kind')}">
      ${presets.map(
        (one) =>
          html`<a
            class="button"
            href="?preset=${one}"
            ${one === preset && html`aria-current="true"`}
            >${t(presetNames[one])}</a
          >`,
      )}
    </nav>`,
    lead: t(presetTexts[preset]),
    values: { preset },
    asked: asked(page, values, resources, preset !== 'machine'),
    button: t('rooms.create'),
  });
}

const presetTexts: Record<Preset, MessageKey> = {
  web: 'rooms.client.web_text',
  spa: 'rooms.client.spa_text',
  native: 'rooms.client.native_text',
  machine: 'rooms.client.machine_text',
};

/** What the house and the engine say about a registration: in the words of the protocol. */
function problemList(problems: readonly string[]): Child {
  return (
    problems.length > 0 &&
    html`<ul lang="en">
      ${problems.map((one) => html`<li>${named(one, 400)}</li>`)}
    </ul>`
  );
}

export interface ClientPage extends ConsoleFrame {
  client: ClientRow & { createdAt: Date; updatedAt: Date; version: number };
  method: string;
  values: ClientValues;
  resources: readonly (readonly [string, string])[];
  /** Null where it has no use for any. */
  secrets: readonly SecretRow[] | null;
  errors: Errors;
  problems: readonly string[];
}

/** One application: how it is registered, its secrets, and its end. */
export function clientPage(page: ClientPage): Html {
  const { t, csrf, client, values, resources, secrets, errors, problems, method } = page;
  const base = hrefOf(client.id);
  const failure = problemList(problems);
  return consolePage(page, {
    title: client.name,
    heading: named(client.name),
    back: { href: '/console/installation/clients', title: t('rooms.clients') },
    failed: Boolean(failure) || Object.keys(errors).length > 0,
    main: [
      failure && alert(failure),
      part(t('console.status'), [
        html`<p>${stateBadge(page, client.disabledAt)}</p>`,
        facts([
          [t('rooms.client.id'), html`<code>${client.id}</code>`],
          [t('rooms.client.kind'), t(presetNames[client.preset])],
          [t('rooms.client.method'), html`<code>${method}</code>`],
          [t('rooms.created'), when(page, client.createdAt)],
          [t('rooms.changed'), when(page, client.updatedAt)],
        ]),
        html`<div class="actions">
          ${act(page, {
            action: `${base}/${client.disabledAt ? 'enable' : 'disable'}`,
            label: t(client.disabledAt ? 'rooms.client.enable' : 'rooms.client.disable'),
          })}
          <a class="button danger" href="${`${base}/remove`}">${t('rooms.remove')}</a>
        </div>`,
      ]),
      secrets &&
        part(
          t('rooms.secrets'),
          [
            html`<p>${t('rooms.secrets.text')}</p>`,
            secretsTable(page, { secrets, base, revoke: t('rooms.tokens.revoke') }),
            postForm({ action: `${base}/secrets`, csrf }, [
              questions([
                {
                  kind: 'choice',
                  name: 'days',
                  label: t('rooms.tokens.expires'),
                  value: '365',
                  options: [90, 180, 365, 730, 0].map((days) => [
                    String(days),
                    days === 0 ? t('rooms.never') : t('rooms.in_days', { n: days }),
                  ]),
                },
              ]),
              html`<div class="actions">
                <button type="submit">${t('rooms.secrets.add')}</button>
              </div>`,
            ]),
          ],
          { id: 'secrets' },
        ),
      part(
        t('rooms.edit'),
        postForm({ action: base, csrf }, [
          html`<input type="hidden" name="version" value="${client.version}" />`,
          questions(asked(page, values, resources, client.preset !== 'machine'), errors),
          html`<div class="actions">
            <button class="primary" type="submit">${t('rooms.save')}</button>
          </div>`,
        ]),
        { id: 'edit' },
      ),
    ],
  });
}

export function resourcesPage(
  page: ConsoleFrame & {
    resources: readonly {
      identifier: string;
      name: string;
      scopes: readonly string[];
      ttl: number;
      alg: string;
    }[];
    values: { identifier: string; name: string; scopes: string };
    errors: Errors;
  },
): Html {
  const { t, csrf, resources, values, errors } = page;
  return consolePage(page, {
    title: t('rooms.resources'),
    lead: t('rooms.resources.lead'),
    failed: Object.keys(errors).length > 0,
    main: [
      html`<div id="list" class="list">
        ${
          resources.length === 0
            ? empty(t('rooms.resources.none'))
            : table({
                caption: t('rooms.resources'),
                rows: resources,
                columns: [
                  {
                    title: t('rooms.name'),
                    cell: ({ identifier, name }) => [
                      html`<strong>${named(name)}</strong>`,
                      html`<span class="hint">${named(identifier)}</span>`,
                    ],
                  },
                  {
                    title: t('rooms.resource.scopes'),
                    wide: true,
                    cell: ({ scopes }) => html`<code>${scopes.join(' ')}</code>`,
                  },
                  {
                    title: t('rooms.key.alg'),
                    wide: true,
                    cell: ({ alg, ttl }) => `${alg}, ${ttl} s`,
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: ({ identifier, name }) =>
                      act(page, {
                        action: '/console/installation/resources/remove',
                        label: t('rooms.remove'),
                        values: { remove: identifier },
                        named: name,
                        kind: 'danger',
                      }),
                  },
                ],
              })
        }
      </div>`,
      part(
        t('rooms.resource.new'),
        postForm({ action: '/console/installation/resources', csrf }, [
          questions(
            [
              {
                kind: 'url',
                name: 'identifier',
                label: t('rooms.address'),
                hint: t('rooms.resource.hint'),
                value: values.identifier,
              },
              { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
              {
                kind: 'text',
                name: 'scopes',
                label: t('rooms.resource.scopes'),
                hint: t('rooms.one_a_line'),
                value: values.scopes,
                optional: true,
                code: true,
              },
            ],
            errors,
          ),
          html`<div class="actions">
            <button class="primary" type="submit">${t('rooms.create')}</button>
          </div>`,
        ]),
      ),
    ],
  });
}
