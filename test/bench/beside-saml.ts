import type { Place } from './flows.ts';
import type { Service } from './service.ts';
import type { Window } from './services/load.ts';

/**
 * What documents that mean harm cost those who ask for something else meanwhile (issue 5; security.md
 * D-18): `/healthz` is asked while so many sign-ins a second end with such a document, and while as many
 * end with a small one that is refused like any forged one.
 */
export interface BesideFigures {
  /** Sign-ins a second, and questions about the health. */
  signIns: number;
  questions: number;
  /** Milliseconds for an answer of `/healthz` beside each; medians over the rounds. */
  beside: Record<Beside, { p50: number; p99: number }>;
  /** The p99 beside 84 KB, divided by that beside as many small ones in the same round; median. */
  ratio: Record<Hostile, number>;
}

const hostile = ['saml_siblings', 'saml_attributes'] as const;
const all = ['nothing', 'saml_small', ...hostile] as const;
type Hostile = (typeof hostile)[number];
type Beside = (typeof all)[number];

/** Each from a company of its own, since a connection's documents are counted. */
export const samlClients = 8;
const signIns = 20;
const questions = 200;

/** @param load who signs in; `others`: who asks */
export async function measureBeside({
  place,
  load,
  others,
  rounds,
  seconds,
  say,
}: {
  place: Place;
  load: Service;
  others: Service;
  rounds: number;
  seconds: number;
  say: (line: string) => void;
}): Promise<BesideFigures> {
  const found = Object.fromEntries(all.map((one) => [one, [] as Window[]])) as Record<
    Beside,
    Window[]
  >;
  await others.call('prepare', { place, flow: 'health', clients: 4, warm: seconds / 4 });
  for (let round = 0; round < rounds; round += 1)
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      say(`round ${round + 1} of ${rounds}: /healthz beside ${one}`);
      if (one !== 'nothing')
        await load.call('prepare', { place, flow: one, clients: samlClients, warm: seconds / 4 });
      const [window] = await Promise.all([
        others.call<Window>('run', { seconds, perSecond: questions }),
        one === 'nothing' ? null : load.call<Window>('run', { seconds, perSecond: signIns }),
      ]);
      found[one].push(window);
    }
  const ratio = (one: Hostile): number =>
    median(found[one].map(({ p99 }, round) => p99 / found.saml_small[round]!.p99));
  return {
    signIns,
    questions,
    beside: Object.fromEntries(
      all.map((one) => [
        one,
        {
          p50: median(found[one].map(({ p50 }) => p50)),
          p99: median(found[one].map(({ p99 }) => p99)),
        },
      ]),
    ) as BesideFigures['beside'],
    ratio: { saml_siblings: ratio('saml_siblings'), saml_attributes: ratio('saml_attributes') },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
