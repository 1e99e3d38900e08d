import { accountsPage } from '#http/pages/console/accounts.ts';
import {
  clientPage,
  clientsPage,
  newClientPage,
  resourcesPage,
} from '#http/pages/console/clients.ts';
import { keysPage } from '#http/pages/console/keys.ts';
import {
  mergePage,
  moveReportPage,
  movesPage,
  proposalPage,
  splitPage,
  type ReportShown,
} from '#http/pages/console/moves.ts';
import { closePage, newAccountPage, organizationPage } from '#http/pages/console/organization.ts';
import {
  newTermsPage,
  termsListPage,
  termsPreviewPage,
  termsVersionPage,
} from '#http/pages/console/terms.ts';
import { markdown } from '#http/markdown.ts';
import { hostile, type Sample } from '../samples.ts';
import { at, id, later, long, longAddress, states } from './frame.ts';

const first = { nextCursor: null, later: false };
const between = { nextCursor: 'cursor', later: true };
const longDomain = `${'engineering'.repeat(5)}.example`;

const client = {
  id: 'demo-web-with-a-very-long-client-id-that-somebody-chose',
  name: long,
  preset: 'web' as const,
  firstParty: false,
  disabledAt: at,
};
const clientValues = {
  name: long,
  redirectUris: `https://${longDomain}/cb`,
  logoutUris: '',
  backchannel: '',
  consent: 'yes' as const,
  account: 'no' as const,
  resources: ['https://api.example/'],
};
const resources = [['https://api.example/', long]] as const;

const report: ReportShown = {
  source: long,
  target: hostile,
  people: { members: 12_345, invited: 3 },
  roles: [
    { email: longAddress, from: 'account_administrator', to: 'co_administrator' },
    { email: 'ann@acme.example', from: 'planner', to: null },
  ],
  domains: [
    { domain: longDomain, outcome: 'moves' },
    { domain: 'acme.example', outcome: 'dropped' },
  ],
  groups: [{ name: long, newName: hostile }],
  countriesLost: [{ country: 'US', people: 12 }],
  membershipsLost: 3,
  approvals: 2,
  tokensRevoked: 1,
  webhooksPaused: 4,
  problems: [],
};

const proposal = {
  id: id(),
  kind: 'merge' as const,
  source: long,
  target: hostile,
  state: 'open' as const,
  proposer: longAddress,
  proposedAt: at,
  expiresAt: later,
};

const organization = {
  id: id(),
  name: long,
  number: '1001',
  countries: ['DE', 'US'],
  status: 'on_hold' as const,
  holdReason: hostile,
  heldAt: at,
  closesAt: later,
  users: 12_345,
  createdAt: at,
  administrators: [{ id: id(), name: long, email: longAddress, role: 'account_administrator' }],
  contacts: [{ id: id(), name: hostile, email: longAddress, country: 'DE' }],
};

const terms = {
  kind: 'tos' as const,
  version: '2026-11-22',
  effectiveAt: later,
  texts: [
    {
      locale: 'en',
      title: hostile,
      body: markdown(`# ${long}\n\n${hostile}\n\n- one\n- two`),
      sha256: 'ab'.repeat(32),
    },
    { locale: 'de', title: 'Nutzungsbedingungen', body: markdown(long), sha256: 'cd'.repeat(32) },
  ],
};

