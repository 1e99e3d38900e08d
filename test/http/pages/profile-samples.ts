import { countryOptions } from '#http/countries.ts';
import { dataPage } from '#http/pages/profile/data.ts';
import { detailsPage } from '#http/pages/profile/details.ts';
import {
  emailDonePage,
  emailLinkPage,
  mailDonePage,
  mailLinkPage,
} from '#http/pages/profile/mail-links.ts';
import { accountPage } from '#http/pages/profile/organization.ts';
import { securityPage } from '#http/pages/profile/security.ts';
import { hostile, type Sample } from './samples.ts';

const email = 'ann@acme.example';
const at = new Date('2026-11-20T08:15:00Z');
const details = {
  givenName: 'Ann',
  familyName: 'Archer',
  country: 'DE',
  language: 'en',
  phone: '+49 30 1234567',
  jobTitle: 'Bridge engineer',
};
const sessions = [
  {
    uid: 'a',
    current: true,
    signedInAt: at,
    seenAt: at,
    ip: '203.0.113.7',
    device: 'Firefox, Linux',
    clients: ['ProjectWise Explorer', 'Planner'],
  },
  { uid: 'b', current: false, signedInAt: null, seenAt: at, ip: null, device: null, clients: [] },
];

const factors = {
  items: [
    { id: 'f1', kind: 'totp' as const, name: 'Authenticator app', createdAt: at, lastUsedAt: at },
    { id: 'f2', kind: 'passkey' as const, name: 'Firefox, Linux', createdAt: at, lastUsedAt: null },
  ],
  codesLeft: 3,
  mayAdd: true,
  demanded: false,
};

/** The pages of `/profile`. */
export const profileSamples: Sample[] = [
  {
    name: 'profile, details',
    render: (page) =>
      detailsPage({
        ...page,
        email,
        details,
        countries: countryOptions(page.t.locale),
        mail: { address: null, waits: false },
        managed: [],
      }),
  },
  {
    name: 'profile, details refused',
    render: (page) =>
      detailsPage({
        ...page,
        email,
        failed: true,
        details: { ...details, givenName: hostile, phone: hostile, jobTitle: hostile },
        countries: countryOptions(page.t.locale),
        mail: { address: 'ann@home.example', waits: false },
        mailFailed: true,
        mailTyped: 'nobody',
        managed: [],
        errors: { givenName: 'name', phone: 'phone', jobTitle: 'text', country: 'country' },
        emailError: 'foreign',
        emailTyped: hostile,
      }),
  },
  {
    name: 'profile, details managed',
    render: (page) =>
      detailsPage({
        ...page,
        email,
        done: page.t('profile.saved'),
        details,
        countries: countryOptions(page.t.locale),
        mail: { address: 'ann@home.example', waits: true },
        managed: ['email', 'givenName', 'familyName'],
        account: hostile,
      }),
  },
  {
    name: 'profile, security',
    render: (page) =>
      securityPage({
        ...page,
        email,
        hasPassword: true,
        minLength: 12,
        sessions,
        applications: [{ id: 'x', name: 'Field Recorder', grantedAt: at }],
        links: [],
        factors,
      }),
  },
  {
    name: 'profile, security refused',
    render: (page) =>
      securityPage({
        ...page,
        email: hostile,
        failed: true,
        hasPassword: true,
        minLength: 12,
        passwordError: 'wrong',
        problems: ['too_short', 'mismatch'],
        sessions: sessions.map((one) => ({ ...one, device: hostile, clients: [hostile] })),
        applications: [{ id: hostile, name: hostile, grantedAt: at }],
        links: [{ name: hostile, linkedAt: at }],
        factors: {
          ...factors,
          items: factors.items.map((one) => ({ ...one, name: hostile })),
          error: 'last',
          demanded: true,
        },
      }),
  },
  {
    name: 'profile, security without password',
    render: (page) =>
      securityPage({
        ...page,
        email,
        hasPassword: false,
        minLength: 12,
        sessions: sessions.slice(0, 1),
        applications: [],
        links: [{ name: 'Acme sign-in', linkedAt: at }],
        factors: { items: [], codesLeft: 0, mayAdd: false, demanded: false },
      }),
  },
  {
    name: 'profile, account',
    render: (page) =>
      accountPage({
        ...page,
        email,
        account: { name: 'Acme', number: '1001', hold: null },
        roles: ['Co-Administrator', 'Download'],
        groups: ['Bridges'],
        entitlementCountry: 'Germany',
        administrators: [{ name: 'Fay Miller', email: 'fay@acme.example' }],
        invitations: [],
        terms: [{ title: 'Terms of Service', version: '2026-06-01', acceptedAt: at }],
      }),
  },
  {
    name: 'profile, account on hold, hostile',
    render: (page) =>
      accountPage({
        ...page,
        email,
        account: { name: hostile, number: hostile, hold: hostile },
        pendingAt: hostile,
        roles: [hostile],
        groups: [hostile],
        entitlementCountry: null,
        administrators: [{ name: hostile, email: hostile }],
        invitations: [{ account: hostile, expiresAt: at }],
        terms: [{ title: hostile, version: hostile, acceptedAt: at }],
      }),
  },
  {
    name: 'profile, no account',
    render: (page) =>
      accountPage({
        ...page,
        email,
        account: null,
        roles: [],
        groups: [],
        entitlementCountry: null,
        administrators: [],
        invitations: [{ account: 'Beta', expiresAt: at }],
        terms: [],
      }),
  },
  {
    name: 'profile, data',
    render: (page) => dataPage({ ...page, email, managedBy: null }),
  },
  {
    name: 'profile, data of the last administrator',
    render: (page) =>
      dataPage({
        ...page,
        email,
        managedBy: null,
        account: hostile,
        failed: true,
        error: 'administrator',
      }),
  },
  {
    name: 'profile, data of a contact',
    render: (page) =>
      dataPage({
        ...page,
        email,
        managedBy: null,
        account: 'Acme',
        failed: true,
        error: 'contact',
      }),
  },
  {
    name: 'profile, data managed, refused',
    render: (page) =>
      dataPage({ ...page, email, managedBy: 'Acme', failed: true, error: 'missing' }),
  },
  {
    name: 'profile, another address for mail',
    render: (page) =>
      mailLinkPage({
        ...page,
        action: '/profile/mail/confirm',
        token: 'x',
        email,
        address: 'ann@home.example',
      }),
  },
  {
    name: 'profile, another address for mail is confirmed',
    render: (page) => mailDonePage({ ...page, address: 'ann@home.example' }),
  },
  {
    name: 'profile, confirm address',
    render: (page) =>
      emailLinkPage({
        ...page,
        action: '/profile/email/confirm',
        token: 't',
        email,
        reverts: false,
      }),
  },
  {
    name: 'profile, take address back',
    render: (page) =>
      emailLinkPage({
        ...page,
        action: '/profile/email/revert',
        token: 't',
        email: hostile,
        reverts: true,
      }),
  },
  {
    name: 'profile, address changed',
    render: (page) => emailDonePage({ ...page, email, href: '/profile', resets: false }),
  },
];
