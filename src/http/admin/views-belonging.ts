import { z } from 'zod';
import { invitationStates } from '#identity/belonging/invite.ts';
import { approvalSources } from '#identity/belonging/open-approval.ts';
import { lockReasons } from '#identity/users/locks.ts';
import { doors } from '#identity/verdict/verdict.ts';
import { listOf, Moment } from './schemas.ts';

const id = z.string();

export const InvitationView = z
  .object({
    id,
    email: z.string(),
    givenName: z.string(),
    familyName: z.string(),
    country: z.string().nullable(),
    entitlementCountry: z.string().nullable(),
    roles: z.array(z.string()).describe('What the person is given when they accept.'),
    groups: z.array(z.string()),
    invitedBy: z.object({
      type: z.string(),
      id: z.string().nullish(),
      name: z.string().nullish(),
    }),
    state: z.enum(invitationStates),
    sends: z.number().int().describe('How many mails were sent.'),
    sentAt: Moment,
    createdAt: Moment,
    expiresAt: Moment,
    decidedAt: Moment.nullable(),
  })
  .meta({ id: 'Invitation' });
export const InvitationList = listOf(InvitationView);

export const ApprovalView = z
  .object({
    id,
    userId: id,
    email: z.string(),
    givenName: z.string(),
    familyName: z.string(),
    country: z.string().nullable(),
    domain: z.string(),
    source: z.enum(approvalSources),
    client: z.object({ id, name: z.string() }).nullable(),
    state: z.string(),
    requestedAt: Moment,
  })
  .meta({ id: 'Approval' });
export const ApprovalList = listOf(ApprovalView);

export const DecisionView = z
  .object({
    batchId: id.describe('The audit rows of all of them carry it.'),
    items: z.array(
      z.object({
        id,
        userId: id.nullable(),
        email: z.string().nullable(),
        result: z.enum(['approved', 'rejected', 'refused']),
        code: z.string().nullable(),
        message: z.string().nullable(),
        decidedBy: z.string().nullable().describe('Who was first, where it was decided already.'),
        decidedAt: Moment.nullable(),
      }),
    ),
  })
  .meta({ id: 'Decision' });

export const ExplanationView = z
  .object({
    email: z.string().nullable().describe('In canonical form; null where it is no address.'),
    domain: z.object({ standing: z.string(), says: z.string() }),
    account: z.object({ id, status: z.string() }).nullable(),
    person: z
      .object({
        id,
        identity: z.string(),
        affiliation: z.string(),
        accountId: id.nullable(),
        locks: z.array(z.enum(lockReasons)),
        outstandingTerms: z.number().int(),
        managed: z
          .array(
            z.object({ attribute: z.string(), source: z.string(), name: z.string().nullable() }),
          )
          .describe('What is changed elsewhere alone, and where.'),
        says: z.string(),
      })
      .nullable()
      .describe('Null where nobody has the address, or it is not yours to know.'),
    doors: z.array(
      z.object({
        door: z.enum(doors),
        outcome: z.string(),
        code: z.string().nullable(),
        says: z.string(),
        actions: z.array(z.string()),
        ask: z.string().nullable().describe('Who can change it.'),
        joins: id.nullable(),
      }),
    ),
    signIn: z
      .object({
        client: z.string().nullable(),
        access: z.enum(['allow', 'deny', 'interact']),
        reason: z.string().nullable(),
        says: z.string(),
        ask: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Explanation' });
