import type { MessageKey } from '#messages/translate.ts';
import { isLocale } from '#platform/i18n.ts';
import {
  addToAccount,
  addUser,
  inviteAddress,
  inviteToAccount,
  requestTransfer,
} from '#identity/belonging/add.ts';
import { pendingInvitationOf, resendInvitation } from '#identity/belonging/invite.ts';
import { countConflict, takeAdd } from '#identity/belonging/limits.ts';
import { Refusal } from '#identity/refusal.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { listChoices } from '#identity/users/list-choices.ts';
import { countryOptions } from '../../countries.ts';
import {
  addPage,
  joinPage,
  type AddPage,
  type AddValues,
  type NextStep,
} from '../../pages/console/add-user.ts';
import { readPerson } from '../../person-form.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';
import { blame } from '../typed.ts';

/** Taking somebody in: what happens is the verdict's to say (behaviour.md section 6). */
export const addingUsers: Room = {
  open(door) {
    for (const way of ['add', 'invite'] as const) {
      const path = way === 'add' ? '/users/add' : '/invitations/new';
      door.get(path, 'users:add', (visit) => showForm(visit, way));
      door.post(path, 'users:add', (visit) => take(visit, way), { repeated: ['role', 'group'] });
    }

    for (const how of ['add', 'invite', 'transfer', 'resend'] as const) {
      const path = `/users/:userId/${how}`;
      door.get(path, 'users:add', (visit) => showJoin(visit, how));
      door.post(path, 'users:add', (visit) => join(visit, how), { repeated: ['role', 'group'] });
    }
  },
};

async function showForm(
  visit: Visit,
  way: 'add' | 'invite',
  changes: Partial<AddPage> = {},
  status = 200,
): Promise<void> {
  const { account, t } = visit;
  visit.show(
    addPage({
      ...visit.page,
      way,
      values: valuesOf(visit),
      errors: {},
      refused: null,
      next: [],
      choices: await listChoices(visit.sql, account.id),
      countries: countryOptions(t.locale),
      entitledIn: account.countries,
      ...changes,
    }),
    status,
  );
}

async function take(visit: Visit, way: 'add' | 'invite'): Promise<void> {
  const { values: person, errors } = readPerson({
    given_name: visit.value('givenName'),
    family_name: visit.value('familyName'),
    country: visit.value('country'),
  });
  const values = valuesOf(visit);
  const wrong = {
    ...(canonicalEmail(values.email) === null && { email: visit.t('id.invalid') }),
    ...(errors.givenName && { givenName: visit.t('profile.invalid_name') }),
    ...(errors.familyName && { familyName: visit.t('profile.invalid_name') }),
    ...(errors.country && { country: visit.t('profile.invalid_country') }),
  };
  if (Object.keys(wrong).length > 0) return showForm(visit, way, { errors: wrong }, 422);
  try {
    const { outcome, userId, upstream } = await counting(visit, () =>
      visit.act((work, { account, asking }) =>
        (way === 'add' ? addUser : inviteAddress)(work, asking, account, {
          ...person,
          email: values.email,
          entitlementCountry: values.entitlementCountry || undefined,
          language: isLocale(values.language) ? values.language : undefined,
          roles: values.roles,
          groups: values.groups,
          sendInvitation: values.send,
        }),
      ),
    );
    const text =
      outcome === 'invited'
        ? 'people.add.invited'
        : upstream
          ? 'people.add.upstream'
          : values.send
            ? 'people.add.created'
            : 'people.add.created_only';
    visit.done(
      way === 'invite' ? '/invitations' : `/users#user-${userId}`,
      visit.say(text, { email: values.email }),
    );
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    const { errors: blamed, failure } = blame(visit, error, {
      invalid_country: 'entitlementCountry',
      role_not_found: 'role',
      role_required_by_other: 'role',
      cannot_grant_higher_role: 'role',
      not_found: 'group',
    });
    await showForm(
      visit,
      way,
      {
        errors: blamed,
        refused: failure === null ? null : { code: error.code, text: failure },
        next: nextOf(error, values),
      },
      refusalStatus(error),
    );
  }
}

