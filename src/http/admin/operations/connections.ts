import { z } from 'zod';
import { requireAccount } from '#identity/access/rights.ts';
import { connectionKinds, connectionModes } from '#identity/federation/connection.ts';
import {
  activateConnection,
  disableConnection,
  removeConnection,
  setMode,
  testConnection,
} from '#identity/federation/lifecycle.ts';
import { listLinks, unlink } from '#identity/federation/links.ts';
import {
  changeConnection,
  createConnection,
  listConnections,
  requireConnection,
} from '#identity/federation/manage.ts';
import { addSecret, listSecrets, revokeSecret } from '#identity/federation/secrets.ts';
import { newConnectionKey } from '#identity/federation/key.ts';
import { Refusal } from '#identity/refusal.ts';
import { unitOfWork } from '#identity/work.ts';
import { checkedConnection } from '../../connection-input.ts';
import {
  ConnectionFields,
  ConnectionLinkList,
  ConnectionList,
  ConnectionSecretList,
  ConnectionSecretView,
  ConnectionTestView,
  connectionView,
  ConnectionView,
  secretView,
} from '../connection-views.ts';
import { operation, type AnyOperation, type Tools } from '../operation.ts';
import { Moment, note, paging } from '../schemas.ts';

const path = '/accounts/:accountId/connections' as const;
const one = `${path}/:connectionId` as const;
const tag = 'Connections';

const optional = Object.fromEntries(
  Object.entries(ConnectionFields).map(([name, schema]) => [name, schema.optional()]),
) as { [Name in keyof typeof ConnectionFields]: z.ZodOptional<(typeof ConnectionFields)[Name]> };

const clientSecret = z.string().min(8).max(1000);

