import type { PresetName } from './connection.ts';
import type { MappedAttribute } from './mapping.ts';

/** What an OpenID Connect connection is set up with. The issuer stands in the connection itself. */
export interface OidcSettings {
  clientId: string;
  scopes: string[];
  /** How we prove to the provider who we are. */
  clientAuthentication: 'client_secret_post' | 'client_secret_basic' | 'private_key_jwt';
  /** Whether userinfo is asked for what the ID token does not say. */
  userinfo: boolean;
  /** Providers that never send `auth_time` are asked to prove anew (`prompt=login`) instead. */
  sendsAuthTime: boolean;
}

export const defaultOidcSettings: Omit<OidcSettings, 'clientId'> = {
  scopes: ['openid', 'profile', 'email'],
  clientAuthentication: 'client_secret_post',
  userinfo: true,
  sendsAuthTime: true,
};

export function oidcSettings(settings: Record<string, unknown>): OidcSettings {
  return { clientId: '', ...defaultOidcSettings, ...(settings as Partial<OidcSettings>) };
}

interface Preset {
  /** How the provider is called by those who run it. */
  title: string;
  /** What its issuers look like, for whoever types one; null for any. */
  issuer: RegExp | null;
  example: string;
  settings: Partial<OidcSettings>;
  /** Claims by which it says things, where they differ from what is usual. */
  attributes: Partial<Record<MappedAttribute, string[]>>;
}

/**
 * The providers whose ways are known. Entra: one tenant by its id, never `common` or `organizations`,
 * behind which anybody's directory could stand, with addresses its owner chose (nOAuth).
 */
export const presets: Readonly<Record<PresetName, Preset>> = {
  entra: {
    title: 'Microsoft Entra ID',
    issuer:
      /^https:\/\/(login\.microsoftonline\.com|login\.microsoftonline\.us|login\.partner\.microsoftonline\.cn)\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/,
    example: 'https://login.microsoftonline.com/{tenant id}/v2.0',
    settings: { sendsAuthTime: false },
    attributes: {
      identifier: ['email', 'upn', 'preferred_username'],
      country: ['ctry', 'country'],
      externalId: ['oid'],
    },
  },
  okta: {
    title: 'Okta',
    issuer: /^https:\/\/[^/]+(\/oauth2\/[A-Za-z0-9]+)?$/,
    example: 'https://acme.okta.com',
    settings: {},
    attributes: {},
  },
  google: {
    title: 'Google Workspace',
    issuer: /^https:\/\/accounts\.google\.com$/,
    example: 'https://accounts.google.com',
    settings: { sendsAuthTime: false },
    attributes: {},
  },
  ping: {
    title: 'Ping Identity',
    issuer: /^https:\/\/[^/]+(\/.*[^/])?$/,
    example: 'https://auth.pingone.com/{environment id}/as',
    settings: {},
    attributes: {},
  },
  keycloak: {
    title: 'Keycloak',
    issuer: /^https?:\/\/[^/]+(\/.*)?\/realms\/[^/]+$/,
    example: 'https://sso.acme.example/realms/acme',
    settings: {},
    attributes: { identifier: ['email', 'preferred_username'] },
  },
  generic: { title: 'OpenID Connect', issuer: null, example: '', settings: {}, attributes: {} },
};
