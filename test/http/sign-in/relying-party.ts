import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An application that says what it received, so that a real browser has somewhere to arrive. */
export async function relyingParty(): Promise<{
  redirectUri: string;
  close(): Promise<void>;
}> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://127.0.0.1');
    const [what, value] = searchParams.has('code')
      ? ['Signed in', 'with a code']
      : ['Not signed in', searchParams.get('error') ?? ''];
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>Planner</title><h1>${what}</h1><p>${value}</p>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/cb`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
