import type { MessageKey, Translate } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, clip, field, hidden, named, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';
import { emailField } from './email-field.ts';

export interface ForgotPasswordPage extends PageContext {
  action: string;
  email?: string | undefined;
  error?: 'empty' | 'invalid' | undefined;
  backHref: string;
}

export function forgotPasswordPage(page: ForgotPasswordPage): Html {
  const { t, action, csrf, email, error, backHref } = page;
  return card(page, {
    title: t('forgot.title'),
    lead: t('forgot.text'),
    failed: error !== undefined,
    body: html`
      ${postForm({ action, csrf }, [emailField(t, { email, error }), primary(t('forgot.submit'))])}
      <p class="links"><a href="${backHref}">${t('action.back')}</a></p>
    `,
  });
}

export interface ForgotPasswordSentPage extends PageContext {
  email: string;
  backHref: string;
  /** Takes the code of the mail, in the browser that asked for it. */
  codeAction: string;
  error?: 'wrong' | 'spent' | undefined;
}

/** The same for every address: it does not tell whether somebody has it. */
export function forgotPasswordSentPage(page: ForgotPasswordSentPage): Html {
  const { t, csrf, email, backHref, codeAction, error } = page;
  return card(page, {
    title: t('forgot.sent.title'),
    lead: t('forgot.sent.text'),
    failed: error !== undefined,
    body: html`
      <p class="value">${named(email)}</p>
      <p class="hint">${t('forgot.sent.hint')}</p>
      ${postForm({ action: codeAction, csrf }, [
        hidden('email', email),
        codeField(t, error),
        primary(t('action.continue')),
      ])}
      <p><a class="button" href="${backHref}">${t('action.back')}</a></p>
    `,
  });
}

/** Whether kinds of characters are asked for. */
export type PasswordComposition = 'any' | 'three_of_four';

export type PasswordProblem =
  | 'too_short'
  | 'too_long'
  | 'too_simple'
  | 'common'
  | 'personal'
  | 'mismatch'
  | 'same'
  | 'missing';

/** What a new password has to be like, as far as a page says so. */
export interface PasswordRulesShown {
  minLength: number;
  maxLength?: number | undefined;
  composition?: PasswordComposition | undefined;
}

export interface NewPasswordPage extends PageContext, PasswordRulesShown {
  action: string;
  email: string;
  mode: 'reset' | 'activate';
  /** From the link in the mail. */
  token: string;
  errors?: PasswordProblem[] | undefined;
  givenName?: string | undefined;
}

export function newPasswordPage(page: NewPasswordPage): Html {
  const { t, action, csrf, email, mode, token, errors = [], givenName } = page;
  const activate = mode === 'activate';
  return card(page, {
    title: t(activate ? 'newpw.activate.title' : 'newpw.reset.title'),
    heading:
      activate && givenName
        ? t.parts('newpw.activate.welcome', { name: named(givenName) })
        : undefined,
    lead: activate && t('newpw.activate.text'),
    failed: errors.length > 0,
    body: postForm({ action, csrf }, [
      hidden('token', token),
      html`
        <div class="field">
          <label for="email">${t('field.email')}</label>
          <input
            id="email"
            name="email"
            type="email"
            value="${email}"
            autocomplete="username"
            readonly
          />
        </div>
      `,
      newPasswordFields(page, errors, { autofocus: true }),
      primary(t('newpw.submit')),
    ]),
  });
}

/** A new password, twice. */
export function newPasswordFields(
  page: Pick<PageContext, 't'> & PasswordRulesShown,
  problems: readonly PasswordProblem[],
  { autofocus = false }: { autofocus?: boolean } = {},
): Child {
  const { t } = page;
  return [
    field({
      name: 'password',
      label: t('newpw.field'),
      type: 'password',
      autocomplete: 'new-password',
      hint: rulesText(page),
      error: problemsText(page, problems),
      autofocus,
    }),
    field({
      name: 'password_again',
      label: t('newpw.again'),
      type: 'password',
      autocomplete: 'new-password',
      error: problems.includes('mismatch') && t('newpw.mismatch'),
    }),
  ];
}

const problemTexts: Record<PasswordProblem, MessageKey> = {
  too_short: 'newpw.too_short',
  too_long: 'newpw.too_long',
  too_simple: 'newpw.too_simple',
  common: 'newpw.common',
  personal: 'newpw.personal',
  mismatch: 'newpw.mismatch',
  same: 'newpw.same',
  missing: 'newpw.missing',
};

/** What a good password is like, before anybody types. */
function rulesText({
  t,
  minLength,
  composition = 'any',
}: Pick<PageContext, 't'> & PasswordRulesShown): string {
  const rules = t('newpw.rules', { n: minLength });
  return composition === 'any' ? rules : `${rules} ${t('newpw.too_simple')}`;
}

/** What is wrong with a password, a sentence each; that it differs the second time is told there. */
export function problemsText(
  { t, minLength, maxLength = 128 }: Pick<PageContext, 't'> & PasswordRulesShown,
  problems: readonly PasswordProblem[],
): string {
  return problems
    .filter((problem) => problem !== 'mismatch')
    .map((problem) =>
      t(problemTexts[problem], { n: problem === 'too_long' ? maxLength : minLength }),
    )
    .join(' ');
}

export interface LinkInvalidPage extends PageContext {
  /** Where there is another one to be had. */
  forgotHref?: string | undefined;
}

/** A link that was used, or came too late. */
export function linkInvalidPage(page: LinkInvalidPage): Html {
  const { t, forgotHref } = page;
  return card(page, {
    title: t('link.title'),
    failed: true,
    body: [
      alert(t('link.text'), 'warning'),
      forgotHref !== undefined &&
        html`<p><a class="button primary" href="${forgotHref}">${t('link.again')}</a></p>`,
    ],
  });
}

export interface CodePage extends PageContext {
  action: string;
  /** As it may be shown: masked, where the person has not yet proved to own it. */
  email: string;
  error?: 'wrong' | 'spent' | undefined;
  resendAction?: string | undefined;
}

export function codePage(page: CodePage): Html {
  const { t, action, csrf, email, error, resendAction } = page;
  return card(page, {
    title: t('code.title'),
    lead: t.parts('verify.needed', { masked: html`<bdi><strong>${clip(email)}</strong></bdi>` }),
    failed: error !== undefined,
    body: html`
      ${postForm({ action, csrf }, [codeField(t, error), primary(t('action.continue'))])}
      ${
        resendAction &&
        postForm(
          { action: resendAction, csrf },
          html`<button class="quiet" type="submit">${t('code.resend')}</button>`,
        )
      }
    `,
  });
}

export function codeField(t: Translate, error?: 'wrong' | 'spent'): Html {
  return field({
    name: 'code',
    label: t('code.field'),
    autocomplete: 'one-time-code',
    hint: t('code.hint'),
    error: error && t(error === 'wrong' ? 'code.wrong' : 'code.spent'),
    autofocus: true,
    attributes: 'inputmode="numeric" class="code"',
  });
}

export interface PasswordChangedPage extends PageContext {
  /** It is their first one: there was nothing to be signed out of. */
  first?: boolean | undefined;
  signInHref?: string | undefined;
}

export function passwordChangedPage(page: PasswordChangedPage): Html {
  const { t, signInHref, first } = page;
  return card(page, {
    title: t(first ? 'register.done.title' : 'changed.title'),
    lead: t(first ? 'register.done.text' : 'changed.text'),
    body:
      signInHref &&
      html`<p><a class="button primary" href="${signInHref}">${t('action.sign_in')}</a></p>`,
  });
}
