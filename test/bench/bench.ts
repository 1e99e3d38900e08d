import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { administer, databaseUrl } from '../support/template.ts';
import { cpuBetween, databaseCpu, type DatabaseCpu } from './database-cpu.ts';
import { flows, type Place } from './flows.ts';
import { measureBeside, samlClients, type BesideFigures } from './beside-saml.ts';
import { measureSaml, type SamlFigures } from './saml.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { startService, type Service } from './service.ts';
import type { Window } from './services/load.ts';

export interface BenchOptions {
  only: readonly string[];
  rounds: number;
  /** Seconds of each window. */
  seconds: number;
  clients: number;
  /** People in the database beside those who sign in. */
  people: number;
  /** A PostgreSQL in which a database may be made; null: one of its own, or the embedded one. */
  url: string | null;
  /** A dump of a migrated embedded database, to be used instead. */
  template?: string | null;
  /** Whether our process and PostgreSQL talk over TCP where a Unix socket would do. */
  tcp?: boolean;
  /** A folder for CPU profiles: of the last round, ours and the baseline's. */
  profile?: string | null;
  onProgress?: (line: string) => void;
}

/** One system in one scenario: medians over the rounds. */
export interface Figures {
  perSecond: number;
  /** CPU milliseconds of one operation. */
  cpuServer: number;
  cpuDatabase: number | null;
  cpuLoad: number;
  statementsPerRequest: number;
  p50: number;
  p99: number;
  /** Megabytes. */
  memory: number;
}

export interface Row {
  name: string;
  title: string;
  baseline: Scenario['baseline'];
  ours: Figures;
  theirs: Figures;
  /** Median of the ratios of each round. */
  ratio: number;
  /** The same, of what an operation costs: CPU of the baseline divided by ours. */
  cpuRatio: number;
  reach: number;
  reached: boolean;
}

export interface Results {
  database: string;
  node: string;
  cores: number;
  options: Pick<BenchOptions, 'rounds' | 'seconds' | 'clients' | 'people'>;
  rows: Row[];
  /** The most that one of our processes had, in megabytes. */
  memory: { peak: number; reach: number; reached: boolean };
  /** Null where it was not asked for. */
  saml: SamlFigures | null;
  besideSaml: BesideFigures | null;
}

interface Sample {
  cpu: number;
  statements: number;
  rss: number;
}

/** Who is measured: where it is, and the processes that do the work. */
interface System {
  place: Place | null;
  services: Service[];
  database: boolean;
}

/** Most that a process may have under load, in megabytes (performance.md section 3). */
const memoryReach = 250;

/** With how many people others are compared. */
const ten = 10_000;

/**
 * What `npm start` gives its process: objects that live are swept before they have grown by a third
 * (350 MB under load without, 230 with), and threads share what they allocate from (12 MB less, no slower).
 */
const asStarted = {
  execArgv: ['--max-semi-space-size=8', '--heap-growing-percent=30'],
  env: { MALLOC_ARENA_MAX: '2' },
};

/**
 * Measures each scenario and its baseline in turn, round after round: what else the machine does
 * meanwhile then meets both, and the ratio stands although the figures drift.
 */
