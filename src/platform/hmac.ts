import { hash } from 'node:crypto';

const padded = new WeakMap<Buffer, { inner: Buffer; outer: Buffer }>();

/**
 * HMAC-SHA256 (RFC 2104), spelled out over `crypto.hash`, because `createHmac` sets up a context at
 * each call and is among the dearest lines of a request on Node 24 (performance.md, section 2).
 *
 * @param key kept by the program: what follows from it is kept as long as it is
 */
export function hmacSha256(key: Buffer, text: string): Buffer {
  let pads = padded.get(key);
  if (!pads) {
    const block = Buffer.alloc(64);
    (key.length > 64 ? hash('sha256', key, 'buffer') : key).copy(block);
    const against = (mask: number): Buffer => Buffer.from(block.map((byte) => byte ^ mask));
    pads = { inner: against(0x36), outer: against(0x5c) };
    padded.set(key, pads);
  }
  const within = hash('sha256', Buffer.concat([pads.inner, Buffer.from(text)]), 'buffer');
  return hash('sha256', Buffer.concat([pads.outer, within]), 'buffer');
}
