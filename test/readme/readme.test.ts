import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it as plainly } from 'vitest';
import { loadConfig } from '#config/load.ts';
import { Settings } from '#config/schema.ts';
import { seedDemo } from '#config/demo.ts';
import { testDatabase } from '#test/support/database.ts';
import { it } from '#test/support/it.ts';
import { startServer } from '#test/support/server.ts';

const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'src/README.md'];
const readme = read('README.md');
const map = read('src/README.md');

describe('the README', () => {
  plainly('names the settings there are, and no other', () => {
    expect(firstColumn(section(readme, 'Settings'))).toEqual(Object.keys(Settings.shape).sort());
  });

  plainly('names commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = documents.flatMap((file) =>
      [...read(file).matchAll(/npm (?:run )?(start|test|[a-z]+:[a-z]+|(?<=run )[a-z:]+)/g)].map(
        ([, name]) => name!,
      ),
    );
    expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names addresses that answer', async ({ program }) => {
    const addresses = firstColumn(section(readme, 'Addresses')).filter((one) => !one.includes('…'));
    expect(addresses.length).toBeGreaterThan(5);
    const missing: string[] = [];
    for (const address of addresses)
      if ((await program.get(address)).status === 404) missing.push(address);
    expect(missing).toEqual([]);
  });

  plainly('has commands that work', async () => {
    const { server, demo, close } = await startDemo();
    const calls = callsIn(readme);
    expect(calls.length).toBeGreaterThan(3);
    for (const { path, body, variables } of calls) {
      const fill = (text: string): string =>
        text.replaceAll(/\$([A-Z]+)/g, (_, name: string) => valueIn(demo, variables[name]!));
      const answer = await server.agent({ cookies: false }).send(fill(path), {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: fill('Bearer $TOKEN'), 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      });
      expect
        .soft(`${path} ${answer.status} ${answer.status < 300 || answer.text}`)
        .toMatch(/ 20[01] true$/);
    }
    await close();
  });

  plainly('has small pictures', () => {
    const pictures = globSync('docs/images/*.png');
    expect(pictures.length).toBeGreaterThan(0);
    expect(pictures.filter((file) => statSync(file).size > 60_000)).toEqual([]);
    expect(pictures.filter((file) => !readme.includes(file))).toEqual([]);
  });
});

describe.each(documents)('%s', (file) => {
  plainly('leads nowhere that does not exist', () => {
    const links = [
      ...read(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)="([^"]+)"/g),
    ].map(([, link, source]) => (link ?? source)!);
    const missing = links.filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(dirname(file), link)),
    );
    expect(missing).toEqual([]);
  });

  plainly('names files that exist', () => {
    const named = [...read(file).matchAll(/`((?:src|test|config|migrations)\/[\w./-]+)`/g)];
    expect(named.map(([, path]) => path!).filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('the map of the source', () => {
  const tree = treeOf(section(map, 'The tree'));

  plainly('shows nothing that is not there', () => {
    expect(tree.filter((path) => !existsSync(path))).toEqual([]);
  });

  plainly('shows every zone', () => {
    const files = globSync(['src/*/**/*.ts', 'src/http/*/**/*.ts']);
    const zones = files.map((file) => /^src\/(http\/[^/.]+(?=\/)|[^/]+)/.exec(file)![0]);
    expect(zones.length).toBeGreaterThan(10);
    expect([...new Set(zones)].filter((zone) => !tree.includes(zone))).toEqual([]);
  });
});

async function startDemo() {
  const { database, reset } = await testDatabase();
  await reset();
  const dataDir = mkdtempSync(join(tmpdir(), 'ostiary-demo-'));
  const server = await startServer(database, { config: { dataDir } });
  const demo = await seedDemo(server.app, {
    ...loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir }),
    issuer: server.url,
  });
  return {
    server,
    demo,
    async close() {
      await server.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

interface Call {
  path: string;
  body: string | undefined;
  /** Where in `demo.json` each variable of the shell comes from. */
  variables: Record<string, string>;
}

/** The calls of the API, as they stand in the README for a shell. */
function callsIn(text: string): Call[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => {
    const variables = Object.fromEntries(
      [
        ...block.matchAll(/^([A-Z]+)=\$\(node -p "require\('\.\/\.data\/demo\.json'\)\.(.+)"\)$/gm),
      ].map(([, name, place]) => [name!, place!]),
    );
    return [
      ...block.matchAll(/^curl "?http:\/\/localhost:3000(\/api[^\s"]*)"?((?:.*\\\n)*.*)/gm),
    ].map(([call, path]) => ({
      path: path!,
      body: /-d '([^']*)'/.exec(block.slice(block.indexOf(call)).split('\n\n')[0]!)?.[1],
      variables,
    }));
  });
}

/** `accounts[0].id` of the demo. */
function valueIn(demo: unknown, place: string): string {
  let value = demo;
  for (const [, name, index] of place.matchAll(/(\w+)|\[(\d+)\]/g))
    value = (value as Record<string, unknown>)[(name ?? index)!];
  return String(value);
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

/** What stands under a heading, up to the next of its rank. */
function section(text: string, heading: string): string {
  const [, after = ''] = text.split(`\n## ${heading}\n`);
  return after.split('\n## ')[0]!;
}

/** The names in the first column of a table. */
function firstColumn(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!))
    .sort();
}

/** The paths of a drawn tree: two blanks deeper is inside. Several names may stand in a line. */
function treeOf(text: string): string[] {
  const drawn = /```\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const above: string[] = [];
  return drawn
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const depth = /^ */.exec(line)![0].length / 2;
      const names = line.trim().split(/ {2,}/)[0]!.split(' ');
      above.length = depth;
      above.push(names[0]!);
      return names.map((name) => join(...above.slice(0, depth), name).replace(/\/$/, ''));
    });
}
