import { type Html, html } from '#platform/html.ts';
import { hidden, named, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

export interface SignOutPage extends PageContext {
  formAction: string;
  /** The token of oidc-provider, which looks for it under this name. */
  xsrf: string;
  stayHref: string;
  clientName?: string | undefined;
  email?: string | undefined;
}

/** Staying is a link: a "no" sent to oidc-provider would take the application's grant away. */
export function signOutPage(page: SignOutPage): Html {
  const { t, csrf, formAction, xsrf, stayHref, clientName, email } = page;
  return card(page, {
    title: t('signout.title'),
    lead: clientName
      ? t.parts('signout.asked_by', { client: named(clientName) })
      : t('signout.text'),
    body: html`
      ${
        email &&
        html`<p class="hint">${t.parts('consent.signed_in_as', { email: named(email) })}</p>`
      }
      ${postForm({ action: formAction, csrf }, [
        hidden('xsrf', xsrf),
        hidden('logout', 'yes'),
        primary(t('action.sign_out')),
      ])}
      <p class="links"><a href="${stayHref}">${t('signout.stay')}</a></p>
    `,
  });
}

export interface SignedOutPage extends PageContext {
  clientName?: string | undefined;
  signInHref?: string | undefined;
}

export function signedOutPage(page: SignedOutPage): Html {
  const { t, clientName, signInHref } = page;
  return card(page, {
    title: t('signedout.title'),
    lead: clientName
      ? t.parts('signedout.from', { client: named(clientName) })
      : t('signedout.text'),
    body:
      signInHref &&
      html`<p><a class="button" href="${signInHref}">${t('action.sign_in_again')}</a></p>`,
  });
}
