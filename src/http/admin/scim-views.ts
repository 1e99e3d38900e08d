import { z } from 'zod';
import { domainPolicies } from '#identity/scim/token.ts';
import { listOf, Moment } from './schemas.ts';

/** What leaves about directories that speak SCIM to us. */

const id = z.string();

export const ScimTokenView = z
  .object({
    id,
    accountId: id,
    name: z.string(),
    clientId: z.string().nullable().describe('The client that stands in place of a secret.'),
    scopes: z
      .object({ users: z.boolean(), groups: z.boolean(), readOnly: z.boolean() })
      .describe('What it may reach, and whether it may change it.'),
    dryRun: z.boolean().describe('Everything is answered as if, and nothing is changed.'),
    domainPolicy: z
      .enum(domainPolicies)
      .describe('Addresses it may create: of domains you own, or of any that nobody else owns.'),
    classicConfig: z
      .boolean()
      .describe('Leaves out of ServiceProviderConfig what strict clients of RFC 7643 refuse.'),
    createdAt: Moment,
    expiresAt: Moment.nullable().describe('Null for a client: its secrets have their own end.'),
    lastUsedAt: Moment.nullable(),
    lastUsedIp: z.string().nullable(),
    limits: z
      .object({
        number: z.number().int().describe('So many people within the window.'),
        share: z.number().int().describe('Or so many in a hundred, once it is more than 20.'),
        minutes: z.number().int().describe('The length of the window.'),
      })
      .describe('How many people it may lock or remove before it is held.'),
    held: z
      .object({
        since: Moment,
        departures: z.number().int().describe('How many it would have come to.'),
        number: z.number().int(),
        share: z.number().int(),
        minutes: z.number().int(),
        keptAt: Moment.nullable().describe('When it was decided that it stays held.'),
      })
      .nullable()
      .describe('Its changes are answered 429 until an administrator decides.'),
  })
  .meta({ id: 'ScimToken' });
export const ScimTokenList = listOf(ScimTokenView);
export const NewScimTokenView = ScimTokenView.extend({
  secret: z.string().nullable().describe('Told once. Null for a client: it has its own.'),
}).meta({ id: 'NewScimToken' });
