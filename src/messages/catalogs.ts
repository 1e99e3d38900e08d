import { readFileSync } from 'node:fs';
import { type Locale, locales } from '#platform/i18n.ts';
import audit from './en/audit.json' with { type: 'json' };
import belonging from './en/belonging.json' with { type: 'json' };
import bulk from './en/bulk.json' with { type: 'json' };
import console from './en/console.json' with { type: 'json' };
import connection from './en/connection.json' with { type: 'json' };
import directory from './en/directory.json' with { type: 'json' };
import domains from './en/domains.json' with { type: 'json' };
import factors from './en/factors.json' with { type: 'json' };
import federation from './en/federation.json' with { type: 'json' };
import mail from './en/mail.json' with { type: 'json' };
import outcome from './en/outcome.json' with { type: 'json' };
import people from './en/people.json' with { type: 'json' };
import profile from './en/profile.json' with { type: 'json' };
import readiness from './en/readiness.json' with { type: 'json' };
import rooms from './en/rooms.json' with { type: 'json' };
import refusal from './en/refusal.json' with { type: 'json' };
import setup from './en/setup.json' with { type: 'json' };
import signIn from './en/sign-in.json' with { type: 'json' };

/** One line for each namespace: `<namespace>.json` lies in the folder of every language. */
const english = {
  'sign-in': signIn,
  mail,
  audit,
  belonging,
  connection,
  directory,
  domains,
  factors,
  federation,
  outcome,
  profile,
  console,
  readiness,
  rooms,
  people,
  refusal,
  bulk,
  setup,
};

type Keys<Namespaces> =
  Namespaces extends Record<string, infer Messages> ? KeysOf<Messages> : never;
type KeysOf<Messages> = Messages extends unknown ? keyof Messages & string : never;

export type MessageKey = Keys<typeof english>;

export type Catalog = Partial<Record<MessageKey, string>>;

export const namespaces = Object.keys(english);

/** Every message by language. Read at once, so that a broken file stops the start, not a page. */
export const catalogs = Object.fromEntries(
  locales.map((locale) => [
    locale,
    Object.assign({}, ...namespaces.map((name) => read(locale, name))),
  ]),
) as Record<Locale, Catalog>;

function read(locale: Locale, namespace: string): Catalog {
  const file = new URL(`./${locale}/${namespace}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Catalog;
}
