import { z } from 'zod';
import { name } from './schemas.ts';

const uri = z.string().min(1).max(2000);
const uris = z.array(uri).max(100);
const alg = z.string().max(20);

/**
 * What is taken of OpenID Connect Dynamic Client Registration 1.0, section 2. Strict: a field that
 * nobody reads would be a promise that nobody keeps.
 */
export const Metadata = z.strictObject({
  application_type: z.enum(['web', 'native']).optional(),
  redirect_uris: uris.optional(),
  post_logout_redirect_uris: uris.optional(),
  grant_types: z.array(z.string().max(100)).max(10).optional(),
  response_types: z.array(z.string().max(100)).max(10).optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional(),
  token_endpoint_auth_signing_alg: alg.optional(),
  scope: z.string().max(1000).optional(),
  client_uri: uri.optional(),
  logo_uri: uri.optional(),
  policy_uri: uri.optional(),
  tos_uri: uri.optional(),
  contacts: z.array(z.string().max(320)).max(20).optional(),
  initiate_login_uri: uri.optional(),
  backchannel_logout_uri: uri.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  jwks: z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).max(20) }).optional(),
  jwks_uri: uri.optional(),
  id_token_signed_response_alg: alg.optional(),
  userinfo_signed_response_alg: alg.optional(),
  request_object_signing_alg: alg.optional(),
  subject_type: z.enum(['public', 'pairwise']).optional(),
  default_max_age: z.int().min(0).max(31_536_000).optional(),
  default_acr_values: z.array(z.string().max(200)).max(10).optional(),
  require_auth_time: z.boolean().optional(),
  require_pkce: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  cors_origins: uris.optional(),
});

/** What is ours about a client: who may use it, and what it may do. */
export const policy = {
  name,
  firstParty: z.boolean().optional().describe('Its users are not asked for consent.'),
  requiresAccount: z.boolean().optional().describe('Refuses people who belong to no account.'),
  requiresActiveAccount: z.boolean().optional(),
  allowedAccounts: z.array(z.uuid()).max(1000).optional().describe('Empty: every account.'),
  requiredRoles: z.array(z.string().max(100)).max(50).optional(),
  resources: z.array(uri).max(100).optional(),
  mayIntrospect: z.boolean().optional(),
};
