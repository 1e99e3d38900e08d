import { isId } from '#platform/ids.ts';

/** How many people one action is for at most; more is done with a file (behaviour.md section 9). */
export const mostSelected = 200;

/** Ids as short as an address may carry them: 22 letters each. */
export function packIds(ids: Iterable<string>): string {
  return [...ids]
    .map((id) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'))
    .join('.');
}

/** What is no id is left out. */
export function unpackIds(text: string): string[] {
  return text
    .split('.')
    .map((one) => {
      const hex = Buffer.from(one, 'base64url').toString('hex');
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    })
    .filter(isId);
}

/** Who is chosen: those ticked on the page that was sent, and those carried along from others. */
export function chosenIds(ticked: readonly string[], carried: string): string[] {
  return [...new Set([...ticked.filter(isId), ...unpackIds(carried)])].slice(0, mostSelected);
}
