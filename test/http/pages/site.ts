import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { serveAssets } from '#http/assets.ts';
import { formPostPage } from '#http/pages/front.ts';
import { isLocale } from '#platform/i18n.ts';
import { consoleSamples } from './console/every-sample.ts';
import { samples as others } from './every-sample.ts';
import { pageContext } from './samples.ts';

/**
 * The samples as a web site, under the policy that the product sends. A sample keeps still: the one
 * that sends itself off does so only at `/answer`.
 */
export interface Site {
  origin: string;
  close(): void;
}

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const samples = [...others, ...consoleSamples];

export function sampleAddress(name: string): string {
  return `/samples/${encodeURIComponent(name)}`;
}

export async function openSite(): Promise<Site> {
  const app = new Koa();
  app.use(serveAssets());
  app.use(async (ctx) => {
    ctx.set('Content-Security-Policy', policy);
    ctx.type = 'html';
    const locale = isLocale(ctx.query.ui_locales) ? ctx.query.ui_locales : 'en';
    const page = pageContext(locale);
    const sample = samples.find(({ name }) => sampleAddress(name) === ctx.path);

    if (sample) ctx.body = String(sample.render(page)).replace(/<script[^>]*><\/script>/, '');
    else if (ctx.method === 'POST') ctx.body = `<title>Received</title>${await received(ctx.req)}`;
    else if (ctx.path === '/answer')
      ctx.body = String(formPostPage({ ...page, action: '/cb', fields: { code: 'c0de' } }));
  });

  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function received(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return `<p id="received">${encodeURI(Buffer.concat(chunks).toString())}</p>`;
}
