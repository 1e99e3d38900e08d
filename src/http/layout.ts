import type { Translate } from '#messages/translate.ts';
import { type Child, type Html, html, raw } from '#platform/html.ts';
import { type Locale, locales } from '#platform/i18n.ts';
import { assetPath } from './assets.ts';

/** What every page knows about the request it answers. */
export interface PageContext {
  t: Translate;
  /** Goes into every form of the page, as the hidden field `csrf`. */
  csrf?: string | undefined;
  /** Path and query of this page. The language links keep them, so that no link from a mail is lost. */
  here?: string | undefined;
  helpHref?: string | undefined;
  privacyHref?: string | undefined;
}

export interface Layout extends PageContext {
  title: string;
  main: Html;
  /** `narrow` for one task, `wide` for lists, `wide console` for a whole workplace. */
  width?: 'narrow' | 'wide' | 'wide console';
  /** Links of the header, for doors with more than one page. */
  nav?: Html;
  /** Instead of the brand and `nav`, where a door has a header of its own. */
  header?: Html;
  /** What stands beside `main`, before it. */
  aside?: Child;
  /** A style sheet of `assets` beside the common one. */
  style?: string;
  /** Seconds after which it is shown anew where nothing runs: what it tells of goes on meanwhile. */
  refresh?: number | undefined;
  /** Files of `assets` that run when the page is there. Everything must work without them. */
  script?: string | readonly string[] | undefined;
}

const product = 'Ostiary';

/** A whole document. Nothing in it is inline, and nothing comes from another host. */
export function layout(page: Layout): Html {
  const {
    t,
    title,
    main,
    width = 'narrow',
    nav,
    header,
    aside,
    style,
    script = [],
    refresh,
  } = page;
  return html`${raw('<!doctype html>')}
    <html lang="${t.locale}">
      <head>
        <meta charset="utf-8" />
        <title>${title} · ${product}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${
          refresh !== undefined &&
          html`<noscript><meta http-equiv="refresh" content="${refresh}" /></noscript>`
        }
        <link rel="icon" href="${assetPath('mark.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetPath('ostiary.css')}" />
        ${style && html`<link rel="stylesheet" href="${assetPath(style)}" />`}
        ${[script].flat().map((file) => html`<script src="${assetPath(file)}" defer></script>`)}
      </head>
      <body class="${width}">
        ${(nav || header) && html`<a class="skip" href="#main">${t('layout.skip')}</a>`}
        ${header ?? html`<header class="top">${brand()} ${nav}</header>`} ${aside}
        <main id="main">${main}</main>
        ${footer(page)}
      </body>
    </html>`;
}

export function brand(): Html {
  return html`<span class="brand">
    <img src="${assetPath('mark.svg')}" alt="" width="24" height="24" />
    ${product}
  </span>`;
}

/** The answer to a form has no address to be read at in another language, so it offers none. */
function footer({ t, here, helpHref, privacyHref }: PageContext): Html {
  return html`
    <footer class="bottom">
      ${
        here !== undefined &&
        html`<details class="languages">
          <summary>
            <span class="hidden">${t('layout.language')}: </span>${languages[t.locale]}
          </summary>
          <ul>
            ${locales.map(
              (locale) =>
                html`<li>
                  <a
                    href="${languageHref(here, locale)}"
                    lang="${locale}"
                    hreflang="${locale}"
                    ${locale === t.locale && raw('aria-current="true"')}
                    >${languages[locale]}</a
                  >
                </li>`,
            )}
          </ul>
        </details>`
      }
      ${helpHref && html`<a href="${helpHref}">${t('layout.help')}</a>`}
      ${privacyHref && html`<a href="${privacyHref}">${t('layout.privacy')}</a>`}
    </footer>
  `;
}

/** A language is named in itself: whoever looks for it reads no other. */
const languages: Record<Locale, string> = {
  en: 'English',
  fr: 'Français',
  nl: 'Nederlands',
  de: 'Deutsch',
  es: 'Español',
  tr: 'Türkçe',
  it: 'Italiano',
  pl: 'Polski',
  cs: 'Čeština',
};

function languageHref(here: string, locale: Locale): string {
  const [path = '', query = ''] = here.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('ui_locales', locale);
  return `${path}?${parameters}`;
}
