/** Markup that is safe to send as it is. Only `html` and `raw` make it. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

export type Child = Html | string | number | boolean | null | undefined | readonly Child[];

/**
 * HTML from a template literal. Every value is escaped unless it is itself `Html`; `true`, `false`,
 * `null` and `undefined` print nothing, so `${locked && html`...`}` reads as it looks.
 *
 * The escape is right for text and for double-quoted attributes, and nowhere else: never put a
 * value in an unquoted attribute, a `<script>` or a `<style>`.
 */
export function html(strings: TemplateStringsArray, ...values: Child[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(render)));
}

/** Vouches for markup written by us. Never for anything a person typed. */
export function raw(markup: string): Html {
  return new Html(markup);
}

/** Text made harmless for HTML text and double-quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(value: Child): string {
  if (typeof value === 'boolean' || value === null || value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(render).join('');
  return escapeHtml(String(value));
}
