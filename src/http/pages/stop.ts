import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, hidden, named, notice, postForm, primary, type Tone } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { administratorList } from './administrators.ts';
import { card, referenceLine } from './card.ts';

export type StopReason =
  | 'locked.attempts'
  | 'locked.admin'
  | 'locked.unaffiliated'
  | 'locked.directory'
  | 'locked.inactive'
  | 'locked.operator'
  | 'locked.compromised'
  | 'locked.erasing'
  | 'locked.domain_lapsed'
  | 'locked.expired'
  | 'account.hold'
  | 'account.closed'
  | 'pending'
  | 'unaffiliated'
  | 'client.denied';

export interface StopPage extends PageContext {
  reason: StopReason;
  /** The organization concerned. */
  account?: string | undefined;
  /** Given only to a person who has proved who they are. */
  administrators?: { name: string; email: string }[] | undefined;
  reference: string;
  /** What the operator or the administrator adds in their own words. */
  text?: string | undefined;
  /** When it happens or happened, with `locked.erasing` and `locked.expired`. */
  date?: Date | undefined;
  signOutAction?: string | undefined;
  /** Takes the deletion back, with `locked.erasing`. */
  keep?: { csrf: string; token: string; signIn?: string } | undefined;
  returnHref?: string | undefined;
  forgotHref?: string | undefined;
  clientName?: string | undefined;
}

/** Why nobody comes further here, and who can change it. */
export function stopPage(page: StopPage): Html {
  const { t, csrf, reason, text, reference, signOutAction, keep } = page;
  const { title, tone } = kinds[reason];
  return card(page, {
    title: t(title),
    failed: tone === 'danger',
    body: html`
      ${tell(tone, [
        html`<p>${message(page)}</p>`,
        reason === 'pending' && html`<p>${t('pending.mail')}</p>`,
        text && html`<p>${named(text, 1000)}</p>`,
      ])}
      ${whoHelps(page)}
      ${
        keep &&
        postForm({ action: '/keep-account', csrf: keep.csrf }, [
          hidden('token', keep.token),
          hidden('sign_in', keep.signIn),
          primary(t('stop.keep')),
        ])
      }
      ${ways(page).map(
        ({ href, text }, index) =>
          html`<p>
            <a class="button ${index === 0 && !keep && 'primary'}" href="${href}">${text}</a>
          </p>`,
      )}
      ${signOutAction && postForm({ action: signOutAction, csrf }, signOutButton(page))}
      ${referenceLine(page, reference)}
    `,
  });
}

/** What stops somebody is read aloud at once; what only takes its time is not. */
function tell(tone: Tone, text: Child): Html {
  return tone === 'info' ? notice(tone, text) : alert(text, tone);
}

const kinds: Record<StopReason, { title: MessageKey; tone: Tone }> = {
  'locked.attempts': { title: 'stop.locked.title', tone: 'danger' },
  'locked.admin': { title: 'stop.locked.title', tone: 'danger' },
  'locked.unaffiliated': { title: 'stop.locked.title', tone: 'danger' },
  'locked.directory': { title: 'stop.locked.title', tone: 'danger' },
  'locked.inactive': { title: 'stop.locked.title', tone: 'danger' },
  'locked.operator': { title: 'stop.suspended.title', tone: 'danger' },
  'locked.compromised': { title: 'stop.locked.title', tone: 'danger' },
  'locked.erasing': { title: 'stop.erasing.title', tone: 'warning' },
  'locked.domain_lapsed': { title: 'stop.locked.title', tone: 'danger' },
  'locked.expired': { title: 'stop.locked.title', tone: 'danger' },
  'account.hold': { title: 'stop.hold.title', tone: 'warning' },
  'account.closed': { title: 'stop.closed.title', tone: 'warning' },
  pending: { title: 'stop.pending.title', tone: 'info' },
  unaffiliated: { title: 'stop.unaffiliated.title', tone: 'info' },
  'client.denied': { title: 'stop.denied.title', tone: 'warning' },
};

function message({ t, reason, account, date, clientName }: StopPage): Child {
  switch (reason) {
    case 'locked.erasing':
      return date ? t('locked.erasing', { date }) : t('locked.erasing_soon');
    case 'locked.expired':
      return date ? t('locked.expired_on', { date }) : t('locked.expired');
    case 'account.hold':
      return account
        ? t.parts('account.hold', { account: named(account) })
        : t('account.hold_unnamed');
    case 'account.closed':
      return account
        ? t.parts('account.closed', { account: named(account) })
        : t('account.closed_unnamed');
    case 'client.denied':
      return clientName
        ? t.parts('client.denied', { client: named(clientName) })
        : t('client.denied_unnamed');
    default:
      return t(reason);
  }
}

function whoHelps({ t, account, administrators = [] }: StopPage): Html | false {
  return (
    administrators.length > 0 &&
    html`
      <section class="administrators">
        <h2>${t('stop.administrators')}</h2>
        <p>
          ${
            account
              ? t.parts('stop.administrators_of', { account: named(account) })
              : t('stop.administrators_here')
          }
        </p>
        ${administratorList(administrators)}
      </section>
    `
  );
}

/** Where to go from here without changing anything, the most helpful first. */
function ways({
  t,
  forgotHref,
  returnHref,
  clientName,
}: StopPage): { href: string; text: Child }[] {
  const client = clientName && named(clientName);
  return [
    ...(forgotHref ? [{ href: forgotHref, text: t('stop.reset') }] : []),
    ...(returnHref
      ? [
          {
            href: returnHref,
            text: client ? t.parts('stop.return_to', { client }) : t('stop.return'),
          },
        ]
      : []),
  ];
}

/** The way on, where there is no other. */
function signOutButton(page: StopPage): Html {
  const { t, keep } = page;
  const other = keep !== undefined || ways(page).length > 0;
  return other
    ? html`<button class="quiet" type="submit">${t('action.sign_out')}</button>`
    : primary(t('action.sign_out'));
}
