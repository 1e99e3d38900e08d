import { z } from 'zod';
import { accountStatuses } from '#identity/accounts/account.ts';
import type { ClientRecord } from '#identity/applications/client-record.ts';
import { suppressionReasons } from '#identity/mail/suppression.ts';
import { attributeSources, sourcedAttributes } from '#identity/scim/authority.ts';
import { lockReasons } from '#identity/users/locks.ts';
import { userStatuses } from '#identity/users/status.ts';
import { affiliations, sources } from '#identity/users/user.ts';
import { listOf, Moment } from './schemas.ts';

/** What leaves. Fields that are not here stay here, whatever a rule returns. */

const id = z.string();

export const AccountView = z
  .object({
    id,
    number: z.string().nullable().describe('Your customer number.'),
    name: z.string(),
    countries: z.array(z.string()).describe('Where it may be entitled to something.'),
    status: z.enum(accountStatuses),
    holdReason: z.string().nullable().describe('Shown to its people while it is on hold.'),
    heldAt: Moment.nullable(),
    closesAt: Moment.nullable().describe('When it is closed, while it is closing.'),
    mergedInto: z.string().nullable().describe('The account that it went into in the end.'),
    domains: z.array(z.string()).describe('The email domains it owns.'),
    administrators: z.array(
      z.object({ id, email: z.string(), name: z.string(), role: z.string() }),
    ),
    fulfillmentContacts: z.array(
      z.object({ id, email: z.string(), name: z.string(), country: z.string().nullable() }),
    ),
    users: z.number().int(),
    createdAt: Moment,
    updatedAt: Moment,
    version: z.number().int(),
  })
  .meta({ id: 'Account' });
export const AccountList = listOf(AccountView);

export const LockView = z
  .object({
    reason: z.enum(lockReasons),
    since: Moment,
    until: Moment.nullable().describe('When it ends by itself; null when somebody has to lift it.'),
    by: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'Lock' });

export const UserView = z
  .object({
    id: id.describe('The `sub` of every token.'),
    email: z.string().nullable(),
    givenName: z.string(),
    familyName: z.string(),
    country: z.string().nullable(),
    entitlementCountry: z.string().nullable(),
    language: z.string().nullable(),
    status: z.enum(userStatuses).describe('Derived from identity, affiliation, locks and account.'),
    affiliation: z.enum(affiliations),
    source: z.enum(sources).describe('How the person came to be here.'),
    locks: z.array(LockView).describe('Every reason for which the person is locked.'),
    roles: z.array(z.string()),
    groups: z.array(z.object({ id, name: z.string() })),
    fulfillmentContact: z.boolean(),
    hasPassword: z.boolean(),
    lastLoginAt: Moment.nullable().describe('The last time they signed in themselves.'),
    createdAt: Moment,
    updatedAt: Moment,
    version: z.number().int(),
  })
  .meta({ id: 'User' });
export const UserList = listOf(UserView);

export const SuppressionView = z
  .object({
    reason: z.enum(suppressionReasons).describe('Refused at once, came back later, called spam.'),
    code: z.string().nullable().describe('What the other server said, such as 550 5.1.1.'),
    since: Moment,
    lastAt: Moment,
  })
  .meta({ id: 'MailSuppression' });
export const SuppressedAddressList = listOf(SuppressionView.extend({ email: z.string() }));

export const UserDetailView = UserView.extend({
  mailSuppressed: SuppressionView.nullable().describe('Mails come back, and none are sent.'),
  attributes: z
    .array(
      z.object({
        attribute: z.enum(sourcedAttributes),
        source: z.enum(attributeSources).describe('Whose word it is.'),
        name: z.string().nullable().describe('Of the directory or the connection.'),
        since: Moment.nullable(),
        managed: z.boolean().describe('It is changed there alone.'),
      }),
    )
    .describe('Where each attribute comes from.'),
}).meta({ id: 'UserDetail' });

export const AddedView = z
  .object({
    outcome: z.enum(['created', 'added', 'invited']),
    dryRun: z.boolean(),
    message: z.string().nullable(),
    user: UserView.nullable().describe('Null in a dry run.'),
  })
  .meta({ id: 'AddedUser' });

export const SessionView = z
  .object({
    id,
    createdAt: Moment,
    seenAt: Moment,
    expiresAt: Moment,
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    clients: z.array(z.string()).describe('Applications that are signed in to.'),
  })
  .meta({ id: 'Session' });
