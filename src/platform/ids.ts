import { randomBytes, randomUUID } from 'node:crypto';

/**
 * A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then chance. New rows land
 * at the end of an index instead of all over it.
 */
export function newId(now: number = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  // Its chance, and the variant, are those of version 4, of which Node makes many at a time.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** A short reference a person can read out on the telephone: no letters that look alike. */
export function newReference(): string {
  return Array.from(randomBytes(10), (byte) => alphabet[byte & 31]).join('');
}

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Whether the text has the form of an id of ours. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
