import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, field, named, notice, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';
import { newPasswordFields, type PasswordProblem, type PasswordRulesShown } from './password.ts';
import { personFields, type PersonErrors, type PersonFields } from './register.ts';
import { codeBeside } from './second-factor.ts';

export type InvitationStop =
  | 'unknown'
  | 'declined'
  | 'revoked'
  | 'expired'
  | 'superseded'
  | 'accepted'
  | 'wrong_person'
  | 'member_elsewhere'
  | 'domain_owned_by_other'
  | 'account_on_hold'
  | 'inviter'
  | 'not_addable'
  | 'sign_in_upstream';

export interface InvitationPage extends PageContext, PasswordRulesShown {
  /** The address of the page itself: answers go below it. */
  path: string;
  account: string;
  inviter: string | null;
  email: string;
  expiresAt: Date;
  groups: readonly string[];
  way: 'signed_in' | 'sign_in' | 'password' | 'create';
  countries: readonly (readonly [string, string])[];
  values?: Partial<PersonFields> | undefined;
  errors?: PersonErrors | undefined;
  problems?: PasswordProblem[] | undefined;
  /** What became of the password, with `password`. */
  failure?: 'wrong' | 'locked' | 'code' | 'code_wrong' | undefined;
}

/** Who invites, and what changes: shown before anything is done, and as often as one likes. */
export function invitationPage(page: InvitationPage): Html {
  const { t, path, csrf, account, inviter, email, expiresAt, groups, way } = page;
  const name = named(account);
  const failed =
    Object.keys(page.errors ?? {}).length + (page.problems ?? []).length > 0 ||
    page.failure !== undefined;
  return card(page, {
    title: t('invitation.title', { account: page.account.slice(0, 120) }),
    heading: t.parts('invitation.title', { account: name }),
    lead: inviter
      ? t.parts('invitation.from', { inviter: named(inviter), account: name })
      : t.parts('invitation.from_account', { account: name }),
    failed,
    body: html`
      <p>${t.parts('invitation.effect', { account: name })}</p>
      ${
        groups.length > 0 &&
        html`<p>${t('invitation.groups')}</p>
          <ul>
            ${groups.map((group) => html`<li>${named(group)}</li>`)}
          </ul>`
      }
      <p class="hint">
        ${t.parts('invitation.for', { email: html`<strong>${named(email)}</strong>`, date: expiresAt })}
      </p>
      ${accepting(page)}
      ${postForm(
        { action: `${path}/decline`, csrf },
        html`<button class="quiet" type="submit">${t('invitation.decline')}</button>`,
      )}
      ${way === 'signed_in' && html`<p class="hint">${signedInAs(page)}</p>`}
    `,
  });
}

function signedInAs({ t, email }: InvitationPage): Child {
  return t.parts('consent.signed_in_as', { email: named(email) });
}

/** What has to be done to accept, by what is known of who reads this. */
function accepting(page: InvitationPage): Child {
  const { t, path, csrf, way, email, failure, problems = [] } = page;
  const action = `${path}/accept`;
  const address = field({
    name: 'email',
    label: t('field.email'),
    type: 'email',
    value: email,
    autocomplete: 'username',
    readonly: true,
  });
  switch (way) {
    case 'signed_in':
      return postForm({ action, csrf }, primary(t('invitation.accept')));
    case 'sign_in':
      return postForm({ action: `${path}/sign-in`, csrf }, primary(t('invitation.sign_in')));
    case 'password':
      return html`
        ${failure === 'locked' && alert(t('locked.attempts'))}
        <p>${t('invitation.password')}</p>
        ${postForm({ action, csrf }, [
          address,
          field({
            name: 'password',
            label: t('field.password'),
            type: 'password',
            autocomplete: 'current-password',
            error: failure === 'wrong' && t('cred.bad'),
          }),
          codeBeside(page, failure),
          primary(t('invitation.accept')),
        ])}
        <p class="links"><a href="/forgot-password">${t('action.forgot')}</a></p>
      `;
    default:
      return html`
        <p>${t('invitation.create')}</p>
        ${postForm({ action, csrf }, [
          address,
          personFields(t, page.values ?? {}, page.errors ?? {}, page.countries),
          newPasswordFields(page, problems),
          primary(t('invitation.accept')),
        ])}
      `;
  }
}

export interface InvitationStopPage extends PageContext {
  stop: InvitationStop;
  account: string | null;
  /** Where to go on, such as the sign-in at the person's organization. */
  continueHref?: string | undefined;
  /** For somebody who is signed in as another. */
  signOutHref?: string | undefined;
}

const stops: Record<InvitationStop, MessageKey> = {
  unknown: 'invitation.stop.unknown',
  declined: 'invitation.stop.declined',
  revoked: 'invitation.stop.revoked',
  expired: 'invitation.stop.expired',
  superseded: 'invitation.stop.superseded',
  accepted: 'invitation.stop.accepted',
  wrong_person: 'invitation.stop.wrong_person',
  member_elsewhere: 'invitation.stop.member_elsewhere',
  domain_owned_by_other: 'invitation.stop.domain_owned_by_other',
  account_on_hold: 'invitation.stop.account_on_hold',
  inviter: 'invitation.stop.inviter',
  not_addable: 'invitation.stop.not_addable',
  sign_in_upstream: 'invitation.stop.sign_in_upstream',
};

/** Why an invitation cannot be accepted, and what helps. */
export function invitationStopPage(page: InvitationStopPage): Html {
  const { t, stop, account, continueHref, signOutHref } = page;
  return card(page, {
    title: t('invitation.stop.title'),
    failed: true,
    body: html`
      ${alert(t.parts(stops[stop], { account: named(account ?? '') }), 'warning')}
      ${
        continueHref &&
        html`<p><a class="button primary" href="${continueHref}">${t('action.sign_in')}</a></p>`
      }
      ${
        signOutHref &&
        html`<p><a class="button" href="${signOutHref}">${t('action.sign_out')}</a></p>`
      }
    `,
  });
}

export interface InvitationDonePage extends PageContext {
  account: string;
  declined?: boolean | undefined;
  continueHref?: string | undefined;
}

export function invitationDonePage(page: InvitationDonePage): Html {
  const { t, account, declined, continueHref } = page;
  const name = named(account);
  const [title, text] = declined
    ? (['invitation.declined.title', 'invitation.declined.text'] as const)
    : (['invitation.accepted.title', 'invitation.accepted.text'] as const);
  return card(page, {
    title: t(title, { account: account.slice(0, 120) }),
    heading: t.parts(title, { account: name }),
    body: html`
      ${notice(declined ? 'info' : 'success', t.parts(text, { account: name }))}
      ${
        continueHref &&
        html`<p><a class="button primary" href="${continueHref}">${t('action.continue')}</a></p>`
      }
    `,
  });
}
