import { z } from 'zod';
import { Refusal } from '#identity/refusal.ts';
import { decideHold } from '#identity/scim/brake.ts';
import {
  changeScimToken,
  createScimToken,
  listScimTokens,
  requireScimToken,
  revokeScimToken,
} from '#identity/scim/token.ts';
import { departurePolicies, domainPolicies } from '#identity/scim/caller.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { Moment, name } from '../schemas.ts';
import { NewScimTokenView, ScimTokenList, ScimTokenView } from '../scim-views.ts';

const path = '/accounts/:accountId/scim-tokens';
const tag = 'Directories (SCIM)';

/** With what directories come in. */
export const scimTokenOperations: readonly AnyOperation[] = [
  operation({
    id: 'listScimTokens',
    tag,
    method: 'get',
    path,
    summary: 'Lists the SCIM tokens of an account that are alive.',
    right: 'scim_tokens:read',
    result: ScimTokenList,

    async handle(work, { account }) {
      return { items: await listScimTokens(work, account.id, work.now), nextCursor: null };
    },
  }),
  operation({
    id: 'createScimToken',
    tag,
    method: 'post',
    path,
    summary: 'Makes a token with which a directory speaks SCIM at /scim/v2. Told once.',
    description:
      'A token is valid for a year at most; the administrators are told 30, 7 and 1 days before its end. Make a second one, enter it at the directory, and revoke the first. With `clientId`, which only operators may give, a client of ours comes in place of a secret: it asks the token endpoint for access tokens with grant `client_credentials` and scope `scim`.',
    right: 'scim_tokens:manage',
    body: z.strictObject({
      name,
      scopes: z
        .strictObject({
          users: z.boolean().optional(),
          groups: z.boolean().optional(),
          readOnly: z.boolean().optional(),
        })
        .optional(),
      dryRun: z.boolean().default(false),
      domainPolicy: z.enum(domainPolicies).default('owned'),
      departurePolicy: z.enum(departurePolicies).default('everybody'),
      classicConfig: z.boolean().default(false),
      expiresAt: Moment.optional(),
      clientId: z.string().min(1).max(200).optional(),
    }),
    example: { name: 'Entra ID', expiresAt: '2027-11-01T00:00:00Z' },
    result: NewScimTokenView,
    status: 201,
    refusals: ['limit_reached'],

    async handle(work, { account, asking, body }) {
      if (body.clientId !== undefined && asking.role !== 'operator')
        throw new Refusal('permission_denied');
      const { scopes = {}, ...rest } = body;
      const { token, secret } = await createScimToken(work, account.id, {
        ...rest,
        scopes: given(scopes),
      });
      return { ...token, secret };
    },
  }),
  operation({
    id: 'getScimToken',
    tag,
    method: 'get',
    path: `${path}/:tokenId`,
    summary: 'Gives a SCIM token that is alive.',
    right: 'scim_tokens:read',
    result: ScimTokenView,
    refusals: ['not_found'],

    handle: (work, { account, params }) =>
      requireScimToken(work, account.id, params['tokenId']!, work.now),
  }),
  operation({
    id: 'changeScimToken',
    tag,
    method: 'patch',
    path: `${path}/:tokenId`,
    summary: 'Changes how a directory is treated: its name, its limits, whether it only tries out.',
    right: 'scim_tokens:manage',
    body: z.strictObject({
      name: name.optional(),
      dryRun: z.boolean().optional(),
      domainPolicy: z.enum(domainPolicies).optional(),
      departurePolicy: z.enum(departurePolicies).optional(),
      classicConfig: z.boolean().optional(),
      limits: z
        .strictObject({
          number: z.number().int().min(1).max(1_000_000).optional(),
          share: z.number().int().min(1).max(100).optional(),
          minutes: z.number().int().min(1).max(10_080).optional(),
        })
        .optional(),
    }),
    example: { limits: { number: 500 } },
    result: ScimTokenView,
    refusals: ['not_found'],

    handle: (work, { account, params, body }) =>
      changeScimToken(work, account.id, params['tokenId']!, body),
  }),
  operation({
    id: 'decideScimHold',
    tag,
    method: 'post',
    path: `${path}/:tokenId/hold`,
    summary: 'Decides about a directory that is held, because it would put out too many people.',
    description:
      '`release` lets it go on: until its window is over, without limits, or for `allow` people. `keep` keeps it held. Raising its limits far enough lets it go on too.',
    right: 'scim_tokens:manage',
    body: z.strictObject({
      decision: z.enum(['release', 'keep']),
      allow: z.number().int().min(1).max(1_000_000).optional(),
    }),
    example: { decision: 'release', allow: 250 },
    result: ScimTokenView,
    refusals: ['not_found', 'already_decided'],

    async handle(work, { account, params, body: { decision, allow = null } }) {
      const tokenId = params['tokenId']!;
      await decideHold(work, account.id, tokenId, decision, allow);
      return requireScimToken(work, account.id, tokenId, work.now);
    },
  }),
  operation({
    id: 'revokeScimToken',
    tag,
    method: 'delete',
    path: `${path}/:tokenId`,
    summary: 'Revokes a SCIM token: it opens nothing from now on.',
    right: 'scim_tokens:revoke',
    result: null,
    refusals: ['not_found'],

    handle: (work, { account, params }) => revokeScimToken(work, account.id, params['tokenId']!),
  }),
];

/** What was said, without what was not. */
function given<Key extends string>(
  values: Partial<Record<Key, boolean | undefined>>,
): Partial<Record<Key, boolean>> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<Record<Key, boolean>>;
}
