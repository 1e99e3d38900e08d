import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, clip, named, notice } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card, referenceLine } from './card.ts';

export interface ExpiredPage extends PageContext {
  startHref?: string | undefined;
  reference: string;
}

/** The sign-in took too long, or went on elsewhere. */
export function expiredPage(page: ExpiredPage): Html {
  const { t, startHref, reference } = page;
  return card(page, {
    title: t('expired.title'),
    failed: true,
    body: [
      alert([t('expired.text'), !startHref && ` ${t('expired.go_back')}`], 'warning'),
      button(startHref, t('action.start_again')),
      referenceLine(page, reference),
    ],
  });
}

export interface ThrottledPage extends PageContext {
  minutes: number;
  /** Codes of one person were tried too often, not everything from one network. */
  codes?: boolean;
  reference: string;
}

export function throttledPage(page: ThrottledPage): Html {
  const { t, minutes, codes = false, reference } = page;
  return card(page, {
    title: t('throttled.title'),
    failed: true,
    body: [
      alert(t(codes ? 'mfa.throttled' : 'throttled', { n: minutes }), 'warning'),
      referenceLine(page, reference),
    ],
  });
}

export interface BusyPage extends PageContext {
  seconds: number;
}

export function busyPage(page: BusyPage): Html {
  const { t, seconds, here } = page;
  return card(page, {
    title: t('busy.title'),
    body: [notice('info', t('busy.text', { n: seconds })), button(here, t('action.try_again'))],
  });
}

export interface ErrorPage extends PageContext {
  status: number;
  /** Both are ours to say by the status, unless somebody knows better. */
  title?: string | undefined;
  detail?: string | undefined;
  /** The error of OAuth or of ours, for those who look after the application. */
  code?: string | undefined;
  reference: string;
}

export function errorPage(page: ErrorPage): Html {
  const { t, status, detail, code, reference } = page;
  const [title, text] =
    byCode[code ?? ''] ?? byStatus[status] ?? (status >= 500 ? byStatus[500]! : other);
  // Where our own words say it all, those of the protocol add nothing: they are in English.
  const more = title === other[0] || page.title !== undefined ? detail : undefined;
  return card(page, {
    title: page.title ?? t(title),
    failed: true,
    body: [
      alert(
        [html`<p>${t(text)}</p>`, more && html`<p lang="en">${named(more, 1000)}</p>`],
        'warning',
      ),
      status === 404 && button('/', t('error.404.home')),
      code &&
        html`<p class="reference">
          ${t.parts('error.code', { code: html`<code>${clip(code)}</code>` })}
        </p>`,
      referenceLine(page, reference),
    ],
  });
}

type Texts = readonly [title: MessageKey, text: MessageKey];

const other = ['error.title', 'error.text'] as const satisfies Texts;
const byCode: Readonly<Record<string, Texts>> = {
  form_expired: ['error.form.title', 'error.form.text'],
};
const byStatus: Readonly<Record<number, Texts>> = {
  404: ['error.404.title', 'error.404.text'],
  405: ['error.405.title', 'error.405.text'],
  413: ['error.413.title', 'error.413.text'],
  421: ['error.421.title', 'error.421.text'],
  500: ['error.500.title', 'error.500.text'],
};

function button(href: string | undefined, text: string): Child {
  return href && html`<p><a class="button primary" href="${href}">${text}</a></p>`;
}
