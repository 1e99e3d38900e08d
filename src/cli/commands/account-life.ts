import { WrongUsage, type Command, type Given, type Said } from '../command.ts';
import { detailed, listed, record } from '../print.ts';
import { accountOf } from '../resolve.ts';

/** How accounts go into one another, apart, and to their end; and their settings. */

interface Report {
  kind: string;
  source: { name: string };
  target: { name: string };
  people: { members: number; invited: number };
  roles: { email: string; from: string; to: string | null }[];
  domains: { domain: string; outcome: string }[];
  groups: { name: string; newName: string }[];
  membershipsLost: number;
  tokensRevoked: number;
  problems: { problem: string }[];
}

interface Moved {
  dryRun: boolean;
  digest: string;
  report: Report;
  proposal: Proposal | null;
}

interface Proposal {
  id: string;
  kind: string;
  report: Report;
  digest: string;
  reason: string;
  state: string;
  proposedBy: { type: string; name?: string; id?: string };
  expiresAt: string;
  moveId: string | null;
}

interface Move {
  id: string;
  state: string;
  moved: number;
  total: number;
}

function facts(report: Report): Record<string, unknown> {
  return {
    what: `${report.kind}: ${report.source.name} -> ${report.target.name}`,
    people: `${report.people.members} members, ${report.people.invited} invited`,
    roles: report.roles.map(({ email, from, to }) => `${email}: ${from} -> ${to ?? 'none'}`),
    domains: report.domains.map(({ domain, outcome }) => `${domain} (${outcome})`),
    groups: report.groups.map(({ name, newName }) =>
      name === newName ? name : `${name} -> ${newName}`,
    ),
    'memberships lost': report.membershipsLost,
    'tokens revoked': report.tokensRevoked,
    problems: report.problems.map(({ problem }) => problem),
  };
}

function shown(moved: Moved): Said {
  const { report, digest, proposal } = moved;
  const end = proposal
    ? `Proposed. Another operator confirms it until ${proposal.expiresAt}:\n  ostiary account confirm-move ${proposal.id} --digest ${digest}`
    : `Nothing is changed. To propose it: --confirm ${digest} --reason <text>`;
  return { json: moved, text: `${record(facts(report))}\n\n${end}` };
}

function by({ type, name, id }: Proposal['proposedBy']): string {
  return `${type} ${name ?? id ?? ''}`.trim();
}

const which = [{ name: 'account', summary: 'Its id, number, name or a domain of it.' }];

const proposed = [{ name: 'proposal', summary: 'Its id.' }];

const confirming = {
  confirm: { value: 'digest', summary: 'Of the report that was read: then it is proposed.' },
  reason: { value: 'text', summary: 'Goes into the audit log; required to propose it.' },
};

function mode(given: Given): object {
  const confirm = given.text('confirm');
  return confirm === undefined
    ? { mode: 'dry-run' }
    : { mode: 'propose', confirm, reason: given.text('reason') };
}

/** `password.minLength=14` as `{password: {minLength: 14}}`: JSON where it is, text where it is not. */
function setting(text: string): Record<string, unknown> {
  const [, path = '', value = ''] = /^([\w.]+)=(.*)$/s.exec(text) ?? [];
  if (path === '') throw new WrongUsage(`--set takes name=value, not ${text}.`);
  let read: unknown = value;
  try {
    read = JSON.parse(value);
  } catch {
    // A word is a word.
  }
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), read) as Record<
    string,
    unknown
  >;
}

