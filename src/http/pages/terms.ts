import { type Html, html } from '#platform/html.ts';
import { alert, checkbox, named, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

export interface TermsDocument {
  kind: 'tos' | 'privacy';
  title: string;
  version: string;
  effectiveAt: Date;
  /** Markup that the operator published and we made safe. Its headings begin at `h3`. */
  body: Html;
  id: string;
}

export interface TermsPage extends PageContext {
  action: string;
  declineAction: string;
  documents: TermsDocument[];
  /** An older version was accepted before. */
  updated: boolean;
  clientName?: string | undefined;
  /** The form came back without every box ticked. */
  error?: 'missing' | undefined;
}

export function termsPage(page: TermsPage): Html {
  const { t, csrf, action, declineAction, documents, updated, clientName, error } = page;
  return card(page, {
    title: t(updated ? 'terms.title_updated' : 'terms.title'),
    lead: [
      t(updated ? 'terms.intro_updated' : 'terms.intro'),
      clientName && [' ', t.parts('terms.then', { client: named(clientName) })],
    ],
    failed: error !== undefined,
    body: html`
      ${error && alert(t('terms'))}
      ${postForm({ action, csrf }, [
        documents.map((document, index) => termsDocument(page, document, index)),
        !error && html`<p class="hint">${t('terms')}</p>`,
        primary(t('terms.accept')),
      ])}
      ${postForm(
        { action: declineAction, csrf },
        html`<button class="quiet" type="submit">${t('terms.decline')}</button>`,
      )}
    `,
  });
}

/** The text scrolls, so it takes the focus: otherwise a keyboard could not read it to the end. */
function termsDocument({ t }: TermsPage, document: TermsDocument, index: number): Html {
  const { kind, title, version, effectiveAt, body, id } = document;
  return html`
    <section class="document">
      <h2 id="document-${index}">${named(title)}</h2>
      <p class="hint">
        ${t.parts('terms.version', { version: named(version), date: effectiveAt })}
      </p>
      <div class="text" role="region" tabindex="0" aria-labelledby="document-${index}">${body}</div>
      ${checkbox({
        id: `accept-${index}`,
        name: 'accept',
        value: id,
        label: t.parts(kind === 'tos' ? 'terms.accept_tos' : 'terms.accept_privacy', {
          title: named(title),
        }),
        required: true,
      })}
    </section>
  `;
}
