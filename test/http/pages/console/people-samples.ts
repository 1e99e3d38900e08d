import { accountPage } from '#http/pages/console/account.ts';
import { addPage, joinPage } from '#http/pages/console/add-user.ts';
import { approvalsPage, decidedPage, decidePage } from '#http/pages/console/approvals.ts';
import { bulkPage, jobPage, uploadPage, type JobShown } from '#http/pages/console/bulk.ts';
import { contactsPage, removeContactPage } from '#http/pages/console/contacts.ts';
import { decideErasurePage, erasuresPage } from '#http/pages/console/erasures.ts';
import { explainPage } from '#http/pages/console/explain.ts';
import {
  groupFormPage,
  groupPage,
  groupsPage,
  removeGroupPage,
} from '#http/pages/console/groups.ts';
import { invitationsPage, revokePage } from '#http/pages/console/invitations.ts';
import type { LockShown } from '#http/pages/console/people.ts';
import { removeRolePage, roleFormPage, rolesPage } from '#http/pages/console/roles.ts';
import { secondFactorsPage, userFactorsPage } from '#http/pages/console/second-factors.ts';
import { actionDonePage, actionPage } from '#http/pages/console/user-actions.ts';
import { changeUserPage } from '#http/pages/console/user-change.ts';
import { removedPage } from '#http/pages/console/removed-users.ts';
import { userPage } from '#http/pages/console/user.ts';
import { userColumns, usersPage } from '#http/pages/console/users.ts';
import { hostile, type Sample } from '../samples.ts';
import { at, id, later, long, longAddress, states } from './frame.ts';

const ann = { id: id(), email: 'ann@acme.example', givenName: 'Ann', familyName: 'Archer' };
const hans = { id: id(), email: longAddress, givenName: long, familyName: hostile };
const nobody = { id: id(), email: null, givenName: '', familyName: '' };
const people = [ann, hans, nobody];

const countries = [
  ['DE', 'Germany'],
  ['US', 'United States'],
] as const;
const choices = {
  roles: [
    { key: 'account_administrator', name: 'Account Administrator' },
    { key: 'planner', name: long },
  ],
  groups: [
    { id: id(), name: 'Engineering' },
    { id: id(), name: hostile },
  ],
};
const first = { nextCursor: null, later: false };
const between = { nextCursor: 'cursor', later: true };

const locks: LockShown[] = [
  { reason: 'admin', since: at, until: null, by: 'fay@acme.example', note: hostile },
  { reason: 'too_many_attempts', since: at, until: later, by: null, note: null },
];

const row = {
  ...ann,
  status: 'active',
  locks: [],
  roles: ['account_administrator'],
  groups: choices.groups.slice(0, 1),
  source: 'registration',
  entitlementCountry: 'DE',
  lastLoginAt: at,
  createdAt: at,
} as const;

const filter = {
  q: '',
  status: '',
  lock: '',
  role: '',
  group: '',
  domain: '',
  source: '',
  since: '',
  countryMissing: false,
  sort: 'name',
};

const users = states(
  'console, users',
  usersPage,
  {
    users: [
      row,
      {
        ...row,
        ...hans,
        status: 'locked',
        locks,
        roles: ['planner', 'unknown_role'],
        groups: choices.groups,
        entitlementCountry: null,
      },
      { ...row, ...nobody, status: 'registered-unverified', lastLoginAt: null },
    ],
    filter,
    columns: userColumns,
    choices: { ...choices, domains: ['acme.example', longAddress.split('@')[1]!] },
    ticked: new Set([ann.id]),
    elsewhere: { text: 'sealed', count: 1200 },
    actions: [
      { key: 'lock', title: 'people.do.lock' },
      { key: 'country', title: 'people.do.country' },
    ],
    ...between,
    may: { add: true, restore: true },
  },
  {
    'nobody fits': {
      users: [],
      filter: { ...filter, q: hostile, lock: 'admin', since: '2026-01-01', countryMissing: true },
      ...first,
    },
    'nobody there': { users: [], elsewhere: { text: '', count: 0 }, ...first, acting: true },
  },
);

