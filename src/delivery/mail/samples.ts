import { conflictReasons } from '#identity/federation/conflicts.ts';
import { letterKinds } from '#identity/mail/letter-rules.ts';
import type { Letter, LetterKind, LetterOf } from '#identity/mail/letter.ts';
import { translator } from '#messages/translate.ts';
import type { Locale } from '#platform/i18n.ts';
import { type RenderedMail, renderMail } from './render.ts';

const at = new Date('2026-06-01T09:00:00Z');
const expiresAt = new Date('2026-06-08T09:00:00Z');
const codeExpiresAt = new Date('2026-06-01T09:10:00Z');
const link = (path: string): string => `https://id.example.com${path}`;
const token = 'A4sbYH1Gt0Tm1pnTzT0pXrCDV3xLUSW6';
const account = 'Acme';
const domain = 'acme.example';
const administrators = [
  'Grace Hopper (grace@acme.example)',
  'Katherine Johnson (katherine@acme.example)',
];
const names = ['Alan Turing (alan@acme.example)', 'Mary Jackson (mary@acme.example)'];
const signInLink = link('/');
const domainLink = link('/console/domains/acme.example');

type Sample<Kind extends LetterKind> = Omit<LetterOf<Kind>, 'kind'>;

/** Each letter with values as they come, and its variants: what the previews show and the tests read. */
const samples: { [Kind in LetterKind]: Sample<Kind>[] } = {
  registration_code: [
    {
      code: '431867',
      codeExpiresAt,
      link: link(`/register/confirm?token=${token}`),
      expiresAt,
    },
  ],
  registration_known: [{ signInLink, resetLink: link('/forgot-password') }],
  registration_closed: [{ domain }],
  welcome: [
    { account, administrators, signInLink },
    { account: null, administrators: [], signInLink },
  ],
  activation: [
    { account, invitedBy: 'Grace Hopper', link: link(`/activate?token=${token}`), expiresAt },
    { account, invitedBy: null, link: link(`/activate?token=${token}`), expiresAt },
    { account: null, invitedBy: null, link: link(`/activate?token=${token}`), expiresAt },
  ],
  invitation: [
    { account, invitedBy: 'Grace Hopper', link: link(`/invitation?token=${token}`), expiresAt },
    { account, invitedBy: null, link: link(`/invitation?token=${token}`), expiresAt },
  ],
  account_welcome: [
    { account, link: link(`/activate?token=${token}`), expiresAt },
    { account, link: signInLink, expiresAt: null },
  ],
  approval_reminder: [
    {
      account,
      count: 1,
      names: names.slice(0, 1),
      queueLink: link('/console/approvals'),
      unsubscribeLink: link(`/mail/reminders?token=${token}`),
    },
    {
      account,
      count: 7,
      names,
      queueLink: link('/console/approvals'),
      unsubscribeLink: link(`/mail/reminders?token=${token}`),
    },
  ],
  approved: [{ account, administrators, signInLink }],
  added_to_account: [
    { account, administrators, locked: false, signInLink },
    { account, administrators, locked: true, signInLink },
  ],
  rejected: [
    { account, message: 'Please register with your address at Globex.', administrators },
    { account, message: null, administrators: [] },
  ],
  password_reset: [
    {
      by: 'user',
      code: '90317264',
      codeExpiresAt,
      link: link(`/reset-password?token=${token}`),
      expiresAt,
    },
    {
      by: 'administrator',
      code: null,
      codeExpiresAt: null,
      link: link(`/reset-password?token=${token}`),
      expiresAt,
    },
  ],
  password_managed: [{ account, signInLink }],
  password_ends: [{ account, endsAt: expiresAt, signInLink }],
  locked_out: [
    { at, origin: 'Berlin, Germany', resetLink: link('/forgot-password'), administrators },
    { at, origin: null, resetLink: null, administrators: [] },
    { at, origin: null, paused: true, resetLink: link('/forgot-password'), administrators },
  ],
  credential_changed: [
    {
      what: 'email',
      at,
      origin: 'Berlin, Germany',
      link: link(`/undo?token=${token}`),
      revertsUntil: expiresAt,
    },
    ...(
      [
        'password',
        'totp_added',
        'totp_removed',
        'passkey_added',
        'passkey_removed',
        'recovery_codes',
        'upstream_linked',
      ] as const
    ).map((what) => ({
      what,
      at,
      origin: 'Berlin, Germany',
      link: link('/profile/security'),
      revertsUntil: null,
    })),
  ],
  removed_from_account: [
    ...(['administrator', 'directory', 'inactive'] as const).map((why) => ({
      account,
      why,
      administrators,
    })),
    { account, why: 'account_closed', administrators: [] },
  ],
  email_change: [
    { email: 'ada@globex.example', link: link(`/confirm-email?token=${token}`), expiresAt },
  ],
  communication_email: [
    { email: 'ada@globex.example', link: link(`/profile/mail/confirm?token=${token}`), expiresAt },
  ],
  bulk_finished: (['add', 'update', 'delete'] as const).map((job) => ({
    job,
    succeeded: 1994,
    skipped: 3,
    failed: 3,
    resultLink: link('/console/bulk/17'),
    expiresAt,
  })),
  domain_owned: (['dns', 'https', 'email', 'operator'] as const).map((proof) => ({
    account,
    domain,
    proof,
    unaffiliated: 12,
    elsewhere: 2,
    domainLink,
  })),
  erasure: [
    ...(['person', 'inactivity', 'support'] as const).map((by) => ({
      stage: 'requested' as const,
      by,
      account: null,
      erasedAt: expiresAt,
      link: link(`/keep-account?token=${token}`),
    })),
    ...(['cancelled', 'refused', 'done'] as const).map((stage) => ({
      stage,
      by: 'person' as const,
      account,
      erasedAt: null,
      link: null,
    })),
  ],
  erasure_request: [{ account, user: names[0]!, requestsLink: link('/console/erasures') }],
  domain_contested: (['ownership', 'access', 'release'] as const).map((request) => ({
    account,
    domain,
    request,
    claimant: 'Globex',
    contact: 'Dorothy Vaughan (dorothy@globex.example)',
    domainLink,
    expiresAt,
  })),
  domain_at_risk: [
    {
      account,
      domain,
      stage: 'failing',
      expected: `ostiary-domain-verification=${token}`,
      found: null,
      lapsesAt: expiresAt,
      domainLink,
    },
    {
      account,
      domain,
      stage: 'stopped',
      expected: `ostiary-domain-verification=${token}`,
      found: null,
      lapsesAt: expiresAt,
      domainLink,
    },
    {
      account,
      domain,
      stage: 'lapsed',
      expected: `ostiary-domain-verification=${token}`,
      found: 'v=spf1 -all',
      lapsesAt: null,
      domainLink,
    },
  ],
  factor_reset: [
    { what: 'reset', user: null, by: 'Grace Hopper', at, securityLink: link('/profile/security') },
    {
      what: 'reset',
      user: 'Ada Lovelace',
      by: 'Grace Hopper',
      at,
      securityLink: link('/console/users/17'),
    },
    {
      what: 'recovery_codes_used_up',
      user: null,
      by: null,
      at,
      securityLink: link('/profile/security'),
    },
  ],
  secret_expiring: [
    ...(['client_secret', 'scim_token', 'certificate'] as const).map((what, index) => ({
      account,
      what,
      label: 'Acme Entra ID',
      days: [30, 7, 1][index]!,
      endsAt: expiresAt,
      settingsLink: link('/console/connections'),
    })),
    ...(['connection_failing', 'certificate_found'] as const).map((what) => ({
      account,
      what,
      label: 'Acme Entra ID',
      days: 0,
      endsAt: null,
      settingsLink: link('/console/connections'),
    })),
  ],
  sign_in_conflict: conflictReasons.map((reason) => ({
    account,
    reason,
    email: 'ann@acme.example',
    conflictsLink: link('/console/connections/conflicts'),
  })),
  webhook_failing: [
    { account, label: 'hooks.acme.example', settingsLink: link('/console/webhooks') },
  ],
  directory_held: [
    {
      account,
      label: 'Acme Entra ID',
      departures: 101,
      minutes: 60,
      settingsLink: link('/console/connections'),
    },
  ],
  directory_failing: (['failing', 'recovered'] as const).map((event) => ({
    account,
    label: 'Acme Entra ID',
    event,
    errors: 18,
    requests: 20,
    lastError: event === 'failing' ? 'uniqueness: Somebody has this userName already.' : null,
    settingsLink: link('/console/scim'),
  })),
  setup_finished: [true, false].map((directory) => ({
    account,
    label: 'Acme Entra ID',
    contact: directory ? 'Ida of the IT' : '',
    directory,
    settingsLink: link('/console/connections/17'),
  })),
  directory_spared: [
    {
      account,
      label: 'Acme Entra ID',
      user: 'Fay Miller (fay@acme.example)',
      accountLink: link('/console'),
    },
  ],
  no_administrator: [{ account, accountLink: link('/console') }],
  account_notice: [
    {
      account,
      event: 'on_hold',
      message: 'An invoice is open.\nPlease call us.',
      into: null,
      closesAt: null,
      accountLink: link('/console'),
    },
    {
      account,
      event: 'merged',
      message: null,
      into: 'Globex',
      closesAt: null,
      accountLink: link('/console'),
    },
    {
      account,
      event: 'closing',
      message: null,
      into: null,
      closesAt: expiresAt,
      accountLink: link('/console'),
    },
    ...(['resumed', 'closed'] as const).map((event) => ({
      account,
      event,
      message: null,
      into: null,
      closesAt: null,
      accountLink: link('/console'),
    })),
  ],
  inactivity: [30, 7, 1].map((days) => ({ days, locksAt: expiresAt, signInLink })),
  inactivity_list: [
    { account, count: 1, names: names.slice(0, 1), usersLink: link('/console/users') },
    { account, count: 2, names, usersLink: link('/console/users') },
  ],
  domain_proof: [
    {
      account,
      domain,
      claimant: 'Grace Hopper',
      link: link(`/domains/confirm?token=${token}`),
      expiresAt,
    },
  ],
  domain_capture: [{ account, domain, decidesUntil: expiresAt, signInLink }],
  new_device: [0, 1, 5].map((failures) => ({
    at,
    origin: 'Berlin, Germany',
    device: 'Firefox on Windows',
    failures,
    sessionsLink: link('/profile/sessions'),
  })),
  second_factor_guessed: [{ at, origin: '203.0.113.7', resetLink: link('/forgot-password') }],
  break_glass_used: [{ account, user: 'fay@acme.example', at, origin: '203.0.113.7' }],
  lock_notice: (['locked', 'compromised', 'suspended', 'partly', 'unlocked'] as const).map(
    (event) => ({
      event,
      account,
      at,
      administrators,
    }),
  ),
};

/** Each letter, and each of its variants. */
export const sampleLetters: readonly Letter[] = letterKinds.flatMap((kind) =>
  samples[kind].map((values) => ({ kind, ...values }) as Letter),
);

export interface MailPreview {
  kind: string;
  /** Counts the variants of one kind, from 0. */
  variant: number;
  render(locale: Locale): RenderedMail;
}

/** Every letter as it would leave, for the page that shows them to a developer. */
export function mailPreviews(product: string): MailPreview[] {
  return letterKinds.flatMap((kind) =>
    sampleLetters
      .filter((letter) => letter.kind === kind)
      .map((letter, variant) => ({
        kind,
        variant,
        render: (locale: Locale) =>
          renderMail(
            letter,
            { name: 'Ada Lovelace', reference: '4H7QX2MKTW', product },
            translator(locale),
          ),
      })),
  );
}
