import { domainStates } from '#identity/domains/domain.ts';
import { apiTokensPage, newTokenPage } from '#http/pages/console/api-tokens.ts';
import { auditCheckPage, auditPage } from '#http/pages/console/audit.ts';
import { tracePage, tracesPage } from '#http/pages/console/connection-traces.ts';
import { connectionPage, stepPage } from '#http/pages/console/connection.ts';
import { simulatePage } from '#http/pages/console/connection-simulation.ts';
import { connectionsPage, newConnectionPage } from '#http/pages/console/connections.ts';
import { dashboardPage } from '#http/pages/console/dashboard.ts';
import {
  directoriesPage,
  directoryPage,
  exchangePage,
  newDirectoryPage,
} from '#http/pages/console/directories.ts';
import { domainPage, releasePage } from '#http/pages/console/domain.ts';
import { claimPage, domainsPage } from '#http/pages/console/domains.ts';
import { secretPage } from '#http/pages/console/forms.ts';
import { refusedPage } from '#http/pages/console/parts.ts';
import { settingNames, settingsPage, type SettingName } from '#http/pages/console/settings.ts';
import { newWebhookPage, webhookPage, webhooksPage } from '#http/pages/console/webhooks.ts';
import { hostile, type Sample } from '../samples.ts';
import { at, id, later, long, longAddress, states, within } from './frame.ts';

const first = { nextCursor: null, later: false };
const between = { nextCursor: 'cursor', later: true };
const longDomain = `${'engineering'.repeat(5)}.example`;

const days = Array.from({ length: 7 }, (_, day) => ({
  day: `2026-11-${16 + day}`,
  signIns: day * 31,
  failures: 7 - day,
  refused: 1,
  locked: day % 3,
  unlocked: day % 2,
  joined: day,
  left: 1,
  requested: 3,
  approved: 2,
  rejected: 1,
}));

const counts = {
  members: 12_345,
  unaffiliated: 12,
  waiting: 3,
  former: 1,
  elsewhere: 2,
  unverified: 8,
  invitedElsewhere: 1,
};

const connection = {
  id: id(),
  name: long,
  kind: 'saml' as const,
  preset: 'entra',
  state: 'active' as const,
  mode: 'optional' as const,
  domains: ['acme.example', longDomain],
  failing: true,
};

const trace = {
  id: id(),
  purpose: 'sign_in' as const,
  outcome: 'domain_owned_by_other',
  good: false,
  beganAt: at,
};

const simulated = {
  outcome: 'refuse',
  reason: 'claim_missing',
  bound: false,
  mapped: { [long]: hostile },
  person: null,
  grants: [],
};

const exchange = {
  id: id(),
  token: long,
  at,
  outcome: 'refused' as const,
  status: 409,
  dryRun: true,
  summary: hostile,
};

const webhook = {
  id: id(),
  url: `https://hooks.acme.example/${'a'.repeat(80)}`,
  description: hostile,
  actions: ['user.*', 'connection.certificate_accepted'],
  state: 'failing' as const,
  failingSince: at,
  lastError: hostile,
  lastSentAt: at,
  waiting: 12_345,
  createdAt: at,
};

const webhooks = { title: 'Webhooks', path: '/console/webhooks' };
const tokens = { title: 'API tokens', path: '/console/api-tokens' };
const everySetting = Object.fromEntries(settingNames.map((name) => [name, ''])) as Record<
  SettingName,
  string
>;