export async function runBench(options: BenchOptions): Promise<Results> {
  const say = options.onProgress ?? (() => {});
  const wanted = Object.entries(scenarios).filter(
    ([name]) => options.only.length === 0 || options.only.includes(name),
  );
  const needs = (baseline: Scenario['baseline']): boolean =>
    wanted.some(([, scenario]) => scenario.baseline === baseline);

  const asked = (name: string): boolean => options.only.length === 0 || options.only.includes(name);

  const services: Service[] = [];
  let keeper: Service | undefined;
  const start = (...given: Parameters<typeof startService>): Service => {
    const service = startService(...given);
    services.push(service);
    return service;
  };
  let dropDatabase = (): Promise<void> => Promise.resolve();
  try {
    // --- The database
    let server = options.url;
    let described = 'the PostgreSQL that was named';
    if (server === null && !options.template) {
      say('starting PostgreSQL');
      keeper = startService('postgres');
      const own = await keeper.call<{
        version: string;
        tcp: string;
        socket: string;
      } | null>('start');
      if (own) {
        server = options.tcp ? own.tcp : own.socket;
        described = `PostgreSQL ${own.version}, its own settings, ${options.tcp ? 'TCP' : 'Unix socket'}`;
      }
    }
    let url: string | null = null;
    let smallUrl: string | null = null;
    let readDatabaseCpu: (() => DatabaseCpu) | null = null;
    if (server === null) {
      described = 'embedded (no PostgreSQL is installed): nothing here says what production does';
    } else {
      const address = server;
      const names = [`ostiary_bench_${process.pid}`, `ostiary_bench_${process.pid}_small`];
      const drops = names.map((name) => `drop database if exists ${name} with (force)`);
      await administer(address, ...drops, ...names.map((name) => `create database ${name}`));
      dropDatabase = () => administer(address, ...drops);
      url = databaseUrl(address, names[0]!);
      smallUrl = databaseUrl(address, names[1]!);
      readDatabaseCpu = await databaseCpu(url);
    }

    // --- Who is measured
    say('seeding');
    const ostiary = start('ostiary', asStarted);
    const template = options.template ?? null;
    const first = await ostiary.call<{ port: number; issuer: string }>('start', {
      url,
      template,
      issuer: null,
    });
    // Sessions, grants and tokens of others are of no use where nobody signs in.
    const narrow = wanted.length > 0 && wanted.every(([name]) => /^(scim|scale)_/.test(name));
    const seeded = await ostiary.call<Omit<Place, 'host' | 'ports'>>(
      'seed',
      {
        crowd: options.people,
        narrow,
        full: wanted.some(([name]) => name === 'scim_group_full'),
        saml: asked('saml_hostile') ? samlClients : 0,
      },
      3600_000,
    );
    const place: Place = { ...seeded, host: new URL(first.issuer).host, ports: [first.port] };
    const ours: System = { place, services: [ostiary], database: true };
    const systems: Record<string, System> = {};
    if (needs('stock')) {
      const stock = start('stock');
      systems['stock'] = {
        place: await stock.call<Place>('start', { people: seeded.people, tuned: false }),
        services: [stock],
        database: false,
      };
    }
    if (wanted.some(([, { measured }]) => measured === 'engine')) {
      const tuned = start('stock');
      systems['engine'] = {
        place: await tuned.call<Place>('start', { people: seeded.people, tuned: true }),
        services: [tuned],
        database: false,
      };
    }
    if (needs('raw')) {
      const raw = start('raw');
      const port = await raw.call<number>('start', await documentsOf(place));
      systems['raw'] = { place: { ...place, ports: [port] }, services: [raw], database: false };
    }
    if (needs('hashes'))
      systems['hashes'] = { place: null, services: [start('hashes')], database: false };
    systems['ourselves'] = ours;
    if (needs('floor') && url !== null) {
      const floor = start('floor');
      const port = await floor.call<number>('start', { url, scim: seeded.scim });
      systems['floor'] = { place: { ...place, ports: [port] }, services: [floor], database: true };
    }
    if (needs('ten thousand') && smallUrl !== null && options.people > ten) {
      const small = start('ostiary', asStarted);
      const at = await small.call<{ port: number; issuer: string }>('start', {
        url: smallUrl,
        template,
        issuer: null,
      });
      const people = await small.call<Omit<Place, 'host' | 'ports'>>(
        'seed',
        { crowd: ten, narrow, full: false, saml: 0 },
        3600_000,
      );
      if (narrow) await small.call('quiet');
      systems['ten thousand'] = {
        place: { ...people, host: new URL(at.issuer).host, ports: [at.port] },
        services: [small],
        database: true,
      };
    }
    let both: System | undefined;
    if (needs('one process') && url !== null) {
      systems['one process'] = ours;
      const second = start('ostiary', asStarted);
      const { port } = await second.call<{ port: number }>('start', {
        url,
        template,
        issuer: first.issuer,
      });
      both = {
        place: { ...place, ports: [first.port, port] },
        services: [ostiary, second],
        database: true,
      };
    }
    if (narrow) await ostiary.call('quiet');
    const load = start('load');

    // --- The rounds
    const measured = new Map<string, { ours: Figures[]; theirs: Figures[] }>();
    for (let round = 0; round < options.rounds; round += 1)
      for (const [name, scenario] of wanted) {
        const baseline = systems[scenario.baseline];
        if (!baseline) continue;
        say(`round ${round + 1} of ${options.rounds}: ${scenario.title}`);
        await ostiary.call('hashing', { on: scenario.hashing ?? false });
        const figures = measured.get(name) ?? { ours: [], theirs: [] };
        measured.set(name, figures);
        const seen = scenario.measured ? systems[scenario.measured]! : ours;
        const turns: [System, Figures[]][] = [
          [baseline, figures.theirs],
          [scenario.baseline === 'one process' ? both! : seen, figures.ours],
        ];
        for (const [system, into] of round % 2 === 0 ? turns : turns.reverse())
          into.push(await measure(name, system, scenario, into === figures.theirs));
      }

    const rows = wanted.flatMap(([name, { title, baseline, reach, by, worth = 1 }]): Row[] => {
      const figures = measured.get(name);
      if (!figures) return [];
      const ratio = median(
        figures.ours.map((one, i) =>
          by === 'p50'
            ? figures.theirs[i]!.p50 / one.p50
            : (worth * one.perSecond) / figures.theirs[i]!.perSecond,
        ),
      );
      return [
        {
          name,
          title,
          baseline,
          ours: medians(figures.ours),
          theirs: medians(figures.theirs),
          ratio,
          cpuRatio: median(
            figures.ours.map((one, i) => (worth * cpuOf(figures.theirs[i]!)) / cpuOf(one)),
          ),
          reach,
          reached: ratio >= reach,
        },
      ];
    });
    const peak = Math.max(
      0,
      ...[...measured].flatMap(([name, one]) =>
        scenarios[name]!.measured ? [] : one.ours.map((f) => f.memory),
      ),
    );
    return {
      database: described,
      node: process.version,
      cores: availableParallelism(),
      options: {
        rounds: options.rounds,
        seconds: options.seconds,
        clients: options.clients,
        people: options.people,
      },
      rows,
      memory: { peak, reach: memoryReach, reached: peak <= memoryReach },
      saml: asked('saml') ? await measureSaml() : null,
      besideSaml: asked('saml_hostile')
        ? await measureBeside({ place, load, others: start('load'), ...options, say })
        : null,
    };

    /** One window of one system. */
    async function measure(
      name: string,
      system: System,
      scenario: Scenario,
      isBaseline: boolean,
    ): Promise<Figures> {
      const flow = (isBaseline ? scenario.baselineFlow : undefined) ?? scenario.flow;
      const source = system.place === null ? system.services[0]! : load;
      if (system.place !== null)
        await load.call('prepare', {
          place: system.place,
          flow,
          clients: isBaseline
            ? options.clients
            : Math.min(options.clients, scenario.clients ?? options.clients),
          warm: Math.min(0.5, options.seconds / 4),
        });
      const samples = (): Promise<Sample[]> =>
        Promise.all(system.services.map((one) => one.call<Sample>('sample')));
      const cpu = system.database && readDatabaseCpu ? readDatabaseCpu : null;
      if (options.profile) await system.services[0]!.call('profileFrom');
      const [before, databaseBefore] = [await samples(), cpu?.()];
      const window = await source.call<Window>('run', { seconds: options.seconds });
      const [databaseAfter, after] = [cpu?.(), await samples()];
      if (options.profile)
        await system.services[0]!.call('profileTo', {
          file: join(options.profile, `${name}-${isBaseline ? 'baseline' : 'ours'}.cpuprofile`),
        });
      const spent = (of: (sample: Sample) => number): number =>
        after.reduce((sum, sample, index) => sum + of(sample) - of(before[index]!), 0);
      const { operations } = window;
      return {
        perSecond: operations / window.seconds,
        cpuServer: spent((sample) => sample.cpu) / operations,
        cpuDatabase:
          databaseBefore && databaseAfter
            ? cpuBetween(databaseBefore, databaseAfter) / operations
            : null,
        cpuLoad: window.cpu / operations,
        statementsPerRequest:
          spent((sample) => sample.statements) /
          (operations * (system.place === null ? 1 : flows[flow]!.requests)),
        p50: window.p50,
        p99: window.p99,
        memory: Math.max(...after.map(({ rss }) => rss)) / 1024 / 1024,
      };
    }
  } finally {
    // The database goes last: the others still speak to it while they end.
    await Promise.all(services.map((one) => one.stop()));
    await dropDatabase().catch(() => {});
    await keeper?.stop();
  }
}

/** The bytes that the raw server is to answer: those we answer. */
async function documentsOf({ paths, ports, host }: Place): Promise<Record<string, string>> {
  const documents: Record<string, string> = {};
  for (const path of [paths.discovery, paths.keys]) {
    const answer = await fetch(`http://${host.split(':')[0]}:${ports[0]}${path}`);
    documents[path] = await answer.text();
  }
  return documents;
}

function cpuOf({ cpuServer, cpuDatabase }: Figures): number {
  return cpuServer + (cpuDatabase ?? 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function medians(figures: readonly Figures[]): Figures {
  const of = (pick: (one: Figures) => number): number => median(figures.map(pick));
  return {
    perSecond: of((one) => one.perSecond),
    cpuServer: of((one) => one.cpuServer),
    cpuDatabase: figures.some((one) => one.cpuDatabase === null)
      ? null
      : of((one) => one.cpuDatabase!),
    cpuLoad: of((one) => one.cpuLoad),
    statementsPerRequest: of((one) => one.statementsPerRequest),
    p50: of((one) => one.p50),
    p99: of((one) => one.p99),
    memory: of((one) => one.memory),
  };
}
