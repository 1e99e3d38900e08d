/** One value that was changed. */
export interface Change {
  /** Such as `settings.password.minLength`. */
  field: string;
  /** Undefined where there was none. */
  before: unknown;
  after: unknown;
}

/**
 * What a row of the log says was changed: its `before` and `after`, value by value, without those that
 * stayed; and what else it tells.
 */
export function changesOf({ before, after, ...rest }: Readonly<Record<string, unknown>>): {
  changes: Change[];
  rest: [name: string, value: unknown][];
} {
  const was = flat(before, 'before');
  const is = flat(after, 'after');
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return {
    changes: fields
      .filter((field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]))
      .map((field) => ({ field, before: was[field], after: is[field] })),
    rest: Object.entries(flat(rest, '')),
  };
}

/** Values by their path. A list is a value; so is what is no object at all. */
function flat(value: unknown, name: string, path = ''): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { [path || name]: value };
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length === 0 && path !== '') return { [path]: {} };
  return Object.assign(
    {},
    ...entries.map(([key, one]) => flat(one, name, path === '' ? key : `${path}.${key}`)),
  ) as Record<string, unknown>;
}
