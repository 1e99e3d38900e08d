import { z } from 'zod';
import {
  connectionKinds,
  connectionModes,
  connectionStates,
  presetNames,
  type Connection,
  type ConnectionSecret,
} from '#identity/federation/connection.ts';
import { absentPolicies, mappedAttributes } from '#identity/federation/mapping.ts';
import { oidcSettings } from '#identity/federation/oidc-settings.ts';
import { Country, Email, line, listOf, Moment, RoleKeys } from './schemas.ts';

/** What goes in and out about connections. */

const claim = z.string().min(1).max(300);

export const OidcInput = z.strictObject({
  clientId: z.string().min(1).max(500),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]{1,200}$/))
    .min(1)
    .max(20)
    .refine((scopes) => scopes.includes('openid'), 'Must name openid.'),
  clientAuthentication: z.enum(['client_secret_post', 'client_secret_basic', 'private_key_jwt']),
  userinfo: z.boolean().describe('Asks the userinfo endpoint for what the ID token leaves out.'),
  sendsAuthTime: z.boolean().describe('False for providers that never send auth_time.'),
});

export const ProvisioningInput = z.strictObject({
  mode: z.enum(['jit', 'jit_and_scim', 'scim_only']),
  missing: z
    .enum(['ask', 'reject'])
    .describe('A name or country that was not sent: the person is asked for it, or refused.'),
  requireCountry: z.boolean(),
  defaultCountry: Country.nullable(),
  syncProfile: z.boolean().describe('Names, country and address follow the provider.'),
  guests: z.boolean().describe('Lets guests of the directory in (user_partner.com#EXT#@…).'),
  removalSticks: z
    .boolean()
    .describe('Whom an administrator removed stays out, and asks to return.'),
  secondFactor: z
    .enum(['trust', 'if_missing', 'always'])
    .describe(
      'Whether a second factor is asked for here too: never, where the provider does not say that it asked for one (`amr` names `mfa`), or always.',
    ),
  roles: RoleKeys,
  groups: z.array(z.uuid()).max(200),
  entitlementCountry: Country.nullable(),
});

const absent = z
  .enum(absentPolicies)
  .describe('Where the claim is not sent at all: keep what it gave, remove it, or deny.');
const value = z.string().min(1).max(500);

export const MappingInput = z.strictObject({
  attributes: z
    .partialRecord(z.enum(mappedAttributes), z.array(claim).min(1).max(10))
    .describe('Claims or SAML attributes by what they say, tried in their order.'),
  groups: z
    .strictObject({
      claim,
      absent,
      rules: z.array(z.strictObject({ value, group: z.uuid() })).max(500),
    })
    .nullable(),
  roles: z
    .strictObject({
      claim,
      absent,
      rules: z.array(z.strictObject({ value, role: z.string().max(100) })).max(500),
    })
    .nullable(),
});

export const ConnectionFields = {
  name: line(100),
  preset: z.enum(presetNames),
  issuer: z.url({ protocol: /^https?$/ }).max(500),
  oidc: OidcInput.partial(),
  domains: z.array(z.string().min(1).max(253)).max(100),
  testers: z.array(Email).max(100).describe('Who is sent there while it is being tested.'),
  provisioning: ProvisioningInput.partial(),
  mapping: MappingInput.partial(),
  signOutUpstream: z
    .boolean()
    .describe(
      'Who signs out here is signed out at the provider too, where it offers that: by RP-initiated logout, or SAML single logout. An OpenID provider has to know `postLogoutRedirectUri`.',
    ),
};

export const ConnectionView = z
  .object({
    id: z.string(),
    accountId: z.string(),
    kind: z.enum(connectionKinds),
    preset: z.enum(presetNames),
    name: z.string(),
    state: z.enum(connectionStates),
    mode: z.enum(connectionModes),
    enforcedAt: Moment.nullable(),
    issuer: z.string().nullable(),
    oidc: OidcInput.extend({
      clientId: z.string(),
      redirectUri: z.string(),
      jwksUri: z.string(),
      postLogoutRedirectUri: z.string().describe('Where the provider sends who signed out there.'),
      backchannelLogoutUri: z.string().describe('Where it says that somebody signed out.'),
    })
      .nullable()
      .describe('Null for SAML.'),
    domains: z.array(z.string()),
    testers: z.array(z.string()),
    provisioning: z.object(ProvisioningInput.shape),
    mapping: z.object(MappingInput.shape),
    signOutUpstream: z.boolean(),
    testedAt: Moment.nullable(),
    activatedAt: Moment.nullable(),
    disabledAt: Moment.nullable(),
    failing: z.boolean().describe('Failed twenty times in a row or more.'),
    health: z.object({
      failures: z.number().int(),
      failingSince: Moment.nullable(),
      lastFailureAt: Moment.nullable(),
      lastFailure: z.string().nullable(),
      lastSuccessAt: Moment.nullable(),
    }),
    createdAt: Moment,
    updatedAt: Moment,
    version: z.number().int(),
  })
  .meta({ id: 'Connection' });
export const ConnectionList = listOf(ConnectionView);

export const ConnectionTestView = z
  .object({
    connection: ConnectionView,
    url: z.string().describe('Open it in a browser: a sign-in that signs nobody in.'),
    expiresAt: Moment,
  })
  .meta({ id: 'ConnectionTest' });

export const ConnectionSecretView = z
  .object({
    id: z.string(),
    kind: z.enum(['client_secret', 'private_key']),
    hint: z.string().nullable().describe('Its last four characters.'),
    publicJwk: z.record(z.string(), z.unknown()).nullable(),
    createdAt: Moment,
    expiresAt: Moment.nullable(),
  })
  .meta({ id: 'ConnectionSecret' });
export const ConnectionSecretList = listOf(ConnectionSecretView);

export const ConnectionLinkList = listOf(
  z
    .object({
      id: z.string(),
      userId: z.string(),
      email: z.string().nullable(),
      subject: z.string(),
      how: z.string(),
      linkedAt: Moment,
      lastUsedAt: Moment,
    })
    .meta({ id: 'ConnectionLink' }),
);

export function connectionView(issuer: string, connection: Connection) {
  const { settings, kind, health } = connection;
  const { clientId, scopes, clientAuthentication, userinfo, sendsAuthTime } =
    oidcSettings(settings);
  return {
    ...connection,
    oidc:
      kind === 'oidc'
        ? {
            clientId,
            scopes,
            clientAuthentication,
            userinfo,
            sendsAuthTime,
            redirectUri: `${issuer}/federation/${connection.id}/callback`,
            jwksUri: `${issuer}/federation/${connection.id}/jwks`,
            postLogoutRedirectUri: `${issuer}/federation/${connection.id}/signed-out`,
            backchannelLogoutUri: `${issuer}/federation/${connection.id}/backchannel-logout`,
          }
        : null,
    failing: health.failingSince !== null,
  };
}

export function secretView({ id, kind, publicPart, createdAt, expiresAt }: ConnectionSecret) {
  const client = kind === 'client_secret';
  return {
    id,
    kind: client ? ('client_secret' as const) : ('private_key' as const),
    hint: client ? (publicPart['hint'] as string) : null,
    publicJwk: client ? null : publicPart,
    createdAt,
    expiresAt,
  };
}
