import { defineEntity, p } from '@mikro-orm/core';

export const identities = ['invited', 'unverified', 'ready', 'erasing', 'erased'] as const;
export type Identity = (typeof identities)[number];
export const affiliations = ['none', 'pending', 'provisional', 'member'] as const;
export type Affiliation = (typeof affiliations)[number];
export const sources = ['local', 'registration', 'admin', 'import', 'jit', 'scim'] as const;
export type Source = (typeof sources)[number];

const UserSchema = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    /** The `sub` of every token. Never used for anybody else. */
    id: p.uuid().primary(),
    /** In canonical form; null once erased. */
    email: p.string().nullable(),
    /** As the person wrote it. */
    emailDisplay: p.string().nullable(),
    givenName: p.string().default(''),
    familyName: p.string().default(''),
    country: p.string().nullable(),
    entitlementCountry: p.string().nullable(),
    language: p.string().nullable(),
    phone: p.string().nullable(),
    jobTitle: p.string().nullable(),
    communicationEmail: p.string().nullable(),
    /** The communication address whose reader has said yes. */
    communicationProved: p.string().nullable(),
    identity: p.enum(identities),
    affiliation: p.enum(affiliations).default('none'),
    accountId: p.uuid().nullable(),
    source: p.enum(sources).default('local'),
    emailVerifiedAt: p.datetime().nullable(),
    lastLoginAt: p.datetime().nullable(),
    lastSeenAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    version: p.integer().version(),
  },
});

/**
 * A person. Belongs to one account at most; a person with none is unaffiliated.
 *
 * Identity, affiliation, locks and terms are four facts that move apart from each other; the status
 * that people are shown is derived from them (behaviour.md section 2.1).
 */
export class User extends UserSchema.class {}
UserSchema.setClass(User);