const user = states(
  'console, user',
  userPage,
  {
    user: {
      ...ann,
      status: 'active',
      country: 'DE',
      entitlementCountry: null,
      language: 'de',
      source: 'scim',
      roles: ['account_administrator', 'planner'],
      groups: choices.groups,
      fulfillmentContact: true,
      lastLoginAt: at,
      createdAt: at,
    },
    details: {
      phone: '+49 30 1234567',
      jobTitle: long,
      communicationWaits: true,
      communicationEmail: longAddress,
      emailVerifiedAt: at,
      lastSeenAt: at,
      entitlementPinned: true,
      breakGlass: true,
      passwordSetAt: at,
      factors: [
        { id: id(), kind: 'totp', name: hostile, lastUsedAt: at },
        { id: id(), kind: 'passkey', name: 'Phone', lastUsedAt: null },
      ],
      links: [{ id: id(), connection: long, subject: longAddress, lastUsedAt: at }],
      affiliations: [
        { reason: 'directory', beganAt: at, endedAt: null },
        { reason: 'moved', beganAt: at, endedAt: at },
      ],
      terms: [{ title: 'Terms of Service', version: '2026-06-01', acceptedAt: at }],
      invitation: { sentAt: at, expiresAt: later },
      manages: choices.groups,
      suppressed: { reason: 'bounced', code: '5.1.1', since: at },
    },
    authorities: [
      { attribute: 'givenName', source: 'directory', name: long, since: at },
      { attribute: 'country', source: 'administrator', name: null, since: at },
      { attribute: 'jobTitle', source: 'identity_provider', name: hostile, since: at },
    ],
    locks: [
      { ...locks[0]!, mine: true, lifters: 'administrators' },
      { ...locks[1]!, mine: false, lifters: 'itself' },
    ],
    sessions: [
      {
        id: id(),
        createdAt: at,
        seenAt: at,
        ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
        device: 'Firefox, Windows',
        clients: [],
        own: true,
      },
      { id: id(), createdAt: at, seenAt: at, ip: null, device: null, clients: [], own: false },
    ],
    events: [
      {
        id: 1,
        at,
        action: 'connection.certificate_accepted',
        actor: { type: 'user', name: longAddress },
        reference: '01K9ZQ4T7M',
      },
      {
        id: 2,
        at,
        action: 'user.affiliated',
        actor: { type: 'system', name: null },
        reference: null,
      },
    ],
    roles: choices.roles,
    actions: [
      { key: 'reset', title: 'people.do.reset' },
      { key: 'lock', title: 'people.do.lock' },
      { key: 'unlock', title: 'people.do.unlock' },
      { key: 'remove', title: 'people.do.remove' },
      { key: 'roles', title: 'people.do.roles' },
      { key: 'groups', title: 'people.do.groups' },
      { key: 'country', title: 'people.do.country' },
      { key: 'sessions', title: 'people.do.sessions' },
    ],
    beyond: false,
    self: false,
    may: { sessions: true, audit: true, change: true },
  },
  {
    'of higher rank, and little known': {
      user: {
        ...hans,
        status: 'suspended',
        country: null,
        entitlementCountry: 'DE',
        language: null,
        source: 'local',
        roles: [],
        groups: [],
        fulfillmentContact: false,
        lastLoginAt: null,
        createdAt: at,
      },
      details: {
        phone: null,
        jobTitle: null,
        communicationEmail: null,
        communicationWaits: false,
        emailVerifiedAt: null,
        lastSeenAt: null,
        entitlementPinned: false,
        breakGlass: false,
        passwordSetAt: null,
        factors: [],
        links: [],
        affiliations: [],
        terms: [],
        invitation: null,
        manages: [],
        suppressed: null,
      },
      authorities: [],
      locks: [],
      sessions: [],
      events: [],
      beyond: true,
      self: true,
      may: { sessions: false, audit: false, change: false },
      acting: true,
    },
  },
);