/** An account's trust in its own identity provider. What SAML alone has is in `saml.ts`. */
export const connectionOperations: readonly AnyOperation[] = [
  operation({
    id: 'listConnections',
    tag,
    method: 'get',
    path,
    summary: 'Lists the connections to identity providers of the account.',
    right: 'connections:read',
    result: ConnectionList,
    async handle(work, { account, tools }) {
      const items = await listConnections(work, account.id);
      return { items: items.map((item) => shown(tools, item)), nextCursor: null };
    },
  }),
  operation({
    id: 'createConnection',
    tag,
    method: 'post',
    path,
    summary: 'Sets up a connection to an identity provider, as a draft.',
    description:
      'Each domain has to be owned by the account, by DNS, https or the word of an operator, and leads to one connection. Nobody is sent there before it is tested and activated.',
    right: 'connections:manage',
    body: z.strictObject({
      ...optional,
      kind: z.enum(connectionKinds),
      name: ConnectionFields.name,
      clientSecret: clientSecret.optional(),
    }),
    example: {
      kind: 'oidc',
      preset: 'okta',
      name: 'Acme Okta',
      issuer: 'https://acme.okta.com',
      oidc: { clientId: '0oa1b2c3' },
      clientSecret: 'from the provider',
      domains: ['acme.example'],
    },
    result: ConnectionView,
    status: 201,
    refusals: [
      'invalid_email',
      'invalid_country',
      'limit_reached',
      'domain_not_found',
      'domain_not_owned',
      'domain_not_proved',
      'domain_in_use',
      'role_not_found',
      'cannot_grant_higher_role',
      'not_found',
    ],
    async handle(work, { account, body: { clientSecret: secret, ...body }, tools }) {
      const made = await createConnection(work, account.id, checkedConnection(tools.egress, body));
      if (secret !== undefined)
        await addSecret(work, tools.vault, made, {
          kind: 'client_secret',
          value: secret,
          expiresAt: null,
        });
      return shown(tools, await requireConnection(work, account.id, made.id));
    },
  }),
  operation({
    id: 'getConnection',
    tag,
    method: 'get',
    path: one,
    summary: 'Gives a connection.',
    right: 'connections:read',
    result: ConnectionView,
    refusals: ['not_found'],
    async handle(work, { account, params, tools }) {
      return shown(tools, await requireConnection(work, account.id, params['connectionId']!));
    },
  }),
  operation({
    id: 'changeConnection',
    tag,
    method: 'patch',
    path: one,
    summary: 'Changes a connection, or how strictly it is kept to.',
    description:
      '`mode: "enforced"` ends passwords for the domains of the connection: 24 hours ahead at least, while everybody concerned is told, or `immediately`. Break-glass administrators are excepted, and there has to be one.',
    right: 'connections:manage',
    body: z.strictObject({
      ...optional,
      mode: z.enum(connectionModes).optional(),
      enforcedAt: Moment.optional(),
      immediately: z.boolean().optional(),
    }),
    example: { mode: 'enforced', enforcedAt: '2027-05-31T06:00:00Z' },
    result: ConnectionView,
    refusals: [
      'not_found',
      'invalid_email',
      'invalid_country',
      'connection_not_ready',
      'domain_not_found',
      'domain_not_owned',
      'domain_not_proved',
      'domain_in_use',
      'role_not_found',
      'cannot_grant_higher_role',
    ],
    async handle(work, { account, params, body, tools }) {
      const { mode, enforcedAt, immediately, ...input } = body;
      const id = params['connectionId']!;
      let changed = Object.values(input).some((value) => value !== undefined)
        ? await changeConnection(work, account.id, id, checkedConnection(tools.egress, input))
        : await requireConnection(work, account.id, id);
      if (mode !== undefined)
        changed = await setMode(work, account.id, id, {
          mode,
          at: enforcedAt ?? null,
          immediately: immediately ?? false,
        });
      return shown(tools, changed);
    },
  }),
  operation({
    id: 'removeConnection',
    tag,
    method: 'delete',
    path: one,
    summary: 'Removes a connection that is not active.',
    right: 'connections:manage',
    result: null,
    refusals: ['not_found', 'connection_in_use'],
    handle(work, { account, params }) {
      return removeConnection(work, account.id, params['connectionId']!);
    },
  }),
  operation({
    id: 'testConnection',
    tag,
    method: 'post',
    path: `${one}/test`,
    summary: 'Looks whether the provider can be reached, and gives a link for a test sign-in.',
    description:
      'A draft becomes `testing`: its testers are sent there. The link shows what the provider says and what it would come to; it makes, links and signs in nobody.',
    right: 'connections:manage',
    result: ConnectionTestView,
    refusals: ['not_found', 'connection_not_ready', 'provider_unreachable'],
    async prepare({ asking, context, params, tools }) {
      const { foundation, federation } = tools;
      const connection = await unitOfWork(foundation, context, async (work) => {
        await requireAccount(work, asking, 'connections:manage', params['accountId']!);
        return requireConnection(work, params['accountId']!, params['connectionId']!);
      });
      if (connection.kind === 'oidc' && connection.issuer !== null)
        await federation.look(connection);
    },
    async handle(work, { account, params, tools }) {
      const connection = await testConnection(work, account.id, params['connectionId']!);
      return {
        connection: shown(tools, connection),
        ...tools.federation.testLink(connection.id),
      };
    },
  }),
  operation({
    id: 'activateConnection',
    tag,
    method: 'post',
    path: `${one}/activate`,
    summary: 'Sends everybody of its domains to the provider from now on.',
    description:
      'Needs one test sign-in that went through, and a break-glass administrator with a second factor. While passwords go on working, an account may do without the latter by saying so.',
    right: 'connections:manage',
    body: z.strictObject({ withoutBreakGlass: z.boolean().default(false) }),
    example: {},
    result: ConnectionView,
    refusals: ['not_found', 'connection_not_ready'],
    async handle(work, { account, params, body, tools }) {
      return shown(
        tools,
        await activateConnection(work, account.id, params['connectionId']!, body),
      );
    },
  }),
  operation({
    id: 'disableConnection',
    tag,
    method: 'post',
    path: `${one}/disable`,
    summary: 'Sends nobody there any more. Who came in by it is out at their next step.',
    right: 'connections:manage',
    body: z.strictObject({ reason: note.optional() }),
    example: { reason: 'The provider was moved.' },
    result: ConnectionView,
    refusals: ['not_found'],
    async handle(work, { account, params, body: { reason }, tools }) {
      return shown(
        tools,
        await disableConnection(work, account.id, params['connectionId']!, reason ?? null),
      );
    },
  }),
  operation({
    id: 'listConnectionSecrets',
    tag,
    method: 'get',
    path: `${one}/secrets`,
    summary: 'Lists what we prove ourselves to the provider with. Never the secret itself.',
    right: 'connections:manage',
    result: ConnectionSecretList,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const { id } = await requireConnection(work, account.id, params['connectionId']!);
      return { items: (await listSecrets(work, id)).map(secretView), nextCursor: null };
    },
  }),
  operation({
    id: 'addConnectionSecret',
    tag,
    method: 'post',
    path: `${one}/secrets`,
    summary: 'Adds a client secret, or makes a key for private_key_jwt. Two may be alive at once.',
    description:
      'The newest is tried first, and the one before it where the provider does not know it yet: so a rotation keeps nobody out. The public part of a key is at the `jwksUri` of the connection.',
    right: 'connections:manage',
    body: z.union([
      z.strictObject({
        kind: z.literal('client_secret'),
        value: clientSecret,
        expiresAt: Moment.optional().describe('Administrators are told 30, 7 and 1 days before.'),
      }),
      z.strictObject({ kind: z.literal('private_key') }),
    ]),
    example: { kind: 'client_secret', value: 'from the provider' },
    result: ConnectionSecretView,
    status: 201,
    refusals: ['not_found', 'limit_reached'],
    async prepare({ body }) {
      return body.kind === 'private_key' ? newConnectionKey() : null;
    },
    async handle(work, { account, params, body, prepared, tools }) {
      const connection = await requireConnection(work, account.id, params['connectionId']!, {
        taken: true,
      });
      if (connection.kind !== 'oidc') throw new Refusal('not_found');
      return secretView(
        await addSecret(
          work,
          tools.vault,
          connection,
          body.kind === 'private_key'
            ? { kind: 'private_key', ...prepared! }
            : { kind: 'client_secret', value: body.value, expiresAt: body.expiresAt ?? null },
        ),
      );
    },
  }),
  operation({
    id: 'revokeConnectionSecret',
    tag,
    method: 'delete',
    path: `${one}/secrets/:secretId`,
    summary: 'Takes a secret or a key away.',
    right: 'connections:manage',
    result: null,
    refusals: ['not_found', 'connection_in_use'],
    async handle(work, { account, params }) {
      const connection = await requireConnection(work, account.id, params['connectionId']!, {
        taken: true,
      });
      return revokeSecret(work, connection, params['secretId']!);
    },
  }),
  operation({
    id: 'listConnectionLinks',
    tag,
    method: 'get',
    path: `${one}/links`,
    summary: 'Lists who is linked to whom at the provider.',
    right: 'connections:read',
    query: z.strictObject({ ...paging, userId: z.uuid().optional() }),
    result: ConnectionLinkList,
    refusals: ['not_found'],
    async handle(work, { account, params, query, cursor }) {
      const { id } = await requireConnection(work, account.id, params['connectionId']!);
      const items = await listLinks(work, id, {
        userId: query.userId ?? null,
        after: cursor.after ?? null,
        limit: query.limit + 1,
      });
      return cursor.page(items, query.limit, (link) => link.id);
    },
  }),
  operation({
    id: 'removeConnectionLink',
    tag,
    method: 'delete',
    path: `${one}/links/:linkId`,
    summary: 'Unlinks a person, so that their next sign-in links them anew: a re-hire.',
    right: 'connections:manage',
    result: null,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const connection = await requireConnection(work, account.id, params['connectionId']!);
      return unlink(work, connection, params['linkId']!);
    },
  }),
];

function shown(tools: Tools, connection: Parameters<typeof connectionView>[1]) {
  return connectionView(tools.foundation.issuer, connection);
}
