import type { Command } from '../command.ts';
import { listed } from '../print.ts';
import { accountOf, accountOption } from '../resolve.ts';

interface Erasure {
  id: string;
  userId: string;
  email: string | null;
  state: string;
  requestedAt: string;
  dueAt: string | null;
}

export const erasureCommands: Command[] = [
  {
    noun: 'erasure',
    verb: 'list',
    summary: 'Lists who asked to be deleted: of an account, or of all.',
    options: accountOption,
    async run(given, { api }) {
      const named = given.text('account');
      const { accountId } = await api.get<{ accountId: string | null }>('/token');
      const path =
        named === undefined && accountId === null
          ? '/erasures'
          : `/accounts/${await accountOf(api, named)}/erasures`;
      const items = await api.list<Erasure>(path);
      return listed(items, {
        ID: ({ id }) => id,
        USER: ({ userId }) => userId,
        EMAIL: ({ email }) => email,
        STATE: ({ state }) => state,
        ASKED: ({ requestedAt }) => requestedAt,
        DUE: ({ dueAt }) => dueAt,
      });
    },
  },
  {
    noun: 'erasure',
    verb: 'decide',
    summary: 'Decides whether a person whose domain the account owns is deleted.',
    takes: [
      { name: 'request', summary: 'Its id.' },
      { name: 'decision', summary: 'approve or refuse.' },
    ],
    options: { ...accountOption, note: { value: 'text', summary: 'Why.' } },
    async run(given, { api }) {
      const [request, decision] = given.args;
      const account = await accountOf(api, given.text('account'));
      await api.send('POST', `/accounts/${account}/erasures/${request}/decide`, {
        decision,
        note: given.text('note'),
      });
      return {
        json: { request, decision },
        text: decision === 'approve' ? 'They are deleted in thirty days.' : 'They stay.',
      };
    },
  },
  {
    noun: 'erasure',
    verb: 'request',
    summary: 'Has a person deleted in thirty days, who asked for it outside of this system.',
    takes: [{ name: 'e-mail', summary: 'Their address.' }],
    async run(given, { api }) {
      const made = await api.send<Erasure>('POST', '/erasures', { email: given.args[0] });
      return { json: made, text: `${made.email ?? made.userId} is deleted on ${made.dueAt}.` };
    },
  },
  {
    noun: 'erasure',
    verb: 'cancel',
    summary: 'Keeps a person who was to be deleted.',
    takes: [{ name: 'user', summary: 'Their id.' }],
    async run(given, { api }) {
      await api.send('POST', `/erasures/${given.args[0]}/cancel`);
      return { json: { kept: given.args[0] }, text: 'They stay.' };
    },
  },
  {
    noun: 'erasure',
    verb: 'data',
    summary: 'Gives everything that is kept about a person, as they get it themselves.',
    takes: [{ name: 'user', summary: 'Their id.' }],
    async run(given, { api }) {
      const data = await api.get(`/people/${given.args[0]}/data`);
      return { json: data, text: JSON.stringify(data, null, 2) };
    },
  },
];