function merged(one: unknown, other: unknown): unknown {
  const [a, b] = [one, other] as Record<string, unknown>[];
  if (!isObject(a) || !isObject(b)) return other;
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    names.map((name) => [
      name,
      name in b ? (name in a ? merged(a[name], b[name]) : b[name]) : a[name],
    ]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const accountLifeCommands: Command[] = [
  {
    noun: 'account',
    verb: 'merge',
    summary: 'Proposes to merge an account into another. First it is shown what that would do.',
    takes: which,
    options: {
      into: { value: 'account', summary: 'Where it goes.', required: true },
      administrators: {
        value: 'role',
        summary: 'What its Account Administrators are then: co_administrator if left out.',
      },
      keep: {
        value: 'user id',
        summary: 'Who stays Account Administrator; repeat.',
        multiple: true,
      },
      ...confirming,
    },
    async run(given, { api }) {
      const account = await accountOf(api, given.args[0]);
      return shown(
        await api.send('POST', `/accounts/${account}/merge`, {
          into: await accountOf(api, given.text('into')),
          administrators: given.text('administrators'),
          keepAdministrators: given.all('keep'),
          ...mode(given),
        }),
      );
    },
  },
  {
    noun: 'account',
    verb: 'split',
    summary:
      'Proposes to make an account of some domains and people of another. First it is shown.',
    takes: which,
    options: {
      name: { value: 'name', summary: 'What the new one is called.', required: true },
      number: { value: 'number', summary: 'Its customer number.' },
      country: { value: 'code', summary: 'Its countries; repeat.', multiple: true },
      domain: { value: 'domain', summary: 'Goes with its people; repeat.', multiple: true },
      user: { value: 'id', summary: 'Who goes beside them; repeat.', multiple: true },
      group: { value: 'id', summary: 'A group that goes; repeat.', multiple: true },
      administrator: { value: 'user id', summary: 'Who looks after it; repeat.', multiple: true },
      ...confirming,
    },
    async run(given, { api }) {
      const countries = given.all('country');
      const account = await accountOf(api, given.args[0]);
      return shown(
        await api.send('POST', `/accounts/${account}/split`, {
          name: given.text('name'),
          number: given.text('number'),
          ...(countries.length > 0 && { countries }),
          domains: given.all('domain'),
          users: given.all('user'),
          groups: given.all('group'),
          administrators: given.all('administrator'),
          ...mode(given),
        }),
      );
    },
  },
  {
    noun: 'account',
    verb: 'proposals',
    summary: 'Lists the merges and splits that wait for another operator.',
    options: { all: { summary: 'Those that are decided or expired, too.' } },
    async run(given, { api }) {
      const items = await api.list<Proposal>(
        '/account-move-proposals',
        given.on('all') ? {} : { open: 'true' },
      );
      return listed(items, {
        ID: ({ id }) => id,
        WHAT: ({ kind, report: { source, target } }) => `${kind}: ${source.name} -> ${target.name}`,
        STATE: ({ state }) => state,
        'PROPOSED BY': ({ proposedBy }) => by(proposedBy),
        UNTIL: ({ expiresAt }) => expiresAt,
      });
    },
  },
  {
    noun: 'account',
    verb: 'confirm-move',
    summary: 'Begins a merge or split that another operator proposed. First it is shown.',
    takes: proposed,
    options: { digest: { value: 'digest', summary: 'Of the report: then it begins.' } },
    async run(given, { api }) {
      const path = `/account-move-proposals/${given.args[0]}`;
      const digest = given.text('digest');
      if (digest === undefined) {
        const proposal = await api.get<Proposal>(path);
        const { report, reason, state, proposedBy } = proposal;
        const more = { reason, state, 'proposed by': by(proposedBy) };
        return {
          json: proposal,
          text: `${record({ ...facts(report), ...more })}\n\nTo begin it: --digest ${proposal.digest}`,
        };
      }
      const move = await api.send('POST', `${path}/confirm`, { digest });
      return {
        json: move,
        text: `Begun. How far it is: ostiary account move ${String(move['id'])}`,
      };
    },
  },
  {
    noun: 'account',
    verb: 'withdraw-move',
    summary: 'Withdraws a merge or split that was proposed.',
    takes: proposed,
    async run(given, { api }) {
      const path = `/account-move-proposals/${given.args[0]}/withdraw`;
      return { json: await api.send('POST', path), text: 'Withdrawn. Nothing changes.' };
    },
  },
  {
    noun: 'account',
    verb: 'move',
    summary: 'Says how far a merge or a split has come.',
    takes: [{ name: 'move', summary: 'Its id.' }],
    async run(given, { api }) {
      const move = await api.get<Move>(`/account-moves/${given.args[0]}`);
      return { json: move, text: `${move.state}: ${move.moved} of ${move.total} people.` };
    },
  },
  {
    noun: 'account',
    verb: 'close',
    summary: 'Closes an account in thirty days.',
    takes: which,
    options: {
      reason: { value: 'text', summary: 'Its administrators read this.', required: true },
    },
    async run(given, { api }) {
      const path = `/accounts/${await accountOf(api, given.args[0])}/close`;
      const account = await api.send('POST', path, { reason: given.text('reason') });
      return { json: account, text: `Closed on ${String(account['closesAt'])}.` };
    },
  },
  {
    noun: 'account',
    verb: 'keep',
    summary: 'Keeps an account that is being closed.',
    takes: which,
    async run(given, { api }) {
      const path = `/accounts/${await accountOf(api, given.args[0])}/keep`;
      const account = await api.send('POST', path);
      return { json: account, text: `It is ${String(account['status'])}.` };
    },
  },
  {
    noun: 'account',
    verb: 'settings',
    summary: 'Shows the settings of an account, or changes some.',
    takes: which,
    options: {
      set: {
        value: 'name=value',
        summary: 'Such as password.minLength=14; repeat. A policy is set as a whole.',
        multiple: true,
      },
    },
    async run(given, { api }) {
      const path = `/accounts/${await accountOf(api, given.args[0])}/settings`;
      const change = given.all('set').map(setting).reduce<unknown>(merged, {});
      const settings =
        given.all('set').length > 0 ? await api.send('PATCH', path, change) : await api.get(path);
      return detailed(settings);
    },
  },
  {
    noun: 'account',
    verb: 'members',
    summary: 'Lists who belonged to an account on a day.',
    takes: which,
    options: { on: { value: 'day', summary: 'Such as 2027-05-31.', required: true } },
    async run(given, { api }) {
      const items = await api.list<Record<string, string | null>>(
        `/accounts/${await accountOf(api, given.args[0])}/affiliations`,
        { on: given.text('on'), limit: '200' },
      );
      return listed(items, {
        USER: (one) => one['userId'],
        EMAIL: (one) => one['email'],
        SINCE: (one) => one['beganAt'],
        UNTIL: (one) => one['endedAt'],
      });
    },
  },
];
