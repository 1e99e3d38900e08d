import type { Letter } from '#identity/mail/letter.ts';
import type { MessageKey, Translate } from '#messages/translate.ts';
import { type Html, html, raw } from '#platform/html.ts';
import type { Locale, Value } from '#platform/i18n.ts';
import { type Contents, contentsOf } from './contents.ts';
import { greetable, inert, inertText, webLink } from './inert.ts';

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

export interface Envelope {
  /** The reader's name, as somebody typed it. */
  name: string | null;
  /** What support finds the mail by. */
  reference: string;
  product: string;
}

/** What stands in a mail, in its order, every value harmless and every text translated. */
interface Page {
  subject: string;
  hello: string;
  paragraphs: string[];
  facts: [label: string, value: string][];
  quote: { title: string; lines: string[] } | null;
  list: { title: string | null; items: string[] } | null;
  code: { title: string; code: string } | null;
  action: { label: string; link: string; hint: string } | null;
  second: { text: string; link: string } | null;
  footer: string[];
}

/** A letter as it is read: the same content as text and as HTML. */
export function renderMail(letter: Letter, envelope: Envelope, t: Translate): RenderedMail {
  const page = pageOf(letter, envelope, t);
  const markup = asHtml(page, t.locale).toString().replace(/\n\s+/g, '\n');
  return { subject: page.subject, text: asText(page), html: markup };
}

const longestList = 10;

function pageOf(letter: Letter, { name, reference, product }: Envelope, t: Translate): Page {
  const contents = contentsOf(letter);
  const { why, link, code, facts = [], quote, quoted, list, second, choices } = contents;
  const values = { product, ...said(letter, t.locale), ...choices };
  const own = (part: string): string => t(`mail.${letter.kind}.${part}` as MessageKey, values);
  const known = greetable(name);

  return {
    subject: inert(own('subject'), 150),
    hello: t('mail.hello', { known: known ? 'yes' : 'no', name: known }),
    paragraphs: own('text').split('\n\n').map(trimmed).filter(Boolean),
    facts: facts
      .filter(([label, value]) => value !== null || label === 'mail.found')
      .map(([label, value]) => [
        t(label),
        value === null ? t('mail.nothing') : saidValue(value, t.locale).toLocaleString(t.locale),
      ]),
    quote: quote
      ? {
          title: t(quoted === 'support' ? 'mail.message_support' : 'mail.message'),
          lines: inertText(quote).split('\n'),
        }
      : null,
    list: listed(list, t),
    code: code ? { title: t('mail.code'), code: inert(code, 20) } : null,
    action: link ? { label: own('action'), link: webLink(link), hint: t('mail.copy') } : null,
    second: second ? { text: own('second'), link: webLink(second) } : null,
    footer: [t(`mail.why.${why}`, values), t('mail.reference', { reference })],
  };
}

function listed(list: Contents['list'], t: Translate): Page['list'] {
  if (!list || list.items.length === 0) return null;
  const shown = list.items.slice(0, longestList);
  const rest = Math.max(list.of ?? 0, list.items.length) - shown.length;
  const items = shown.map((item) => inert(item, 120));
  return {
    title: list.title ? t(list.title) : null,
    items: rest > 0 ? [...items, t('mail.more', { n: rest })] : items,
  };
}

/** The values of a letter as they stand in its text. */
function said(letter: Letter, locale: Locale): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(letter)
      .filter(([, value]) => !Array.isArray(value))
      .map(([name, value]) => [name, saidValue(value, locale)]),
  );
}

function saidValue(value: unknown, locale: Locale): Value {
  if (value instanceof Date) return moment(value, locale);
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? inert(value, 200) : '';
}

/** A moment with its time zone: we do not know where the reader is. */
function moment(date: Date, locale: Locale): string {
  return new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  }).format(date);
}

function trimmed(text: string): string {
  return text.trim();
}

