import type { Refusal, RefusalCode } from '#identity/refusal.ts';
import type { Visit } from './room.ts';

/** What is no part of a name: marks that turn the direction of writing, too. */
const notInLine = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const notInText = /[^\P{Cc}\n\t]/u;

/** What is wrong with fields, by their name, in the reader's language. */
export type FieldErrors = Readonly<Record<string, string>>;

/**
 * Why something was refused: at the field that is to blame for it, or above the form where none is.
 * Where several could be, the first that was sent is it.
 */
export function blame(
  visit: Visit,
  refusal: Refusal,
  fields: Partial<Record<RefusalCode, string | readonly string[]>>,
): { errors: FieldErrors; failure: string | null } {
  const field = [fields[refusal.code] ?? []].flat().find((name) => name in visit.form);
  const text = visit.reason(refusal);
  return field === undefined
    ? { errors: {}, failure: text }
    : { errors: { [field]: text }, failure: null };
}

/**
 * What was typed into a form, looked at field by field. A value that is wrong is given as if it were
 * empty, and `errors` says why: whoever goes on looks at `ok` first.
 */
export class Typed {
  readonly #visit: Visit;
  readonly #errors: Record<string, string> = {};

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  get ok(): boolean {
    return Object.keys(this.#errors).length === 0;
  }

  get errors(): FieldErrors {
    return this.#errors;
  }

  /** Says what is wrong with a field. The first word counts. */
  wrong(name: string, why: string): void {
    this.#errors[name] ??= why;
  }

  line(name: string, max = 100): string {
    return this.#text(name, max, notInLine, false) ?? '';
  }

  /** Null where nothing was typed. */
  optional(name: string, max = 100): string | null {
    return this.#text(name, max, notInLine, true);
  }

  /** Several lines. */
  text(name: string, max: number, { optional = false } = {}): string {
    return this.#text(name, max, notInText, optional) ?? '';
  }

  /** A whole number, or null where it may be left out. */
  number(name: string, min: number, max: number, { optional = false } = {}): number | null {
    const typed = this.#visit.value(name);
    if (typed === '' && optional) return null;
    const value = /^\d{1,9}$/.test(typed) ? Number(typed) : NaN;
    if (value >= min && value <= max) return value;
    this.wrong(name, this.#visit.say('rooms.wrong.number', { min, max }));
    return null;
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T {
    const typed = this.#visit.value(name);
    const chosen = choices.find((one) => one === typed);
    if (chosen === undefined) this.wrong(name, this.#visit.say('rooms.wrong.choice'));
    return chosen ?? choices[0]!;
  }

  /** The beginning of a day of UTC, or null where nothing was typed. */
  day(name: string): Date | null {
    const typed = this.#visit.value(name);
    if (typed === '') return null;
    const date = /^\d{4}-\d\d-\d\d$/.test(typed) ? new Date(`${typed}T00:00:00Z`) : null;
    if (date && date.toJSON()?.startsWith(typed)) return date;
    this.wrong(name, this.#visit.say('rooms.wrong.day'));
    return null;
  }

  #text(name: string, max: number, forbidden: RegExp, optional: boolean): string | null {
    const typed = this.#visit.value(name).replaceAll('\r\n', '\n');
    const { say } = this.#visit;
    if (typed === '' && optional) return null;
    if (typed === '') this.wrong(name, say('rooms.wrong.empty'));
    else if (typed.length > max) this.wrong(name, say('rooms.wrong.long', { max }));
    else if (forbidden.test(typed)) this.wrong(name, say('rooms.wrong.text'));
    else return typed;
    return null;
  }
}
