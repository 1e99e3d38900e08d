import { Marked } from 'marked';
import { escapeHtml, raw, type Html } from '#platform/html.ts';

/**
 * Markdown as markup that is safe to show: what is HTML in it is shown as text, and links lead to
 * the web or to a mailbox. Headings begin below those of the page.
 */
export function markdown(text: string): Html {
  return raw(marked.parse(text, { async: false }));
}

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    image: ({ text }) => escapeHtml(text),
    heading({ tokens, depth }) {
      const level = Math.min(depth + 2, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      if (!/^(https?:\/\/|mailto:)/i.test(href)) return text;
      return `<a href="${escapeHtml(href)}" rel="noopener noreferrer" target="_blank">${text}</a>`;
    },
  },
});
