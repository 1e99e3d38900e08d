import { type Child, type Html, html, raw } from '#platform/html.ts';
import { alert, field, hidden, postForm, type Field } from '../../form.ts';
import { consolePage, type ConsoleContent, type ConsoleFrame } from './frame.ts';

/** The pieces that pages of the console are put together from. */

export interface Column<Row> {
  title: Child;
  cell(row: Row): Child;
  /** On a narrow screen there is no room for it: it stands on the page of the row. */
  wide?: boolean;
  number?: boolean;
  /** What can be done with the row, at the end of it: its title is for those who hear it. */
  does?: boolean;
  /** `ascending` or `descending` where the list is in the order of this column. */
  sorted?: 'ascending' | 'descending' | undefined;
}

export interface TableOf<Row> {
  /** What the table is, for those who do not see where it stands. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  /** Where a link to one row leads: the browser goes on from there, with the keyboard too. */
  rowId?(row: Row): string;
}

/**
 * The first column names the row. Where there is more of it than a phone has room for, or something
 * to be done, the cells of a row stand there one below the other, with the titles of their columns.
 */
export function table<Row>({ caption, columns, rows, rowId }: TableOf<Row>): Html {
  const kind = ({ wide, number, does }: Column<Row>): Child => {
    const names = [wide && 'desk', number && 'number', does && 'does'].filter(Boolean).join(' ');
    return names && html`class="${names}"`;
  };
  const narrow = columns.filter(({ wide }) => !wide);
  const stacks = narrow.length > 3 || columns.some(({ does }) => does);
  return html`<table ${stacks && raw('class="stacks"')}>
    <caption class="hidden">
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map(
          (column) =>
            html`<th
              scope="col"
              ${kind(column)}
              ${column.sorted && html`aria-sort="${column.sorted}"`}
            >
              ${column.does ? html`<span class="hidden">${column.title}</span>` : column.title}
            </th>`,
        )}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr ${rowId && html`id="${rowId(row)}"`}>
            ${columns.map(
              (column, at) =>
                html`<td ${kind(column)} ${stacks && at > 0 && titled(column)}>
                  ${column.cell(row)}
                </td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function titled<Row>({ title, does }: Column<Row>): Child {
  return typeof title === 'string' && !does && html`data-title="${title}"`;
}

/** A list that is empty says why, and what to do about it. */
export function empty(text: Child, action?: Child): Html {
  return html`<div class="empty">
    <p>${text}</p>
    ${action && html`<p>${action}</p>`}
  </div>`;
}

/** Leads from a list that was narrowed to all of it. */
export function clear({ t }: Pick<ConsoleFrame, 't'>, href: string): Html {
  return html`<a class="button" href="${href}">${t('people.clear')}</a>`;
}

export interface Paging {
  /** This page without its place in the list. */
  href: string;
  /** Where the next page begins; null on the last. */
  nextCursor: string | null;
  /** Whether this is not the first. */
  later: boolean;
}

/** Leads on from page to page. Back is what the browser does; "to the beginning" is for lost ones. */
export function pager({ t }: ConsoleFrame, { href, nextCursor, later }: Paging): Html | null {
  if (!later && nextCursor === null) return null;
  return html`<nav class="pagination" aria-label="${t('console.paging')}">
    ${later ? html`<a href="${href}">${t('console.first_page')}</a>` : html`<span></span>`}
    ${
      nextCursor !== null &&
      html`<a class="button" rel="next" href="${withQuery(href, { cursor: nextCursor })}"
        >${t('console.next_page')}</a
      >`
    }
  </nav>`;
}

/** An address with more in its query. What is null or empty is left out of it. */
export function withQuery(
  href: string,
  more: Readonly<Record<string, string | null | undefined>>,
): string {
  const [path = '', query = ''] = href.split('?', 2);
  const parameters = new URLSearchParams(query);
  for (const [name, value] of Object.entries(more))
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  return parameters.size > 0 ? `${path}?${parameters}` : path;
}

/**
 * A form that narrows a list: it is sent by its button, and while somebody types where there is
 * JavaScript. `list` is the id of what it narrows.
 */
export function filters(
  { t }: Pick<ConsoleFrame, 't'>,
  list: string,
  fields: Child,
  submit: Child = html`<button type="submit">${t('console.search')}</button>`,
): Html {
  return html`<form
    role="search"
    class="toolbar"
    data-hx-get=""
    data-hx-trigger="input delay:250ms, submit"
    data-hx-target="#${list}"
    data-hx-select="#${list}"
    data-hx-swap="outerHTML"
    data-hx-replace-url="true"
    data-hx-sync="this:replace"
  >
    ${fields} ${submit}
  </form>`;
}

/** What one looks for in a list. "/" leads to it. */
export function searchField({
  name = 'q',
  type = 'search',
  optional = true,
  attributes = '',
  ...more
}: Pick<Field, 'label' | 'value' | 'hint' | 'error' | 'attributes' | 'optional'> & {
  name?: string;
  type?: 'search' | 'email';
}): Html {
  return html`<div class="grow">
    ${field({ ...more, name, type, optional, attributes: `data-search ${attributes}` })}
  </div>`;
}

/** Above a list of which several can be chosen: all of this page, how many, and what to do. */
export function selectionHead(
  { t }: Pick<ConsoleFrame, 't'>,
  { here, elsewhere = 0, more, actions }: SelectionHead,
): Html {
  return html`<div class="selected">
    <label class="pick" for="all"
      ><input id="all" type="checkbox" data-all /><span class="hidden"
        >${t('people.tick_page')}</span
      ></label
    >
    <span
      data-count="${t('people.selected', { n: '{n}' })}"
      data-elsewhere="${elsewhere}"
      aria-live="polite"
      >${t('people.selected', { n: (here + elsewhere).toLocaleString(t.locale) })}</span
    >
    ${more}
    <span class="do">${actions}</span>
  </div>`;
}

interface SelectionHead {
  /** How many are ticked on this page, and on others. */
  here: number;
  elsewhere?: number;
  more?: Child;
  actions: Child;
}

/** Names and values; `counts` are many numbers. What has no value is left out. */
export function facts(
  list: readonly (readonly [name: string, value: Child])[],
  kind: '' | 'counts' = '',
): Html {
  return html`<dl class="details ${kind}">
    ${list
      .filter(
        ([, value]) => value !== null && value !== undefined && value !== '' && value !== false,
      )
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`;
}

/** A part of a page with a heading of its own. */
export function part(
  title: Child,
  body: Child,
  { id, actions }: { id?: string; actions?: Child } = {},
): Html {
  return html`<section class="card part" ${id && html`id="${id}"`}>
    ${
      (title || actions) &&
      html`<div class="head">
        <h2>${title}</h2>
        ${actions && html`<div class="actions">${actions}</div>`}
      </div>`
    }
    ${body}
  </section>`;
}

export interface Confirmation {
  title: string;
  heading?: Child;
  back: NonNullable<ConsoleContent['back']>;
  /** What will happen. */
  what: Child;
  /** What is to be typed or chosen with it. */
  fields?: Child;
  action: string;
  /** Sent along, unseen. A list is sent under its one name. */
  values?: Readonly<Record<string, string | readonly string[]>>;
  button: string;
  /** It takes something away. */
  danger?: boolean;
  /** Why it was not done. */
  error?: Child;
}

/** The button that sends a form, and the way out of it. */
export function sendOrCancel(
  { t }: Pick<ConsoleFrame, 't'>,
  label: string,
  back: { href: string },
  danger = false,
): Html {
  return html`<div class="actions">
    <button class="${danger ? 'danger' : 'primary'}" type="submit">${label}</button>
    <a class="button quiet" href="${back.href}">${t('console.cancel')}</a>
  </div>`;
}

/** What is about to happen, and the button that does it. */
export function confirmPage(page: ConsoleFrame, confirm: Confirmation): Html {
  const {
    title,
    heading,
    back,
    what,
    fields,
    action,
    values = {},
    button,
    danger,
    error,
  } = confirm;
  return consolePage(page, {
    title,
    heading,
    back,
    failed: Boolean(error),
    main: html`<section class="card part">
      ${error && alert(error)}
      <div class="what">${what}</div>
      ${postForm({ action, csrf: page.csrf }, [
        Object.entries(values).flatMap(([name, value]) =>
          [value].flat().map((one) => hidden(name, one)),
        ),
        fields,
        sendOrCancel(page, button, back, danger),
      ])}
    </section>`,
  });
}

/** A refusal where nothing else of the page stands: why, and the way back. */
export function refusedPage(
  page: ConsoleFrame,
  { title, reason, back, more }: { title: string; reason: Child; back: string; more?: Child },
): Html {
  return consolePage(page, {
    title,
    failed: true,
    main: html`<section class="card part">
      ${alert(reason)} ${more}
      <p><a class="button primary" href="${back}">${page.t('console.go_back')}</a></p>
    </section>`,
  });
}

/** A box of a list of several. */
export function box(
  name: string,
  value: string,
  { id, label, checked, form }: { id: string; label: string; checked?: boolean; form?: string },
): Html {
  return html`<label class="pick" for="${id}"
    ><input
      id="${id}"
      name="${name}"
      type="checkbox"
      value="${value}"
      ${form && html`form="${form}"`}
      ${checked && raw('checked')}
    /><span class="hidden">${label}</span></label
  >`;
}
