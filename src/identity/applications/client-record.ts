import { defineEntity, p } from '@mikro-orm/core';
import type { ClientPolicy } from '../access/access-decision.ts';

const ClientSchema = defineEntity({
  name: 'ClientRecord',
  tableName: 'clients',
  properties: {
    id: p.string().primary(),
    name: p.string(),
    metadata: p.json<Record<string, unknown>>(),
    firstParty: p.boolean().default(false),
    requiresAccount: p.boolean().default(true),
    requiresActiveAccount: p.boolean().default(true),
    allowedAccounts: p.array().default([]),
    requiredRoles: p.array().default([]),
    resources: p.array().default([]),
    mayIntrospect: p.boolean().default(false),
    disabledAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    version: p.integer().version(),
  },
});

/** An OAuth client as it is administered. What the engine reads is `Client`. */
export class ClientRecord extends ClientSchema.class implements ClientPolicy {}
ClientSchema.setClass(ClientRecord);
