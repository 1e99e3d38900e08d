import type { Api } from '../api.ts';
import type { Command, Given, Said } from '../command.ts';
import { detailed, listed, record, table } from '../print.ts';
import { accountOption } from '../resolve.ts';
import { oneOf, within } from './typed.ts';

interface Domain {
  domain: string;
  displayName: string;
  state: string;
  proof: string | null;
  method: string | null;
  record: {
    type: string;
    name?: string;
    alternativeName?: string;
    url?: string;
    value?: string;
    mailboxes?: string[];
  } | null;
  signup: string;
  automatic: boolean;
  users: number;
  waiting: number;
  openRequests: number;
  message: string | null;
  expiresAt: string | null;
  automationStopsAt: string | null;
  lapsesAt: string | null;
  actions: { rel: string }[];
  check?: {
    method: string;
    outcome: string;
    seen: string[];
    answers: { source: string; answer: string }[];
  }[];
}

interface Request {
  id: string;
  kind: string;
  domain: string;
  direction: string;
  state: string;
  message: string | null;
  claimant: string | null;
  contact: string | null;
  requestedAt: string;
}

function shown(domain: Domain): Said {
  const { record: proof, check = [] } = domain;
  // An owned domain may be about to be proved in another way.
  const unproved = domain.state !== 'owned' || domain.proof !== domain.method;
  return detailed(domain, {
    domain: domain.displayName,
    state: domain.state,
    ...(domain.message && { '': domain.message }),
    'proved by': domain.proof,
    ...(unproved && proof && publish(proof)),
    ...(domain.expiresAt && { 'claim ends': domain.expiresAt }),
    ...(domain.automationStopsAt && { 'automation stops': domain.automationStopsAt }),
    ...(domain.lapsesAt && { lapses: domain.lapsesAt }),
    signup: domain.automatic || domain.signup !== 'auto' ? domain.signup : 'auto (off for now)',
    users: domain.users,
    waiting: domain.waiting,
    'open requests': domain.openRequests,
    ...Object.fromEntries(
      check.map(({ method, outcome, seen, answers }) => [
        `looked by ${method}`,
        [
          outcome,
          ...seen.map((text) => `stands there: ${text}`),
          ...answers.map(({ source, answer }) => `${source}: ${answer}`),
        ],
      ]),
    ),
    'can be done': domain.actions.map(({ rel }) => rel),
  });
}

/** What is to be published to prove a domain. */
function publish(proof: NonNullable<Domain['record']>): Record<string, unknown> {
  const { type, name, alternativeName, url, value, mailboxes } = proof;
  return {
    publish: type,
    ...(name && { '  at': alternativeName ? `${name}, or ${alternativeName}` : name }),
    ...(url && { '  at': url }),
    ...(value && { '  text': value }),
    ...(mailboxes && { '  sent to': mailboxes }),
  };
}

function requestTable(items: readonly Request[]): string {
  return table(items, {
    ID: ({ id }) => id,
    DOMAIN: ({ domain }) => domain,
    KIND: ({ kind }) => kind,
    DIRECTION: ({ direction }) => direction,
    STATE: ({ state }) => state,
    'WHO ASKS': ({ direction, claimant }) => (direction === 'outgoing' ? 'you' : claimant),
    CONTACT: ({ contact }) => contact,
    SINCE: ({ requestedAt }) => requestedAt,
    MESSAGE: ({ message }) => message,
  });
}

const which = [{ name: 'domain', summary: 'Such as acme.example.' }];

async function path(api: Api, given: Given): Promise<string> {
  return `${await within(api, given, 'domains')}/${encodeURIComponent(given.args[0]!)}`;
}

