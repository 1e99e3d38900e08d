import { type Html, html, raw } from '#platform/html.ts';
import { alert, hidden, named, postForm } from '../../form.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import { confirmPage, empty, filters, part, searchField, table } from './parts.ts';
import { countryName } from './people.ts';

interface ContactShown {
  id: string;
  email: string;
  name: string;
  country: string | null;
  createdAt: Date;
}

export interface ContactsPage extends ConsoleFrame {
  contacts: readonly ContactShown[];
  limit: number;
  countries: readonly string[];
  q: string;
  /** Fewer than three letters were typed. */
  short: boolean;
  /** Members who were found; null where nobody was searched for. */
  found: readonly { id: string; email: string; name: string }[] | null;
  may: boolean;
  /** Who was to be added, and for what; and why they were not. */
  chosen: { user: string; country: string };
  error: string | null;
}

export function contactsPage(page: ContactsPage): Html {
  const { t, contacts, limit, may, error, short, found, chosen } = page;
  const title = t('people.contacts');
  return consolePage(page, {
    title,
    lead: t('people.contacts.lead', { n: limit }),
    failed: error !== null || short,
    main: [
      error && !found?.some(({ id }) => id === chosen.user) && alert(error),
      html`<div class="list">
        ${
          contacts.length === 0
            ? empty(t('people.contacts.none'))
            : table({
                caption: title,
                rows: contacts,
                rowId: ({ id }) => `contact-${id}`,
                columns: [
                  {
                    title: t('people.name'),
                    cell: ({ name, email }) => [
                      html`<strong>${named(name || email)}</strong>`,
                      html`<span class="hint">${named(email)}</span>`,
                    ],
                  },
                  {
                    title: t('people.contact.for'),
                    cell: ({ country }) =>
                      country === null ? t('people.contact.all') : countryName(page, country),
                  },
                  {
                    title: t('people.joined'),
                    wide: true,
                    cell: ({ createdAt }) => when(page, createdAt, 'day'),
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: ({ id, name, email }) =>
                      may &&
                      html`<a
                        class="button quiet"
                        href="/console/contacts/${id}/remove"
                        aria-label="${t('people.contact.remove_of', { name: name || email })}"
                        >${t('people.contact.remove')}</a
                      >`,
                  },
                ],
              })
        }
      </div>`,
      may && contacts.length < limit && adding(page),
    ],
  });
}

function adding(page: ContactsPage): Html {
  const { t, csrf, q, short, found, countries, chosen, error } = page;
  const wrong = (id: string): string | null => (id === chosen.user ? error : null);
  return part(t('people.contact.add'), [
    filters(
      page,
      'found',
      searchField({
        label: t('people.search'),
        value: q,
        hint: t('people.contact.search_hint'),
        error: short && t('people.contact.search_short'),
      }),
    ),
    html`<div id="found" ${raw('aria-live="polite"')}>
      ${
        found !== null &&
        (found.length === 0
          ? html`<p class="hint">${t('people.none_found')}</p>`
          : html`<ul class="rows">
              ${found.map(
                ({ id, name, email }) =>
                  html`<li>
                    <span>
                      <strong>${named(name || email)}</strong>
                      <span class="hint">${named(email)}</span>
                    </span>
                    ${postForm({ action: '/console/contacts', csrf }, [
                      hidden('user', id),
                      hidden('q', q),
                      html`<span class="do">
                        <label class="hidden" for="for-${id}">${t('people.contact.for')}</label>
                        <select
                          id="for-${id}"
                          name="country"
                          ${wrong(id) && html`aria-describedby="for-${id}-error" aria-invalid="true"`}
                        >
                          <option value="">${t('people.contact.all')}</option>
                          ${countries.map(
                            (code) =>
                              html`<option
                                value="${code}"
                                ${id === chosen.user && code === chosen.country && raw('selected')}
                              >
                                ${countryName(page, code)}
                              </option>`,
                          )}
                        </select>
                        <button
                          type="submit"
                          aria-label="${t('people.contact.add_one', { name: name || email })}"
                        >
                          ${t('people.group.put')}
                        </button>
                      </span>`,
                      wrong(id) &&
                        html`<p class="error" id="for-${id}-error" role="alert">${error}</p>`,
                    ])}
                  </li>`,
              )}
            </ul>`)
      }
    </div>`,
  ]);
}

export function removeContactPage(page: ConsoleFrame & { contact: ContactShown }): Html {
  const { t, contact } = page;
  return confirmPage(page, {
    title: t('people.contact.remove'),
    back: { href: '/console/contacts', title: t('people.contacts') },
    what: [
      html`<p><strong>${named(contact.name || contact.email)}</strong></p>`,
      html`<p>${t('people.contact.remove_what')}</p>`,
    ],
    action: `/console/contacts/${contact.id}/remove`,
    button: t('people.contact.remove'),
    danger: true,
  });
}
