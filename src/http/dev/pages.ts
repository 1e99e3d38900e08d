import { type Child, type Html, html } from '#platform/html.ts';
import { postForm } from '../form.ts';
import { layout, type PageContext } from '../layout.ts';

/** A developer's pages: in English only, as the log is. The mails they show are in any language. */

export interface MailSummary {
  id: number;
  kind: string;
  recipient: string;
  subject: string;
  sent_at: Date;
}

export interface Mail extends MailSummary {
  sender: string;
  text: string;
  html: string;
}

export interface PreviewSummary {
  kind: string;
  variant: number;
  subject: string;
}

export function mailboxPage(
  page: PageContext,
  { mails, to }: { mails: readonly MailSummary[]; to: string | null },
): Html {
  return developerPage(
    page,
    'Development mailbox',
    html`
      <h1>Development mailbox</h1>
      <p class="hint">
        Mails are kept here instead of being sent.
        <a href="/dev/mailbox/previews">See every letter in every language</a>
      </p>
      <div class="toolbar">
        <form method="get" action="/dev/mailbox" role="search" class="toolbar">
          <div class="field">
            <label for="to">Recipient</label>
            <input id="to" name="to" type="search" value="${to}" autocomplete="off" />
          </div>
          <button>Filter</button>
        </form>
        ${
          mails.length > 0 &&
          postForm({ action: '/dev/mailbox/clear', csrf: page.csrf }, html`<button>Clear</button>`)
        }
      </div>
      ${
        mails.length === 0
          ? html`<p class="empty">${to ? `No mail to ${to}.` : 'No mail yet.'}</p>`
          : html`<div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">To</th>
                    <th scope="col">Subject</th>
                    <th scope="col">Sent</th>
                  </tr>
                </thead>
                <tbody>
                  ${mails.map(
                    ({ id, recipient, subject, kind, sent_at }) => html`
                      <tr>
                        <td>${recipient}</td>
                        <td>
                          <a href="/dev/mailbox/${id}">${subject}</a>
                          <div class="hint"><code>${kind}</code></div>
                        </td>
                        <td>${moment(sent_at)}</td>
                      </tr>
                    `,
                  )}
                </tbody>
              </table>
            </div>`
      }
    `,
  );
}

export function mailPage(page: PageContext, mail: Mail): Html {
  const { id, kind, sender, recipient, subject, sent_at, text } = mail;
  const path = `/dev/mailbox/${id}`;
  return developerPage(
    page,
    subject,
    html`
      <h1>${subject}</h1>
      <dl class="details">
        <dt>From</dt>
        <dd>${sender}</dd>
        <dt>To</dt>
        <dd><a href="/dev/mailbox?to=${encodeURIComponent(recipient)}">${recipient}</a></dd>
        <dt>Sent</dt>
        <dd>${moment(sent_at)}</dd>
        <dt>Kind</dt>
        <dd><code>${kind}</code></dd>
      </dl>
      ${bothVersions(text, `${path}/html`)}
      <p><a href="${path}/text">Plain text</a> · <a href="/dev/mailbox">All mails</a></p>
    `,
  );
}

export function previewsPage(page: PageContext, letters: readonly PreviewSummary[]): Html {
  return developerPage(
    page,
    'Letters',
    html`
      <h1>Letters</h1>
      <p class="hint">
        Every mail that can be written, with sample values. Choose the language at the foot of the
        page.
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Letter</th>
              <th scope="col">Subject</th>
            </tr>
          </thead>
          <tbody>
            ${letters.map(
              ({ kind, variant, subject }) => html`
                <tr>
                  <td><code>${kind}</code>${variant > 0 && ` ${variant + 1}`}</td>
                  <td lang="${page.t.locale}">
                    <a href="${previewPath(kind, variant)}?ui_locales=${page.t.locale}"
                      >${subject}</a
                    >
                  </td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      <p><a href="/dev/mailbox">All mails</a></p>
    `,
  );
}

export function previewPage(page: PageContext, letter: PreviewSummary & { text: string }): Html {
  const { kind, variant, subject, text } = letter;
  const { locale } = page.t;
  return developerPage(
    page,
    subject,
    html`
      <h1 lang="${locale}">${subject}</h1>
      <p class="hint"><code>${kind}</code></p>
      ${bothVersions(text, `${previewPath(kind, variant)}/html?ui_locales=${locale}`, locale)}
      <p><a href="/dev/mailbox/previews?ui_locales=${locale}">All letters</a></p>
    `,
  );
}

function previewPath(kind: string, variant: number): string {
  return `/dev/mailbox/previews/${kind}/${variant}`;
}

function bothVersions(text: string, frame: string, locale?: string): Html {
  return html`
    <h2>Text</h2>
    <div class="scroll">
      <pre ${locale && html`lang="${locale}"`}>${linked(text)}</pre>
    </div>
    <h2>HTML</h2>
    <iframe src="${frame}" title="The mail as HTML" width="100%" height="720" sandbox></iframe>
  `;
}

/** The text, its links to be followed. */
function linked(text: string): Child {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : part));
}

function developerPage(page: PageContext, title: string, main: Html): Html {
  return layout({ ...page, title, main, width: 'wide' });
}

function moment(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
