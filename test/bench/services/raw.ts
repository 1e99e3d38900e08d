import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveParent } from '../service.ts';

/** Answers bytes it was given, and does nothing else: what HTTP itself costs on this machine. */

const documents = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const body = documents.get(request.url ?? '');
  response.writeHead(body ? 200 : 404, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body?.length ?? 0,
  });
  response.end(body);
});

serveParent({
  async start(given: Record<string, string>) {
    for (const [path, body] of Object.entries(given)) documents.set(path, Buffer.from(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
  sample: () => ({ cpu: cpuOfThisProcess(), statements: 0, rss: process.memoryUsage.rss() }),
});

function cpuOfThisProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
