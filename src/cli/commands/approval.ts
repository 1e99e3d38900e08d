import type { Command } from '../command.ts';
import { listed, table } from '../print.ts';
import { accountOption } from '../resolve.ts';
import { oneOf, several, within } from './typed.ts';

const states = ['open', 'approved', 'rejected', 'superseded', 'expired'] as const;

export const approvalCommands: Command[] = [
  {
    noun: 'approval',
    verb: 'list',
    summary: 'Lists who waits for approval, the longest wait first.',
    options: {
      ...accountOption,
      state: { value: 'state', summary: `One of: ${states.join(', ')}. open if left out.` },
    },
    async run(given, { api }) {
      interface Approval {
        id: string;
        email: string;
        givenName: string;
        familyName: string;
        source: string;
        client: { name: string } | null;
        state: string;
        requestedAt: string;
      }
      const state = given.text('state');
      const items = await api.list<Approval>(await within(api, given, 'approvals'), {
        state: state && oneOf('--state', states, state),
        limit: '200',
      });
      return listed(items, {
        ID: ({ id }) => id,
        EMAIL: ({ email }) => email,
        NAME: ({ givenName, familyName }) => `${givenName} ${familyName}`,
        CAME: ({ source, client }) => (client ? `${source}, to ${client.name}` : source),
        STATE: ({ state: one }) => one,
        SINCE: ({ requestedAt }) => requestedAt,
      });
    },
  },
  {
    noun: 'approval',
    verb: 'decide',
    summary: 'Approves or rejects people who wait. Exit status 1 where one could not be decided.',
    takes: [
      { name: 'decision', summary: 'approve or reject.' },
      { name: 'ids', summary: 'Ids of requests, up to 200, with commas between them.' },
    ],
    options: {
      ...accountOption,
      'entitlement-country': { value: 'code', summary: 'Where they are entitled.' },
      role: { value: 'role', summary: 'A role they get; repeat.', multiple: true },
      group: { value: 'group', summary: 'A group they join; repeat.', multiple: true },
      note: { value: 'text', summary: 'For administrators.' },
      message: { value: 'text', summary: 'For the person, in the mail.' },
    },
    async run(given, { api }) {
      interface Decided {
        items: {
          id: string;
          email: string | null;
          result: string;
          code: string | null;
          message: string | null;
          decidedBy: string | null;
        }[];
      }
      const [decision, ids] = given.args as [string, string];
      const body = {
        ids: several('<ids>', ids),
        decision: oneOf('<decision>', ['approve', 'reject'], decision),
        entitlementCountry: given.text('entitlement-country'),
        roles: given.all('role'),
        groups: given.all('group'),
        note: given.text('note'),
        message: given.text('message'),
      };
      const path = `${await within(api, given, 'approvals')}/decide`;
      const decided = await api.send<Decided>('POST', path, body);
      return {
        json: decided,
        status: decided.items.some(({ result }) => result === 'refused') ? 1 : 0,
        text: table(decided.items, {
          ID: ({ id }) => id,
          EMAIL: ({ email }) => email,
          RESULT: ({ result }) => result,
          WHY: ({ code, message, decidedBy }) =>
            code &&
            [`${message ?? ''} (${code})`.trim(), decidedBy && `by ${decidedBy}`].filter(Boolean),
        }),
      };
    },
  },
];
