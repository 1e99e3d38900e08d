import { defineEntity, p } from '@mikro-orm/core';

export const accountStatuses = ['active', 'on_hold', 'closing', 'closed', 'merged'] as const;
export type AccountStatus = (typeof accountStatuses)[number];

const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: {
    id: p.uuid().primary(),
    number: p.string().nullable(),
    name: p.string(),
    /** Where it may be entitled to something: ISO 3166-1, two letters each. */
    countries: p.array().default([]),
    status: p.enum(accountStatuses).default('active'),
    /** Shown to its people while it is on hold. */
    holdReason: p.string().nullable(),
    heldAt: p.datetime().nullable(),
    mergedInto: p.uuid().nullable(),
    settings: p.json<Record<string, unknown>>().onCreate(() => ({})),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    version: p.integer().version(),
  },
});

/** A customer organization (behaviour.md section 2.3). */
export class Account extends AccountSchema.class {
  hold(reason: string, now: Date): void {
    this.status = 'on_hold';
    this.holdReason = reason;
    this.heldAt = now;
    this.updatedAt = now;
  }

  resume(now: Date): void {
    this.status = 'active';
    this.holdReason = null;
    this.heldAt = null;
    this.updatedAt = now;
  }
}
AccountSchema.setClass(Account);
