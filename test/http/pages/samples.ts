import { translator } from '#messages/translate.ts';
import { html, type Html } from '#platform/html.ts';
import type { Locale } from '#platform/i18n.ts';
import { assetPath } from '#http/assets.ts';
import type { PageContext } from '#http/layout.ts';
import { consentPage, describeScope } from '#http/pages/consent.ts';
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from '#http/pages/device.ts';
import { formPostPage, landingPage, statusPage } from '#http/pages/front.ts';
import { identifierPage, passwordPage } from '#http/pages/identify.ts';
import {
  codePage,
  forgotPasswordPage,
  forgotPasswordSentPage,
  linkInvalidPage,
  newPasswordPage,
  passwordChangedPage,
} from '#http/pages/password.ts';
import {
  invitationDonePage,
  invitationPage,
  type InvitationStop,
  invitationStopPage,
} from '#http/pages/invitation.ts';
import {
  deadLinkPage,
  registeredPage,
  registerPage,
  registerSentPage,
  registerUpstreamPage,
  unsubscribePage,
} from '#http/pages/register.ts';
import { signedOutPage, signOutPage } from '#http/pages/sign-out.ts';
import { keptFormPage } from '#http/pages/kept-form.ts';
import { stopPage, type StopReason } from '#http/pages/stop.ts';
import { type TermsDocument, termsPage } from '#http/pages/terms.ts';
import { busyPage, errorPage, expiredPage, throttledPage } from '#http/pages/trouble.ts';

/** Every page as people may meet it: as usual, refused, and with names meant to do harm. */
export interface Sample {
  name: string;
  render: (page: PageContext) => Html;
}

/** What a person, an administrator or an application may call themselves. */
export const hostile = '"><svg onload=alert(1)>\u202e<script src=//evil.example></script>{x}\'`';
const long = 'Donaudampfschifffahrtsgesellschaftskapitän'.repeat(250);
const arabic = 'شركة الأمثلة المحدودة';

export const csrf = 'csrf-token-of-the-sample';

export function pageContext(locale: Locale): PageContext {
  return {
    t: translator(locale),
    csrf,
    here: '/sign-in/abc?token=x',
    helpHref: '/help',
    privacyHref: '/privacy',
  };
}

const email = 'ann@acme.example';
const clientName = 'ProjectWise Explorer';
const reference = '01K9ZQ4T7M';
const date = new Date('2026-12-24T10:30:00Z');
const administrators = [
  { name: 'Fay Okafor', email: 'fay@acme.example' },
  { name: 'Jürgen Großmann', email: 'juergen.grossmann@acme.example' },
];
const hostilePeople = [
  { name: hostile, email: `${hostile}@acme.example` },
  { name: arabic, email: 'a@acme.example' },
  { name: long, email: `${long}@acme.example` },
];

const identify = { action: '/sign-in/abc/identifier', forgotHref: '/forgot-password' };
const password = {
  action: '/sign-in/abc/password',
  changeHref: '/sign-in/abc/identifier',
  email,
  forgotHref: '/forgot-password',
};

const paragraphs = Array.from(
  { length: 12 },
  (_, index) => html`
    <h3>${index + 1}. What we do for you</h3>
    <p>
      You may use the service for the work of your organization. We look after it with the care that
      is usual in the trade, and we tell you in good time when something changes.
    </p>
  `,
);
const tos: TermsDocument = {
  kind: 'tos',
  title: 'Terms of Service',
  version: '2026-06',
  effectiveAt: new Date('2026-06-01T00:00:00Z'),
  body: html`${paragraphs}`,
  id: 'tos-2026-06',
};
const privacy: TermsDocument = {
  ...tos,
  kind: 'privacy',
  title: 'Privacy Notice',
  id: 'privacy-2026-06',
};
const terms = {
  action: '/sign-in/abc/terms',
  declineAction: '/sign-in/abc/decline',
  documents: [tos, privacy],
  updated: false,
};

const scopes = [
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'organization',
  'roles',
  'groups',
  'offline_access',
  'models:write',
];
const consent = {
  action: '/sign-in/abc/consent',
  declineAction: '/sign-in/abc/deny',
  email,
  resources: [{ identifier: 'https://api.example/', scopes: ['api:read', 'api:write'] }],
  offline: true,
};

const stopReasons: StopReason[] = [
  'locked.attempts',
  'locked.admin',
  'locked.unaffiliated',
  'locked.directory',
  'locked.inactive',
  'locked.operator',
  'locked.compromised',
  'locked.erasing',
  'locked.domain_lapsed',
  'locked.expired',
  'account.hold',
  'account.closed',
  'pending',
  'unaffiliated',
  'client.denied',
];

