import { z } from 'zod';
import { setBreakGlass } from '#identity/credentials/break-glass.ts';
import {
  factorOverview,
  removeFactorOf,
  requireFactor,
  resetFactors,
} from '#identity/credentials/factors.ts';
import { factorlessOf } from '#identity/credentials/factorless.ts';
import { domainDemandsFactor, demandFactorOfDomain } from '#identity/domains/second-factor.ts';
import { takeDomain } from '#identity/domains/domain.ts';
import type { Work } from '#identity/work.ts';
import { domainIn } from '../domain-views.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { Moment } from '../schemas.ts';

const FactorView = z
  .object({
    id: z.string(),
    kind: z.enum(['totp', 'passkey']),
    name: z.string().describe('What the person calls it.'),
    createdAt: Moment,
    lastUsedAt: Moment.nullable(),
  })
  .meta({ id: 'SecondFactor' });

const FactorsView = z
  .object({
    factors: z.array(FactorView),
    recoveryCodesLeft: z.number().int(),
    required: z.boolean().describe('Whether an administrator demands one of this person.'),
    anew: z.boolean().describe('Whether the next sign-in sets one up, after a reset.'),
    breakGlass: z
      .boolean()
      .describe("Whether they may sign in here past the company's identity provider."),
  })
  .meta({ id: 'SecondFactors' });

const tag = 'Second factors';
const switched = z.strictObject({ required: z.boolean() });

/** Second factors of people: what they have, whether they have to, and what is done when it is lost. */
export const secondFactorOperations: readonly AnyOperation[] = [
  operation({
    id: 'previewSecondFactors',
    tag,
    method: 'get',
    path: '/accounts/:accountId/second-factors-preview',
    summary: 'Says how many people a stricter policy would stop, to set a second factor up.',
    description: 'Who signs in by a password here and has nothing beside it.',
    right: 'account:read',
    result: z
      .object({
        admins: z.number().int().describe('With the policy `admins`.'),
        all: z.number().int().describe('With the policy `all`.'),
        domains: z.array(z.object({ domain: z.string(), people: z.number().int() })),
      })
      .meta({ id: 'SecondFactorsPreview' }),
    handle: (work, { account }) => factorlessOf(work, account.id, work.now),
  }),

  operation({
    id: 'getSecondFactors',
    tag,
    method: 'get',
    path: '/accounts/:accountId/users/:userId/second-factors',
    summary: 'Gives the second factors of a person, and what is demanded of them.',
    right: 'users:read',
    result: FactorsView,
    handle: (work, { person }) => factorOverview(work, person.id),
  }),

  operation({
    id: 'resetSecondFactors',
    tag,
    method: 'delete',
    path: '/accounts/:accountId/users/:userId/second-factors',
    summary: 'Removes every second factor of a person, who sets one up anew at the next sign-in.',
    description:
      'For who lost their phone: make sure that it is really them who asks. Sessions and tokens end at once. The person and the administrators are told by mail.',
    right: 'users:reset_factors',
    result: FactorsView,
    refusals: ['second_factor_missing'],
    async handle(work, { person, asking }) {
      await resetFactors(work, asking, person);
      return factorOverview(work, person.id);
    },
  }),

  operation({
    id: 'removeSecondFactor',
    tag,
    method: 'delete',
    path: '/accounts/:accountId/users/:userId/second-factors/:factorId',
    summary: 'Removes one second factor of a person, such as a key that was lost.',
    description: 'With the last one it is a reset: the next sign-in sets one up anew.',
    right: 'users:reset_factors',
    result: FactorsView,
    refusals: ['not_found'],
    async handle(work, { person, asking, params }) {
      await removeFactorOf(work, asking, person, params['factorId']!);
      return factorOverview(work, person.id);
    },
  }),

  operation({
    id: 'requireSecondFactor',
    tag,
    method: 'post',
    path: '/accounts/:accountId/users/:userId/second-factors/require',
    summary: 'Demands a second factor of a person, or does so no more.',
    description: 'Where the account, the domain or the installation demands one, it is demanded.',
    right: 'users:require_factor',
    body: switched,
    example: { required: true },
    result: FactorsView,
    async handle(work, { person, asking, body }) {
      await requireFactor(work, asking, person, body.required);
      return factorOverview(work, person.id);
    },
  }),

  operation({
    id: 'setBreakGlass',
    tag,
    method: 'post',
    path: '/accounts/:accountId/users/:userId/break-glass',
    summary: "Lets an Account Administrator sign in here past the company's identity provider.",
    description:
      'For the day on which the identity provider does not answer. Up to three of an account; each needs a password and a second factor here before. Each use is told to all Account Administrators.',
    right: 'users:break_glass',
    body: z.strictObject({ on: z.boolean() }),
    example: { on: true },
    result: FactorsView,
    refusals: ['second_factor_missing', 'limit_reached'],
    async handle(work, { account, person, asking, body }) {
      await work.query('select 1 from accounts where id = $1 for no key update', [account.id]);
      await setBreakGlass(work, asking, person, account.id, body.on);
      return factorOverview(work, person.id);
    },
  }),

  operation({
    id: 'getDomainSecondFactor',
    tag,
    method: 'get',
    path: '/accounts/:accountId/domains/:domain/second-factor',
    summary: 'Says whether a second factor is demanded of everybody with an address of a domain.',
    right: 'domains:read',
    result: switched,
    refusals: ['domain_not_found'],
    handle: (work, { account, params }) => demanded(work, account.id, domainIn(params)),
  }),

  operation({
    id: 'requireDomainSecondFactor',
    tag,
    method: 'post',
    path: '/accounts/:accountId/domains/:domain/second-factor',
    summary:
      'Demands a second factor of everybody with an address of a domain, or does so no more.',
    description:
      'Who has none sets one up at the next sign-in; sessions and refresh tokens wait for it.',
    right: 'domains:manage',
    body: switched,
    example: { required: true },
    result: switched,
    refusals: ['domain_not_found', 'domain_not_owned'],
    async handle(work, { account, asking, params, body }) {
      const name = domainIn(params);
      await demandFactorOfDomain(work, asking, account.id, name, body.required);
      return demanded(work, account.id, name);
    },
  }),
];

async function demanded(
  work: Work,
  accountId: string,
  name: string,
): Promise<{ required: boolean }> {
  const { id } = await takeDomain(work, accountId, name);
  return { required: await domainDemandsFactor(work, id) };
}
