import type { Command, Said } from '../command.ts';
import { detailed, listed } from '../print.ts';
import { accountOf } from '../resolve.ts';

interface Account {
  id: string;
  number: string | null;
  name: string;
  countries: string[];
  status: string;
  holdReason: string | null;
  domains: string[];
  administrators: { email: string; role: string }[];
  fulfillmentContacts: { email: string }[];
  users: number;
}

function shown(account: Account): Said {
  const { administrators, fulfillmentContacts, ...rest } = account;
  return detailed(account, {
    id: rest.id,
    name: rest.name,
    number: rest.number,
    status: rest.status,
    ...(rest.holdReason && { 'on hold because': rest.holdReason }),
    countries: rest.countries,
    domains: rest.domains,
    administrators: administrators.map(({ email, role }) =>
      role === 'co_administrator' ? `${email} (co)` : email,
    ),
    contacts: fulfillmentContacts.map(({ email }) => email),
    users: rest.users,
  });
}

const which = [{ name: 'account', summary: 'Its id, number, name or a domain of it.' }];

export const accountCommands: Command[] = [
  {
    noun: 'account',
    verb: 'create',
    summary: 'Makes an account; its fulfillment contact becomes its first administrator.',
    options: {
      name: { value: 'name', summary: 'What the organization is called.', required: true },
      number: { value: 'number', summary: 'Your customer number.' },
      country: { value: 'code', summary: 'Where it may be entitled; repeat.', multiple: true },
      'contact-email': { value: 'address', summary: 'Who is written to.', required: true },
      'contact-given-name': { value: 'name', summary: 'Their given name.', required: true },
      'contact-family-name': { value: 'name', summary: 'Their family name.', required: true },
      'contact-country': { value: 'code', summary: 'Their country.', required: true },
    },
    async run(given, { api }) {
      return shown(
        await api.send('POST', '/accounts', {
          name: given.text('name'),
          number: given.text('number'),
          countries: given.all('country'),
          fulfillmentContact: {
            email: given.text('contact-email'),
            givenName: given.text('contact-given-name'),
            familyName: given.text('contact-family-name'),
            country: given.text('contact-country'),
          },
        }),
      );
    },
  },
  {
    noun: 'account',
    verb: 'list',
    summary: 'Lists accounts.',
    options: {
      q: { value: 'text', summary: 'Part of the name, the number or a domain.' },
      status: { value: 'status', summary: 'Such as active or on_hold.' },
    },
    async run(given, { api }) {
      const items = await api.list<Account>('/accounts', {
        q: given.text('q'),
        status: given.text('status'),
        limit: '200',
      });
      return listed(items, {
        ID: ({ id }) => id,
        NUMBER: ({ number }) => number,
        NAME: ({ name }) => name,
        STATUS: ({ status }) => status,
        DOMAINS: ({ domains }) => domains,
        USERS: ({ users }) => users,
      });
    },
  },
  {
    noun: 'account',
    verb: 'show',
    summary: 'Shows an account.',
    takes: which,
    async run(given, { api }) {
      return shown(await api.get(`/accounts/${await accountOf(api, given.args[0])}`));
    },
  },
  {
    noun: 'account',
    verb: 'change',
    summary: 'Changes the name, the number or the countries of an account.',
    takes: which,
    options: {
      name: { value: 'name', summary: 'The new name.' },
      number: { value: 'number', summary: 'The new customer number.' },
      country: { value: 'code', summary: 'All the countries it has then; repeat.', multiple: true },
    },
    async run(given, { api }) {
      const countries = given.all('country');
      return shown(
        await api.send('PATCH', `/accounts/${await accountOf(api, given.args[0])}`, {
          name: given.text('name'),
          number: given.text('number'),
          ...(countries.length > 0 && { countries }),
        }),
      );
    },
  },
  {
    noun: 'account',
    verb: 'hold',
    summary: 'Puts an account on hold.',
    takes: which,
    options: { reason: { value: 'text', summary: 'Its people read this.', required: true } },
    async run(given, { api }) {
      const path = `/accounts/${await accountOf(api, given.args[0])}/hold`;
      return shown(await api.send('POST', path, { reason: given.text('reason') }));
    },
  },
  {
    noun: 'account',
    verb: 'resume',
    summary: 'Ends the hold of an account.',
    takes: which,
    async run(given, { api }) {
      const path = `/accounts/${await accountOf(api, given.args[0])}/resume`;
      return shown(await api.send('POST', path));
    },
  },
];
