import { setTimeout as sleep } from 'node:timers/promises';
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

  /** As much as there is room for, or so many operations a second, however long one takes. */
  run: ({ seconds, perSecond }: { seconds: number; perSecond?: number }) =>
    perSecond === undefined ? during(seconds) : paced(seconds, perSecond),
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
  return windowOf(took, began, cpu);
}

/**
 * The clients take turns. What is due while its client still waits for an answer has waited since it was
 * due: a server that stands still is not spared the questions of that while.
 */
async function paced(seconds: number, perSecond: number): Promise<Window> {
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  const between = 1000 / perSecond;
  const all = Math.max(1, Math.floor(seconds * perSecond));
  await Promise.all(
    operations.map(async (operation, client) => {
      for (let turn = client; turn < all; turn += operations.length) {
        const due = began + turn * between;
        const early = due - performance.now();
        if (early > 0) await sleep(early);
        const from = early > 0 ? performance.now() : due;
        await operation();
        took.push(performance.now() - from);
      }
    }),
  );
  return windowOf(took, began, cpu);
}

function windowOf(took: number[], began: number, before: NodeJS.CpuUsage): Window {
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  took.sort((a, b) => a - b);
  return {
    operations: took.length,
    seconds,
    p50: took[Math.floor(took.length * 0.5)]!,
    p99: took[Math.floor(took.length * 0.99)]!,
    cpu: (user + system) / 1000,
  };
}
