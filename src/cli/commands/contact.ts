import type { Command } from '../command.ts';
import { Refused } from '../refused.ts';
import { detailed, table } from '../print.ts';
import { accountOption, hasFormOfId } from '../resolve.ts';
import { userId, within } from './typed.ts';

interface Contact {
  id: string;
  userId: string;
  email: string;
  name: string;
  country: string | null;
}

const columns = {
  ID: ({ id }: Contact) => id,
  EMAIL: ({ email }: Contact) => email,
  NAME: ({ name }: Contact) => name,
  FOR: ({ country }: Contact) => country ?? 'everything',
};

export const contactCommands: Command[] = [
  {
    noun: 'contact',
    verb: 'list',
    summary: 'Lists who is written to about what an account bought.',
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<Contact>(await within(api, given, 'fulfillment-contacts'));
      return { json: items, text: table(items, columns) };
    },
  },
  {
    noun: 'contact',
    verb: 'add',
    summary: 'Makes a member a fulfillment contact, for one country or for everything.',
    takes: [{ name: 'user', summary: 'Their id or e-mail address.' }],
    options: {
      ...accountOption,
      country: { value: 'code', summary: 'Only for this country.' },
    },
    async run(given, { api }) {
      const contact = await api.send<Contact>(
        'POST',
        await within(api, given, 'fulfillment-contacts'),
        { userId: await userId(api, given, given.args[0]!), country: given.text('country') },
      );
      const { id, email, name, country } = contact;
      return detailed(contact, { id, email, name, for: country ?? 'everything' });
    },
  },
  {
    noun: 'contact',
    verb: 'remove',
    summary: 'Ends a designation. One that is for everything always stays.',
    takes: [{ name: 'contact', summary: 'Its id, or the e-mail address of who is one only once.' }],
    options: accountOption,
    async run(given, { api }) {
      const contacts = await within(api, given, 'fulfillment-contacts');
      const named = given.args[0]!;
      let id = named;
      if (!hasFormOfId(named)) {
        const found = (await api.list<Contact>(contacts)).filter(
          ({ email }) => email.toLowerCase() === named.toLowerCase(),
        );
        if (found.length !== 1)
          throw new Refused(
            'not_found',
            found.length === 0
              ? `${named} is no contact of this account.`
              : `${named} is a contact several times: ${found.map((one) => one.id).join(', ')}`,
          );
        id = found[0]!.id;
      }
      await api.send('DELETE', `${contacts}/${id}`);
      return { json: { removed: id }, text: 'Removed.' };
    },
  },
];
