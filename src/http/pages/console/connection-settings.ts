import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { named } from '../../form.ts';
import { home, vendors } from './connections.ts';
import type { ConsoleFrame } from './frame.ts';
import { formPage, type Errors, type Question } from './forms.ts';

/** What is asked and believed: all that is typed, as text. */
export interface SettingsValues {
  name: string;
  preset: string;
  issuer: string;
  clientId: string;
  scopes: string;
  clientAuthentication: string;
  userinfo: boolean;
  sendsAuthTime: boolean;
  domains: readonly string[];
  testers: string;
}

export const authentications = [
  'client_secret_post',
  'client_secret_basic',
  'private_key_jwt',
] as const;

/** How a connection is called, whom it asks, and for whom. */
export function connectionSettingsPage(
  page: ConsoleFrame & {
    connection: { id: string; name: string; kind: 'oidc' | 'saml' };
    values: SettingsValues;
    /** Of the account, proved strongly enough. */
    domains: readonly string[];
    failure?: string | undefined;
    errors: Errors;
  },
): Html {
  const { t, connection, values, domains, failure, errors } = page;
  const base = `${home}/${connection.id}`;
  return formPage(page, {
    title: t('connection.settings'),
    lead: t('connection.settings_lead'),
    back: { href: base, title: named(connection.name) },
    action: `${base}/settings`,
    failure,
    errors,
    asked: [
      { kind: 'line', name: 'name', label: t('rooms.name'), value: values.name },
      {
        kind: 'choice',
        name: 'preset',
        label: t('rooms.connection.vendor'),
        value: values.preset,
        options: [...vendors, ['generic', t('rooms.connection.other')]],
      },
      ...(connection.kind === 'oidc' ? oidcQuestions(page) : []),
      domains.length > 0
        ? {
            kind: 'boxes',
            name: 'domains',
            label: t('rooms.domains'),
            hint: t('connection.domains_hint'),
            chosen: values.domains,
            options: domains.map((name) => [name, name] as const),
          }
        : {
            kind: 'line',
            name: 'domains',
            label: t('rooms.domains'),
            hint: html`<a href="/console/domains">${t('connection.domains_none')}</a>`,
            value: values.domains.join(', '),
            optional: true,
          },
      {
        kind: 'text',
        name: 'testers',
        label: t('rooms.connection.testers'),
        hint: t('connection.testers_hint'),
        value: values.testers,
        optional: true,
        rows: 3,
      },
    ],
    button: t('rooms.save'),
  });
}

const authenticationTexts: Record<(typeof authentications)[number], MessageKey> = {
  client_secret_post: 'connection.auth.client_secret_post',
  client_secret_basic: 'connection.auth.client_secret_basic',
  private_key_jwt: 'connection.auth.private_key_jwt',
};

function oidcQuestions({ t, values }: ConsoleFrame & { values: SettingsValues }): Question[] {
  return [
    {
      kind: 'url',
      name: 'issuer',
      label: t('rooms.connection.issuer'),
      hint: t('connection.issuer_hint'),
      value: values.issuer,
      optional: true,
    },
    {
      kind: 'line',
      name: 'client_id',
      label: t('setup.client_id'),
      value: values.clientId,
      optional: true,
    },
    {
      kind: 'line',
      name: 'scopes',
      label: t('connection.scopes'),
      hint: t('connection.scopes_hint'),
      value: values.scopes,
    },
    {
      kind: 'choice',
      name: 'authentication',
      label: t('connection.authentication'),
      value: values.clientAuthentication,
      options: authentications.map((one) => [one, t(authenticationTexts[one])] as const),
    },
    {
      kind: 'box',
      name: 'userinfo',
      label: t('connection.userinfo'),
      checked: values.userinfo,
    },
    {
      kind: 'box',
      name: 'auth_time',
      label: t('connection.auth_time'),
      checked: values.sendsAuthTime,
    },
  ];
}
