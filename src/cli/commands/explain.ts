import type { Command } from '../command.ts';
import { record } from '../print.ts';
import { accountOf } from '../resolve.ts';

interface Explanation {
  email: string | null;
  domain: { standing: string; says: string };
  account: { id: string; status: string } | null;
  person: { id: string; locks: string[]; outstandingTerms: number; says: string } | null;
  doors: {
    door: string;
    outcome: string;
    code: string | null;
    says: string;
    actions: string[];
    ask: string | null;
  }[];
  signIn: {
    client: string | null;
    access: string;
    reason: string | null;
    says: string;
    ask: string | null;
  } | null;
}

/** The doors as people know them. */
const doorNames: Record<string, string> = {
  discovery: 'types the address to sign in',
  registration: 'registers',
  settling: 'proves the address',
  admin_add: 'an administrator adds them',
  bulk_add: 'a file adds them',
  invite: 'an administrator invites them',
  invitation_acceptance: 'accepts an invitation',
  approval: 'an administrator approves',
  scim_create: 'a directory creates them',
  scim_rename: 'a directory renames them',
  just_in_time: 'signs in at their organization',
  email_change: 'takes the address as their own',
};

/** Doors that say the very same are told together, in the order of the first of them. */
function together(doors: Explanation['doors']): Explanation['doors'][] {
  const groups = new Map<string, Explanation['doors']>();
  for (const one of doors) {
    const key = JSON.stringify({ ...one, door: null });
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function inWords(typed: string, said: Explanation): string {
  const { email, domain, account, person, doors, signIn } = said;
  const unknown = signIn
    ? 'Nobody has the address.'
    : 'Nobody has the address, or it is not yours to know.';
  return [
    record({
      address: email ?? `${typed} (is none)`,
      domain: domain.says,
      ...(account && { 'seen from': `account ${account.id}, ${account.status}` }),
      person: person?.says ?? unknown,
      ...(person && { id: person.id }),
      ...(person && person.outstandingTerms > 0 && { 'terms to accept': person.outstandingTerms }),
    }),
    ...together(doors).map((alike) => {
      const { outcome, code, says, ask, actions } = alike[0]!;
      return record({
        when: alike.map(({ door }) => doorNames[door] ?? door),
        verdict: code ? `${outcome} (${code})` : outcome,
        'what it says': says,
        'who can change it': ask,
        ...(actions.length > 0 && { instead: actions }),
      });
    }),
    signIn
      ? record({
          when: `signs in to ${signIn.client ?? 'no application in particular'}`,
          verdict: signIn.reason ? `${signIn.access} (${signIn.reason})` : signIn.access,
          'what it says': signIn.says,
          'who can change it': signIn.ask,
        })
      : 'What a sign-in would say is not yours to know.',
    ...(account ? [] : ['For the doors at which an account acts, give --account.']),
  ].join('\n\n');
}

export const explainCommands: Command[] = [
  {
    noun: 'explain',
    verb: null,
    summary: 'Says what would happen to a person at every door, why, and who can change it.',
    takes: [{ name: 'e-mail', summary: 'The address, whether anybody has it or not.' }],
    options: {
      account: {
        value: 'id, number, name or domain',
        summary: 'The account it is seen from. The token of an account needs none.',
      },
      client: { value: 'client_id', summary: 'What a sign-in to this application says.' },
    },
    async run(given, { api }) {
      const [email] = given.args as [string];
      const named = given.text('account');
      const said = await api.get<Explanation>('/explain', {
        email,
        account: named && (await accountOf(api, named)),
        client: given.text('client'),
      });
      return { json: said, text: inWords(email, said) };
    },
  },
];
