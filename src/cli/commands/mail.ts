import type { Command } from '../command.ts';
import { listed } from '../print.ts';
import { accountOption, userPath } from '../resolve.ts';

interface Suppressed {
  email: string;
  reason: string;
  code: string | null;
  since: string;
}

const which = [{ name: 'e-mail', summary: 'The address.' }];

/** Addresses whose mails come back. */
export const mailCommands: Command[] = [
  {
    noun: 'mail',
    verb: 'suppressed',
    summary: 'Lists the addresses that nothing is sent to.',
    options: { q: { value: 'text', summary: 'A part of the address.' } },
    async run(given, { api }) {
      const q = given.text('q');
      const items = await api.list<Suppressed>('/mail/suppressions', q === undefined ? {} : { q });
      return listed(items, {
        ADDRESS: ({ email }) => email,
        REASON: ({ reason }) => reason,
        CODE: ({ code }) => code,
        SINCE: ({ since }) => since,
      });
    },
  },
  {
    noun: 'mail',
    verb: 'bounced',
    summary: 'Reports that mails to an address come back for good.',
    takes: which,
    options: {
      complained: { summary: 'Its reader called them spam.' },
      code: { value: 'text', summary: 'What the other server said, such as "550 5.1.1".' },
    },
    async run(given, { api }) {
      const said = await api.send('POST', '/mail/bounces', {
        email: given.args[0],
        reason: given.on('complained') ? 'complained' : 'bounced',
        code: given.text('code'),
      });
      return { json: said, text: 'Nothing is sent there until it is allowed or proved.' };
    },
  },
  {
    noun: 'mail',
    verb: 'allow',
    summary: 'Sends to an address again.',
    takes: which,
    async run(given, { api }) {
      await api.send('POST', '/mail/suppressions/allow', { email: given.args[0] });
      return { json: {}, text: 'Mails are sent there again.' };
    },
  },
  {
    noun: 'user',
    verb: 'allow-mail',
    summary: 'Sends mails to a person again whose mails came back.',
    takes: [{ name: 'user', summary: 'Their id or e-mail address.' }],
    options: accountOption,
    async run(given, { api }) {
      await api.send('POST', `${await userPath(api, given)}/allow-mail`);
      return { json: {}, text: 'Mails are sent there again.' };
    },
  },
];