export const SessionList = listOf(SessionView);

export const SecretView = z
  .object({
    id,
    hint: z.string().describe('Its last characters.'),
    createdAt: Moment,
    expiresAt: Moment.nullable(),
  })
  .meta({ id: 'ClientSecret' });
export const SecretList = listOf(SecretView);
export const NewSecretView = SecretView.omit({ createdAt: true })
  .extend({ secret: z.string().describe('Told once.') })
  .meta({ id: 'NewClientSecret' });

export const ClientView = z
  .object({
    id: id.describe('The `client_id`.'),
    name: z.string(),
    metadata: z
      .record(z.string(), z.unknown())
      .describe('In the names of OpenID Connect Dynamic Client Registration 1.0.'),
    firstParty: z.boolean().describe('Its users are not asked for consent.'),
    requiresAccount: z.boolean(),
    requiresActiveAccount: z.boolean(),
    allowedAccounts: z.array(z.string()).describe('Empty: every account.'),
    requiredRoles: z.array(z.string()),
    resources: z.array(z.string()).describe('Resource servers it may ask tokens for.'),
    mayIntrospect: z.boolean().describe('May ask about tokens of other clients.'),
    disabledAt: Moment.nullable(),
    createdAt: Moment,
    updatedAt: Moment,
    version: z.number().int(),
  })
  .meta({ id: 'Client' });
export const ClientList = listOf(ClientView);

/** MikroORM leaves out what was never set. */
export function clientView({ disabledAt = null, ...client }: ClientRecord) {
  return { ...client, disabledAt };
}

export const NewClientView = ClientView.extend({
  secret: z.string().nullable().describe('Told once. Null for a client that has none.'),
}).meta({ id: 'NewClient' });

export const ResourceView = z
  .object({
    identifier: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    ttl: z.number().int().describe('How long its tokens live, in seconds.'),
    alg: z.enum(['RS256', 'ES256']),
    createdAt: Moment,
  })
  .meta({ id: 'ResourceServer' });
export const ResourceList = listOf(ResourceView);

export const TermsView = z
  .object({
    id,
    kind: z.enum(['tos', 'privacy']),
    version: z.string(),
    effectiveAt: Moment,
    requiresReaccept: z.boolean(),
    publishedAt: Moment,
    texts: z.array(
      z.object({
        locale: z.string(),
        title: z.string(),
        body: z.string().describe('Markdown.'),
        sha256: z.string().describe('Of title, an empty line and body, in UTF-8.'),
      }),
    ),
  })
  .meta({ id: 'Terms' });
export const TermsList = listOf(TermsView);

export const ApiTokenView = z
  .object({
    id,
    name: z.string(),
    accountId: z.string().nullable(),
    role: z.enum(['operator', 'account_administrator', 'co_administrator']),
    scopes: z
      .array(z.string())
      .describe('What it may do of all that its role may; empty: everything.'),
    createdAt: Moment,
    expiresAt: Moment.nullable(),
    lastUsedAt: Moment.nullable(),
    lastUsedIp: z.string().nullable(),
  })
  .meta({ id: 'ApiToken' });
export const ApiTokenList = listOf(ApiTokenView);
export const NewApiTokenView = ApiTokenView.extend({
  secret: z.string().describe('Told once.'),
}).meta({ id: 'NewApiToken' });

export const KeyView = z
  .object({
    kid: z.string(),
    alg: z.enum(['RS256', 'ES256']),
    state: z.enum(['next', 'current', 'retired']),
    createdAt: Moment,
    activatesAt: Moment,
    retiresAt: Moment.nullable().describe('Until when a retired one is published.'),
  })
  .meta({ id: 'SigningKey' });
export const KeyList = listOf(KeyView);

export const AuditView = z
  .object({
    id: z.number().int(),
    at: Moment,
    accountId: z.string().nullable(),
    actor: z.object({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
    action: z.string(),
    target: z.object({ type: z.string(), id: z.string() }).nullable(),
    details: z.record(z.string(), z.unknown()),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    reference: z.string().nullable().describe('The text that the person was shown.'),
    batchId: z.string().nullable(),
  })
  .meta({ id: 'AuditEvent' });
export const AuditList = listOf(AuditView);
