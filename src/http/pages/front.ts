import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { hidden, named, notice, primary, type Tone } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

export interface LandingPage extends PageContext {
  signInHref?: string | undefined;
  /** Only in development. */
  devLinks?: { href: string; title: string }[] | undefined;
}

/** The answer at `/`, for those who typed the address. */
export function landingPage(page: LandingPage): Html {
  const { t, signInHref, devLinks = [] } = page;
  return card(page, {
    title: t('landing.title'),
    lead: t('landing.text'),
    body: html`
      ${
        signInHref &&
        html`<p><a class="button primary" href="${signInHref}">${t('action.sign_in')}</a></p>`
      }
      ${
        devLinks.length > 0 &&
        html`
          <h2>${t('landing.dev')}</h2>
          <ul class="plain">
            ${devLinks.map(({ href, title }) => html`<li><a href="${href}">${title}</a></li>`)}
          </ul>
        `
      }
    `,
  });
}

export type ComponentState = 'ok' | 'degraded' | 'down';

export interface StatusPage extends PageContext {
  components: { name: string; state: ComponentState }[];
  checkedAt: Date;
}

export function statusPage(page: StatusPage): Html {
  const { t, components, checkedAt } = page;
  const well = components.every(({ state }) => state === 'ok');
  return card(page, {
    title: t('status.title'),
    body: html`
      ${notice(well ? 'success' : 'warning', t(well ? 'status.all_ok' : 'status.some'))}
      <ul class="rows">
        ${components.map(
          ({ name, state }) =>
            html`<li>
              <span>${named(name)}</span>
              <span class="badge ${states[state].tone}">${t(states[state].text)}</span>
            </li>`,
        )}
      </ul>
      <p class="hint">${t('status.checked', { when: checkedAt })}</p>
    `,
  });
}

const states: Record<ComponentState, { tone: Tone; text: MessageKey }> = {
  ok: { tone: 'success', text: 'status.ok' },
  degraded: { tone: 'warning', text: 'status.degraded' },
  down: { tone: 'danger', text: 'status.down' },
};

export interface FormPostPage extends PageContext {
  action: string;
  fields: Record<string, string>;
  /** Where it goes, where that is not back to the application. */
  title?: string;
}

/**
 * Carries an answer to the application as a form (OAuth 2.0 Form Post Response Mode), or a request to a
 * provider.
 */
export function formPostPage(page: FormPostPage): Html {
  const { t, action, fields, title = t('formpost.title') } = page;
  return card(page, {
    title,
    lead: t('formpost.text'),
    script: 'submit.js',
    body: html`<form method="post" action="${action}">
      ${Object.entries(fields).map(([name, value]) => hidden(name, value))}
      ${primary(t('action.continue'))}
    </form>`,
  });
}
