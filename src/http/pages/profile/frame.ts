import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { notice } from '../../form.ts';
import { layout, type PageContext } from '../../layout.ts';

/** The parts of a profile, each a page of its own. */
export type ProfileTab = 'details' | 'security' | 'account' | 'data';

const tabs: Record<ProfileTab, { href: string; title: MessageKey }> = {
  details: { href: '/profile', title: 'profile.details' },
  security: { href: '/profile/security', title: 'profile.security' },
  account: { href: '/profile/account', title: 'profile.account' },
  data: { href: '/profile/data', title: 'profile.data' },
};

export interface Frame extends PageContext {
  email: string;
  /** Looks after an account, or all of them: is shown the way to the console. */
  administers?: boolean | undefined;
  /** What was just done. */
  done?: string | undefined;
  failed?: boolean | undefined;
}

export function profile(page: Frame, tab: ProfileTab, sections: Child): Html {
  const { t, administers, done, failed } = page;
  // The first page is the profile itself; its parts have headings of their own.
  const title = t(tab === 'details' ? 'profile.title' : tabs[tab].title);
  return layout({
    ...page,
    title: failed ? t('layout.error_title', { title }) : title,
    width: 'wide',
    nav: html`<nav aria-label="${t('profile.title')}">
      ${Object.entries(tabs).map(
        ([key, { href, title: name }]) =>
          html`<a href="${href}" ${key === tab && html`aria-current="page"`}>${t(name)}</a>`,
      )}
      ${administers && html`<a href="/console">${t('profile.administration')}</a>`}
      <a href="/oauth/end_session?client_id=ostiary">${t('profile.sign_out')}</a>
    </nav>`,
    main: html`
      <h1>${title}</h1>
      ${done && html`<div role="status">${notice('success', done)}</div>`} ${sections}
    `,
  });
}

/** A part with a heading of its own, unless the page's says it already. */
export function part(title: string | null, body: Child): Html {
  return html`<section class="card part">
    ${title !== null && html`<h2>${title}</h2>`} ${body}
  </section>`;
}
