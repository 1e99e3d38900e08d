import { type Html, html } from '#platform/html.ts';
import { named } from '../form.ts';

/** Those who can help, and how to write to them. */
export function administratorList(people: readonly { name: string; email: string }[]): Html {
  return html`<ul class="people">
    ${people.map(
      ({ name, email }) =>
        html`<li>
          <strong>${named(name)}</strong>
          <a href="mailto:${encodeURIComponent(email)}">${named(email)}</a>
        </li>`,
    )}
  </ul>`;
}
