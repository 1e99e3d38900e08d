import { describe, expect, it } from 'vitest';
import {
  addingDoors,
  doors,
  verdict,
  type AddingDoor,
  type DomainStanding,
  type Door,
  type Facts,
  type Verdict,
} from '#identity/verdict/verdict.ts';
import { acme, facts, owner, people, person } from './people.ts';

const standings: DomainStanding[] = [
  'mine',
  'mine_federated',
  'mine_lapsed',
  'mine_pending',
  'other',
  'public',
  'free',
];

/** The row of behaviour.md section 6, what is known, and what happens where it is not a refusal. */
type Row = [
  row: string,
  facts: Partial<Facts>,
  said: string,
  differently?: Partial<Record<AddingDoor, string>>,
];

const provisional = { email: 'ann@acme.example' };

const rows: Row[] = [
  ['1', { email: null }, 'invalid_email'],
  [
    '2',
    { account: { id: acme, status: 'on_hold', allowsForeignDomains: true } },
    'account_on_hold',
  ],
  [
    '2',
    { account: { id: acme, status: 'closing', allowsForeignDomains: true }, domain: 'mine' },
    'account_on_hold',
  ],
  ['3a', { domain: 'mine', person: people['member of Acme']! }, 'already_member'],
  ['3a', { domain: 'other', person: people['member of Acme']! }, 'already_member'],
  [
    '3b',
    { domain: 'mine', person: people['waiting for Acme']! },
    'pending_approval [approve]',
    { scim_create: 'approve' },
  ],
  ['3b', { domain: 'free', person: people['waiting for Acme']! }, 'pending_approval [approve]'],
  ['3c', { person: people['invited by Acme, new']! }, 'already_invited [resend_invitation]'],
  ['3c', { person: people['invited by Acme']! }, 'already_invited [resend_invitation]'],
  [
    '3c',
    { domain: 'mine', person: people['invited by Acme, new']! },
    'already_invited [resend_invitation, add_to_account]',
    { scim_create: 'add' },
  ],
  ['4', { domain: 'other' }, 'domain_owned_by_other [request_access]'],
  [
    '4',
    { domain: 'other', person: people['member of Beta']! },
    'domain_owned_by_other [request_access]',
  ],
  [
    '5',
    { domain: 'mine_pending' },
    'domain_pending_ownership [finish_claim, cancel_claim, invite_to_account]',
    { invite: 'create_provisional' },
  ],
  [
    '6',
    { domain: 'mine', person: people['member of Beta']! },
    'user_in_other_account [request_transfer]',
  ],
  ['6', { domain: 'public', person: people['member of Beta']! }, 'user_in_other_account'],
  [
    '7',
    { domain: 'mine', person: people['locked by the operator']! },
    'user_not_addable [contact_support]',
  ],
  ['7', { domain: 'free', person: people['compromised']! }, 'user_not_addable [contact_support]'],
  ['7', { domain: 'mine', person: people['being erased']! }, 'user_not_addable [contact_support]'],
  [
    '8',
    { domain: 'mine', person: people['unaffiliated']! },
    'user_exists [add_to_account]',
    { scim_create: 'add', invite: 'invite' },
  ],
  [
    '8',
    { domain: 'mine', person: people['removed by Acme']! },
    'user_exists [add_to_account]',
    { scim_create: 'add', invite: 'invite' },
  ],
  [
    '8',
    { domain: 'mine_federated', person: people['unaffiliated']! },
    'user_exists [add_to_account]',
    { scim_create: 'add', invite: 'invite' },
  ],
  [
    '9',
    { domain: 'free', person: people['unaffiliated']! },
    'user_exists_other_domain [invite_to_account]',
    { scim_create: 'invite', invite: 'invite' },
  ],
  [
    '9',
    { domain: 'public', person: people['invited by Beta, new']! },
    'user_exists_other_domain [invite_to_account]',
    { scim_create: 'invite', invite: 'invite' },
  ],
  [
    '9',
    {
      domain: 'public',
      person: people['unaffiliated']!,
      account: { id: acme, status: 'active', allowsForeignDomains: false },
    },
    'domain_not_owned',
  ],
  ['10', { domain: 'mine_federated' }, 'create_member'],
  ['11', { domain: 'mine' }, 'create_member'],
  ['11', { domain: 'mine', person: people['invited by Beta, new']! }, 'create_member'],
  ['12', { domain: 'free' }, 'create_provisional'],
  ['12', { domain: 'public' }, 'create_provisional'],
  [
    '12',
    { domain: 'free', account: { id: acme, status: 'active', allowsForeignDomains: false } },
    'domain_not_owned',
  ],
];

