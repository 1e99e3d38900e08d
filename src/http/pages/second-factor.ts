import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { checkbox, field, hidden, named, notice, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

export type FactorChoice = 'totp' | 'passkey' | 'recovery';

/** The script that talks to the browser's passkeys. Its forms are hidden where it does not run. */
export const passkeyScript = 'passkey.js';

/** A form that the script fills with what a passkey answers. */
export interface PasskeyForm {
  /** Where the answer goes; the question comes from `${action}/options`. */
  action: string;
  what: 'create' | 'get';
  label: string;
  /** Said where the passkey could not be used. */
  failed: string;
  primary?: boolean;
  more?: Child;
}

export function passkeyForm(
  { csrf }: PageContext,
  { action, what, label, failed, primary: main = false, more }: PasskeyForm,
): Html {
  return html`<div
    data-passkey="${what}"
    data-options="${action}/options"
    data-failed="${failed}"
    hidden
  >
    ${postForm({ action, csrf }, [
      hidden('credential', ''),
      more,
      main ? primary(label) : html`<button type="submit">${label}</button>`,
    ])}
  </div>`;
}

export interface SecondFactorPage extends PageContext {
  /** Of the sign-in; each way has an address below it. */
  path: string;
  email: string;
  /** What the person has. */
  choices: readonly FactorChoice[];
  choice: FactorChoice;
  /** Days for which this browser may remember it; 0 where it may not. */
  rememberDays: number;
  error?: 'wrong' | 'passkey' | undefined;
  clientName?: string | undefined;
}

export function secondFactorPage(page: SecondFactorPage): Html {
  const { t, path, email, choices, choice, error, clientName } = page;
  return card(page, {
    title: t('mfa.title'),
    lead: clientName && t.parts('continue_to', { client: named(clientName) }),
    failed: error !== undefined,
    script: choice === 'passkey' ? passkeyScript : undefined,
    body: html`
      <p class="hint">
        ${t.parts('mfa.as', { email: named(email) })}
        <a href="${path}?change">${t('password.not_you')}</a>
      </p>
      ${ways[choice](page)}
      ${
        choices.length > 1 &&
        html`<p class="links inline">
          ${t('mfa.other')}
          ${choices
            .filter((one) => one !== choice)
            .map((one) => html`<a href="${path}?with=${one}">${t(names[one])}</a>`)}
        </p>`
      }
      <p class="hint">${t('mfa.lost')}</p>
    `,
  });
}

const names: Record<FactorChoice, MessageKey> = {
  totp: 'mfa.use.totp',
  passkey: 'mfa.use.passkey',
  recovery: 'mfa.use.recovery',
};

const ways: Record<FactorChoice, (page: SecondFactorPage) => Child> = {
  totp: (page) => {
    const { t, csrf, path, error } = page;
    return postForm({ action: `${path}/code`, csrf }, [
      appCodeField(page, t('mfa.code.text'), error === 'wrong'),
      rememberBox(page),
      primary(t('mfa.confirm')),
    ]);
  },

  passkey: (page) => {
    const { t, path, error } = page;
    return html`<p>${t('mfa.passkey.text')}</p>
      ${error && html`<p class="error" role="alert">${t('mfa.passkey.failed')}</p>`}
      <noscript><p class="notice warning">${t('mfa.passkey.script')}</p></noscript>
      ${passkeyForm(page, {
        action: `${path}/passkey`,
        what: 'get',
        label: t('mfa.passkey.use'),
        failed: t('mfa.passkey.failed'),
        primary: true,
        more: rememberBox(page),
      })}`;
  },

  recovery: ({ t, csrf, path, error }) =>
    postForm({ action: `${path}/recovery`, csrf }, [
      field({
        name: 'code',
        label: t('mfa.recovery.field'),
        hint: t('mfa.recovery.text'),
        autocomplete: 'one-time-code',
        error: error && t('mfa.recovery.wrong'),
        autofocus: true,
        attributes: 'class="code" maxlength="40" autocapitalize="characters" spellcheck="false"',
      }),
      primary(t('mfa.confirm')),
    ]),
};

function appCodeField({ t }: PageContext, hint: string, wrong: boolean): Html {
  return field({
    name: 'code',
    label: t('mfa.code.field'),
    hint,
    autocomplete: 'one-time-code',
    error: wrong && t('mfa.code.wrong'),
    autofocus: true,
    attributes: 'inputmode="numeric" class="code" maxlength="12"',
  });
}

/** Asked for beside a password, once it is known to be right: a code of the app or a recovery code. */
export function codeBeside({ t }: PageContext, failure: string | undefined): Html | false {
  return (
    (failure === 'code' || failure === 'code_wrong') &&
    field({
      name: 'code',
      label: t('mfa.code.field'),
      hint: t('mfa.code.text'),
      autocomplete: 'one-time-code',
      error: failure === 'code_wrong' && t('mfa.code.wrong'),
      attributes: 'class="code" maxlength="40"',
    })
  );
}

function rememberBox({ t, rememberDays }: SecondFactorPage): Html | false {
  return (
    rememberDays > 0 &&
    checkbox({
      id: 'remember_factor',
      name: 'remember_factor',
      value: 'yes',
      label: t('mfa.remember', { n: rememberDays }),
    })
  );
}

/** What an authenticator app is set up with. */
export interface AppSetup {
  secret: string;
  address: string;
  qr: { size: number; path: string };
}

export interface EnrolPage extends PageContext {
  path: string;
  email: string;
  app: AppSetup;
  error?: 'wrong' | 'passkey' | undefined;
  clientName?: string | undefined;
}

/** The first second factor, on the way into an application. */
export function enrolPage(page: EnrolPage): Html {
  const { t, path, email, error, clientName } = page;
  return card(page, {
    title: t('mfa.enrol.title'),
    lead: clientName && t.parts('continue_to', { client: named(clientName) }),
    failed: error !== undefined,
    script: passkeyScript,
    body: html`
      <p>${t('mfa.enrol.text')}</p>
      <p class="hint">
        ${t.parts('mfa.as', { email: named(email) })}
        <a href="${path.replace(/\/enrol$/, '')}?change">${t('password.not_you')}</a>
      </p>
      <h2>${t('mfa.enrol.app.title')}</h2>
      ${appSetup(page, { action: `${path}/app`, wrong: error === 'wrong' })}
      <h2>${t('mfa.enrol.passkey.title')}</h2>
      ${passkeySetup(page, { action: `${path}/passkey`, failed: error === 'passkey' })}
    `,
  });
}

/** The QR code, the same as text, and where the first code goes. */
export function appSetup(
  page: PageContext & { app: AppSetup },
  { action, wrong }: { action: string; wrong: boolean },
): Html {
  const { t, csrf, app } = page;
  const { size, path } = app.qr;
  return html`
    <p>${t('mfa.enrol.app.text')}</p>
    <svg
      class="qr"
      role="img"
      aria-label="${t('mfa.enrol.app.qr')}"
      viewBox="0 0 ${size} ${size}"
      shape-rendering="crispEdges"
    >
      <rect width="${size}" height="${size}" fill="#fff" />
      <path d="${path}" fill="#000" />
    </svg>
    <p class="hint">${t('mfa.enrol.app.secret')}</p>
    <p class="value code">${app.secret}</p>
    <p class="links"><a href="${app.address}">${t('mfa.enrol.app.open')}</a></p>
    ${postForm({ action, csrf }, [
      appCodeField(page, t('mfa.code.hint'), wrong),
      primary(t('mfa.enrol.app.submit')),
    ])}
  `;
}

export function passkeySetup(
  page: PageContext,
  { action, failed, primary: main }: { action: string; failed: boolean; primary?: boolean },
): Html {
  const { t } = page;
  return html`<p>${t('mfa.enrol.passkey.text')}</p>
    ${failed && html`<p class="error" role="alert">${t('mfa.enrol.passkey.failed')}</p>`}
    <noscript><p class="notice warning">${t('mfa.passkey.script')}</p></noscript>
    ${passkeyForm(page, {
      action,
      what: 'create',
      label: t('mfa.enrol.passkey.submit'),
      failed: t('mfa.enrol.passkey.failed'),
      primary: main,
    })}`;
}

export interface RecoveryCodesPage extends PageContext {
  codes: readonly string[];
  /** They take the place of others. */
  renewed?: boolean;
  downloadAction: string;
  doneAction: string;
}

/** Shown once. */
export function recoveryCodesPage(page: RecoveryCodesPage): Html {
  const { t, csrf, codes, renewed, downloadAction, doneAction } = page;
  return card(page, {
    title: t('mfa.codes.title'),
    lead: t('mfa.codes.text'),
    body: html`
      ${renewed && html`<div role="status">${notice('success', t('mfa.profile.codes_made'))}</div>`}
      <ol class="recovery value">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ol>
      ${postForm({ action: downloadAction, csrf }, [
        hidden('codes', codes.join(' ')),
        html`<button type="submit">${t('mfa.codes.download')}</button>`,
      ])}
      ${postForm({ action: doneAction, csrf }, primary(t('mfa.codes.done')))}
    `,
  });
}

/** What a profile says about somebody's second factors. */
export interface OwnFactors {
  items: readonly {
    id: string;
    kind: 'totp' | 'passkey';
    name: string;
    createdAt: Date;
    lastUsedAt: Date | null;
  }[];
  codesLeft: number;
  /** Whether they may add one, by the rules of installation and account. */
  mayAdd: boolean;
  demanded: boolean;
  error?: 'last' | 'name' | undefined;
}

const kinds = { totp: 'mfa.app.name', passkey: 'mfa.passkey.name' } as const;
const errors = { last: 'mfa.profile.last', name: 'mfa.profile.bad_name' } as const;

/** The part of the profile about second factors, without its heading. */
export function ownFactors(page: PageContext, own: OwnFactors): Html {
  const { t, csrf } = page;
  const { items, codesLeft, mayAdd, demanded, error } = own;
  return html`
    ${error && html`<p class="error" role="alert">${t(errors[error])}</p>`}
    ${demanded && html`<p>${t('mfa.profile.demanded')}</p>`}
    ${items.length === 0 && html`<p>${t(mayAdd ? 'mfa.profile.none' : 'mfa.profile.off')}</p>`}
    ${
      items.length > 0 &&
      html`<ul class="rows">
          ${items.map((factor) => ownFactor(page, factor))}
        </ul>
        <p>${t('mfa.profile.codes_left', { n: codesLeft })}</p>
        ${postForm(
          { action: '/profile/factors/codes', csrf },
          html`<button type="submit">${t('mfa.profile.new_codes')}</button>`,
        )}`
    }
    ${
      mayAdd &&
      html`<p class="links">
        <a href="/profile/factors/app">${t('mfa.profile.add_app')}</a>
        <a href="/profile/factors/passkey">${t('mfa.profile.add_passkey')}</a>
      </p>`
    }
  `;
}

function ownFactor(
  { t, csrf }: PageContext,
  { id, kind, name, createdAt, lastUsedAt }: OwnFactors['items'][number],
): Html {
  const facts = [
    name !== t(kinds[kind]) && t(kinds[kind]),
    t('mfa.profile.since', { when: createdAt }),
    lastUsedAt && t('mfa.profile.used', { when: lastUsedAt }),
  ].filter(Boolean);
  return html`<li>
    <span>
      <strong>${named(name)}</strong>
      <span class="hint">${facts.join(' · ')}</span>
      <details>
        <summary aria-label="${t('mfa.profile.rename_this', { name })}">
          ${t('mfa.profile.rename')}
        </summary>
        ${postForm({ action: '/profile/factors/rename', csrf }, [
          hidden('factor', id),
          html`<div class="field">
            <label for="name-${id}">${t('mfa.profile.name')}</label>
            <input
              id="name-${id}"
              name="name"
              value="${name}"
              maxlength="60"
              autocomplete="off"
              required
            />
          </div>`,
          html`<button type="submit">${t('mfa.profile.rename')}</button>`,
        ])}
      </details>
    </span>
    ${postForm({ action: '/profile/factors/remove', csrf }, [
      hidden('factor', id),
      html`<button
        class="quiet"
        type="submit"
        aria-label="${t('mfa.profile.remove_this', { name })}"
      >
        ${t('mfa.profile.remove')}
      </button>`,
    ])}
  </li>`;
}

export interface AddFactorPage extends PageContext {
  /** What an app is set up with; a passkey needs nothing. */
  app: AppSetup | null;
  error?: 'wrong' | 'passkey' | 'limit' | undefined;
}

/** One more factor, from the profile. */
export function addFactorPage(page: AddFactorPage): Html {
  const { t, app, error } = page;
  return card(page, {
    title: t(app ? 'mfa.profile.add_app' : 'mfa.profile.add_passkey'),
    failed: error !== undefined,
    script: app ? undefined : passkeyScript,
    body: html`
      ${error === 'limit' && html`<p class="error" role="alert">${t('mfa.profile.limit')}</p>`}
      ${
        app
          ? appSetup({ ...page, app }, { action: '/profile/factors/app', wrong: error === 'wrong' })
          : passkeySetup(page, {
              action: '/profile/factors/passkey',
              failed: error === 'passkey',
              primary: true,
            })
      }
      <p class="links"><a href="/profile/security">${t('mfa.profile.back')}</a></p>
    `,
  });
}
