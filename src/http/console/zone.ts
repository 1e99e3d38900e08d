import type { Context } from 'koa';

const zones = new Set(Intl.supportedValuesOf('timeZone'));

/**
 * The reader's time zone, as the script of the console wrote it down; null where there is none, or
 * what stands there is none.
 */
export function zoneOf(ctx: Context): string | null {
  const value = ctx.cookies.get('ostiary_zone');
  if (!value) return null;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', {
      timeZone: decodeURIComponent(value),
    }).resolvedOptions();
    return zones.has(timeZone) ? timeZone : null;
  } catch {
    return null;
  }
}