const action = states(
  'console, user action',
  actionPage,
  {
    key: 'lock',
    title: 'people.do.lock',
    what: ['people.do.lock_what', 'people.do.lock_more'],
    danger: true,
    field: 'note',
    people: [ann],
    refused: [],
    sel: 'sealed',
    from: 'user',
    back: '/users',
    choices,
    held: null,
    countries: ['DE', 'US'],
    reasons: ['admin', 'compromised'],
    input: {
      note: '',
      reason: 'admin',
      give: [],
      take: [],
      into: '',
      outOf: '',
      country: '',
      pinned: false,
    },
    problem: null,
  },
  {
    'roles of several, some refused': {
      key: 'roles',
      title: 'people.do.roles',
      what: ['people.do.roles_what'],
      danger: false,
      field: 'roles',
      people: [...people, ...Array.from({ length: 22 }, () => ({ ...ann, id: id() }))],
      refused: [{ person: hans, reason: hostile }],
      problem: 'people.do.roles_missing',
    },
    country: {
      key: 'country',
      title: 'people.do.country',
      what: ['people.do.country_what'],
      danger: false,
      field: 'country',
    },
    'with the note left out': { problem: 'people.do.note_missing', acting: true },
  },
);

const requests = people.map((person) => ({
  ...person,
  id: id(),
  domain: 'acme.example',
  country: 'DE',
  requestedAt: at,
  source: 'federated' as const,
  client: { name: long },
}));

const job: JobShown = {
  id: id(),
  kind: 'update',
  state: 'running',
  total: 1000,
  succeeded: 612,
  skipped: 4,
  failed: 12,
  by: longAddress,
  createdAt: at,
  rowsUntil: later,
};

const group = {
  id: id(),
  name: long,
  description: hostile,
  type: 'entitlement' as const,
  entitlementCountry: 'DE',
  source: 'local' as const,
  members: 12_345,
  version: 1,
};

const role = {
  key: 'planner',
  name: long,
  description: hostile,
  builtIn: false,
  requires: ['account_administrator'],
  assigned: 3,
};

const contact = { id: id(), email: longAddress, name: long, country: null, createdAt: at };

const erasure = {
  id: id(),
  userId: ann.id,
  email: longAddress,
  name: long,
  state: 'waiting',
  requestedAt: at,
  dueAt: later,
};

const values = {
  email: longAddress,
  givenName: 'Ann',
  familyName: hostile,
  country: 'DE',
  language: 'de',
};

