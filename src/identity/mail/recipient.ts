/** Who is written to, by the address that is stored, never by the one that was typed. */
export interface Recipient {
  userId?: string;
  email: string;
  name?: string;
  locale: string | null;
}

/** Somebody who reads mails, as a list of them is read: administrators, contacts. */
export interface Reader {
  id: string;
  email: string;
  name: string;
  language: string | null;
}

export function toReader({ id, email, name, language }: Reader): Recipient {
  return { userId: id, email, name, locale: language };
}

/**
 * A person as the reader of a letter.
 *
 * @param instead an address that is not the one they have, which may be null only then; the language
 *   of who has chosen none.
 */
export function toPerson(
  person: { id: string; email: string | null; givenName: string; language: string | null },
  instead: { email?: string; locale?: string | null | undefined } = {},
): Recipient {
  const { id, givenName, language } = person;
  const { email = person.email!, locale = null } = instead;
  return { userId: id, email, name: givenName, locale: language ?? locale };
}
