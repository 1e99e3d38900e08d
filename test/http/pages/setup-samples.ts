import { setupInvalidPage, setupPage, type SetupPage } from '#http/pages/setup.ts';
import { hostile, type Sample } from './samples.ts';

const at = new Date('2026-12-01T09:00:00Z');

const begun = {
  account: 'Acme',
  expiresAt: at,
  action: '/setup/secret',
  kind: 'saml',
  domains: [
    {
      name: 'acme.example',
      displayName: 'acme.example',
      state: 'pending',
      record: { name: '_idp-challenge.acme.example', value: 'ostiary-domain-verification=abc' },
    },
  ],
  ours: {
    kind: 'saml',
    entityId: 'https://id.example/federation/1/metadata',
    acsUrl: 'https://id.example/federation/1/acs',
    metadataUrl: null,
  },
  issuer: null,
  metadataUrl: null,
  clientId: null,
  secretKept: false,
  certificates: [],
  mapping: {},
  usual: { identifier: 'mail', givenName: 'givenName', familyName: 'sn', country: 'c' },
  seen: null,
  directory: null,
  testHref: null,
  test: null,
  complete: { domain: false, provider: false, mapping: false, test: false, directory: null },
} as const satisfies Omit<SetupPage, 't'>;

/** What the IT of a company sees who sets its connection up. */
export const setupSamples: Sample[] = [
  { name: 'setup, begun', render: (page) => setupPage({ ...page, ...begun }) },
  {
    name: 'setup, done',
    render: (page) =>
      setupPage({
        ...page,
        ...begun,
        account: hostile,
        domains: [
          { name: 'acme.example', displayName: 'acme.example', state: 'here', record: null },
          { name: 'acme.test', displayName: 'acme.test', state: 'elsewhere', record: null },
          { name: 'acme.invalid', displayName: 'acme.invalid', state: 'free', record: null },
        ],
        issuer: hostile,
        certificates: [
          { fingerprint: 'ab'.repeat(32), notAfter: at, staged: false },
          { fingerprint: 'cd'.repeat(32), notAfter: at, staged: true },
        ],
        mapping: { identifier: hostile },
        seen: { identifier: 'ann@acme.example', givenName: hostile, familyName: null },
        testHref: '/federation/1/start?test=1',
        test: { at, ok: true, outcome: 'create', trace: '0194' },
        directory: {
          endpoint: 'https://id.example/scim/v2',
          token: null,
          made: true,
          dryRun: true,
          firstRequestAt: at,
        },
        complete: { domain: true, provider: true, mapping: true, test: true, directory: true },
        saved: 'mapping',
      }),
  },
  {
    name: 'setup, OpenID Connect, with a problem',
    render: (page) =>
      setupPage({
        ...page,
        ...begun,
        kind: 'oidc',
        ours: { kind: 'oidc', redirectUri: 'https://id.example/federation/1/callback' },
        issuer: 'https://idp.acme.example',
        clientId: 'ostiary',
        secretKept: true,
        directory: {
          endpoint: 'https://id.example/scim/v2',
          token: `scim_${'0'.repeat(32)}_${'a'.repeat(43)}`,
          made: true,
          dryRun: true,
          firstRequestAt: null,
        },
        test: { at, ok: false, outcome: 'domain_not_owned', trace: '0194' },
        problem: {
          step: 'provider',
          what: 'provider',
          detail: hostile,
          field: 'issuer',
          typed: { issuer: hostile, client_id: hostile },
        },
        consoleHref: '/console/connections/1',
      }),
  },
  { name: 'setup, link invalid', render: (page) => setupInvalidPage(page) },
];