function asText(page: Page): string {
  const { hello, paragraphs, facts, quote, list, code, action, second, footer } = page;
  return [
    hello,
    ...paragraphs,
    facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    quote && `${quote.title}:\n${quote.lines.map((line) => `> ${line}`).join('\n')}`,
    list && [list.title && `${list.title}:`, ...list.items.map((item) => `- ${item}`)],
    code && `${code.title}: ${code.code}`,
    action && `${action.label}:\n${action.link}`,
    second && `${second.text}\n${second.link}`,
    `-- \n${footer.join('\n')}`,
  ]
    .map((block) => (Array.isArray(block) ? block.filter(Boolean).join('\n') : block))
    .filter(Boolean)
    .join('\n\n')
    .concat('\n');
}

/** Styles are inline, because many mail programs drop a style sheet; it only adds the dark colours. */
function asHtml(page: Page, locale: Locale): Html {
  const { subject, hello, paragraphs, facts, quote, list, code, action, second, footer } = page;
  return html`${raw('<!doctype html>')}
    <html lang="${locale}">
      <head>
        <meta charset="utf-8" />
        <title>${subject}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        ${raw(darkColours)}
      </head>
      <body class="page" style="margin:0;padding:24px 12px;background:#f5f7f6">
        <div
          class="card"
          style="max-width:34rem;margin:0 auto;padding:32px;border-radius:8px;background:#ffffff;color:#17211e;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere"
        >
          <p style="margin:0 0 16px">${hello}</p>
          ${paragraphs.map((paragraph) => html`<p style="margin:0 0 16px">${paragraph}</p>`)}
          ${
            facts.length > 0 &&
            html`<p style="margin:0 0 16px">
              ${facts.map(
                ([label, value]) =>
                  html`<span class="muted" style="color:#55635e">${label}:</span> ${value}<br />`,
              )}
            </p>`
          }
          ${
            quote &&
            html`<p style="margin:0 0 8px">${quote.title}:</p>
              <blockquote
                class="quote"
                style="margin:0 0 16px;padding:0 0 0 16px;border-left:3px solid #7d8b86"
              >
                ${quote.lines.map((line) => html`${line}<br />`)}
              </blockquote>`
          }
          ${
            list &&
            html`${list.title && html`<p style="margin:0 0 8px">${list.title}:</p>`}
              <ul style="margin:0 0 16px;padding:0 0 0 20px">
                ${list.items.map((item) => html`<li>${item}</li>`)}
              </ul>`
          }
          ${
            code &&
            html`<p class="muted" style="margin:0 0 4px;color:#55635e">${code.title}:</p>
              <p
                style="margin:0 0 24px;font:600 28px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:4px"
              >
                ${code.code}
              </p>`
          }
          ${
            action &&
            html`<p style="margin:8px 0 24px">
                <a
                  class="button"
                  href="${action.link}"
                  style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1a6f5c;color:#ffffff;font-weight:600;text-decoration:none"
                  >${action.label}</a
                >
              </p>
              <p class="muted" style="margin:0 0 16px;color:#55635e;font-size:14px">
                ${action.hint}<br />${action.link}
              </p>`
          }
          ${
            second &&
            html`<p class="muted" style="margin:0 0 16px;color:#55635e;font-size:14px">
              ${second.text}<br /><a class="link" href="${second.link}" style="color:#1a6f5c"
                >${second.link}</a
              >
            </p>`
          }
          <p
            class="muted line"
            style="margin:24px 0 0;padding:16px 0 0;border-top:1px solid #dbe2df;color:#55635e;font-size:13px"
          >
            ${footer.map((line) => html`${line}<br />`)}
          </p>
        </div>
      </body>
    </html>`;
}

const darkColours = `<style>
  :root { color-scheme: light dark; supported-color-schemes: light dark; }
  @media (prefers-color-scheme: dark) {
    .page { background: #0f1413 !important; }
    .card { background: #171e1c !important; color: #e8eeec !important; }
    .muted { color: #a3b1ac !important; }
    .line { border-color: #2c3734 !important; }
    .quote { border-color: #74847e !important; }
    .button { background: #6fcdb4 !important; color: #06251d !important; }
    .link { color: #6fcdb4 !important; }
  }
</style>`;
