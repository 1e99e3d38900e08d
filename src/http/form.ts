import { type Child, type Html, html, raw } from '#platform/html.ts';

/** The controls of our forms. A label, a hint and an error are always tied to their input. */

export interface Field {
  name: string;
  label: string;
  type?: 'text' | 'email' | 'password' | 'tel' | 'search' | 'date' | 'number' | 'url';
  value?: string | undefined;
  autocomplete?: string;
  /** Said below the label, before anybody types. */
  hint?: Child;
  /** What is wrong with the value, said beside it. */
  error?: Child;
  /** Where typing begins. One per page. */
  autofocus?: boolean | undefined;
  /** Whether it may be left empty. Required otherwise. */
  optional?: boolean | undefined;
  /** Shown, and not to be changed here. */
  readonly?: boolean | undefined;
  /** Attributes of our own making, such as `inputmode="numeric"`. Never a value from outside. */
  attributes?: string;
}

export function field(field: Field): Html {
  const { name, label, type = 'text', value, autocomplete = 'off', hint, error } = field;
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ');
  return html`
    <div class="field">
      <label for="${name}">${label}</label>
      ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
      <input
        id="${name}"
        name="${name}"
        type="${type}"
        value="${value}"
        autocomplete="${autocomplete}"
        ${!field.optional && raw('required')}
        ${field.readonly && raw('readonly')}
        ${described && html`aria-describedby="${described}"`}
        ${error && raw('aria-invalid="true"')}
        ${field.autofocus && raw('autofocus')}
        ${field.attributes && raw(field.attributes)}
      />
      ${error && html`<p class="error" id="${name}-error" role="alert">${error}</p>`}
    </div>
  `;
}

/** Text of more than a line. */
export function textArea(area: {
  name: string;
  label: string;
  value?: string | undefined;
  hint?: Child;
  error?: Child;
  optional?: boolean | undefined;
  rows?: number | undefined;
  /** Characters at most, where the field itself is to stop there. */
  most?: number;
  /** For what a program reads. */
  code?: boolean | undefined;
}): Html {
  const { name, label, value, hint, error, optional, rows = 4, most, code } = area;
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ');
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    <textarea
      id="${name}"
      name="${name}"
      rows="${rows}"
      autocomplete="off"
      ${most !== undefined && html`maxlength="${most}"`}
      ${code && raw('class="code" spellcheck="false"')}
      ${!optional && raw('required')}
      ${described && html`aria-describedby="${described}"`}
      ${error && raw('aria-invalid="true"')}
    >
${value}</textarea>
    ${error && html`<p class="error" id="${name}-error" role="alert">${error}</p>`}
  </div>`;
}

/** One of a few. The first choice may be an empty one. */
export function select(list: {
  name: string;
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  hint?: Child;
  error?: Child;
  autocomplete?: string;
  /** The empty choice is none. */
  required?: boolean;
}): Html {
  const { name, label, value, options, hint, error, autocomplete = 'off', required } = list;
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ');
  return html`
    <div class="field">
      <label for="${name}">${label}</label>
      ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
      <select
        id="${name}"
        name="${name}"
        autocomplete="${autocomplete}"
        ${required && raw('required')}
        ${described && html`aria-describedby="${described}"`}
        ${error && raw('aria-invalid="true"')}
      >
        ${options.map(
          ([key, text]) =>
            html`<option value="${key}" ${key === value && raw('selected')}>${text}</option>`,
        )}
      </select>
      ${error && html`<p class="error" id="${name}-error" role="alert">${error}</p>`}
    </div>
  `;
}

export function checkbox(box: {
  id: string;
  name: string;
  value: string;
  label: Child;
  required?: boolean;
  checked?: boolean | undefined;
  /** The id of what says what is wrong with it, or with the boxes that it is one of. */
  wrong?: string | undefined;
}): Html {
  return html`
    <label class="check" for="${box.id}">
      <input
        id="${box.id}"
        name="${box.name}"
        type="checkbox"
        value="${box.value}"
        ${box.required && raw('required')}
        ${box.checked && raw('checked')}
        ${box.wrong && html`aria-describedby="${box.wrong}" aria-invalid="true"`}
      />
      <span>${box.label}</span>
    </label>
  `;
}

/** Boxes that belong together. What is wrong with them is said of each. */
export function boxes(list: {
  name: string;
  legend: Child;
  options: readonly (readonly [value: string, label: Child])[];
  chosen: readonly string[];
  hint?: Child;
  error?: Child;
  kind?: 'boxes' | 'field';
}): Html {
  const { name, legend, options, chosen, hint, error, kind = 'boxes' } = list;
  return html`<fieldset class="${kind}">
    <legend>${legend}</legend>
    ${hint && html`<p class="hint">${hint}</p>`}
    ${options.map(([value, label]) =>
      checkbox({
        id: `${name}-${value}`,
        name,
        value,
        label,
        checked: chosen.includes(value),
        wrong: error ? `${name}-error` : undefined,
      }),
    )}
    ${error && html`<p class="error" id="${name}-error" role="alert">${error}</p>`}
  </fieldset>`;
}

export function hidden(name: string, value: string | undefined): Html | undefined {
  return value === undefined
    ? undefined
    : html`<input type="hidden" name="${name}" value="${value}" />`;
}

/** A form that changes something: always a POST, always with its token. */
export function postForm(form: { action: string; csrf?: string | undefined }, body: Child): Html {
  return html`<form method="post" action="${form.action}">
    ${hidden('csrf', form.csrf)}${body}
  </form>`;
}

/** The one thing a form is for. */
export function primary(label: string): Html {
  return html`<button class="primary" type="submit">${label}</button>`;
}

export type Tone = 'info' | 'success' | 'warning' | 'danger';

export function notice(tone: Tone, text: Child): Html {
  return html`<div class="notice ${tone}">${text}</div>`;
}

/** A notice that is read aloud at once. */
export function alert(text: Child, tone: Tone = 'danger'): Html {
  return html`<div class="notice ${tone}" role="alert">${text}</div>`;
}

/**
 * A name that somebody else chose. It keeps its own writing direction to itself, and one that fills
 * the screen is cut.
 */
export function named(text: string, length?: number): Html {
  return html`<bdi>${clip(text, length)}</bdi>`;
}

/** Cut to fit. `toWellFormed` mends a character that the cut went through. */
export function clip(text: string, length = 120): string {
  return text.length > length ? `${text.slice(0, length).toWellFormed()}…` : text;
}

/** A web address from outside, or nothing where it could be more than that (`javascript:`). */
export function webAddress(uri: string | undefined): string | undefined {
  return uri && /^https?:\/\//i.test(uri) ? uri : undefined;
}