const countries = [
  ['AX', 'Åland Islands'],
  ['GS', 'South Georgia and the South Sandwich Islands'],
  ['NL', 'Netherlands'],
] as const;
const registration = { action: '/register', countries, signInHref: '/profile' };
const registrationSent = {
  email,
  codeAction: '/register/code',
  resendAction: '/register/resend',
  backHref: '/register',
};
const invitation = {
  path: '/invitations/s3cret',
  account: 'Acme Engineering',
  inviter: 'Fay Okafor',
  email,
  expiresAt: date,
  groups: [],
  way: 'signed_in' as const,
  countries,
  minLength: 12,
};
const invitationStops: InvitationStop[] = [
  'unknown',
  'declined',
  'revoked',
  'expired',
  'superseded',
  'accepted',
  'wrong_person',
  'member_elsewhere',
  'domain_owned_by_other',
  'account_on_hold',
  'inviter',
  'not_addable',
  'sign_in_upstream',
];

const newPassword = { action: '/forgot-password/new', email, token: 't0k3n', minLength: 12 };
const sent = { backHref: '/', codeAction: '/forgot-password/code' };
const device = { action: '/device', xsrf: 'xsrf-of-the-provider' };

export const samples: Sample[] = [
  sample('identifier', identifierPage, { ...identify, registerHref: '/register', clientName }),
  sample('identifier, empty', identifierPage, { ...identify, error: 'empty' }),
  sample('identifier, invalid', identifierPage, { ...identify, email: 'ann', error: 'invalid' }),
  sample('identifier, hostile', identifierPage, {
    ...identify,
    email: hostile,
    clientName: hostile,
    error: 'invalid',
  }),
  sample('identifier, long', identifierPage, { ...identify, email: long, clientName: long }),

  sample('password', passwordPage, { ...password, clientName }),
  sample('password, wrong', passwordPage, { ...password, error: 'wrong', remember: true }),
  sample('password, locked', passwordPage, { ...password, error: 'locked' }),
  sample('password, throttled', passwordPage, { ...password, error: 'throttled', minutes: 5 }),
  sample('password, throttled briefly', passwordPage, { ...password, error: 'throttled' }),
  sample('password, expired', passwordPage, { ...password, error: 'expired' }),
  sample('password, hostile', passwordPage, { ...password, email: hostile, clientName: hostile }),
  sample('password, long', passwordPage, { ...password, email: long, clientName: arabic }),

  sample('terms', termsPage, { ...terms, clientName }),
  sample('terms, updated', termsPage, { ...terms, documents: [tos], updated: true }),
  sample('terms, not accepted', termsPage, { ...terms, error: 'missing' }),
  sample('terms, hostile', termsPage, {
    ...terms,
    clientName: hostile,
    documents: [
      { ...tos, title: hostile, version: hostile, id: hostile },
      { ...tos, title: long, body: html`<p>${long}</p>` },
    ],
  }),

  {
    name: 'consent',
    render: (page) =>
      consentPage({
        ...page,
        ...consent,
        clientName,
        clientUri: 'https://app.example/',
        policyUri: 'https://app.example/privacy',
        tosUri: 'https://app.example/terms',
        scopes: scopes.map((scope) => describeScope(page.t, scope)),
      }),
  },
  {
    name: 'consent, little',
    render: (page) =>
      consentPage({
        ...page,
        ...consent,
        clientName: arabic,
        logoUri: assetPath('mark.svg'),
        scopes: [describeScope(page.t, 'openid')],
        resources: [],
        offline: false,
      }),
  },
  {
    name: 'consent, hostile',
    render: (page) =>
      consentPage({
        ...page,
        ...consent,
        clientName: hostile,
        clientUri: 'javascript:alert(1)',
        logoUri: 'https://evil.example/pixel.gif',
        policyUri: 'data:text/html,x',
        tosUri: '//evil.example',
        email: long,
        scopes: [
          { name: 'x', title: hostile, description: hostile },
          { name: 'y', title: long, description: long },
        ],
        resources: [{ identifier: hostile, scopes: [hostile, long] }],
      }),
  },

  ...stopReasons.map((reason) =>
    sample(`stop, ${reason}`, stopPage, {
      reason,
      account: 'Acme Engineering',
      administrators,
      reference,
      date,
      clientName,
      signOutAction: '/sign-out',
      returnHref: '/sign-in/abc/return',
      forgotHref: reason === 'locked.attempts' ? '/forgot-password' : undefined,
      keep: reason === 'locked.erasing' ? { csrf, token: 'abc', signIn: 'def' } : undefined,
      text: reason === 'account.hold' ? 'Invoice 4711 is open. Call +31 20 555 0100.' : undefined,
    }),
  ),
  ...stopReasons.map((reason) =>
    sample(`stop, ${reason}, nothing known`, stopPage, { reason, reference }),
  ),
  sample('stop, hostile', stopPage, {
    reason: 'account.hold',
    account: hostile,
    administrators: hostilePeople,
    reference,
    text: `${hostile} ${long}`,
    clientName: long,
    returnHref: '/sign-in/abc/return',
    signOutAction: '/sign-out',
  }),

  sample('expired', expiredPage, { startHref: '/profile', reference }),
  sample('expired, without a start', expiredPage, { reference }),
  sample('throttled', throttledPage, { minutes: 2, reference }),
  sample('busy', busyPage, { seconds: 7 }),
  ...[400, 404, 405, 413, 421, 500, 503].map((status) =>
    sample(`error ${status}`, errorPage, { status, reference }),
  ),
  sample('error of OAuth', errorPage, {
    status: 400,
    detail: 'redirect_uri did not match any of the client’s registered redirect_uris',
    code: 'invalid_redirect_uri',
    reference,
  }),
  sample('error, hostile', errorPage, {
    status: 400,
    title: hostile,
    detail: `${hostile} ${long}`,
    code: hostile,
    reference,
  }),

  sample('sent before a sign-in', keptFormPage, {
    action: '/console/groups/new',
    fields: { kept: 'secret' },
  }),
  sample('sign out', signOutPage, {
    formAction: '/session/end/confirm',
    xsrf: 'xsrf-of-the-provider',
    stayHref: '/profile',
    email,
    clientName,
  }),
  sample('sign out, hostile', signOutPage, {
    formAction: '/session/end/confirm',
    xsrf: hostile,
    stayHref: '/profile',
    email: long,
    clientName: hostile,
  }),
  sample('sign out, no application', signOutPage, {
    formAction: '/session/end/confirm',
    xsrf: 'x',
    stayHref: '/profile',
  }),
  sample('signed out', signedOutPage, { clientName, signInHref: '/profile' }),
  sample('signed out, no application', signedOutPage, {}),
  sample('signed out, hostile', signedOutPage, { clientName: hostile }),

  sample('forgot password', forgotPasswordPage, { action: '/forgot-password', backHref: '/' }),
  sample('forgot password, invalid', forgotPasswordPage, {
    action: '/forgot-password',
    email: hostile,
    error: 'invalid',
    backHref: '/',
  }),
  sample('forgot password, sent', forgotPasswordSentPage, { ...sent, email }),
  sample('forgot password, sent, wrong', forgotPasswordSentPage, {
    ...sent,
    email: long,
    error: 'wrong',
  }),
  sample('new password', newPasswordPage, { ...newPassword, mode: 'reset' }),
  sample('new password, first', newPasswordPage, {
    ...newPassword,
    mode: 'activate',
    givenName: 'Zoë',
  }),
  sample('new password, unnamed', newPasswordPage, { ...newPassword, mode: 'activate' }),
  sample('new password, refused', newPasswordPage, {
    ...newPassword,
    mode: 'reset',
    errors: ['too_short', 'too_long', 'common', 'personal', 'mismatch', 'same', 'missing'],
  }),
  sample('new password, hostile', newPasswordPage, {
    ...newPassword,
    email: hostile,
    token: hostile,
    mode: 'activate',
    givenName: hostile,
    errors: ['mismatch'],
  }),
  sample('link invalid', linkInvalidPage, { forgotHref: '/forgot-password' }),
  sample('code', codePage, { action: '/register/code', email: 'a•••@acme.example' }),
  sample('code, wrong', codePage, {
    action: '/register/code',
    email,
    error: 'wrong',
    resendAction: '/register/resend',
  }),
  sample('code, spent', codePage, {
    action: '/register/code',
    email: hostile,
    error: 'spent',
    resendAction: '/register/resend',
  }),
  sample('password changed', passwordChangedPage, { signInHref: '/' }),
  sample('first password chosen', passwordChangedPage, { signInHref: '/', first: true }),

  sample('register', registerPage, registration),
  sample('register, refused', registerPage, {
    ...registration,
    email: 'ann',
    errors: { email: 'invalid', givenName: true, familyName: true, country: true },
  }),
  sample('register, hostile', registerPage, {
    ...registration,
    email: hostile,
    values: { givenName: hostile, familyName: long, country: 'NL' },
    errors: { email: 'empty' },
  }),
  sample('register, sent', registerSentPage, registrationSent),
  sample('register, sent, wrong', registerSentPage, { ...registrationSent, error: 'wrong' }),
  sample('register, sent, spent', registerSentPage, {
    ...registrationSent,
    email: long,
    error: 'spent',
  }),
  sample('register, sent again', registerSentPage, {
    ...registrationSent,
    email: hostile,
    resent: true,
  }),
  sample('registered', registeredPage, { pending: false, continueHref: '/profile' }),
  sample('registered, pending', registeredPage, { pending: true, continueHref: '/profile' }),
  sample('register, upstream', registerUpstreamPage, { email, continueHref: '/profile' }),
  sample('register, upstream, hostile', registerUpstreamPage, {
    email: hostile,
    continueHref: '/profile',
  }),
  sample('unsubscribe', unsubscribePage, { action: '/unsubscribe/s3cret' }),
  sample('unsubscribe, done', unsubscribePage, { action: '/unsubscribe/s3cret', done: true }),
  sample('dead link', deadLinkPage, {}),

  sample('invitation', invitationPage, { ...invitation, groups: ['Bridges', arabic] }),
  sample('invitation, second factor', invitationPage, {
    ...invitation,
    way: 'password',
    failure: 'code_wrong',
  }),
  sample('invitation, sign in', invitationPage, {
    ...invitation,
    inviter: null,
    way: 'sign_in',
  }),
  sample('invitation, password', invitationPage, {
    ...invitation,
    way: 'password',
    failure: 'wrong',
  }),
  sample('invitation, password, locked', invitationPage, {
    ...invitation,
    way: 'password',
    failure: 'locked',
  }),
  sample('invitation, create', invitationPage, {
    ...invitation,
    way: 'create',
    values: { givenName: 'Zoë', familyName: 'Großmann', country: 'NL' },
  }),
  sample('invitation, create, refused', invitationPage, {
    ...invitation,
    way: 'create',
    errors: { givenName: true, country: true },
    problems: ['too_short', 'mismatch'],
  }),
  sample('invitation, hostile', invitationPage, {
    ...invitation,
    account: hostile,
    inviter: long,
    email: hostile,
    groups: [hostile, long],
    way: 'create',
    values: { givenName: hostile, familyName: long, country: hostile },
  }),
  ...invitationStops.map((stop) =>
    sample(`invitation, stopped, ${stop}`, invitationStopPage, {
      stop,
      account: stop === 'unknown' ? null : 'Acme Engineering',
      continueHref: stop === 'sign_in_upstream' ? '/profile' : undefined,
      signOutHref: stop === 'wrong_person' ? '/oauth/end_session?client_id=ostiary' : undefined,
    }),
  ),
  sample('invitation, accepted', invitationDonePage, {
    account: 'Acme Engineering',
    continueHref: '/profile',
  }),
  sample('invitation, declined', invitationDonePage, { account: hostile, declined: true }),

  sample('device', deviceCodePage, device),
  sample('device, missing', deviceCodePage, { ...device, error: 'missing' }),
  sample('device, wrong', deviceCodePage, { ...device, userCode: hostile, error: 'wrong' }),
  sample('device, stopped', deviceCodePage, { ...device, error: 'aborted' }),
  sample('device, confirm', deviceConfirmPage, {
    ...device,
    userCode: 'WDJB-MJHT',
    clientName: 'Field Recorder',
  }),
  sample('device, confirm, hostile', deviceConfirmPage, {
    ...device,
    userCode: hostile,
    clientName: long,
    hidden: { [hostile]: hostile },
  }),
  sample('device, done', deviceDonePage, { clientName: 'Field Recorder' }),
  sample('device, done, unnamed', deviceDonePage, {}),

  sample('form post', formPostPage, {
    action: 'https://app.example/cb',
    fields: { code: hostile, state: 'x', submit: 'in the way' },
  }),
  sample('landing', landingPage, {
    signInHref: '/profile',
    devLinks: [
      { href: '/dev/mailbox', title: 'Mailbox' },
      { href: '/dev/app', title: 'Sample application' },
    ],
  }),
  sample('landing, bare', landingPage, {}),
  sample('status', statusPage, {
    components: [
      { name: 'Sign-in', state: 'ok' },
      { name: 'Mail', state: 'degraded' },
      { name: 'Directory synchronization (SCIM)', state: 'down' },
    ],
    checkedAt: date,
  }),
  sample('status, all well', statusPage, {
    components: [{ name: 'Sign-in', state: 'ok' }],
    checkedAt: date,
  }),
];

function sample<Page extends PageContext>(
  name: string,
  view: (page: Page) => Html,
  props: Omit<Page, keyof PageContext>,
): Sample {
  return { name, render: (page) => view({ ...page, ...props } as Page) };
}
