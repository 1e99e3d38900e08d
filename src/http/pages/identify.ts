import { type Html, html } from '#platform/html.ts';
import { alert, checkbox, field, named, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';
import { emailField } from './email-field.ts';
import { passkeyForm, passkeyScript } from './second-factor.ts';

export interface IdentifierPage extends PageContext {
  action: string;
  email?: string | undefined;
  error?: 'empty' | 'invalid' | undefined;
  registerHref?: string | undefined;
  forgotHref: string;
  clientName?: string | undefined;
  /** Takes the answer of a passkey, which is enough without an address and a password. */
  passkeyAction?: string | undefined;
  /** A passkey was shown that nobody here has. */
  passkeyUnknown?: boolean | undefined;
}

export function identifierPage(page: IdentifierPage): Html {
  const { t, action, csrf, email, error, registerHref, forgotHref, clientName, passkeyAction } =
    page;
  return card(page, {
    title: t('identifier.title'),
    script: passkeyAction && passkeyScript,
    lead: clientName && t.parts('continue_to', { client: named(clientName) }),
    failed: error !== undefined,
    body: html`
      ${page.passkeyUnknown && alert(t('mfa.passkey.unknown'))}
      ${postForm({ action, csrf }, [
        emailField(t, { email, error }),
        primary(t('action.continue')),
      ])}
      ${
        passkeyAction &&
        passkeyForm(page, {
          action: passkeyAction,
          what: 'get',
          label: t('mfa.sign_in_passkey'),
          failed: t('mfa.passkey.failed'),
        })
      }
      <p class="links">
        <a href="${forgotHref}">${t('action.forgot')}</a>
        ${
          registerHref &&
          html`<span
            >${t('identifier.new_here')}
            <a href="${registerHref}">${t('identifier.register')}</a></span
          >`
        }
      </p>
    `,
  });
}

export interface PasswordPage extends PageContext {
  action: string;
  changeHref: string;
  email: string;
  error?: 'wrong' | 'locked' | 'throttled' | 'expired' | 'codes' | undefined;
  /** How long to wait, with `throttled`. */
  minutes?: number | undefined;
  forgotHref: string;
  clientName?: string | undefined;
  /** Whether "keep me signed in" is already ticked. */
  remember?: boolean | undefined;
}

/** The same for every address, whether somebody has it or not. */
export function passwordPage(page: PasswordPage): Html {
  const { t, action, csrf, email, error, forgotHref, clientName, remember } = page;
  return card(page, {
    title: t('password.title'),
    lead: clientName && t.parts('continue_to', { client: named(clientName) }),
    failed: error !== undefined,
    body: html`
      ${passwordWarning(page)}
      ${postForm({ action, csrf }, [
        signingInAs(page, email),
        field({
          name: 'password',
          label: t('field.password'),
          type: 'password',
          autocomplete: 'current-password',
          error: error === 'wrong' && t('cred.bad'),
          autofocus: true,
        }),
        checkbox({
          id: 'remember',
          name: 'remember',
          value: 'yes',
          label: t('password.remember'),
          checked: remember,
        }),
        primary(t('action.sign_in')),
      ])}
      <p class="links"><a href="${forgotHref}">${t('action.forgot')}</a></p>
    `,
  });
}

/** What concerns the whole sign-in and not the password just typed. */
function passwordWarning({ t, error, minutes = 1 }: PasswordPage): Html | undefined {
  switch (error) {
    case 'locked':
      return alert(t('locked.attempts'));
    case 'throttled':
      return alert(t('throttled', { n: minutes }), 'warning');
    case 'codes':
      return alert(t('mfa.spent'));
    case 'expired':
      return alert(t('password.expired'), 'warning');
    default:
      return undefined;
  }
}

/** The address is an input, though nobody can type into it, so that password managers find it. */
function signingInAs({ t, changeHref }: PasswordPage, email: string): Html {
  return html`
    <div class="field">
      <label for="email">${t('field.email')}</label>
      <div class="chosen">
        <input
          id="email"
          name="email"
          type="email"
          value="${email}"
          autocomplete="username"
          readonly
        />
        <a href="${changeHref}">${t('password.not_you')}</a>
      </div>
    </div>
  `;
}
