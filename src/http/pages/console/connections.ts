import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { named, notice } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { formPage, type Errors } from './forms.ts';
import { empty, table } from './parts.ts';

/** Where connections are. */
export const home = '/console/connections';

export type State = 'draft' | 'testing' | 'active' | 'disabled';

const states: Record<State, readonly [tone: string, text: MessageKey]> = {
  draft: ['', 'rooms.connection.draft'],
  testing: ['warning', 'rooms.connection.testing'],
  active: ['success', 'rooms.connection.active'],
  disabled: ['', 'rooms.connection.disabled'],
};

export const vendors = [
  ['entra', 'Microsoft Entra ID'],
  ['okta', 'Okta'],
  ['google', 'Google Workspace'],
  ['ping', 'Ping Identity'],
  ['keycloak', 'Keycloak'],
] as const;

export interface ConnectionRow {
  id: string;
  name: string;
  kind: 'oidc' | 'saml';
  preset: string;
  state: State;
  mode: 'optional' | 'enforced';
  domains: readonly string[];
  failing: boolean;
}

/** In what state it is, and what else is to be seen at once. */
export function badges({ t }: ConsoleFrame, { state, mode, failing }: ConnectionRow): Child {
  return [
    html`<span class="badge ${states[state][0]}">${t(states[state][1])}</span>`,
    mode === 'enforced' && html` <span class="badge">${t('rooms.connection.enforced')}</span>`,
    failing && html` <span class="badge danger">${t('rooms.scim.failing')}</span>`,
  ];
}

/** Of which product, in which protocol. */
export function kindName(kind: 'oidc' | 'saml', preset: string): string {
  const vendor = vendors.find(([name]) => name === preset)?.[1];
  const protocol = kind === 'oidc' ? 'OpenID Connect' : 'SAML';
  return vendor ? `${vendor}, ${protocol}` : protocol;
}

export function connectionsPage(
  page: ConsoleFrame & {
    connections: readonly ConnectionRow[];
    may: boolean;
    /** Whether there is anybody about whom somebody has to decide. */
    conflicts: boolean;
  },
): Html {
  const { t, connections, may, conflicts } = page;
  return consolePage(page, {
    title: t('rooms.connections'),
    lead: t('rooms.connections.lead'),
    actions:
      may &&
      html`<a class="button primary" href="${`${home}/new`}">${t('rooms.connection.new')}</a>`,
    main: html`${
        conflicts &&
        notice('warning', [
          html`<p>
            <a href="${`${home}/conflicts`}">${t('connection.conflicts')}</a>
          </p>`,
        ])
      }
      <div id="list" class="list">
        ${
          connections.length === 0
            ? empty(
                t('rooms.connections.none'),
                html`<a class="button" href="/console/domains">${t('rooms.domains')}</a>`,
              )
            : table({
                caption: t('rooms.connections'),
                rows: connections,
                columns: [
                  {
                    title: t('rooms.name'),
                    cell: ({ id, name, kind, preset }) => [
                      html`<a href="${`${home}/${id}`}">${named(name)}</a>`,
                      html`<span class="hint">${kindName(kind, preset)}</span>`,
                    ],
                  },
                  { title: t('console.status'), cell: (one) => badges(page, one) },
                  {
                    title: t('rooms.domains'),
                    wide: true,
                    cell: ({ domains }) => domains.join(', '),
                  },
                ],
              })
        }
      </div>`,
  });
}

export function newConnectionPage(
  page: ConsoleFrame & {
    values: { name: string; kind: string; preset: string };
    errors: Errors;
  },
): Html {
  const { t, values, errors } = page;
  return formPage(page, {
    title: t('rooms.connection.new'),
    lead: t('rooms.connection.new_lead'),
    back: { href: home, title: t('rooms.connections') },
    action: `${home}/new`,
    errors,
    asked: [
      {
        kind: 'choice',
        name: 'preset',
        label: t('rooms.connection.vendor'),
        value: values.preset,
        options: [...vendors, ['generic', t('rooms.connection.other')]],
      },
      {
        kind: 'choice',
        name: 'kind',
        label: t('rooms.connection.protocol'),
        value: values.kind,
        options: [
          ['oidc', 'OpenID Connect'],
          ['saml', 'SAML 2.0'],
        ],
      },
      { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
    ],
    button: t('rooms.create'),
  });
}
