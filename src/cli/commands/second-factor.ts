import type { Command, Said } from '../command.ts';
import { detailed } from '../print.ts';
import { accountOf, accountOption, userPath } from '../resolve.ts';
import { oneOf, within } from './typed.ts';

interface Factors {
  factors: { id: string; kind: string; name: string; lastUsedAt: string | null }[];
  recoveryCodesLeft: number;
  required: boolean;
  anew: boolean;
  breakGlass: boolean;
}

function shown(said: Factors): Said {
  return detailed(said, {
    factors: said.factors.map(
      ({ id, kind, name, lastUsedAt }) =>
        `${kind} ${name} (${id}), last used ${lastUsedAt ?? 'never'}`,
    ),
    'recovery codes left': said.recoveryCodesLeft,
    'demanded of them': said.required ? 'yes' : 'no',
    ...(said.anew && { 'next sign-in': 'sets one up anew' }),
    'break-glass': said.breakGlass ? 'yes' : 'no',
  });
}

const whom = [{ name: 'user', summary: 'Their id or e-mail address.' }];
const onOff = [...whom, { name: 'on|off', summary: 'Whether it is so from now on.' }];
const domain = [{ name: 'domain', summary: 'Such as acme.example.' }];

/** Second factors: of people, of a domain, of an account. */
export const secondFactorCommands: Command[] = [
  {
    noun: 'user',
    verb: 'factors',
    summary: 'Shows the second factors of a person, and what is demanded of them.',
    takes: whom,
    options: accountOption,
    async run(given, { api }) {
      return shown(await api.get(`${await userPath(api, given)}/second-factors`));
    },
  },
  {
    noun: 'user',
    verb: 'reset-factors',
    summary: 'Removes the second factors of who lost theirs; the next sign-in sets one up anew.',
    takes: whom,
    options: {
      ...accountOption,
      factor: { value: 'id', summary: 'Only this one, where there are others.' },
    },
    async run(given, { api }) {
      const one = given.text('factor');
      const path = `${await userPath(api, given)}/second-factors`;
      return shown(
        await api.send('DELETE', one === undefined ? path : `${path}/${encodeURIComponent(one)}`),
      );
    },
  },
  {
    noun: 'user',
    verb: 'require-factor',
    summary: 'Demands a second factor of a person, or does so no more.',
    takes: onOff,
    options: accountOption,
    async run(given, { api }) {
      const required = oneOf('<on|off>', ['on', 'off'], given.args[1]) === 'on';
      const path = await userPath(api, given);
      return shown(await api.send('POST', `${path}/second-factors/require`, { required }));
    },
  },
  {
    noun: 'user',
    verb: 'break-glass',
    summary: 'Lets an administrator in past the identity provider of the company; at most three.',
    takes: onOff,
    options: accountOption,
    async run(given, { api }) {
      const on = oneOf('<on|off>', ['on', 'off'], given.args[1]) === 'on';
      return shown(await api.send('POST', `${await userPath(api, given)}/break-glass`, { on }));
    },
  },
  {
    noun: 'domain',
    verb: 'require-factor',
    summary:
      'Demands a second factor of everybody with an address of a domain, or does so no more.',
    takes: [...domain, { name: 'on|off', summary: 'Whether it is so from now on.' }],
    options: accountOption,
    async run(given, { api }) {
      const required = oneOf('<on|off>', ['on', 'off'], given.args[1]) === 'on';
      const name = encodeURIComponent(given.args[0]!);
      const path = `${await within(api, given, 'domains')}/${name}/second-factor`;
      const said = await api.send<{ required: boolean }>('POST', path, { required });
      return { json: said, text: said.required ? 'Demanded.' : 'Not demanded.' };
    },
  },
  {
    noun: 'account',
    verb: 'second-factor',
    summary: 'Says who of an account has to have a second factor.',
    takes: [
      { name: 'account', summary: 'Its id, number, name or a domain of it.' },
      {
        name: 'policy',
        summary: 'off, optional, admins or all; installation: what the installation says.',
      },
    ],
    async run(given, { api }) {
      const policies = ['off', 'optional', 'admins', 'all', 'installation'] as const;
      const policy = oneOf('<policy>', policies, given.args[1]);
      const { secondFactor } = await api.send<{ secondFactor: string | null }>(
        'PATCH',
        `/accounts/${await accountOf(api, given.args[0])}/settings`,
        { secondFactor: policy === 'installation' ? null : policy },
      );
      return {
        json: { secondFactor },
        text: `Who has to have one: ${secondFactor ?? 'as the installation says'}.`,
      };
    },
  },
];