export const organizationSamples: Sample[] = [
  ...states(
    'console, dashboard',
    dashboardPage,
    {
      path: '/console/dashboard',
      title: 'Dashboard',
      period: 7,
      days,
      signInsBy: { password: 120, federated: 40, unheard_of: 1 },
      joinedBy: { added: 3, demo: 2, just_in_time: 1 },
      lockedBy: { admin: 1, too_many_attempts: 4 },
      countedUpTo: 10_000,
      people: 12_345,
      waiting: [
        {
          count: 120,
          text: 'rooms.waiting.approvals',
          href: '/console/approvals',
          tone: 'warning',
        },
      ],
    },
    {
      'where nothing happened': {
        days: days.map(({ day }) => ({
          ...Object.fromEntries(Object.keys(days[0]!).map((key) => [key, 0])),
          day,
        })) as typeof days,
        signInsBy: {},
        joinedBy: {},
        lockedBy: {},
        waiting: [],
        acting: true,
      },
    },
  ),
  ...states(
    'console, domains',
    domainsPage,
    {
      domains: domainStates.map((state) => ({
        name: `${state.replace('_', '-')}.example`,
        shown: state === 'owned' ? longDomain : `${state}.example`,
        state,
        signup: 'approve',
        users: 12_345,
        waiting: 3,
      })),
      requests: (['access', 'release', 'transfer'] as const).map((kind) => ({
        id: id(),
        kind,
        domain: longDomain,
        direction: kind === 'release' ? 'outgoing' : 'incoming',
        state: 'open',
        message: hostile,
        claimant: long,
        contact: longAddress,
        requestedAt: at,
        dueAt: later,
      })),
      may: true,
    },
    { none: { domains: [], requests: [] } },
  ),
  ...states('console, claim a domain', claimPage, {
    values: { domain: hostile, method: 'email', mailbox: '' },
    errors: { domain: hostile, mailbox: hostile },
  }),
  ...states(
    'console, domain',
    domainPage,
    {
      name: longDomain,
      shown: longDomain,
      errors: { message: hostile, reason: hostile },
      typed: { message: hostile, reason: hostile },
      state: 'pending',
      proof: null,
      record: {
        type: 'TXT',
        name: `_idp-challenge.${longDomain}`,
        alternativeName: `_idp-challenge-2.${longDomain}`,
        value: `ostiary-domain-verification=${'a1'.repeat(32)}`,
      },
      findings: [
        {
          method: 'dns',
          outcome: 'missing',
          seen: [hostile, 'a'.repeat(200)],
          answers: [
            { source: '2001:db8:85a3:8d3:1319:8a2e:370:7348', answer: 'NXDOMAIN' },
            { source: '192.0.2.1', answer: 'timeout' },
          ],
        },
        { method: 'https', outcome: 'unknown', seen: [], answers: [] },
      ],
      below: 'out',
      signup: 'approve',
      defaults: { roles: [], groups: [], country: '' },
      roles: [['planner', long]],
      groups: [[id(), 'Engineering']],
      countries: [['DE', 'Germany']],
      waiting: 3,
      counts,
      people: [{ email: longAddress, standing: 'elsewhere' }],
      claimedAt: at,
      ownedAt: null,
      checkedAt: at,
      expiresAt: later,
      actions: ['verify', 'cancel_claim'],
      may: true,
      operator: { attest: true, transfer: 'announce' },
    },
    {
      owned: {
        state: 'owned',
        proof: 'https',
        record: {
          type: 'HTTPS',
          url: `https://${longDomain}/.well-known/x`,
          value: 'a'.repeat(64),
        },
        findings: null,
        signup: 'auto',
        ownedAt: at,
        expiresAt: null,
        actions: ['release', 'set_proof'],
        operator: { attest: false, transfer: 'decide' },
        acting: true,
      },
      contested: {
        state: 'contested',
        record: { type: 'MAIL', mailboxes: [`postmaster@${longDomain}`] },
        findings: null,
        failure: hostile,
        actions: ['request_access'],
        operator: { attest: false, transfer: null },
      },
    },
  ),
  ...states('console, let a domain go', releasePage, {
    name: longDomain,
    shown: longDomain,
    owned: true,
    counts: { members: 12, waiting: 3 },
    error: hostile,
  }),
  ...states(
    'console, connections',
    connectionsPage,
    {
      connections: [connection, { ...connection, id: id(), kind: 'oidc', mode: 'enforced' }],
      may: true,
      conflicts: true,
    },
    { none: { connections: [] } },
  ),
  ...states('console, new connection', newConnectionPage, {
    values: { name: hostile, kind: 'oidc', preset: 'okta' },
    errors: { name: hostile },
  }),
  ...states('console, connection', connectionPage, {
    connection: {
      ...connection,
      issuer: `https://${longDomain}`,
      testedAt: at,
      activatedAt: at,
      enforcedAt: null,
      testers: [longAddress],
      lastSuccessAt: at,
      lastFailureAt: at,
      lastFailure: 'claim_missing',
      signOutUpstream: true,
    },
    signedOutUri: `https://${longDomain}/federation/signed-out`,
    failures: 3,
    figures: { day: { succeeded: 1200, failed: 3 }, month: { succeeded: 31_000, failed: 90 } },
    reasons: [{ outcome: 'claim_missing', count: 3 }],
    readiness: {
      ready: false,
      members: { total: 12_345, linked: 12_000, passwordEnds: 345, breakGlass: 2 },
      items: [
        { level: 'error', count: 3, detail: hostile, people: [longAddress] },
        { level: 'ok', count: null, detail: long, people: [] },
      ],
    },
    secrets: [{ id: id(), hint: 'x1y2', createdAt: at, expiresAt: later }],
    links: [{ id: id(), contact: longAddress, expiresAt: later, lastUsedAt: at }],
    testUrl: `https://id.example/federation/test?token=${'a'.repeat(120)}`,
    problems: [hostile],
    failure: hostile,
    errors: {},
    may: true,
  }),
  ...states('console, enforce a connection', stepPage, {
    id: connection.id,
    name: long,
    step: 'enforce',
    error: hostile,
  }),
  ...states(
    'console, sign-ins of a connection',
    tracesPage,
    {
      connection,
      traces: [trace, { ...trace, id: id(), outcome: null }],
      outcome: '',
      id: '',
      ...between,
    },
    { none: { traces: [], outcome: 'failed', ...first } },
  ),
  ...states('console, one sign-in of a connection', tracePage, {
    connection,
    replayable: true,
    trace: {
      ...trace,
      steps: [{ at: at.toISOString(), kind: 'mapped', data: { [long]: hostile } }],
    },
  }),
  ...states('console, simulation', simulatePage, {
    connection,
    typed: { subject: hostile, claims: '{}', response: '', trace: '' },
    trial: null,
    found: {
      saved: simulated,
      tried: { ...simulated, outcome: 'sign_in', reason: null, bound: true },
      differences: [long, hostile],
      issuedAt: at,
      pasted: true,
      unverified: hostile,
    },
    errors: { claims: hostile, response: hostile },
    failure: hostile,
  }),
  ...states(
    'console, directories',
    directoriesPage,
    {
      endpoint: 'https://id.example/scim/v2',
      health: (
        ['held', 'expired', 'failing', 'expiring', 'silent', 'never_used', 'ok'] as const
      ).map((state) => ({
        tokenId: id(),
        name: long,
        state,
        says: hostile,
        lastSyncAt: state === 'never_used' ? null : at,
        requests: 12_345,
        errors: 12,
        expiresAt: later,
      })),
      exchanges: [exchange, { ...exchange, id: id(), outcome: 'changed', status: 200 }],
      filter: { person: '', outcome: '' },
      ...between,
      may: true,
    },
    { none: { health: [], exchanges: [], ...first } },
  ),
  ...states('console, directory', directoryPage, {
    token: {
      id: id(),
      name: long,
      scopes: { users: true, groups: true, readOnly: false },
      dryRun: true,
      domainPolicy: 'owned',
      departurePolicy: 'own_people',
      classicConfig: false,
      createdAt: at,
      expiresAt: later,
      lastUsedAt: at,
      lastUsedIp: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      limits: { number: 100, share: 25, minutes: 60 },
      held: { since: at, departures: 345, keptAt: null },
    },
    health: {
      state: 'held',
      says: hostile,
      lastSyncAt: at,
      lastErrorAt: at,
      lastError: hostile,
      requests: 12_345,
      errors: 12,
      refusedAt: at,
    },
    errors: { name: hostile, share: hostile },
    may: true,
  }),
  ...states('console, new directory', newDirectoryPage, {
    values: {
      name: '',
      reach: 'both',
      dryRun: 'yes',
      policy: 'owned',
      departures: 'everybody',
      days: '365',
    },
    errors: { name: hostile },
  }),
  ...states('console, request of a directory', exchangePage, {
    exchange: {
      ...exchange,
      method: 'PATCH',
      target: `/Users/${'a'.repeat(120)}`,
      replayable: true,
      changes: [hostile, long],
      dialect: [long],
      rule: { code: 'uniqueness', says: hostile, advice: long },
      ip: '192.0.2.1',
      userAgent: long,
      request: { schemas: [long], Operations: [{ op: 'replace', path: 'active', value: hostile }] },
      response: null,
    },
    replayed: { status: 200, statusThen: 409, summary: long, changes: [hostile] },
  }),
  ...states(
    'console, settings',
    settingsPage,
    {
      values: { ...everySetting, min_length: '12' },
      errors: { min_length: hostile, idle_minutes: hostile },
      failure: hostile,
      may: true,
      operator: true,
    },
    { 'to be read': { errors: {}, failure: undefined, may: false, operator: false } },
  ),
  ...states(
    'console, API tokens',
    apiTokensPage,
    {
      ...tokens,
      tokens: [
        {
          id: id(),
          name: long,
          role: 'account_administrator',
          scopes: ['users:read', 'groups:manage', 'audit:read'],
          createdAt: at,
          expiresAt: later,
          lastUsedAt: at,
          lastUsedIp: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
        },
        {
          id: id(),
          name: hostile,
          role: 'operator',
          scopes: ['*'],
          createdAt: at,
          expiresAt: null,
          lastUsedAt: null,
          lastUsedIp: null,
        },
      ],
      may: { create: true, revoke: true },
    },
    { none: { tokens: [] } },
  ),
  ...states('console, new API token', newTokenPage, {
    ...tokens,
    roles: true,
    values: { name: hostile, role: 'co_administrator', purpose: 'reading', days: '90' },
    errors: { name: hostile },
  }),
  {
    name: 'console, a secret that is told once',
    render: (page) =>
      secretPage(within(page), {
        title: 'New token',
        back: { href: tokens.path, title: tokens.title },
        secrets: [['Token', 'a1'.repeat(40)]],
      }),
  },
  ...states(
    'console, webhooks',
    webhooksPage,
    {
      ...webhooks,
      webhooks: (['active', 'paused', 'failing'] as const).map((state) => ({
        ...webhook,
        id: id(),
        state,
      })),
      may: true,
    },
    { none: { webhooks: [] } },
  ),
  ...states('console, new webhook', newWebhookPage, {
    ...webhooks,
    values: { url: hostile, description: '', actions: 'user.*' },
    errors: { url: hostile, actions: hostile },
  }),
  ...states('console, webhook', webhookPage, {
    ...webhooks,
    webhook,
    values: { url: webhook.url, description: long, actions: 'user.*' },
    errors: {},
    deliveries: (['pending', 'delivered', 'skipped'] as const).map((state) => ({
      id: id(),
      type: 'connection.certificate_accepted',
      state,
      attempts: 7,
      status: 503,
      error: hostile,
      durationMs: 12_345,
      createdAt: at,
      nextAt: later,
    })),
    may: true,
  }),
  ...states(
    'console, audit log',
    auditPage,
    {
      title: 'Audit log',
      path: '/console/audit',
      events: [
        {
          id: 1,
          at,
          actor: { type: 'user', id: id(), name: longAddress },
          action: 'account.changed',
          target: { type: 'account', id: id(), name: long },
          changes: [
            { field: 'settings.password.minLength', before: 12, after: 16 },
            { field: 'countries', before: ['DE', 'US'], after: ['DE', 'FR'] },
            { field: 'holdReason', before: null, after: hostile },
            { field: 'closesAt', before: at.toISOString(), after: undefined },
            { field: 'settings.enforced', before: false, after: true },
            { field: 'mapping', before: {}, after: { [long]: [1, null] } },
          ],
          rest: [['reason', hostile]],
          ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
          userAgent: long,
          reference: '01K9ZQ4T7M',
        },
        {
          id: 2,
          at,
          actor: { type: 'system', id: null, name: null },
          action: 'of_an_older.version',
          target: null,
          changes: [],
          rest: [],
          ip: null,
          userAgent: null,
          reference: null,
        },
      ],
      names: new Map(),
      filter: { actor: '', target: '', action: '', since: '', until: '' },
      errors: {},
      actions: ['user.locked', 'account.changed'],
      withoutSettings: true,
      ...between,
    },
    {
      'nothing like that': {
        events: [],
        filter: { actor: hostile, target: '', action: 'x', since: '', until: 'x' },
        errors: { action: hostile, until: hostile },
        ...first,
      },
    },
  ),
  ...states('console, audit log, altered', auditCheckPage, {
    back: { href: '/console/audit', title: 'Audit log' },
    chains: [
      { name: long, checked: 12_345, fault: { fault: 'altered', seq: 13 } },
      { name: hostile, checked: 0, fault: null },
    ],
  }),
  {
    name: 'console, refused',
    render: (page) => refusedPage(within(page), { title: long, reason: hostile, back: '/console' }),
  },
];