describe('an administrator, a file, an invitation and a directory take somebody in', () => {
  it.each(
    rows.flatMap(([row, change, said, differently = {}]) =>
      addingDoors.map((door) => ({
        row,
        door,
        known: describeFacts(change),
        change,
        said: differently[door] ?? said,
      })),
    ),
  )('row $row at $door: $known → $said', ({ door, change, said }) => {
    expect(inShort(verdict(door, facts(change)))).toBe(said);
  });

  it('is told in the words of the source documents', () => {
    const message = (change: Partial<Facts>) => verdict('admin_add', facts(change)).message;
    expect(message({ email: null })).toBe('Enter a valid e-mail address.');
    expect(message({ account: null })).toBe(
      "Your organization's account is on hold; users cannot be added.",
    );
    expect(message({ person: people['member of Acme']! })).toBe(
      'ann@acme.example is already in your account.',
    );
    expect(message({ person: people['waiting for Acme']! })).toBe(
      'ann@acme.example registered and is waiting for approval.',
    );
    expect(message({ domain: 'other' })).toBe(
      'Unable to add user as email domain is owned by a different organization.',
    );
    expect(message({ domain: 'mine_pending' })).toBe(
      'Unable to add user because the email domain is pending ownership by your organization.',
    );
    expect(message({ person: people['member of Beta']! })).toBe(
      'Could not create user. This user already belongs to another account and must be removed from it first. The user can see the administrators on the profile page.',
    );
    expect(message({ person: people['compromised']! })).toBe(
      'This user is not associated to any account and cannot be added. Contact support.',
    );
    expect(message({ domain: 'mine', person: person() })).toBe(
      "This user already exists. Click 'Add to account' to add to your account.",
    );
    expect(message({ person: person() })).toBe(
      "This user already exists but their email domain isn't part of your organization. Click 'Invite to Account' to invite user to your account.",
    );
    expect(message({ domain: 'mine' })).toBe('Created and invited.');
    expect(message({ domain: 'mine_federated', ...provisional })).toBe(
      'Created. ann@acme.example signs in through your organization.',
    );
    expect(message({})).toBe(
      'Invited. The user joins your account when the invitation is accepted.',
    );
  });
});

describe('somebody registers', () => {
  it.each<[string, Partial<Facts>, string]>([
    ['a domain that nobody owns', {}, 'create_unaffiliated'],
    ['Acme approves', { owner: owner() }, 'create_pending'],
    ['Acme approves by itself', { owner: owner({ signup: 'auto' }) }, 'create_auto_approved'],
    ['Acme is on hold', { owner: owner({ signup: 'auto', status: 'on_hold' }) }, 'create_pending'],
    [
      'Acme is closing',
      { owner: owner({ signup: 'auto', status: 'closing' }) },
      'create_unaffiliated',
    ],
    [
      'Acme lost the domain',
      { owner: owner({ signup: 'auto', lapsed: true }) },
      'create_unaffiliated',
    ],
    [
      'Acme has closed its domain',
      { owner: owner({ signup: 'closed' }) },
      'tell_holder [ask_administrator]',
    ],
    ['Acme signs its people in', { owner: owner({ federated: true }) }, 'sign_in_upstream'],
    ['the address is a person’s', { person: person() }, 'tell_holder'],
    [
      'Acme added them already',
      { owner: owner(), person: people['added to Acme, never signed in']! },
      'tell_holder',
    ],
    [
      'Acme removed them',
      { owner: owner({ signup: 'auto' }), person: people['removed by Acme']! },
      'tell_holder',
    ],
    [
      'Beta invited them',
      { owner: owner(), person: people['invited by Beta, new']! },
      'create_pending',
    ],
  ])('%s', (_known, change, said) => {
    expect(inShort(verdict('registration', facts({ account: null, ...change })))).toBe(said);
  });
});

