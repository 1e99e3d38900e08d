/**
 * What is kept of what a directory sent: enough to see what it was about, and no more. Secrets are
 * gone before anything is kept; what only the person needs (their telephone, where they live) is
 * hidden where it is shown.
 */
const secrets = /(^|[.:])(password|secret|token|privatekey)s?$/i;
const personal = /(^|[.:])(phonenumbers?|addresses|ims|photos?|x509certificates|entitlements)\b/i;

export const removed = '[removed]';
export const hidden = '[hidden]';

type Hides = (name: string) => string | null;

const secretsOnly = remembering((name) => (secrets.test(name) ? removed : null));
const everything = remembering(
  (name) => secretsOnly(name) ?? (personal.test(name) ? hidden : null),
);

/** The same few names come again and again. */
function remembering(hides: Hides): Hides {
  const known = new Map<string, string | null>();
  return (name) => {
    let word = known.get(name);
    if (word === undefined) {
      word = hides(name);
      if (known.size < 1000 && name.length < 100) known.set(name, word);
    }
    return word;
  };
}

/** As it is sealed for a replay: without secrets. */
export function withoutSecrets(value: unknown): unknown {
  return redacted(value, secretsOnly, 0);
}

/** As it is shown. */
export function shownOf(value: unknown): unknown {
  return redacted(value, everything, 0);
}

function redacted(value: unknown, hides: Hides, depth: number): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 40) return '[too deep]';
  if (Array.isArray(value)) return value.map((one) => redacted(one, hides, depth + 1));
  const fields = Object.entries(value as Record<string, unknown>);
  // An operation of a PATCH names in its path what its value is.
  const path = fields.find(([name]) => name.toLowerCase() === 'path')?.[1];
  const hidesValue = typeof path === 'string' ? hides(attributeIn(path)) : null;
  return Object.fromEntries(
    fields.map(([name, inner]) => {
      const word = name.toLowerCase() === 'value' && hidesValue ? hidesValue : hides(name);
      return [storable(name), word ?? redacted(inner, hides, depth + 1)];
    }),
  );
}

/** The attribute that a path begins with, without filter and schema. */
function attributeIn(path: string): string {
  return path.replace(/^urn:.*:(?=[^:]*$)/i, '').replace(/\[.*$/s, '');
}

/** Text that is no JSON, or not read as such: what looks like a secret in it is gone too. */
export function shownText(text: string, max = 2000): string {
  return storable(
    text
      .slice(0, max)
      .replaceAll(/("(?:password|secret|token)"\s*:\s*)"(?:[^"\\]|\\.)*"?/gi, `$1"${removed}"`),
  );
}

const suspicious = /[\ud800-\udfff]|scim_|ost_/i;

/** What PostgreSQL can keep: no NUL, no half of a character. And no token of ours, wherever it stood. */
export function storable(text: string): string {
  if (!text.includes('\u0000') && !suspicious.test(text)) return text;
  return text
    .replaceAll('\u0000', '\ufffd')
    .toWellFormed()
    .replaceAll(/\b(scim_[0-9a-f]{32}_|ost_)[\w-]{20,}/gi, `$1${removed}`);
}
