import {
  domainAnsweredPage,
  domainLinkInvalidPage,
  domainProofPage,
} from '#http/pages/domain-proof.ts';
import { hostile, type Sample } from './samples.ts';

const domain = 'acme.example';

/** What whoever reads the mail of a domain is asked. */
export const domainSamples: Sample[] = [
  {
    name: 'domain, confirm or deny',
    render: (page) =>
      domainProofPage({
        ...page,
        action: '/domains/confirm',
        token: 'token',
        domain,
        account: 'Acme',
        claimant: 'Fay Miller',
      }),
  },
  {
    name: 'domain, claimed by somebody hostile',
    render: (page) =>
      domainProofPage({
        ...page,
        action: '/domains/confirm',
        token: 'token',
        domain,
        account: hostile,
        claimant: hostile,
      }),
  },
  {
    name: 'domain, confirmed',
    render: (page) => domainAnsweredPage({ ...page, answer: 'confirm', domain, account: 'Acme' }),
  },
  {
    name: 'domain, denied',
    render: (page) => domainAnsweredPage({ ...page, answer: 'deny', domain, account: hostile }),
  },
  { name: 'domain, link invalid', render: (page) => domainLinkInvalidPage(page) },
];
