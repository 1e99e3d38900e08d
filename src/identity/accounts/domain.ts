import { defineEntity, p } from '@mikro-orm/core';

export const domainStates = [
  'listed',
  'pending',
  'owned',
  'contested',
  'at_risk',
  'lapsed',
  'released',
  'expired',
  'cancelled',
] as const;
export type DomainState = (typeof domainStates)[number];

const DomainSchema = defineEntity({
  name: 'Domain',
  tableName: 'domains',
  properties: {
    id: p.uuid().primary(),
    accountId: p.uuid(),
    /** In canonical ASCII form. */
    name: p.string(),
    state: p.enum(domainStates),
    proof: p.enum(['email', 'dns', 'https', 'operator'] as const).nullable(),
    /** What the record to be published has to hold, while it is pending. */
    challenge: p.string().nullable(),
    signup: p.enum(['approve', 'auto', 'closed'] as const).default('approve'),
    claimedAt: p.datetime().nullable(),
    ownedAt: p.datetime().nullable(),
    checkedAt: p.datetime().nullable(),
    expiresAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    version: p.integer().version(),
  },
});

/** An email domain of an account (behaviour.md section 2.2). */
export class Domain extends DomainSchema.class {
  /** Whether the account decides about the addresses of this domain. */
  isOwned(): boolean {
    return this.state === 'owned' || this.state === 'at_risk' || this.state === 'lapsed';
  }
}
DomainSchema.setClass(Domain);
