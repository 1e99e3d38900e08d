import { Secret, TOTP } from 'otpauth';
import type { Vault } from '#platform/secrets.ts';

/**
 * Codes of authenticator apps (RFC 6238): six digits, half a minute, SHA-1. Every app knows these, and
 * several know no others whatever the address of the secret says.
 */
const period = 30;
const digits = 6;

/** How far a clock may be off, in steps. */
const drift = 1;

/** A secret of 160 bits (RFC 4226, section 4), as an app takes it when it is typed. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What the QR code says to an app. */
export function totpAddress(secret: string, issuer: string, account: string): string {
  return new TOTP({ issuer, label: account, secret, algorithm: 'SHA1', digits, period }).toString();
}

/** The step whose code this is, or null. Compared in constant time, and only around now. */
export function totpStep(secret: string, code: string, now: Date): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const timestamp = now.getTime();
  const delta = TOTP.validate({
    token: code,
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits,
    period,
    timestamp,
    window: drift,
  });
  return delta === null ? null : TOTP.counter({ period, timestamp }) + delta;
}

/** Spaces are for the eye. */
export function cleanCode(typed: string): string {
  return typed.replace(/[\s-]/g, '');
}

export function sealTotp(vault: Vault, userId: string, secret: string): string {
  return vault.seal(secret, `totp:${userId}`);
}

export function openTotp(vault: Vault, userId: string, sealed: string): string {
  return vault.open(sealed, `totp:${userId}`);
}
