import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A public document that is the same for everybody until the keys change: metadata and keys. */
interface Prepared {
  body: Buffer;
  type: string;
  etag: string;
}

export interface PreparedDocuments {
  /** Keeps a document that was answered once. */
  keep(path: string, body: string, type: string): void;
  /** Answers from what was kept. Returns false where there is nothing, or it is no plain request. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  forget(): void;
}

/**
 * Every application asks for the metadata and the keys, again and again, and all of them get the
 * same bytes: they are answered before anything else is set up for the request.
 */
export function preparedDocuments(
  host: string,
  headers: Record<string, string>,
): PreparedDocuments {
  const documents = new Map<string, Prepared>();
  return {
    keep(path, body, type) {
      documents.set(path, {
        body: Buffer.from(body),
        type,
        etag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"`,
      });
    },

    serve(request, response) {
      const document = documents.get(request.url ?? '');
      if (!document || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
      if (request.headers.host?.toLowerCase() !== host) return false;
      const fresh = request.headers['if-none-match'] === document.etag;
      response.writeHead(fresh ? 304 : 200, {
        ...headers,
        'Content-Type': document.type,
        'Cache-Control': 'public, max-age=300, stale-while-revalidate=3600',
        ETag: document.etag,
        // Public, and read by single-page applications of any origin.
        'Access-Control-Allow-Origin': '*',
        'Cross-Origin-Resource-Policy': 'cross-origin',
        ...(!fresh && { 'Content-Length': document.body.length }),
      });
      response.end(fresh || request.method === 'HEAD' ? undefined : document.body);
      return true;
    },

    forget() {
      documents.clear();
    },
  };
}