/** What can be done instead, as the verdict names it, where the console has a page for it. */
function nextOf({ actions, details }: Refusal, values: AddValues): NextStep[] {
  const email = typeof details['email'] === 'string' ? details['email'] : values.email;
  const domain = email.slice(email.lastIndexOf('@') + 1);
  const carried = new URLSearchParams([
    ['email', values.email],
    ['entitlementCountry', values.entitlementCountry],
    ...values.roles.map((role) => ['role', role]),
    ...values.groups.map((group) => ['group', group]),
  ]);
  const steps = actions.flatMap(({ rel, href }): NextStep[] => {
    const user = /\/users\/([0-9a-f-]{36})\//.exec(href)?.[1];
    const step = nextSteps[rel];
    if (!step) return [];
    const [title, where] = step;
    return [
      { title, href: `/console${where({ user: user ?? '', domain, carried: `${carried}` })}` },
    ];
  });
  const known = details['userId'];
  if (actions.length === 0 && typeof known === 'string')
    steps.push({ title: 'people.add.show', href: `/console/users/${known}` });
  return steps;
}

interface Place {
  user: string;
  domain: string;
  carried: string;
}

const nextSteps: Partial<Record<string, readonly [MessageKey, (place: Place) => string]>> = {
  add_to_account: ['people.add.to_account', ({ user, carried }) => `/users/${user}/add?${carried}`],
  invite_to_account: [
    'people.add.invite_to_account',
    ({ user, carried }) =>
      user === '' ? `/invitations/new?${carried}` : `/users/${user}/invite?${carried}`,
  ],
  request_transfer: [
    'people.add.request_transfer',
    ({ user, carried }) => `/users/${user}/transfer?${carried}`,
  ],
  resend_invitation: [
    'people.add.resend',
    ({ user, carried }) => `/users/${user}/resend?${carried}`,
  ],
  approve: ['people.add.approve', () => '/approvals'],
  request_access: ['people.add.request_access', ({ domain }) => `/domains/${domain}`],
  finish_claim: ['people.add.finish_claim', ({ domain }) => `/domains/${domain}`],
  cancel_claim: ['people.add.cancel_claim', ({ domain }) => `/domains/${domain}`],
};

type How = 'add' | 'invite' | 'transfer' | 'resend';

async function showJoin(visit: Visit, how: How, error: string | null = null): Promise<void> {
  visit.show(
    joinPage({
      ...visit.page,
      how,
      userId: visit.params['userId']!,
      values: {
        ...valuesOf(visit),
        unlock: visit.ctx.method === 'GET' || isTicked(visit, 'unlock'),
      },
      choices: await listChoices(visit.sql, visit.account.id),
      entitledIn: visit.account.countries,
      error,
    }),
    error === null ? 200 : 409,
  );
}

async function join(visit: Visit, how: How): Promise<void> {
  const userId = visit.params['userId']!;
  const { email, entitlementCountry, roles, groups } = valuesOf(visit);
  const given = { entitlementCountry: entitlementCountry || undefined, roles, groups };
  try {
    await counting(visit, () =>
      visit.act(async (work, { account, asking }) => {
        switch (how) {
          case 'add':
            return addToAccount(work, asking, account, userId, {
              ...given,
              unlock: isTicked(visit, 'unlock'),
            });
          case 'invite':
            return inviteToAccount(work, asking, account, userId, given);
          case 'transfer':
            return requestTransfer(work, account, userId);
          case 'resend': {
            const { id } = await pendingInvitationOf(work, account.id, userId);
            await resendInvitation(work, asking, account, id);
          }
        }
      }),
    );
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    return showJoin(visit, how, visit.reason(error));
  }
  visit.done(
    how === 'add' ? `/users/${userId}` : '/invitations',
    visit.say(joined[how], { email }),
  );
}

const joined = {
  add: 'people.add.added',
  invite: 'people.add.invited_to',
  transfer: 'people.add.transfer_requested',
  resend: 'people.add.resent',
} as const satisfies Record<How, MessageKey>;

/** The answers tell which addresses are registered: an account gets so many a day, as with the API. */
async function counting<T>({ sql, account, now }: Visit, run: () => Promise<T>): Promise<T> {
  await takeAdd(sql, account.id, now);
  try {
    return await run();
  } catch (error) {
    if (error instanceof Refusal) await countConflict(sql, account.id, error.code, now);
    throw error;
  }
}

function valuesOf(visit: Visit): AddValues {
  return {
    email: visit.value('email'),
    givenName: visit.value('givenName'),
    familyName: visit.value('familyName'),
    country: visit.value('country'),
    entitlementCountry: visit.value('entitlementCountry'),
    language: visit.value('language'),
    roles: visit.values('role'),
    groups: visit.values('group'),
    // A box that is not ticked is not sent: only an empty form has it by itself.
    send: visit.ctx.method === 'GET' || isTicked(visit, 'send'),
  };
}

function isTicked({ form }: Visit, name: string): boolean {
  return form[name] === 'yes';
}
