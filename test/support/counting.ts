import type { IncomingMessage, ServerResponse } from 'node:http';
import { counted } from '#platform/database/database.ts';
import type { TestServer } from './server.ts';

/** Counts the statements of each request the server answers. */
export function counting({ app }: TestServer): (act: () => Promise<unknown>) => Promise<string[]> {
  const listener = app.listener.bind(app);
  let seen: string[] = [];
  app.listener = (request: IncomingMessage, response: ServerResponse) => {
    void counted(
      () =>
        new Promise<void>((resolve) => {
          response.on('close', resolve);
          listener(request, response);
        }),
    ).then(({ texts }) => seen.push(...texts));
  };
  return async (act) => {
    seen = [];
    await act();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return seen.map((text) => text.replace(/\s+/g, ' ').trim());
  };
}
