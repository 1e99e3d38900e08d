import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receiver {
  uri: string;
  /** The logout tokens that came, oldest first. */
  tokens: string[];
  /** Whether it answers with an error. */
  broken: boolean;
  close(): Promise<void>;
}

/** An application that takes logout tokens. */
export async function receiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!state.broken) {
        const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token');
        if (request.method === 'POST' && token) state.tokens.push(token);
      }
      response.writeHead(state.broken ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const state: Receiver = {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bcl`,
    tokens: [],
    broken: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return state;
}
