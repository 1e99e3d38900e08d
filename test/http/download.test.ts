import type { Readable } from 'node:stream';
import type { Context } from 'koa';
import { expect, it } from 'vitest';
import { sendFile } from '#http/download.ts';

it('a file is read from the database a page or two before it leaves, and no further', async () => {
  let read = 0;
  async function* pages(): AsyncGenerator<string> {
    for (; read < 1000; read += 1) yield await Promise.resolve('p'.repeat(100_000));
  }
  const headers: Record<string, string> = {};
  const ctx = {
    set: (name: string, value: string) => (headers[name] = value),
  } as unknown as Context & { body: Readable };
  sendFile(ctx, { name: 'users.csv', type: 'text/csv', text: pages() });
  expect(headers['Content-Disposition']).toBe('attachment; filename="users.csv"');

  const reader = ctx.body[Symbol.asyncIterator]();
  for (const taken of [1, 2, 3]) {
    await reader.next();
    // Whatever is to be read ahead has its turn before the next timer.
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBeLessThanOrEqual(taken + 3);
  }
  ctx.body.destroy();
});
