import type { Api } from '../api.ts';
import type { Command, Given, Option, Said } from '../command.ts';
import { detailed, listed, table } from '../print.ts';
import { accountOption } from '../resolve.ts';
import { oneOf, within } from './typed.ts';

interface Webhook {
  id: string;
  url: string;
  description: string;
  actions: string[];
  state: string;
  failingSince: string | null;
  lastError: string | null;
  lastSentAt: string | null;
  waiting: number;
  secret?: string;
}

interface Delivery {
  id: string;
  type: string;
  state: string;
  attempts: number;
  status: number | null;
  error: string | null;
  createdAt: string;
  nextAt: string | null;
}

function shown(webhook: Webhook): Said {
  return detailed(webhook, {
    id: webhook.id,
    url: webhook.url,
    ...(webhook.secret && { secret: webhook.secret }),
    description: webhook.description,
    actions: webhook.actions,
    state: webhook.state,
    ...(webhook.failingSince && { 'failing since': webhook.failingSince }),
    ...(webhook.lastError && { 'last error': webhook.lastError }),
    'last sent': webhook.lastSentAt ?? 'never',
    waiting: webhook.waiting,
  });
}

const deliveryColumns = {
  ID: ({ id }: Delivery) => id,
  EVENT: ({ type }: Delivery) => type,
  STATE: ({ state }: Delivery) => state,
  ATTEMPTS: ({ attempts }: Delivery) => attempts,
  ANSWER: ({ status, error }: Delivery) => status ?? error,
  SINCE: ({ createdAt }: Delivery) => createdAt,
  'NEXT TRY': ({ nextAt }: Delivery) => nextAt,
};

const which = [{ name: 'webhook', summary: 'Its id.' }];

const whose: Record<string, Option> = {
  ...accountOption,
  installation: { summary: 'Of the installation, which hears of every account; for operators.' },
};

const settings: Record<string, Option> = {
  action: {
    value: 'action',
    summary: 'What it hears of, such as user.locked, user.* or *; repeat.',
    multiple: true,
  },
  description: { value: 'text', summary: 'What it is for.' },
};

async function all(api: Api, given: Given): Promise<string> {
  return given.on('installation') ? '/webhooks' : within(api, given, 'webhooks');
}

async function path(api: Api, given: Given): Promise<string> {
  return `${await all(api, given)}/${encodeURIComponent(given.args[0]!)}`;
}

/** A command that does one thing to one webhook, and shows it as it is then. */
function doing(
  verb: string,
  summary: string,
  {
    method = 'POST',
    below = '',
    options = {},
    body = () => ({}),
  }: {
    method?: 'POST' | 'PATCH';
    below?: string;
    options?: Record<string, Option>;
    body?: (given: Given) => object;
  },
): Command {
  return {
    noun: 'webhook',
    verb,
    summary,
    takes: which,
    options: { ...whose, ...options },
    async run(given, { api }) {
      return shown(await api.send(method, `${await path(api, given)}${below}`, body(given)));
    },
  };
}

/** A command that settles one delivery. */
function settling(verb: 'redeliver' | 'skip', summary: string): Command {
  return {
    noun: 'webhook',
    verb,
    summary,
    takes: [...which, { name: 'delivery', summary: 'The id of the delivery.' }],
    options: whose,
    async run(given, { api }) {
      const delivery = await api.send<Delivery>(
        'POST',
        `${await path(api, given)}/deliveries/${encodeURIComponent(given.args[1]!)}`,
        { decision: verb },
      );
      return { json: delivery, text: table([delivery], deliveryColumns) };
    },
  };
}

export const webhookCommands: Command[] = [
  {
    noun: 'webhook',
    verb: 'list',
    summary: 'Lists the webhooks.',
    options: whose,
    async run(given, { api }) {
      const items = await api.list<Webhook>(await all(api, given));
      return listed(items, {
        ID: ({ id }) => id,
        URL: ({ url }) => url,
        ACTIONS: ({ actions }) => actions,
        STATE: ({ state }) => state,
        WAITING: ({ waiting }) => waiting,
        'LAST SENT': ({ lastSentAt }) => lastSentAt ?? 'never',
      });
    },
  },
  {
    noun: 'webhook',
    verb: 'create',
    summary: 'Registers an address that is told what happens. Its secret is shown once.',
    takes: [{ name: 'url', summary: 'Where it is told, by https.' }],
    options: { ...whose, ...settings, action: { ...settings['action']!, required: true } },
    async run(given, { api }) {
      return shown(
        await api.send('POST', await all(api, given), {
          url: given.args[0],
          actions: given.all('action'),
          description: given.text('description'),
        }),
      );
    },
  },
  {
    noun: 'webhook',
    verb: 'show',
    summary: 'Shows a webhook, and why it fails.',
    takes: which,
    options: whose,
    async run(given, { api }) {
      return shown(await api.get(await path(api, given)));
    },
  },
  doing('change', 'Changes a webhook.', {
    method: 'PATCH',
    options: { url: { value: 'address', summary: 'The new address.' }, ...settings },
    body: (given) => ({
      url: given.text('url'),
      description: given.text('description'),
      ...(given.all('action').length > 0 && { actions: given.all('action') }),
    }),
  }),
  doing('pause', 'Pauses a webhook: what happens waits.', {
    method: 'PATCH',
    body: () => ({ state: 'paused' }),
  }),
  doing('resume', 'Switches a webhook on that was paused or failed.', {
    method: 'PATCH',
    body: () => ({ state: 'active' }),
  }),
  {
    noun: 'webhook',
    verb: 'remove',
    summary: 'Removes a webhook.',
    takes: which,
    options: whose,
    async run(given, { api }) {
      await api.send('DELETE', await path(api, given));
      return { json: { removed: given.args[0] }, text: 'Removed.' };
    },
  },
  {
    noun: 'webhook',
    verb: 'test',
    summary: 'Sends a test event, whatever the state.',
    takes: which,
    options: whose,
    async run(given, { api }) {
      const delivery = await api.send<Delivery>('POST', `${await path(api, given)}/test`);
      return {
        json: delivery,
        text: `On its way. What came back: ostiary webhook deliveries ${given.args[0]}`,
      };
    },
  },
  doing('rotate-secret', 'Gives a webhook another secret; the one before signs along for a day.', {
    below: '/rotate-secret',
  }),
  doing('replay', 'Sends all events since a moment once more, with the ids they had.', {
    below: '/replay',
    options: {
      since: { value: 'time', summary: 'Such as 2027-05-31T00:00:00Z.', required: true },
    },
    body: (given) => ({ since: given.text('since') }),
  }),
  {
    noun: 'webhook',
    verb: 'deliveries',
    summary: 'Lists what was sent and what waits, the latest first.',
    takes: which,
    options: { ...whose, state: { value: 'state', summary: 'pending, delivered or skipped.' } },
    async run(given, { api }) {
      const state = given.text('state');
      const items = await api.list<Delivery>(`${await path(api, given)}/deliveries`, {
        state: state && oneOf('--state', ['pending', 'delivered', 'skipped'], state),
      });
      return { json: items, text: table(items, deliveryColumns) };
    },
  },
  settling('redeliver', 'Sends one event once more.'),
  settling('skip', 'Skips an event, so that those behind it pass.'),
];
