import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Context, Middleware } from 'koa';

/**
 * Style sheets, mark and scripts of our pages. They are read once, and named by their content: a
 * browser may keep them for ever, and a new version is a new address.
 */
export interface Asset {
  type: string;
  hash: string;
  /** The same bytes for each encoding that a browser may ask for. */
  bodies: { br: Buffer; gzip: Buffer; identity: Buffer };
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const folder = new URL('./assets/', import.meta.url);

/** Files that come with a package. */
const packaged: Record<string, string> = { 'htmx.js': 'htmx.org/dist/htmx.min.js' };
/** What a package brings for browsers goes before the script of ours that uses it: one file, one request. */
const libraries: Record<string, URL> = {
  'passkey.js': new URL(
    '../dist/bundle/index.umd.min.js',
    import.meta.resolve('@simplewebauthn/browser'),
  ),
};

/** Path by file name, and asset by path. */
const paths = new Map<string, string>();
export const assets: ReadonlyMap<string, Asset> = new Map([
  ...readdirSync(folder).map((file) => load(file, new URL(file, folder))),
  ...Object.entries(packaged).map(([file, from]) => load(file, new URL(import.meta.resolve(from)))),
]);

function load(file: string, from: URL): [string, Asset] {
  const extension = extname(file);
  const read = readFileSync(from);
  const own = extension === '.css' ? withoutProse(read) : read;
  const library = libraries[file];
  const identity = library ? Buffer.concat([readFileSync(library), Buffer.from('\n'), own]) : own;
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 10);
  const path = `/assets/${file.slice(0, -extension.length)}.${hash}${extension}`;
  paths.set(file, path);
  return [
    path,
    {
      type: types[extension] ?? 'application/octet-stream',
      hash,
      bodies: { br: brotliCompressSync(identity), gzip: gzipSync(identity), identity },
    },
  ];
}

/** A style sheet without what is written for us: comments, indentation. */
function withoutProse(style: Buffer): Buffer {
  return Buffer.from(
    style
      .toString()
      .replaceAll(/\/\*.*?\*\//gs, '')
      .replaceAll(/\n\s+/g, '\n'),
  );
}

export function assetPath(file: string): string {
  const path = paths.get(file);
  if (!path) throw new Error(`There is no asset ${file}.`);
  return path;
}

/** Koa answers HEAD without the body by itself. */
export function serveAssets(): Middleware {
  return async (ctx, next) => {
    const asset = assets.get(ctx.path);
    if (!asset) {
      await next();
      return;
    }

    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD');
      ctx.status = 405;
      return;
    }

    const encoding = encodingFor(ctx);
    ctx.vary('Accept-Encoding');
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    ctx.etag = `${asset.hash}-${encoding}`;
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }

    if (encoding !== 'identity') ctx.set('Content-Encoding', encoding);
    ctx.type = asset.type;
    ctx.body = asset.bodies[encoding];
  };
}

/** Ours is the choice where the browser has none: it names `br` last, though it is the smallest. */
function encodingFor(ctx: Context): keyof Asset['bodies'] {
  if (ctx.acceptsEncodings('br') === 'br') return 'br';
  if (ctx.acceptsEncodings('gzip') === 'gzip') return 'gzip';
  return 'identity';
}
