import type { Api } from '../api.ts';
import type { Command, Given } from '../command.ts';
import { Refused } from '../refused.ts';
import { detailed, listed } from '../print.ts';
import { accountOption, hasFormOfId } from '../resolve.ts';
import { oneOf, personOptions, typedPerson, within } from './typed.ts';

interface Invitation {
  id: string;
  email: string;
  givenName: string;
  familyName: string;
  roles: string[];
  invitedBy: { name?: string | null };
  state: string;
  sends: number;
  sentAt: string;
  expiresAt: string;
}

const states = ['pending', 'accepted', 'declined', 'revoked', 'expired', 'superseded'] as const;

const which = [{ name: 'invitation', summary: 'Its id, or the e-mail address that is invited.' }];

/** The path of the invitation that is meant: of an address, the newest. */
async function path(api: Api, given: Given): Promise<string> {
  const invitations = await within(api, given, 'invitations');
  const named = given.args[0]!;
  if (hasFormOfId(named)) return `${invitations}/${named}`;
  const all = await api.list<Invitation>(invitations, { limit: '200' });
  const found = all.find(({ email }) => email.toLowerCase() === named.toLowerCase());
  if (!found) throw new Refused('not_found', `${named} is not invited to this account.`);
  return `${invitations}/${found.id}`;
}

export const invitationCommands: Command[] = [
  {
    noun: 'invitation',
    verb: 'list',
    summary: 'Lists invitations, the newest first.',
    options: {
      ...accountOption,
      state: { value: 'state', summary: `One of: ${states.join(', ')}.` },
    },
    async run(given, { api }) {
      const state = given.text('state');
      const items = await api.list<Invitation>(await within(api, given, 'invitations'), {
        state: state && oneOf('--state', states, state),
        limit: '200',
      });
      return listed(items, {
        ID: ({ id }) => id,
        EMAIL: ({ email }) => email,
        NAME: ({ givenName, familyName }) => `${givenName} ${familyName}`,
        STATE: ({ state: one }) => one,
        ROLES: ({ roles }) => roles,
        'INVITED BY': ({ invitedBy }) => invitedBy.name,
        SENT: ({ sentAt }) => sentAt,
        'GOOD UNTIL': ({ expiresAt }) => expiresAt,
      });
    },
  },
  {
    noun: 'invitation',
    verb: 'create',
    summary: 'Invites an address, whether a person has it or not.',
    options: {
      ...accountOption,
      email: { value: 'address', summary: 'Who is invited.', required: true },
      ...personOptions,
      language: { value: 'language', summary: 'In which they are written to, such as de.' },
    },
    async run(given, { api }) {
      const added = await api.send<{ outcome: string; message: string | null }>(
        'POST',
        await within(api, given, 'invitations'),
        {
          ...typedPerson(given),
          preferredLanguage: given.text('language'),
        },
      );
      const { outcome, message } = added;
      return detailed(added, { outcome, ...(message && { message }) });
    },
  },
  {
    noun: 'invitation',
    verb: 'resend',
    summary: 'Sends an invitation once more, for another seven days; the link before is dead.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const sent = await api.send<Invitation>('POST', `${await path(api, given)}/resend`);
      const { id, email, state, sends, expiresAt } = sent;
      return detailed(sent, { id, email, state, sends, 'good until': expiresAt });
    },
  },
  {
    noun: 'invitation',
    verb: 'revoke',
    summary: 'Takes an invitation back.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const invitation = await path(api, given);
      await api.send('DELETE', invitation);
      return { json: { revoked: invitation.split('/').at(-1) }, text: 'Revoked.' };
    },
  },
];
