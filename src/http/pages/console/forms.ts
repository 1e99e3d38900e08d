import { type Child, type Html, html, raw } from '#platform/html.ts';
import {
  alert,
  boxes,
  checkbox,
  field,
  hidden,
  notice,
  postForm,
  select,
  textArea,
} from '../../form.ts';
import { consolePage, type ConsoleContent, type ConsoleFrame } from './frame.ts';
import { sendOrCancel } from './parts.ts';

/** Forms of the console, as lists of what is asked. */
export type Question = {
  name: string;
  label: string;
  hint?: Child;
} & (
  | { kind: 'line' | 'email' | 'url' | 'date' | 'number'; value?: string; optional?: boolean }
  | { kind: 'text'; value?: string; optional?: boolean; rows?: number; code?: boolean }
  | { kind: 'choice'; value: string; options: readonly (readonly [value: string, label: string])[] }
  | { kind: 'box'; checked: boolean; value?: string }
  | {
      kind: 'boxes';
      chosen: readonly string[];
      options: readonly (readonly [value: string, label: string])[];
    }
);

export type Errors = Readonly<Record<string, string>>;

export function questions(list: readonly Question[], errors: Errors = {}): Html[] {
  return list.map((one) => question(one, errors[one.name]));
}

function question(one: Question, error: string | undefined): Html {
  switch (one.kind) {
    case 'text':
      return textArea({ ...one, error });
    case 'choice':
      return select({ ...one, error });
    case 'box':
      return html`<div class="field">
        ${checkbox({
          ...one,
          id: one.name,
          value: one.value ?? 'yes',
          wrong: error && `${one.name}-error`,
        })}
        ${one.hint && html`<p class="hint">${one.hint}</p>`}
        ${error && html`<p class="error" id="${one.name}-error" role="alert">${error}</p>`}
      </div>`;
    case 'boxes':
      return boxes({ ...one, legend: one.label, error, kind: 'field' });
    default:
      return field({ ...one, type: one.kind === 'line' ? 'text' : one.kind, error });
  }
}

export interface FormPage {
  title: string;
  lead?: Child;
  back: NonNullable<ConsoleContent['back']>;
  action: string;
  asked: readonly Question[];
  /** What few have to say: behind its title, and open where something in it is wrong. */
  further?: { title: string; asked: readonly Question[] };
  /** Sent along, unseen. */
  values?: Readonly<Record<string, string>>;
  button: string;
  /** It takes something away. */
  danger?: boolean;
  errors?: Errors | undefined;
  /** Why it was refused, where no field is to blame. */
  failure?: Child;
  /** What stands between the heading and the form. */
  before?: Child;
}

/** A page that asks, and does one thing. */
export function formPage(page: ConsoleFrame, form: FormPage): Html {
  const {
    title,
    lead,
    back,
    action,
    asked,
    further,
    values = {},
    button,
    danger,
    errors = {},
    failure,
    before,
  } = form;
  return consolePage(page, {
    title,
    lead,
    back,
    failed: Object.keys(errors).length > 0 || Boolean(failure),
    main: [
      before,
      html`<section class="card part">
        ${failure && alert(failure)}
        ${postForm({ action, csrf: page.csrf }, [
          Object.entries(values).map(([name, value]) => hidden(name, value)),
          questions(asked, errors),
          further &&
            html`<details ${further.asked.some(({ name }) => name in errors) && raw('open')}>
              <summary>${further.title}</summary>
              <div class="stack">${questions(further.asked, errors)}</div>
            </details>`,
          sendOrCancel(page, button, back, danger),
        ])}
      </section>`,
    ],
  });
}

/** A secret that is told once. */
export function secretPage(
  page: ConsoleFrame,
  {
    title,
    back,
    secrets,
    more,
  }: {
    title: string;
    back: NonNullable<ConsoleContent['back']>;
    secrets: readonly (readonly [name: string, value: string])[];
    more?: Child;
  },
): Html {
  return consolePage(page, {
    title,
    back,
    main: html`<section class="card part">
      ${notice('warning', page.t('rooms.secret_once'))}
      ${secrets.map(
        ([name, value]) =>
          html`<div class="field">
            <label for="secret-${name}">${name}</label>
            <input id="secret-${name}" class="code" type="text" readonly value="${value}" />
          </div>`,
      )}
      ${more}
      <p><a class="button primary" href="${back.href}">${page.t('rooms.secret_kept')}</a></p>
    </section>`,
  });
}

/** A button that does one thing at once. */
export function act(
  page: ConsoleFrame,
  {
    action,
    label,
    values = {},
    kind = '',
    named,
  }: {
    action: string;
    label: string;
    values?: Readonly<Record<string, string>>;
    kind?: '' | 'primary' | 'danger' | 'quiet';
    /** What it is done to, for those who hear the button alone. */
    named?: string;
  },
): Html {
  return postForm({ action, csrf: page.csrf }, [
    Object.entries(values).map(([name, value]) => hidden(name, value)),
    html`<button
      class="${kind}"
      type="submit"
      ${named && html`aria-label="${`${label}: ${named}`}"`}
    >
      ${label}
    </button>`,
  ]);
}