export const domainCommands: Command[] = [
  {
    noun: 'domain',
    verb: 'list',
    summary: 'Lists the domains an account owns, has claimed or could claim.',
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Domain>(await within(api, given, 'domains'));
      return listed(items, {
        DOMAIN: ({ displayName }) => displayName,
        STATE: ({ state }) => state,
        PROOF: ({ proof }) => proof,
        SIGNUP: ({ signup }) => signup,
        USERS: ({ users }) => users,
        WAITING: ({ waiting }) => waiting,
        REQUESTS: ({ openRequests }) => openRequests,
      });
    },
  },
  {
    noun: 'domain',
    verb: 'show',
    summary: 'Shows a domain, what is to be published to prove it, and what can be done next.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      return shown(await api.get(await path(api, given)));
    },
  },
  {
    noun: 'domain',
    verb: 'claim',
    summary: 'Claims a domain, and says what is to be published to prove it.',
    takes: which,
    options: {
      ...accountOption,
      method: { value: 'method', summary: 'dns (default), https or email.' },
      mailbox: { value: 'address', summary: 'With email: who is written to.' },
    },
    async run(given, { api }) {
      const method = oneOf('--method', ['dns', 'https', 'email'], given.text('method') ?? 'dns');
      return shown(
        await api.send('POST', await within(api, given, 'domains'), {
          domain: given.args[0],
          method,
          mailbox: given.text('mailbox'),
        }),
      );
    },
  },
  {
    noun: 'domain',
    verb: 'verify',
    summary: 'Looks for the proof now. Exit status 1 while the domain is not owned.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const domain = await api.send<Domain>('POST', `${await path(api, given)}/verify`);
      return { ...shown(domain), status: domain.state === 'owned' ? 0 : 1 };
    },
  },
  {
    noun: 'domain',
    verb: 'attest',
    summary: 'Vouches as an operator that a domain is this account’s: it is owned from now on.',
    takes: which,
    options: {
      ...accountOption,
      reason: { value: 'text', summary: 'Goes into the audit log.', required: true },
    },
    async run(given, { api }) {
      const reason = given.text('reason');
      return shown(await api.send('POST', `${await path(api, given)}/attest`, { reason }));
    },
  },
  {
    noun: 'domain',
    verb: 'release',
    summary: 'Lets an owned domain go, or cancels a claim. Members stay members.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      await api.send('DELETE', await path(api, given));
      return { json: { released: given.args[0] }, text: 'Released.' };
    },
  },
  {
    noun: 'domain',
    verb: 'subdomains',
    summary: 'Says whether what is below a domain is owned with it. It has to be proved by DNS.',
    takes: [...which, { name: 'how', summary: 'on or off.' }],
    options: accountOption,
    async run(given, { api }) {
      const include = oneOf('<how>', ['on', 'off'], given.args[1]) === 'on';
      const change = { includeSubdomains: include };
      return shown(await api.send('PATCH', await path(api, given), change));
    },
  },
  {
    noun: 'domain',
    verb: 'signup',
    summary: 'Says how people of a domain come in who register. Who waits already goes on waiting.',
    takes: [
      ...which,
      { name: 'how', summary: 'approve: somebody decides; auto: at once; closed: not at all.' },
    ],
    options: accountOption,
    async run(given, { api }) {
      const signup = oneOf('<how>', ['approve', 'auto', 'closed'], given.args[1]);
      return shown(await api.send('PATCH', await path(api, given), { signup }));
    },
  },
  {
    noun: 'domain',
    verb: 'impact',
    summary: 'Counts the people with an address of a domain, before anything is done about them.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      interface Impact {
        counts: Record<string, number>;
        people: { id: string | null; email: string; standing: string }[];
      }
      const impact = await api.get<Impact>(`${await path(api, given)}/impact`);
      const { counts, people } = impact;
      const columns = {
        ID: ({ id }: Impact['people'][number]) => id,
        EMAIL: ({ email }: Impact['people'][number]) => email,
        STANDING: ({ standing }: Impact['people'][number]) => standing,
      };
      const text = record({
        members: counts['members'],
        'of no account': counts['unaffiliated'],
        waiting: counts['waiting'],
        'removed before': counts['former'],
        'in other accounts': counts['elsewhere'],
        'not verified': counts['unverified'],
        'invited by others': counts['invitedElsewhere'],
      });
      return {
        json: impact,
        text: people.length > 0 ? `${text}\n\n${table(people, columns)}` : text,
      };
    },
  },
  {
    noun: 'domain',
    verb: 'requests',
    summary: 'Lists what others ask about domains of an account, and what it asks of others.',
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Request>(await within(api, given, 'domain-requests'));
      return { json: items, text: requestTable(items) };
    },
  },
  {
    noun: 'domain',
    verb: 'decide',
    summary: 'Grants or refuses what another account asks about a domain.',
    takes: [
      { name: 'decision', summary: 'grant or refuse.' },
      { name: 'request', summary: 'The id of the request.' },
    ],
    options: accountOption,
    async run(given, { api }) {
      const decision = oneOf('<decision>', ['grant', 'refuse'], given.args[0]);
      const requests = await within(api, given, 'domain-requests');
      const decided = await api.send<Request>(
        'POST',
        `${requests}/${encodeURIComponent(given.args[1]!)}/decide`,
        { decision },
      );
      return { json: decided, text: requestTable([decided]) };
    },
  },
];
