import { readFileSync, writeFileSync } from 'node:fs';
import type { Api } from '../api.ts';
import { WrongUsage, type Command, type Given, type Said } from '../command.ts';
import { detailed, listed } from '../print.ts';
import { Refused } from '../refused.ts';
import { accountOf, accountOption } from '../resolve.ts';

interface Job {
  id: string;
  kind: string;
  state: string;
  total: number;
  waiting: number;
  succeeded: number;
  skipped: number;
  failed: number;
  by: string | null;
  createdAt: string;
}

interface Row {
  row: number;
  cells: Record<string, string>;
  result: string | null;
  code: string | null;
  message: string | null;
}

function shown(job: Job): Said {
  const { id, kind, state, total, waiting, succeeded, skipped, failed, by } = job;
  return detailed(job, { id, kind, state, total, waiting, succeeded, skipped, failed, by });
}

const which = [{ name: 'job', summary: 'Its id.' }];
const outOption = { out: { value: 'file', summary: 'Into a file; else it is printed.' } };
const pauseMs = 500;

async function pathOf(api: Api, given: Given): Promise<string> {
  return `/accounts/${await accountOf(api, given.text('account'))}/bulk`;
}

/** Asks again and again until nothing of the job is under way. */
async function over(api: Api, path: string): Promise<Job> {
  for (;;) {
    const job = await api.get<Job>(path);
    if (job.state !== 'checking' && job.state !== 'running') return job;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Text as it is, or into a file of its own. */
function handedOut(given: Given, text: string): Said {
  const file = given.text('out');
  if (file === undefined) return { json: { text }, text: text.trimEnd() };
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Refused('file_exists', `There is a file ${file} already.`);
  }
  return { json: { file }, text: `Written to ${file}.` };
}

function download(noun: string, verb: string, summary: string, name: string): Command {
  return {
    noun,
    verb,
    summary,
    takes: which,
    options: { ...accountOption, ...outOption },
    async run(given, { api }) {
      return handedOut(
        given,
        await api.text(`${await pathOf(api, given)}/${given.args[0]}/${name}`),
      );
    },
  };
}

export const bulkCommands: Command[] = [
  {
    noun: 'bulk',
    verb: 'upload',
    summary: 'Tries a CSV file that adds, updates or deletes people; with --apply, does it.',
    takes: [{ name: 'file', summary: 'A CSV file of at most 1000 rows.' }],
    options: {
      ...accountOption,
      kind: { value: 'add|update|delete', summary: 'What it does.', required: true },
      apply: { summary: 'Does it at once.' },
      quiet: { summary: 'Sends no mail to those who are added.' },
      'add-existing': { summary: 'Adds people of your domains who exist already.' },
      'invite-existing': { summary: 'Invites people of other domains who exist already.' },
      note: { value: 'text', summary: 'Why people are locked, where a row does not say it.' },
      wait: { summary: 'Until it is done.' },
    },
    async run(given, { api }) {
      const [file = ''] = given.args;
      const kind = given.text('kind')!;
      if (!['add', 'update', 'delete'].includes(kind))
        throw new WrongUsage('--kind is add, update or delete.');
      let text: string;
      try {
        text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? new Refused('invalid_encoding', `${file} is not UTF-8.`)
          : new Refused('not_found', `${file} cannot be read (${code ?? 'unknown'}).`);
      }
      const path = await pathOf(api, given);
      const query = new URLSearchParams({
        kind,
        mode: given.on('apply') ? 'apply' : 'dry-run',
        ...(given.on('quiet') && { sendInvitation: 'false' }),
        ...(given.on('add-existing') && { addExisting: 'true' }),
        ...(given.on('invite-existing') && { inviteExisting: 'true' }),
        ...(given.text('note') !== undefined && { note: given.text('note')! }),
      });
      const job = await api.upload<Job>(`${path}?${query}`, text, 'text/csv');
      return shown(given.on('wait') ? await over(api, `${path}/${job.id}`) : job);
    },
  },
  {
    noun: 'bulk',
    verb: 'list',
    summary: 'Lists the files so far.',
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Job>(await pathOf(api, given), { limit: '200' });
      return listed(items, {
        ID: ({ id }) => id,
        KIND: ({ kind }) => kind,
        STATE: ({ state }) => state,
        ROWS: ({ total }) => total,
        BY: ({ by }) => by,
        UPLOADED: ({ createdAt }) => createdAt,
      });
    },
  },
  {
    noun: 'bulk',
    verb: 'show',
    summary: 'Shows how far a job is.',
    takes: which,
    options: { ...accountOption, wait: { summary: 'Until nothing of it is under way.' } },
    async run(given, { api }) {
      const path = `${await pathOf(api, given)}/${given.args[0]}`;
      return shown(given.on('wait') ? await over(api, path) : await api.get<Job>(path));
    },
  },
  {
    noun: 'bulk',
    verb: 'rows',
    summary: 'Lists what came, or would come, of each row.',
    takes: which,
    options: {
      ...accountOption,
      result: { value: 'ok|skipped|error|waiting', summary: 'Only these.' },
    },
    async run(given, { api }) {
      const items = await api.list<Row>(`${await pathOf(api, given)}/${given.args[0]}/rows`, {
        result: given.text('result'),
        limit: '200',
      });
      return listed(items, {
        ROW: ({ row }) => row,
        USER: ({ cells }) => cells['Email'] ?? cells['CurrentEmail'],
        RESULT: ({ result }) => result ?? 'waiting',
        CODE: ({ code }) => code,
        WHY: ({ message }) => message,
      });
    },
  },
  {
    noun: 'bulk',
    verb: 'apply',
    summary: 'Does what was tried.',
    takes: which,
    options: { ...accountOption, wait: { summary: 'Until it is done.' } },
    async run(given, { api }) {
      const path = `${await pathOf(api, given)}/${given.args[0]}`;
      const job = await api.send<Job>('POST', `${path}/apply`);
      return shown(given.on('wait') ? await over(api, path) : job);
    },
  },
  {
    noun: 'bulk',
    verb: 'cancel',
    summary: 'Stops a job. What is done stays.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      return shown(await api.send('POST', `${await pathOf(api, given)}/${given.args[0]}/cancel`));
    },
  },
  download('bulk', 'result', 'Gives the file as it was, with what came of each row.', 'result.csv'),
  download('bulk', 'undo', 'Gives a file that puts back what an update changed.', 'undo.csv'),
  {
    noun: 'user',
    verb: 'export',
    summary: 'Gives the people of an account as CSV.',
    options: {
      ...accountOption,
      ...outOption,
      compact: { summary: 'Only what an update takes; read back, it changes nothing.' },
    },
    async run(given, { api }) {
      const account = await accountOf(api, given.text('account'));
      const format = given.on('compact') ? 'compact' : 'full';
      return handedOut(given, await api.text(`/accounts/${account}/users.csv?format=${format}`));
    },
  },
];
