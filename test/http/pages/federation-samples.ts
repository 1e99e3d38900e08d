import {
  federationAskPage,
  federationStepUpPage,
  federationStopPage,
  federationTestPage,
  type FederationStop,
} from '#http/pages/federation.ts';
import { hostile, type Sample } from './samples.ts';

const trace = '019d3b7e-7d3c-7b1c-9c2e-0a4b6c8d1e2f';
const stops: readonly FederationStop[] = [
  'denied',
  'error',
  'unreachable',
  'invalid',
  'unavailable',
  'domain',
  'attributes',
  'conflict',
  'not_provisioned',
  'removed',
];

const countries = [
  ['DE', 'Germany'],
  ['US', 'United States'],
] as const;

/** What people see on their way through their company's identity provider. */
export const federationSamples: Sample[] = [
  ...stops.map((reason): Sample => ({
    name: `federation, ${reason}`,
    render: (page) =>
      federationStopPage({
        ...page,
        reason,
        email: 'dan@acme.example',
        error: 'access_denied',
        missing: ['givenName', 'country'],
        account: 'Acme',
        administrators: [{ name: 'Fay Miller', email: 'fay@acme.example' }],
        trace,
        retryHref: reason === 'unreachable' ? '/sign-in/1' : undefined,
        localHref: reason === 'unreachable' ? '/sign-in/1?local=1' : undefined,
        returnHref: '/sign-in/1/return',
      }),
  })),
  {
    name: 'federation, stopped with hostile words',
    render: (page) =>
      federationStopPage({
        ...page,
        reason: 'error',
        error: hostile,
        account: hostile,
        administrators: [{ name: hostile, email: 'fay@acme.example' }],
        trace,
      }),
  },
  {
    name: 'federation, details missing',
    render: (page) =>
      federationAskPage({
        ...page,
        action: '/sign-in/1/federated/2/3',
        account: hostile,
        email: 'dan@acme.example',
        missing: ['givenName', 'familyName', 'country'],
        values: { givenName: hostile },
        errors: { familyName: true, country: true },
        countries,
        returnHref: '/sign-in/1/return',
      }),
  },
  {
    name: 'federation, administrator confirms',
    render: (page) =>
      federationStepUpPage({
        ...page,
        action: '/sign-in/1/federated/2/3',
        account: 'Acme',
        email: 'fay@acme.example',
        error: 'wrong',
        returnHref: '/sign-in/1/return',
      }),
  },
  {
    name: 'federation, test went through',
    render: (page) =>
      federationTestPage({
        ...page,
        connection: hostile,
        ok: true,
        outcome: 'create',
        received: { sub: '1', email: 'dan@acme.example', groups: ['a', hostile] },
        mapped: { identifier: 'dan@acme.example', country: 'US' },
        trace,
      }),
  },
  {
    name: 'federation, test failed',
    render: (page) =>
      federationTestPage({
        ...page,
        connection: 'Acme sign-in',
        ok: false,
        outcome: 'upstream_unreachable',
        detail: 'No answer (ECONNREFUSED).',
        received: {},
        mapped: {},
        trace,
      }),
  },
];
