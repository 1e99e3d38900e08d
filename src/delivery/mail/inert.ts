/**
 * Text that somebody typed, harmless in a line of a mail: one line, no control or direction
 * characters (a right-to-left override makes `moc.live` read as `evil.com`), no address that a mail
 * program would turn into a link, and no longer than `most`.
 *
 * Joiners stay: Persian and Indic names are written with them.
 */
export function inert(text: string, most = 80): string {
  const line = text
    .slice(0, most * 4)
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/(?![\u200c\u200d])[\p{Cf}\p{Co}\p{Cn}\u115f\u1160\u3164\uffa0]/gu, '')
    .replace(/:\/\//g, ': ')
    .trim();
  return shortened(line, most);
}

/** What an administrator wrote to people: its lines stay. */
export function inertText(text: string, most = 1000): string {
  return text
    .slice(0, most * 2)
    .split(/\r\n?|[\n\u2028\u2029]/)
    .slice(0, 30)
    .map((line) => inert(line, most))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
    .slice(0, most);
}

/**
 * A name to greet with, or nothing. Anybody may register anybody's address under any name, so a name
 * that carries an address of the web would make our mail the advertisement of a stranger.
 */
export function greetable(name: string | null): string {
  const line = inert(name ?? '', 60);
  return /[/\\@]|www\.|\p{L}{2,}\.\p{L}{2,}|\d{5,}/iu.test(line) ? '' : line;
}

/** Only the web is linked to: no `javascript:`, no `data:`. */
export function webLink(link: string): string {
  const { protocol, href } = new URL(link);
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new Error('A mail links to the web only.');
  return href;
}

function shortened(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
