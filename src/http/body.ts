import type { IncomingMessage } from 'node:http';
import type { Context, ParameterizedContext } from 'koa';
import { Problem } from './problem.ts';

type Ctx = Context | ParameterizedContext;

/** A form of ours has a few short fields. */
const formLimit = 64 * 1024;

/**
 * The fields of an urlencoded form. A field that comes twice, or with a NUL in it, makes the whole
 * form no good: two readers could read it differently. Fields named in `repeated` may come several
 * times, as boxes do; their values are joined by line breaks.
 *
 * @throws {Problem} 400, 413 or 415
 */
export async function readForm(
  ctx: Ctx,
  {
    repeated = [],
    limit = formLimit,
  }: { repeated?: readonly string[]; limit?: number | undefined } = {},
): Promise<Record<string, string>> {
  if (!ctx.is('urlencoded'))
    throw new Problem(415, 'unsupported_media_type', 'A form was expected.');
  const text = await readText(ctx.req, limit);
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in fields && repeated.includes(name)) {
      fields[name] += `\n${value}`;
      continue;
    }
    if (name in fields) throw new Problem(400, 'duplicate_field', `${name} was sent twice.`);
    if (value.includes('\0')) throw new Problem(400, 'invalid_field', `${name} is not text.`);
    fields[name] = value;
  }
  return fields;
}

/**
 * The fields of a form with one file in it (RFC 7578). The file stands among them under its own name,
 * as text; `\uFFFD` alone where it is not UTF-8, which no text of ours holds.
 *
 * @throws {Problem} 400, 413 or 415
 */
export async function readUpload(ctx: Ctx, limit: number): Promise<Record<string, string>> {
  if (!ctx.is('multipart/form-data'))
    throw new Problem(415, 'unsupported_media_type', 'A form with a file was expected.');
  const body = await readBytes(ctx.req, limit + formLimit);
  const type = ctx.get('content-type');
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  let entries: [string, string | File][];
  try {
    const form = await new Response(body, { headers: { 'content-type': type } }).formData();
    entries = [...form.entries()];
  } catch {
    throw new Problem(400, 'invalid_field', 'The form cannot be read.');
  }
  for (const [name, value] of entries) {
    if (name in fields) throw new Problem(400, 'duplicate_field', `${name} was sent twice.`);
    const text = typeof value === 'string' ? value : await fileText(value, limit);
    if (typeof value === 'string' && text.includes('\0'))
      throw new Problem(400, 'invalid_field', `${name} is not text.`);
    fields[name] = text;
  }
  return fields;
}

/** What stands for a file that is no text in UTF-8. */
export const notText = '\uFFFD';

async function fileText(file: File, limit: number): Promise<string> {
  if (file.size > limit) throw new Problem(413, 'too_large', `More than ${limit} bytes were sent.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return notText;
  }
}

/** The body as text. @throws {Problem} 400 when it is cut off or not UTF-8, 413 when it is too long. */
export async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const bytes = await readBytes(request, limit);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, 'invalid_encoding', 'The body is not UTF-8.');
  }
}

/** @throws {Problem} 400 when it is cut off, 413 when it is too long. */
export async function readBytes(
  request: IncomingMessage,
  limit: number,
): Promise<Buffer<ArrayBuffer>> {
  const tooLong = (): Problem =>
    new Problem(413, 'too_large', `More than ${limit} bytes were sent.`, { Connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong();
  if (request.headers['content-encoding'] !== undefined)
    throw new Problem(415, 'unsupported_encoding', 'The body must not be compressed.');
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop early must not destroy the socket: the answer still goes over it.
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  try {
    for await (const chunk of pieces) {
      length += chunk.length;
      if (length > limit) throw tooLong();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    // Whoever sent it hung up, or sent what is no HTTP: no fault of ours, and nobody to tell.
    throw new Problem(400, 'incomplete', 'The body did not arrive whole.');
  }
  return Buffer.concat(chunks);
}
