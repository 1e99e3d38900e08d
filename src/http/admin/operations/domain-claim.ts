import { z } from 'zod';
import { claimDomain } from '#identity/domains/claim-domain.ts';
import { proofMethods } from '#identity/domains/domain.ts';
import { DomainView, showDomain } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'claimDomain',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains',
  summary: 'Claims a domain, and says what is to be published to prove it.',
  description:
    'A claim grants nothing until it is proved, and ends after seven days. A proof by mail is weak: directories and just-in-time sign-in need `dns` or `https`. To prove an owned domain in another way, claim it again.',
  right: 'domains:manage',
  body: z.strictObject({
    domain: z.string().min(1).max(300),
    method: z.enum(proofMethods).default('dns'),
    mailbox: z
      .string()
      .max(320)
      .optional()
      .describe(
        'With `email`: admin, administrator, hostmaster, postmaster, webmaster, or an address of the domain. Without it, all five are asked.',
      ),
  }),
  example: { domain: 'acme.example', method: 'dns' },
  result: DomainView,
  status: 201,
  refusals: [
    'invalid_domain',
    'public_suffix',
    'public_mail_domain',
    'limit_reached',
    'invalid_email',
  ],

  async handle(work, { account, body }) {
    const { name } = await claimDomain(work, account.id, body);
    return showDomain(work, account.id, name, work.now);
  },
});
