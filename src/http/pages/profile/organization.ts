import { type Html, html } from '#platform/html.ts';
import { alert, named, notice } from '../../form.ts';
import { administratorList } from '../administrators.ts';
import { part, profile, type Frame } from './frame.ts';

export interface AccountPage extends Frame {
  account: { name: string; number: string | null; hold: string | null } | null;
  /** The account whose approval is waited for. */
  pendingAt?: string | undefined;
  roles: readonly string[];
  groups: readonly string[];
  entitlementCountry: string | null;
  administrators: readonly { name: string; email: string }[];
  invitations: readonly { account: string; expiresAt: Date }[];
  terms: readonly { title: string; version: string; acceptedAt: Date }[];
}

export function accountPage(page: AccountPage): Html {
  const { t, account, pendingAt, administrators, invitations, terms } = page;
  const facts = [
    { name: t('profile.account.roles'), value: page.roles.join(', ') },
    { name: t('profile.account.groups'), value: page.groups.join(', ') },
    { name: t('profile.account.entitlement'), value: page.entitlementCountry ?? '' },
  ].filter(({ value }) => value !== '');
  return profile(page, 'account', [
    part(null, [
      account
        ? html`<p>
            ${t.parts('profile.account.yours', { account: html`<strong>${named(account.name)}</strong>` })}
          </p>`
        : html`<p>${t('profile.account.none')}</p>`,
      account?.number &&
        html`<p class="hint">${t('profile.account.number', { number: account.number })}</p>`,
      account?.hold !== null &&
        account &&
        alert(
          t.parts('profile.account.hold', {
            account: named(account.name),
            text: named(account.hold, 500),
          }),
          'warning',
        ),
      pendingAt &&
        notice('info', t.parts('profile.account.pending', { account: named(pendingAt) })),
      facts.length > 0 &&
        html`<dl class="details">
          ${facts.map(
            ({ name, value }) =>
              html`<dt>${name}</dt>
                <dd>${named(value)}</dd>`,
          )}
        </dl>`,
    ]),
    (account !== null || pendingAt !== undefined) &&
      part(
        t('profile.account.administrators'),
        administrators.length === 0
          ? html`<p>${t('profile.account.no_administrators')}</p>`
          : administratorList(administrators),
      ),
    part(
      t('profile.account.invitations'),
      invitations.length === 0
        ? html`<p class="hint">${t('profile.account.no_invitations')}</p>`
        : html`<ul class="plain">
            ${invitations.map(
              (invitation) =>
                html`<li>
                  ${t.parts('profile.account.invitation', {
                    account: named(invitation.account),
                    date: invitation.expiresAt,
                  })}
                </li>`,
            )}
          </ul>`,
    ),
    part(
      t('profile.terms.title'),
      terms.length === 0
        ? html`<p class="hint">${t('profile.terms.none')}</p>`
        : html`<ul class="plain">
            ${terms.map(
              ({ title, version, acceptedAt }) =>
                html`<li>
                  ${t.parts('profile.terms.accepted', {
                    title: named(title),
                    version,
                    when: acceptedAt,
                  })}
                </li>`,
            )}
          </ul>`,
    ),
  ]);
}
