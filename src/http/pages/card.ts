import { type Child, type Html, html } from '#platform/html.ts';
import { layout, type PageContext } from '../layout.ts';

/** One task in the middle of the screen: what it is, and what to do. */
export function card(
  page: PageContext,
  content: {
    title: string;
    /** The heading, where it says more than the title or marks up a name. */
    heading?: Child;
    lead?: Child;
    body?: Child;
    /** Something went wrong: the title says so, for those who hear it first. */
    failed?: boolean;
    script?: string;
  },
): Html {
  const { title, heading = title, lead, body, failed, script } = content;
  const { t } = page;
  return layout({
    ...page,
    title: failed ? t('layout.error_title', { title }) : title,
    script,
    main: html`
      <div class="card">
        <h1>${heading}</h1>
        ${lead && html`<p class="lead">${lead}</p>`} ${body}
      </div>
    `,
  });
}

/** What a person reads out to support; it leads to the audit record. */
export function referenceLine({ t }: PageContext, reference: string): Html {
  return html`
    <p class="reference">${t.parts('reference', { reference: html`<code>${reference}</code>` })}</p>
  `;
}
