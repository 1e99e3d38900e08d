import type { Context, ParameterizedContext } from 'koa';
import { pageContext, referenceOf, sendPage } from './context.ts';
import { throttledPage } from './pages/trouble.ts';
import { Problem } from './problem.ts';

/**
 * Answers with the page for those who came too often.
 *
 * @param seconds how long they are to wait.
 * @param codes whether codes of one person were tried, not everything from one network.
 */
export function sendThrottled(
  ctx: ParameterizedContext | Context,
  seconds: number,
  { codes = false }: { codes?: boolean } = {},
): void {
  ctx.set('Retry-After', String(seconds));
  sendPage(
    ctx,
    429,
    throttledPage({
      ...pageContext(ctx),
      minutes: Math.ceil(seconds / 60),
      codes,
      reference: referenceOf(ctx),
    }),
  );
}

/** The same, where a program may ask as well as a person. */
export function rateLimited(seconds: number): Problem {
  return new Problem(429, 'rate_limited', 'Too many requests. Try again later.', {
    'Retry-After': String(seconds),
  });
}
