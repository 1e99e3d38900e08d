import { ScimError } from './error.ts';

/**
 * What a request says of versions (RFC 7644, section 3.14): the headers, as they came.
 *
 * A version is of what is kept of a resource. What follows from others makes none: the groups of a
 * user, the names of members and managers. A group that ten thousand come into would be ten thousand
 * changes, each of which a directory that asks for what was modified would load.
 */
export interface Conditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

/** The tags of a header: `W/"3", "4"`. SCIM puts weak ones into If-Match, so `W/` is left aside. */
function tagsOf(header: string): string[] {
  return header.split(',').map((one) =>
    one
      .trim()
      .replace(/^W\//i, '')
      .replace(/^"(.*)"$/, '$1'),
  );
}

/** Whether a header names this version, or any. */
export function names(header: string | undefined, version: string | number): boolean {
  if (header === undefined) return false;
  const tag = String(version).replace(/^W\/"(.*)"$/, '$1');
  return header.trim() === '*' || tagsOf(header).includes(tag);
}

/** @throws {ScimError} 412 where it was changed since the client looked */
export function requireMatch({ ifMatch, ifNoneMatch }: Conditions, version: number): void {
  if ((ifMatch === undefined || names(ifMatch, version)) && !names(ifNoneMatch, version)) return;
  throw new ScimError(412, 'The resource is not the version that was named: load it again.');
}
