import { parseArgs } from 'node:util';
import { runBench } from './bench.ts';
import { report } from './report.ts';
import { scenarios } from './scenarios.ts';

/** `npm run bench`: what this machine does in a second, beside what it could do. */

const known = [...Object.keys(scenarios), 'saml', 'saml_hostile'];
const usage = `npm run bench -- [options]

  --only <a,b>      ${known.join(', ')}
  --rounds <n>      interleaved rounds, 5
  --seconds <s>     length of each window, 3
  --clients <n>     clients at once, 8
  --people <n>      people in the database beside those who sign in, 10000
  --url <url>       a PostgreSQL to make a database in; else one is started from /usr/lib/postgresql
  --tcp             speak to the PostgreSQL of its own over TCP instead of a Unix socket
  --json            print JSON
  --profile <dir>   write CPU profiles of the last round there, ours and the baseline's
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '8' },
    people: { type: 'string', default: '10000' },
    url: { type: 'string' },
    tcp: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const only = values.only.split(',').filter(Boolean);
const unknown = only.filter((name) => !known.includes(name));
if (values.help || unknown.length > 0) {
  process.stdout.write(
    unknown.length > 0 ? `There is no ${unknown.join(', ')}.\n\n${usage}` : usage,
  );
  process.exit(unknown.length > 0 ? 1 : 0);
}

const results = await runBench({
  only,
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  clients: Number(values.clients),
  people: Number(values.people),
  url: values.url ?? null,
  tcp: values.tcp,
  profile: values.profile ?? null,
  onProgress: (line) => process.stderr.isTTY && process.stderr.write(`\r\u001B[K${line}`),
}).catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
process.stdout.write(`${values.json ? JSON.stringify(results, null, 2) : report(results)}\n`);
