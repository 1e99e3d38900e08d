import type { Context } from 'koa';
import { encode } from 'uqr';
import { recoveryCodePattern } from '#identity/credentials/recovery-codes.ts';
import { totpAddress } from '#identity/credentials/totp.ts';
import { Problem } from './problem.ts';

/** What an authenticator app is set up with: to be read by its camera, or typed. */
export interface TotpView {
  /** In groups of four, for the eye. */
  secret: string;
  /** Opens the app on the same device. */
  address: string;
  /** The QR code: how many modules a side has, and the dark ones as the path of an SVG. */
  qr: { size: number; path: string };
}

const product = 'Ostiary';

export function totpView(secret: string, account: string): TotpView {
  const address = totpAddress(secret, product, account);
  const { size, data } = encode(address, { ecc: 'M', border: 2 });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  return {
    secret: secret.replace(/(.{4})(?=.)/g, '$1 '),
    address,
    qr: { size, path: dark.join('') },
  };
}

/**
 * Recovery codes as a text file. They come back from the page that shows them, since they are kept
 * nowhere; what is no such code is not sent back.
 *
 * @throws {Problem} 400
 */
export function sendRecoveryCodes(ctx: Context, text: string): void {
  const codes = text.split(' ');
  if (!codes.every((code) => recoveryCodePattern.test(code)))
    throw new Problem(400, 'invalid_field', 'These are no recovery codes.');
  ctx.set('Content-Disposition', 'attachment; filename="ostiary-recovery-codes.txt"');
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/plain; charset=utf-8';
  ctx.body = `${codes.join('\r\n')}\r\n`;
}