export const peopleSamples: Sample[] = [
  ...users,
  ...user,
  ...states('console, removed users', removedPage, {
    people: people.map((one) => ({ ...one, removedAt: at, removedBy: longAddress })),
    ...between,
  }),
  ...action,
  ...states('console, user action, done for some', actionDonePage, {
    title: 'people.do.lock',
    text: 'Two were locked.',
    refused: [{ person: hans, reason: hostile }],
    back: '/users',
  }),
  ...states('console, change a user', changeUserPage, {
    user: ann,
    values: { ...values, communicationEmail: '' },
    managed: [{ attribute: 'givenName', name: long }],
    countries,
    errors: { familyName: hostile, communicationEmail: hostile },
    failure: hostile,
  }),
  ...states(
    'console, add a user',
    addPage,
    {
      way: 'add',
      values: { ...values, entitlementCountry: '', roles: [], groups: [], send: true },
      errors: {},
      refused: { code: 'user_exists', text: hostile },
      next: [{ title: 'people.add.to_account', href: '/console/users/add/join' }],
      countries,
      choices,
      entitledIn: ['DE', 'US'],
    },
    {
      'all wrong': {
        way: 'invite',
        errors: { email: hostile, givenName: hostile, familyName: hostile, country: hostile },
        refused: null,
        next: [],
      },
    },
  ),
  ...states('console, take in who exists', joinPage, {
    how: 'add',
    userId: ann.id,
    values: { email: longAddress, roles: [], groups: [], entitlementCountry: '', unlock: true },
    error: hostile,
    choices,
    entitledIn: ['DE'],
  }),
  ...states(
    'console, approvals',
    approvalsPage,
    { requests, ...between },
    { none: { requests: [], ...first } },
  ),
  ...states(
    'console, approve',
    decidePage,
    {
      decision: 'approve',
      people,
      values: { entitlementCountry: 'DE', roles: [], groups: [], note: '', message: '' },
      error: null,
      choices,
      entitledIn: ['DE', 'US'],
    },
    { 'or reject': { decision: 'reject', error: hostile } },
  ),
  ...states('console, approvals, decided before', decidedPage, {
    text: 'One was approved.',
    refused: [{ email: longAddress, reason: hostile, decidedBy: longAddress, decidedAt: at }],
  }),
  ...states(
    'console, invitations',
    invitationsPage,
    {
      invitations: [
        { ...ann, state: 'pending', sentAt: at, expiresAt: later, sends: 2, invitedBy: null },
        { ...hans, state: 'expired', sentAt: at, expiresAt: at, sends: 1, invitedBy: longAddress },
      ],
      state: '',
      ...between,
      may: true,
    },
    { none: { invitations: [], ...first } },
  ),
  ...states('console, revoke an invitation', revokePage, { id: id(), invited: longAddress }),
  ...states(
    'console, groups',
    groupsPage,
    { groups: [group, { ...group, id: id(), source: 'scim' }], q: '', ...between, may: true },
    { none: { groups: [], ...first }, 'none found': { groups: [], q: hostile, ...first } },
  ),
  ...states(
    'console, group',
    groupPage,
    {
      group,
      members: [
        {
          id: ann.id,
          email: longAddress,
          name: long,
          entitlementCountry: 'US',
          countryMismatch: true,
          manages: true,
          addedAt: at,
        },
      ],
      q: 'ann',
      found: [
        { ...ann, status: 'active', inside: false },
        { ...hans, status: 'locked', inside: true },
      ],
      searched: true,
      ...between,
      may: { manage: true, see: true },
      error: null,
    },
    {
      'of a directory': { group: { ...group, source: 'scim' }, members: [], ...first },
      'for who manages it, refused': {
        may: { manage: false, see: false },
        members: [],
        error: hostile,
        ...first,
      },
    },
  ),
  ...states(
    'console, new group',
    groupFormPage,
    {
      group: null,
      values: { name: '', description: '', type: 'standard', entitlementCountry: '' },
      countries: ['DE'],
      errors: { name: hostile, entitlementCountry: hostile },
      failure: hostile,
    },
    { changed: { group: { ...group, source: 'scim' } } },
  ),
  ...states('console, remove a group', removeGroupPage, { group }),
  ...states('console, roles', rolesPage, {
    roles: [
      role,
      { ...role, key: 'account_administrator', builtIn: true, requires: [], assigned: 0 },
    ],
    may: true,
  }),
  ...states('console, new role', roleFormPage, {
    role: null,
    values: { key: 'planner', name: long, description: '', requires: [], revokeOnRemove: true },
    others: choices.roles,
    errors: { key: hostile, requires: hostile },
    failure: hostile,
  }),
  ...states('console, remove a role', removeRolePage, { role }),
  ...states(
    'console, contacts',
    contactsPage,
    {
      contacts: [contact],
      limit: 10,
      countries: ['DE', 'US'],
      q: 'ann',
      short: false,
      found: [{ id: ann.id, email: longAddress, name: long }],
      may: true,
      chosen: { user: ann.id, country: 'DE' },
      error: hostile,
    },
    { 'none, refused': { contacts: [], q: 'a', short: true, found: null } },
  ),
  ...states('console, remove a contact', removeContactPage, { contact }),
  ...states(
    'console, deletion requests',
    erasuresPage,
    { requests: [erasure], may: true },
    { none: { requests: [] } },
  ),
  ...states('console, decide about a deletion', decideErasurePage, {
    decision: 'approve',
    request: erasure,
    note: hostile,
    error: hostile,
  }),
  ...states(
    'console, bulk operations',
    bulkPage,
    {
      jobs: (['checking', 'checked', 'running', 'done', 'cancelled'] as const).map((state) => ({
        ...job,
        id: id(),
        state,
      })),
      ...between,
      may: { upload: true, export: true },
    },
    { none: { jobs: [], ...first } },
  ),
  ...states(
    'console, upload a file',
    uploadPage,
    {
      kind: 'add',
      required: ['Email', 'FirstName', 'LastName', 'Country'],
      optional: ['ProfileCountry', 'CommunicationEmail', 'Language', 'Roles', 'Groups'],
      rowLimit: 1000,
      options: { sendInvitation: true, addExisting: false, inviteExisting: false, note: '' },
      error: null,
    },
    { refused: { kind: 'update', error: hostile } },
  ),
  ...states(
    'console, bulk job',
    jobPage,
    {
      job: { ...job, state: 'checked' },
      result: '',
      rows: [
        { row: 2, email: longAddress, result: 'ok', text: 'Would be changed.', userId: ann.id },
        { row: 3, email: hostile, result: 'error', text: hostile, userId: null },
        { row: 4, email: 'bob@acme.example', result: 'skipped', text: long, userId: null },
      ],
      ...between,
      may: { manage: true },
    },
    {
      'at work': { job, rows: [], ...first },
      done: { job: { ...job, state: 'done' }, result: 'error', rows: [], ...first },
    },
  ),
  ...states(
    'console, explain',
    explainPage,
    {
      address: longAddress,
      client: '',
      clients: [['demo-web', long]],
      said: {
        email: longAddress,
        standing: 'mine_lapsed',
        person: {
          id: ann.id,
          here: true,
          affiliation: 'member',
          locks: ['admin', 'too_many_attempts'],
          outstandingTerms: 1,
        },
        signIn: { access: 'deny', reason: 'account_on_hold' },
        doors: [
          { doors: ['discovery'], good: true, text: long, resolver: 'none' },
          {
            doors: ['admin_add', 'bulk_add', 'invite'],
            good: false,
            text: hostile,
            resolver: 'other_account',
          },
        ],
      },
    },
    { 'what is no address': { said: null, error: hostile } },
  ),
  ...states(
    'console, second factors',
    secondFactorsPage,
    {
      policy: 'admins',
      domains: [
        { name: 'acme.example', shown: 'acme.example', required: true, stopped: 0 },
        {
          name: `${'a'.repeat(60)}.example`,
          shown: `${'a'.repeat(60)}.example`,
          required: false,
          stopped: 12,
        },
      ],
      breakGlass: [{ id: ann.id, email: longAddress }],
      stopped: { admins: 2, all: 12_345 },
      may: { policy: true, domains: true },
    },
    { 'to be read': { domains: [], breakGlass: [], may: { policy: false, domains: false } } },
  ),
  ...states('console, second factors of a user', userFactorsPage, {
    userId: ann.id,
    name: long,
    factors: [
      { id: id(), kind: 'totp', name: hostile, lastUsedAt: at },
      { id: id(), kind: 'passkey', name: 'Phone', lastUsedAt: null },
    ],
    codesLeft: 2,
    required: false,
    anew: false,
    breakGlass: false,
    may: { reset: true, require: true, breakGlass: true },
  }),
  ...states(
    'console, account',
    accountPage,
    {
      name: long,
      administrators: [{ email: longAddress, name: hostile, role: 'account_administrator' }],
    },
    { 'that nobody administers': { administrators: [] } },
  ),
];
