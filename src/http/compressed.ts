import { promisify } from 'node:util';
import { randomBytes, randomInt } from 'node:crypto';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context } from 'koa';
import type { Html } from '#platform/html.ts';
import { sendPage } from './context.ts';

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** Quick rather than small: half of what the best would save costs a fiftieth of its time. */
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/**
 * Answers with a page, compressed as the browser likes it: lists of people are long and much the
 * same.
 *
 * The length of what is compressed together with a secret tells something about it to whoever can
 * have the page asked for again and again with words of their own in it (BREACH). Another site
 * cannot, since our cookies do not come along (`SameSite`); and the length is a little off each time.
 */
export async function sendCompressed(ctx: Context, status: number, page: Html): Promise<void> {
  sendPage(ctx, status, page);
  ctx.vary('Accept-Encoding');
  const encoding = ctx.acceptsEncodings('br') || ctx.acceptsEncodings('gzip');
  if (encoding !== 'br' && encoding !== 'gzip') return;
  const markup = `${page.toString()}<!-- ${randomBytes(randomInt(8, 72)).toString('base64url')} -->`;
  ctx.set('Content-Encoding', encoding);
  const type = ctx.response.get('Content-Type');
  ctx.body = encoding === 'br' ? await brotli(markup, quick) : await zip(markup);
  ctx.set('Content-Type', type);
}