describe('a person who registered has accepted the terms', () => {
  it.each<[string, Partial<Facts>, string]>([
    ['and joins by the rule of the owner', { owner: owner({ signup: 'auto' }) }, 'add'],
    ['and waits for the owner', { owner: owner() }, 'await_approval'],
    ['and belongs nowhere', {}, 'nothing'],
    [
      'and waits while the owner is on hold',
      { owner: owner({ signup: 'auto', status: 'on_hold' }) },
      'await_approval',
    ],
    ['but was rejected lately', { owner: owner(), person: people['rejected by Acme']! }, 'nothing'],
    [
      'but was removed once',
      { owner: owner({ signup: 'auto' }), person: people['removed by Acme']! },
      'nothing',
    ],
    [
      'but is locked',
      { owner: owner({ signup: 'auto' }), person: people['too many attempts']! },
      'nothing',
    ],
    [
      'but joined another account meanwhile',
      { owner: owner({ signup: 'auto' }), person: people['member of Beta']! },
      'nothing',
    ],
  ])('%s', (_known, change, said) => {
    const known = facts({ account: null, person: person(), ...change });
    expect(inShort(verdict('settling', known))).toBe(said);
  });
});

describe('every door, everybody and every domain (M1)', () => {
  it('is the table that was agreed', async () => {
    await expect(matrix()).toMatchFileSnapshot('./table.txt');
  });
});

/** The verdict of each door for each person and each domain: the whole policy, to be read. */
function matrix(): string {
  return doors
    .map((door) => {
      const lines = Object.entries(people).map(([name, person]) =>
        [
          name.padEnd(32),
          ...standings.map((domain) =>
            atOnce(verdict(door, seen(door, domain, person))).padEnd(26),
          ),
        ]
          .join(' ')
          .trimEnd(),
      );
      const head = [door.padEnd(32), ...standings.map((one) => one.padEnd(26))].join(' ').trimEnd();
      return [head, '-'.repeat(head.length), ...lines, ''].join('\n');
    })
    .join('\n');
}

/** The same world at each door. Where no account acts, the owner of the domain is Acme. */
function seen(door: Door, domain: DomainStanding, person: Facts['person']): Facts {
  const owned = domain.startsWith('mine') && domain !== 'mine_pending';
  const known = facts({
    domain,
    person,
    owner: owned
      ? owner({ federated: domain === 'mine_federated', lapsed: domain === 'mine_lapsed' })
      : domain === 'other'
        ? owner({ id: 'gamma' })
        : null,
  });
  const unasked = door === 'registration' || door === 'settling' || door === 'discovery';
  return unasked ? { ...known, account: null } : known;
}

function atOnce({ outcome, code }: Verdict): string {
  return outcome === 'refuse' ? code! : outcome;
}

function inShort({ outcome, code, actions }: Verdict): string {
  const said = outcome === 'refuse' ? code! : outcome;
  return actions.length > 0 ? `${said} [${actions.join(', ')}]` : said;
}

function describeFacts({ domain = 'free', person, account, email }: Partial<Facts>): string {
  const who = Object.entries(people).find(([, one]) => one === person)?.[0] ?? 'nobody';
  const state = account
    ? `, ${account.status}${account.allowsForeignDomains ? '' : ', own domains only'}`
    : '';
  return email === null ? 'no address' : `${who}, domain ${domain}${state}`;
}
