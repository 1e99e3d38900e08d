import { parseArgs } from 'node:util';
import type { Api } from './api.ts';
import { usageOf, WrongUsage, type Command, type Given } from './command.ts';
import { Refused } from './refused.ts';
import type { Ground } from './ground.ts';
import { aligned } from './print.ts';
import { troubleOf } from './trouble.ts';

export interface Place {
  api: Api;
  ground: Ground;
  out(text: string): void;
  err(text: string): void;
}

/**
 * Runs one command line. Returns the exit status: 0 done, 1 refused (message and code on standard
 * error), 2 not understood. Anything else that is thrown is a bug, and goes on.
 */
export async function run(
  commands: readonly Command[],
  argv: readonly string[],
  { out, err, ...place }: Place,
): Promise<number> {
  const json = argv.includes('--json');
  try {
    const [noun = '', verb = ''] = argv.filter((one) => !one.startsWith('-'));
    const wantsHelp = argv.includes('--help') || argv.includes('-h') || noun === 'help';
    const command = commands.find(
      (one) => one.noun === noun && (one.verb === null || one.verb === verb),
    );
    if (wantsHelp) {
      out(command ? helpOf(command) : overview(commands, noun === 'help' ? verb : noun));
      return 0;
    }
    if (!command) throw new WrongUsage(unknown(commands, noun, verb));
    const said = await command.run(understood(command, argv), place);
    const text = json ? JSON.stringify(said.json, null, 2) : said.text;
    if (text !== '') out(text);
    return said.status ?? 0;
  } catch (error) {
    if (error instanceof WrongUsage) {
      err(error.message);
      return 2;
    }
    if (error instanceof Refused) {
      err(json ? JSON.stringify(error.problem) : `${error.message} (${error.code})`);
      return 1;
    }
    const trouble = troubleOf(error);
    if (!trouble) throw error;
    const { code, message } = trouble;
    err(json ? JSON.stringify({ code, detail: message }) : `${message} (${code})`);
    return 1;
  }
}

/** @throws {WrongUsage} */
function understood(command: Command, argv: readonly string[]): Given {
  const options = command.options ?? {};
  const hint = `Usage: ${usageOf(command)}`;
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        ...Object.fromEntries(
          Object.entries(options).map(([name, { value }]) => [
            name,
            { type: value === undefined ? 'boolean' : 'string', multiple: true } as const,
          ]),
        ),
      },
    });
  } catch (error) {
    throw new WrongUsage(`${(error as Error).message}\n${hint}`);
  }
  const args = parsed.positionals.slice(command.verb === null ? 1 : 2);
  const takes = command.takes ?? [];
  if (args.length !== takes.length)
    throw new WrongUsage(
      args.length < takes.length
        ? `<${takes[args.length]!.name}> is missing.\n${hint}`
        : `${args[takes.length]} is one too many.\n${hint}`,
    );
  const values = parsed.values as Record<string, (string | boolean)[] | undefined>;
  for (const [name, { required, multiple }] of Object.entries(options)) {
    const given = values[name] ?? [];
    if (required && given.length === 0) throw new WrongUsage(`--${name} is missing.\n${hint}`);
    if (!multiple && given.length > 1) throw new WrongUsage(`--${name} is given twice.\n${hint}`);
  }
  return {
    args,
    text: (name) => values[name]?.at(-1) as string | undefined,
    all: (name) => (values[name] ?? []) as string[],
    on: (name) => (values[name] ?? []).length > 0,
  };
}

function unknown(commands: readonly Command[], noun: string, verb: string): string {
  if (noun === '') return overview(commands, '');
  const verbs = commands.filter((one) => one.noun === noun).map((one) => one.verb);
  if (verbs.length === 0) return `There is no ${noun}. See: ostiary --help`;
  const said = verb === '' ? `ostiary ${noun} needs a verb` : `ostiary ${noun} does not ${verb}`;
  return `${said}. It has: ${verbs.join(', ')}`;
}

function overview(commands: readonly Command[], noun: string): string {
  const shown = commands.filter((one) => one.noun === noun);
  const listed = shown.length > 0 ? shown : commands;
  return [
    'Usage: ostiary <noun> <verb> [options]',
    '',
    aligned(
      listed.map(({ noun: one, verb, summary }) => [
        [one, verb].filter(Boolean).join(' '),
        summary,
      ]),
    ),
    '',
    'Each takes --json for machines and --help.',
    'The server is found by OSTIARY_URL and OSTIARY_TOKEN; in development by demo.json.',
    'Exit status: 0 done, 1 refused, 2 wrong usage.',
  ].join('\n');
}

function helpOf(command: Command): string {
  const { summary, takes = [], options = {} } = command;
  const lines: [string, string][] = [
    ...takes.map(({ name, summary: text }): [string, string] => [`<${name}>`, text]),
    ...Object.entries(options).map(
      ([name, { value, summary: text, required }]): [string, string] => [
        `--${name}${value === undefined ? '' : ` <${value}>`}`,
        required ? `${text} (required)` : text,
      ],
    ),
    ['--json', 'For machines.'],
  ];
  return [`Usage: ${usageOf(command)} [options]`, '', summary, '', aligned(lines)].join('\n');
}
