import { type Html, html } from '#platform/html.ts';
import { hidden, named, postForm, primary } from '../../form.ts';
import type { PageContext } from '../../layout.ts';
import { card } from '../card.ts';

export interface EmailLinkPage extends PageContext {
  action: string;
  token: string;
  email: string;
  reverts: boolean;
}

/** What the link of a mail would do, with the button that does it: scanners follow links. */
export function emailLinkPage(page: EmailLinkPage): Html {
  const { t, csrf, action, token, email, reverts } = page;
  return card(page, {
    title: t(reverts ? 'profile.email.revert_title' : 'profile.email.confirm_title'),
    lead: t.parts(reverts ? 'profile.email.revert_text' : 'profile.email.confirm_text', {
      email: named(email),
    }),
    body: postForm({ action, csrf }, [
      hidden('token', token),
      primary(t(reverts ? 'profile.email.revert' : 'profile.email.confirm')),
    ]),
  });
}

export interface MailLinkPage extends PageContext {
  action: string;
  token: string;
  /** What the person signs in with. */
  email: string;
  address: string;
}

/** What the link to another address to be written to would do. */
export function mailLinkPage({ action, token, email, address, ...page }: MailLinkPage): Html {
  const { t, csrf } = page;
  return card(page, {
    title: t('profile.mail.title'),
    lead: t.parts('profile.mail.confirm_text', { email: named(email), address: named(address) }),
    body: postForm({ action, csrf }, [hidden('token', token), primary(t('profile.mail.confirm'))]),
  });
}

/** It goes there from now on. Nobody is signed in by that: there is nothing else to do here. */
export function mailDonePage({ address, ...page }: PageContext & { address: string }): Html {
  const { t } = page;
  return card(page, {
    title: t('profile.mail.title'),
    lead: t.parts('profile.mail.here', { address: named(address) }),
    body: html`<p><a class="button" href="/profile">${t('profile.title')}</a></p>`,
  });
}

export interface EmailDonePage extends PageContext {
  email: string;
  /** Where to go on. */
  href: string;
  /** Whether a new password has to be chosen first. */
  resets: boolean;
}

export function emailDonePage(page: EmailDonePage): Html {
  const { t, email, href, resets } = page;
  return card(page, {
    title: t('profile.email.title'),
    lead: t.parts('profile.email.done', { email: named(email) }),
    body: html`<p>
      <a class="button primary" href="${href}">${t(resets ? 'stop.reset' : 'action.sign_in')}</a>
    </p>`,
  });
}