export const installationSamples: Sample[] = [
  ...states('console, signing keys', keysPage, {
    keys: (['RS256', 'ES256'] as const).flatMap((alg) =>
      (['current', 'next', 'retired'] as const).map((state) => ({
        kid: `${state}-${alg}-${'k'.repeat(30)}`,
        alg,
        state,
        createdAt: at,
        retiresAt: state === 'retired' ? later : null,
      })),
    ),
  }),
  ...states(
    'console, accounts',
    accountsPage,
    {
      accounts: (['active', 'on_hold', 'closing', 'closed', 'merged'] as const).map((status) => ({
        id: id(),
        name: status === 'active' ? long : `Acme ${status}`,
        number: '1001',
        status,
        domains: ['acme.example', longDomain],
        users: 12_345,
      })),
      q: '',
      next: null,
      ...between,
    },
    { 'none found, on the way': { accounts: [], q: hostile, next: '/users', ...first } },
  ),
  ...states('console, new account', newAccountPage, {
    values: {
      name: hostile,
      number: '',
      countries: '',
      email: '',
      givenName: '',
      familyName: '',
      country: 'DE',
    },
    countries: [['DE', 'Germany']],
    errors: { name: hostile, countries: hostile, email: hostile },
    failure: hostile,
  }),
  ...states(
    'console, organization',
    organizationPage,
    {
      organization,
      reason: hostile,
      errors: { reason: hostile },
      may: { hold: true, close: true, move: true },
    },
    {
      'to be read': {
        organization: {
          ...organization,
          status: 'active',
          holdReason: null,
          heldAt: null,
          closesAt: null,
          administrators: [],
          contacts: [],
        },
        may: { hold: false, close: false, move: false },
      },
    },
  ),
  ...states('console, close an account', closePage, { name: long, errors: { confirm: hostile } }),
  ...states('console, merge accounts', mergePage, {
    values: { into: hostile, administrators: 'none', keep: [] },
    people: [[id(), longAddress]],
    errors: { into: hostile },
  }),
  ...states('console, split an account', splitPage, {
    values: {
      name: '',
      number: '',
      domains: [longDomain],
      groups: [],
      users: '',
      administrators: '',
    },
    domains: [longDomain, 'acme.example'],
    groups: [[id(), long]],
    errors: { name: hostile },
  }),
  ...states(
    'console, what a merge would do',
    moveReportPage,
    { kind: 'merge', report, values: { into: '1002' }, reason: '', errors: { reason: hostile } },
    { 'and cannot': { report: { ...report, problems: ['same_account', 'nobody_moves'] } } },
  ),
  ...states(
    'console, merges and splits',
    movesPage,
    {
      proposals: (['open', 'expired', 'confirmed', 'withdrawn', 'superseded'] as const).map(
        (state) => ({ ...proposal, id: id(), state }),
      ),
      ...between,
    },
    { none: { proposals: [], ...first } },
  ),
  ...states(
    'console, proposal of a merge',
    proposalPage,
    {
      proposal: { ...proposal, report, digest: 'ab'.repeat(32), reason: hostile, moveId: null },
      changed: { ...report, approvals: 3 },
      own: false,
    },
    { own: { own: true, changed: null, failure: hostile } },
  ),
  ...states(
    'console, applications',
    clientsPage,
    {
      clients: [
        client,
        { ...client, id: 'spa', preset: 'spa', firstParty: true, disabledAt: null },
      ],
      q: '',
      ...between,
    },
    { none: { clients: [], ...first } },
  ),
  ...states(
    'console, new application',
    newClientPage,
    {
      preset: 'web',
      values: clientValues,
      resources,
      errors: { name: hostile },
      problems: [hostile],
    },
    { 'of a machine': { preset: 'machine', errors: {}, problems: [] } },
  ),
  ...states(
    'console, application',
    clientPage,
    {
      client: { ...client, createdAt: at, updatedAt: at, version: 1 },
      method: 'client_secret_basic',
      values: clientValues,
      resources,
      secrets: [
        { id: id(), hint: 'x1y2', createdAt: at, expiresAt: later },
        { id: id(), hint: 'z3a4', createdAt: at, expiresAt: null },
      ],
      errors: { redirectUris: hostile },
      problems: [hostile],
    },
    { 'without a secret': { secrets: null, errors: {}, problems: [] } },
  ),
  ...states(
    'console, APIs',
    resourcesPage,
    {
      resources: [
        {
          identifier: `https://${longDomain}/`,
          name: long,
          scopes: ['read:everything', 'write:everything', 'administer:everything'],
          ttl: 300,
          alg: 'ES256',
        },
      ],
      values: { identifier: hostile, name: '', scopes: '' },
      errors: { identifier: hostile, name: hostile },
    },
    { none: { resources: [], errors: {} } },
  ),
  ...states(
    'console, terms',
    termsListPage,
    {
      versions: [
        {
          ...terms,
          id: id(),
          requiresReaccept: true,
          locales: ['cs', 'de', 'en', 'es', 'fr', 'it'],
        },
        { ...terms, id: id(), kind: 'privacy', requiresReaccept: false, locales: ['en'] },
      ],
    },
    { none: { versions: [] } },
  ),
  ...states('console, version of the terms', termsVersionPage, {
    ...terms,
    publishedAt: at,
    requiresReaccept: true,
  }),
  ...states('console, new terms', newTermsPage, {
    values: { kind: 'tos', version: hostile, effective: '', anew: 'yes', texts: {} },
    languages: [
      ['en', 'English'],
      ['de', 'German'],
    ],
    errors: { title_de: hostile, body_en: hostile },
  }),
  ...states('console, publish terms', termsPreviewPage, {
    ...terms,
    values: { kind: 'tos' },
    stopped: { people: 12_345, soon: 300 },
  }),
];
