import { flows, type Place } from '../flows.ts';
import { serveParent } from '../service.ts';
import { Browser } from '../wire.ts';

/** The load generator: some clients, each of which waits for its answer before it asks again. */

let browsers: Browser[] = [];
let operations: (() => Promise<void>)[] = [];

export interface Window {
  operations: number;
  seconds: number;
  p50: number;
  p99: number;
  /** CPU of the load generator, in milliseconds. */
  cpu: number;
}

serveParent({
  /** New clients, each signed in as far as the flow needs it, and warm. */
  async prepare({
    place,
    flow,
    clients,
    warm,
  }: {
    place: Place;
    flow: string;
    clients: number;
    warm: number;
  }) {
    for (const browser of browsers) browser.close();
    browsers = Array.from(
      { length: clients },
      (_, index) => new Browser(place.ports[index % place.ports.length]!, place.host),
    );
    operations = await Promise.all(
      browsers.map((browser, index) => flows[flow]!.prepare(browser, place, index)),
    );
    await during(warm);
  },

  run: ({ seconds }: { seconds: number }) => during(seconds),
});

async function during(seconds: number): Promise<Window> {
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  const end = began + seconds * 1000;
  await Promise.all(
    operations.map(async (operation) => {
      let now = performance.now();
      do {
        await operation();
        const then = now;
        now = performance.now();
        took.push(now - then);
      } while (now < end);
    }),
  );
  const elapsed = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  took.sort((a, b) => a - b);
  return {
    operations: took.length,
    seconds: elapsed,
    p50: took[Math.floor(took.length * 0.5)]!,
    p99: took[Math.floor(took.length * 0.99)]!,
    cpu: (user + system) / 1000,
  };
}
