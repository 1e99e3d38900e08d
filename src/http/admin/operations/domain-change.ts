import { z } from 'zod';
import { signupModes } from '#identity/domains/domain.ts';
import { changeDefaults, changeSignup } from '#identity/domains/signup.ts';
import { includeSubdomains } from '#identity/domains/subdomains.ts';
import { domainIn, DomainView, showDomain } from '../domain-views.ts';
import { operation } from '../operation.ts';
import { Country } from '../schemas.ts';

export default operation({
  id: 'changeDomain',
  tag: 'Domains',
  method: 'patch',
  path: '/accounts/:accountId/domains/:domain',
  summary: 'Says how people of a domain come in who register, and what they are given.',
  description:
    'Nobody who waits already is approved by it: `approve-waiting` does that, and `waiting` says how many they are.',
  right: 'domains:manage',
  body: z.strictObject({
    signup: z.enum(signupModes).optional(),
    defaults: z
      .strictObject({
        roles: z.array(z.string().max(100)).max(50).optional(),
        groups: z.array(z.uuid()).max(50).optional(),
        entitlementCountry: Country.nullable().optional(),
      })
      .optional(),
    includeSubdomains: z
      .boolean()
      .optional()
      .describe(
        'Own what is below it, too, where nobody else does. Its proof has to stand in DNS.',
      ),
  }),
  example: { signup: 'auto' },
  result: DomainView,
  refusals: [
    'domain_not_found',
    'domain_not_owned',
    'domain_not_proved',
    'domain_in_use',
    'role_not_found',
    'cannot_grant_higher_role',
    'not_found',
    'invalid_country',
  ],

  async handle(work, { account, params, body: { signup, defaults, includeSubdomains: include } }) {
    const name = domainIn(params);
    if (signup) await changeSignup(work, account.id, name, signup);
    if (defaults) await changeDefaults(work, account.id, name, defaults);
    if (include !== undefined) await includeSubdomains(work, account.id, name, include);
    return showDomain(work, account.id, name, work.now);
  },
});
