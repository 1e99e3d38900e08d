import { z } from 'zod';
import { AccountSettingsSchema } from '#identity/accounts/settings.ts';
import { listOf, Moment } from './schemas.ts';

/** What leaves about groups, contacts, roles, webhooks, and accounts that change. */

const id = z.string();

export const groupTypes = ['standard', 'entitlement'] as const;

export const GroupView = z
  .object({
    id,
    name: z.string(),
    description: z.string(),
    type: z.enum(groupTypes),
    entitlementCountry: z.string().nullable(),
    source: z.enum(['local', 'scim', 'idp']).describe('What a directory manages is read-only.'),
    members: z.number().int(),
    createdAt: Moment,
    updatedAt: Moment,
    version: z.number().int(),
  })
  .meta({ id: 'Group' });
export const GroupList = listOf(GroupView);

export const GroupMemberList = listOf(
  z
    .object({
      id,
      email: z.string(),
      name: z.string(),
      entitlementCountry: z.string().nullable(),
      countryMismatch: z.boolean().describe('The group grants in another country.'),
      manages: z.boolean().describe('Looks after the group.'),
      addedAt: Moment,
    })
    .meta({ id: 'GroupMember' }),
);

export const ContactView = z
  .object({
    id,
    userId: z.string(),
    email: z.string(),
    name: z.string(),
    country: z.string().nullable().describe('Null: for everything.'),
    createdAt: Moment,
  })
  .meta({ id: 'FulfillmentContact' });
export const ContactList = listOf(ContactView);
export const CandidateList = listOf(z.object({ id, email: z.string(), name: z.string() }));

export const RoleView = z
  .object({
    key: z.string(),
    name: z.string(),
    description: z.string(),
    scope: z.enum(['system', 'account', 'group']),
    builtIn: z.boolean(),
    requires: z.array(z.string()),
    clientId: z.string().nullable(),
    revokeOnRemove: z.boolean(),
    assigned: z.number().int().describe('How many people have it.'),
  })
  .meta({ id: 'Role' });
export const RoleList = listOf(RoleView);

export const Done = z.object({ count: z.number().int() });

export const BelongingList = listOf(
  z
    .object({
      userId: z.string(),
      email: z.string().nullable().describe('Null once erased.'),
      name: z.string(),
      reason: z.string(),
      beganAt: Moment,
      endedAt: Moment.nullable(),
    })
    .meta({ id: 'Affiliation' }),
);

export const SettingsView = AccountSettingsSchema.meta({ id: 'AccountSettings' });

const ReportView = z
  .object({
    kind: z.enum(['merge', 'split']),
    source: z.object({ id, name: z.string() }),
    target: z.object({ id: z.string().nullable(), name: z.string() }),
    people: z.object({ members: z.number(), invited: z.number() }),
    roles: z
      .array(
        z.object({
          userId: z.string(),
          email: z.string(),
          from: z.string(),
          to: z.string().nullable(),
        }),
      )
      .describe('Whose role over others changes.'),
    countriesLost: z
      .array(z.object({ country: z.string(), people: z.number() }))
      .describe('Entitlements that the other account has not.'),
    domains: z.array(
      z.object({ domain: z.string(), state: z.string(), outcome: z.enum(['moves', 'dropped']) }),
    ),
    groups: z
      .array(z.object({ id, name: z.string(), newName: z.string() }))
      .describe('Another name where there is one of that name already.'),
    membershipsLost: z.number(),
    contacts: z.object({ moving: z.number(), afterwards: z.number() }),
    invitations: z.object({ moving: z.number(), dropped: z.number() }),
    approvals: z.number(),
    tokensRevoked: z.number(),
    webhooksPaused: z.number(),
    problems: z
      .array(z.looseObject({ problem: z.string() }))
      .describe('Why it cannot be done like this.'),
  })
  .meta({ id: 'MoveReport' });

export const MoveView = z
  .object({
    id,
    kind: z.enum(['merge', 'split']),
    sourceId: z.string(),
    targetId: z.string(),
    state: z.enum(['running', 'done']),
    moved: z.number().int(),
    total: z.number().int(),
    reason: z.string(),
    report: ReportView,
    createdAt: Moment,
    finishedAt: Moment.nullable(),
  })
  .meta({ id: 'AccountMove' });

const Somebody = z.looseObject({ type: z.string() });

export const MoveProposalView = z
  .object({
    id,
    kind: z.enum(['merge', 'split']),
    sourceId: z.string(),
    targetId: z.string().nullable(),
    report: ReportView,
    digest: z.string().describe('What confirming it takes.'),
    reason: z.string(),
    state: z.enum(['open', 'expired', 'confirmed', 'withdrawn', 'superseded']),
    proposedBy: Somebody,
    proposedAt: Moment,
    expiresAt: Moment,
    decidedBy: Somebody.nullable(),
    decidedAt: Moment.nullable(),
    moveId: z.string().nullable().describe('What was begun: see getAccountMove.'),
  })
  .meta({ id: 'AccountMoveProposal' });
export const MoveProposalList = listOf(MoveProposalView);

export const MovedView = z.object({
  dryRun: z.boolean(),
  digest: z.string().describe('What `confirm` takes.'),
  report: ReportView,
  proposal: MoveProposalView.nullable().describe('It waits for another operator.'),
});

export const ErasureView = z
  .object({
    id,
    userId: z.string(),
    email: z.string().nullable(),
    name: z.string(),
    state: z.enum(['waiting', 'grace', 'cancelled', 'refused', 'done']),
    requestedAt: Moment,
    dueAt: Moment.nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'Erasure' });
export const ErasureList = listOf(ErasureView);

export const ChainView = z
  .object({
    accountId: z.string().nullable(),
    checked: z.number().int().describe('How many rows were found to be right.'),
    end: z.object({ seq: z.number().int(), hash: z.string() }).nullable(),
    fault: z.looseObject({ fault: z.string(), seq: z.number().int() }).nullable(),
  })
  .meta({ id: 'AuditChain' });

export const webhookStates = ['active', 'paused', 'failing'] as const;

export const WebhookView = z
  .object({
    id,
    url: z.string(),
    description: z.string(),
    actions: z.array(z.string()),
    state: z.enum(webhookStates),
    failingSince: Moment.nullable(),
    lastError: z.string().nullable(),
    lastSentAt: Moment.nullable(),
    waiting: z.number().int().describe('How many events wait to be sent.'),
    createdAt: Moment,
    version: z.number().int(),
  })
  .meta({ id: 'Webhook' });
export const WebhookList = listOf(WebhookView);
export const NewWebhookView = WebhookView.extend({
  secret: z.string().describe('Told once.'),
}).meta({ id: 'NewWebhook' });

export const deliveryStates = ['pending', 'delivered', 'skipped'] as const;

export const WebhookDeliveryView = z
  .object({
    id,
    event: z.string().nullable().describe('The `webhook-id`; null for a test.'),
    type: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.number().int(),
    status: z.number().int().nullable().describe('What the receiver answered last.'),
    error: z.string().nullable(),
    durationMs: z.number().int().nullable(),
    createdAt: Moment,
    nextAt: Moment.nullable(),
    deliveredAt: Moment.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export const WebhookDeliveryList = listOf(WebhookDeliveryView);
