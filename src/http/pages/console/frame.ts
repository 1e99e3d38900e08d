import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { hidden, named, notice, postForm, type Tone } from '../../form.ts';
import { brand, layout, type PageContext } from '../../layout.ts';

/** What stands around every page of the console. */
export interface ConsoleFrame extends PageContext {
  /** Who is signed in. */
  email: string;
  /** The account that everything on the page is about, or null where there is none. */
  account: { id: string; name: string; status: string } | null;
  /** An operator chose that account, and is shown so all the time. */
  acting: boolean;
  menu: readonly MenuSection[];
  /** The reader's time zone; null where it is not known, and times are told in UTC. */
  zone: string | null;
  flash?: Flash | undefined;
}

export interface MenuSection {
  title: MessageKey | null;
  rooms: readonly { href: string; title: MessageKey; current: boolean; count?: number }[];
}

/** What was just done, told once, with the way back where there is one. */
export interface Flash {
  tone: Tone;
  text: string;
  undo?: { action: string; label: string; fields: Record<string, string> };
}

export interface ConsoleContent {
  title: string;
  /** The heading, where it marks up a name. */
  heading?: Child;
  lead?: Child;
  /** The page this one is a part of. */
  back?: { href: string; title: Child };
  /** Buttons and links beside the heading. */
  actions?: Child;
  main: Child;
  /** Seconds after which the page is shown anew where no script runs. */
  refresh?: number | undefined;
  /** Something went wrong: the title says so. */
  failed?: boolean | undefined;
}

export function consolePage(page: ConsoleFrame, content: ConsoleContent): Html {
  const { t, flash } = page;
  const { title, heading = title, lead, back, actions, main, refresh, failed } = content;
  return layout({
    ...page,
    title: failed ? t('layout.error_title', { title }) : title,
    width: 'wide console',
    style: 'console.css',
    script: ['htmx.js', 'console.js'],
    refresh,
    header: header(page),
    aside: [banner(page), menu(page)],
    main: html`
      ${back && html`<p class="back"><a href="${back.href}">${back.title}</a></p>`}
      <div class="head">
        <div>
          <h1>${heading}</h1>
          ${lead && html`<p class="lead">${lead}</p>`}
        </div>
        ${actions && html`<div class="actions">${actions}</div>`}
      </div>
      ${flash && told(page, flash)} ${main}
    `,
  });
}

function header({ t, email, account }: ConsoleFrame): Html {
  return html`<header class="top">
    ${brand()} ${account && html`<span class="whose">${named(account.name, 60)}</span>`}
    <nav class="self" aria-label="${t('console.self')}">
      <a href="/profile">${named(email, 60)}</a>
      <a href="/oauth/end_session?client_id=ostiary">${t('profile.sign_out')}</a>
    </nav>
  </header>`;
}

/** An operator is never in doubt in whose account they act. */
function banner({ t, csrf, account, acting }: ConsoleFrame): Html | null {
  if (!account) return null;
  if (account.status !== 'active' && !acting)
    return html`<aside class="banner notice warning" aria-label="${t('console.banner')}">
      <p>${t('console.on_hold')}</p>
    </aside>`;
  if (!acting) return null;
  return html`<aside class="banner notice warning" aria-label="${t('console.banner')}">
    <p>
      ${t.parts('console.acting', { account: html`<strong>${named(account.name, 60)}</strong>` })}
      ${account.status !== 'active' && t('console.not_active')}
    </p>
    ${postForm(
      { action: '/console/acting', csrf },
      html`<button type="submit">${t('console.acting_end')}</button>`,
    )}
  </aside>`;
}

/** Beside the page on a desk; behind a button on a phone, where there is no room for it. */
function menu({ t, menu: sections }: ConsoleFrame): Html | null {
  if (sections.length === 0) return null;
  return html`<details class="rooms">
    <summary>${t('console.menu')}</summary>
    <nav aria-label="${t('console.menu')}">
      ${sections.map(
        ({ title, rooms }) => html`
          ${title && html`<h2>${t(title)}</h2>`}
          <ul>
            ${rooms.map(
              (room) =>
                html`<li>
                  <a href="${room.href}" ${room.current && html`aria-current="page"`}>
                    ${t(room.title)}
                    ${
                      (room.count ?? 0) > 0 &&
                      html`<span class="count">${room.count! >= 100 ? '99+' : room.count}</span>`
                    }
                  </a>
                </li>`,
            )}
          </ul>
        `,
      )}
    </nav>
  </details>`;
}

function told({ csrf }: ConsoleFrame, { tone, text, undo }: Flash): Html {
  return html`<div id="flash" class="flash" role="status">
    ${notice(tone, [
      html`<p>${text}</p>`,
      undo &&
        postForm({ action: undo.action, csrf }, [
          Object.entries(undo.fields).map(([name, value]) => hidden(name, value)),
          html`<button type="submit">${undo.label}</button>`,
        ]),
    ])}
  </div>`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** A moment or a day, in the reader's time zone; the whole of it is there for machines. */
export function when(
  { t, zone }: Pick<ConsoleFrame, 't' | 'zone'>,
  date: Date,
  precision: 'moment' | 'day' = 'moment',
): Html {
  const key = `${t.locale} ${zone} ${precision}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(t.locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      ...(precision === 'moment' && {
        hour: '2-digit',
        minute: '2-digit',
        ...(zone === null && { timeZoneName: 'short' }),
      }),
      timeZone: zone ?? 'UTC',
    });
    formats.set(key, format);
  }
  return html`<time datetime="${date.toISOString()}" data-precision="${precision}"
    >${format.format(date)}</time
  >`;
}

/** A moment that may not have been yet. */
export function whenever(
  page: Pick<ConsoleFrame, 't' | 'zone'>,
  date: Date | null,
  precision?: 'moment' | 'day',
): Child {
  return date ? when(page, date, precision) : html`<span class="none">–</span>`;
}
