import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { type Locale, locales } from '#platform/i18n.ts';
import {
  alert,
  checkbox,
  field,
  hidden,
  named,
  notice,
  postForm,
  primary,
  select,
} from '../form.ts';
import { layout, type PageContext } from '../layout.ts';
import { administratorList } from './administrators.ts';
import { card } from './card.ts';
import { problemsText, type PasswordProblem, type PasswordRulesShown } from './password.ts';
import { ownFactors, type OwnFactors } from './second-factor.ts';

/** The parts of a profile, each a page of its own. */
export type ProfileTab = 'details' | 'security' | 'account' | 'data';

const tabs: Record<ProfileTab, { href: string; title: MessageKey }> = {
  details: { href: '/profile', title: 'profile.details' },
  security: { href: '/profile/security', title: 'profile.security' },
  account: { href: '/profile/account', title: 'profile.account' },
  data: { href: '/profile/data', title: 'profile.data' },
};

interface Frame extends PageContext {
  email: string;
  /** Looks after an account, or all of them: is shown the way to the console. */
  administers?: boolean | undefined;
  /** What was just done. */
  done?: string | undefined;
  failed?: boolean | undefined;
}

function profile(page: Frame, tab: ProfileTab, sections: Child): Html {
  const { t, administers, done, failed } = page;
  // The first page is the profile itself; its parts have headings of their own.
  const title = t(tab === 'details' ? 'profile.title' : tabs[tab].title);
  return layout({
    ...page,
    title: failed ? t('layout.error_title', { title }) : title,
    width: 'wide',
    nav: html`<nav aria-label="${t('profile.title')}">
      ${Object.entries(tabs).map(
        ([key, { href, title: name }]) =>
          html`<a href="${href}" ${key === tab && html`aria-current="page"`}>${t(name)}</a>`,
      )}
      ${administers && html`<a href="/console">${t('profile.administration')}</a>`}
      <a href="/oauth/end_session?client_id=ostiary">${t('profile.sign_out')}</a>
    </nav>`,
    main: html`
      <h1>${title}</h1>
      ${done && html`<div role="status">${notice('success', done)}</div>`} ${sections}
    `,
  });
}

/** A part with a heading of its own, unless the page's says it already. */
function part(title: string | null, body: Child): Html {
  return html`<section class="card part">
    ${title !== null && html`<h2>${title}</h2>`} ${body}
  </section>`;
}

export type DetailsError = 'name' | 'phone' | 'text' | 'country' | 'managed';

export interface DetailsPage extends Frame {
  details: {
    givenName: string;
    familyName: string;
    country: string;
    language: string;
    phone: string;
    jobTitle: string;
  };
  countries: readonly (readonly [string, string])[];
  /** Names of fields that a directory decides about. */
  managed: readonly string[];
  /** Whose directory that is. */
  account?: string | undefined;
  errors?: Partial<Record<keyof DetailsPage['details'], DetailsError>>;
  emailError?: 'invalid' | 'foreign' | 'managed' | undefined;
  emailTyped?: string | undefined;
  /** Where they want to be written to instead, and whether its reader has still to say yes. */
  mail: { address: string | null; waits: boolean };
  mailFailed?: boolean | undefined;
  mailTyped?: string | undefined;
}

const detailsErrors: Record<DetailsError, MessageKey> = {
  name: 'profile.invalid_name',
  phone: 'profile.invalid_phone',
  text: 'profile.invalid_text',
  country: 'profile.invalid_country',
  managed: 'profile.managed',
};

export function detailsPage(page: DetailsPage): Html {
  const { t, csrf, details, countries, managed, errors = {}, email } = page;
  const told = (key: keyof DetailsPage['details']): string | undefined =>
    errors[key] && t(detailsErrors[errors[key]], { account: page.account ?? '' });
  const name = (key: 'givenName' | 'familyName', label: string, autocomplete: string): Html =>
    field({
      name: key,
      label,
      value: details[key],
      autocomplete,
      readonly: managed.includes(key),
      hint: managed.includes(key) && managedBy(page),
      error: told(key),
    });
  const other = (key: 'phone' | 'jobTitle', label: string, autocomplete: string): Html =>
    field({
      name: key,
      label,
      type: key === 'phone' ? 'tel' : 'text',
      value: details[key],
      autocomplete,
      optional: true,
      readonly: managed.includes(key),
      hint: managed.includes(key) ? managedBy(page) : t('profile.optional'),
      error: told(key),
    });
  const emailErrors = {
    invalid: 'id.invalid',
    foreign: 'profile.email.foreign',
    managed: 'profile.email.managed',
  } as const;
  return profile(page, 'details', [
    part(
      t('profile.details'),
      postForm({ action: '/profile', csrf }, [
        name('givenName', t('profile.given_name'), 'given-name'),
        name('familyName', t('profile.family_name'), 'family-name'),
        select({
          name: 'country',
          label: t('profile.country'),
          value: details.country,
          options: [['', t('profile.no_choice')], ...countries],
          autocomplete: 'country',
          error: errors.country && t(detailsErrors[errors.country]),
        }),
        select({
          name: 'language',
          label: t('profile.language'),
          value: details.language,
          options: [
            ['', t('profile.browser_language')],
            ...locales.map((locale) => [locale, languageName(locale)] as const),
          ],
          autocomplete: 'language',
        }),
        other('phone', t('profile.phone'), 'tel'),
        other('jobTitle', t('profile.job_title'), 'organization-title'),
        primary(t('profile.save')),
      ]),
    ),
    part(t('profile.email.title'), [
      html`<p>${t.parts('profile.email.current', { email: named(email) })}</p>`,
      managed.includes('email')
        ? html`<p class="hint">${managedBy(page)}</p>`
        : postForm({ action: '/profile/email', csrf }, [
            field({
              name: 'email',
              label: t('profile.email.new'),
              type: 'email',
              autocomplete: 'email',
              value: page.emailTyped,
              hint: t('profile.email.hint'),
              error: page.emailError && t(emailErrors[page.emailError]),
            }),
            html`<button type="submit">${t('profile.email.change')}</button>`,
          ]),
    ]),
    part(t('profile.mail.title'), mailAddress(page)),
  ]);
}

function mailAddress({ t, csrf, email, mail, mailTyped, mailFailed }: DetailsPage): Child {
  const { address, waits } = mail;
  return [
    html`<p>
      ${
        address !== null && waits
          ? t.parts('profile.mail.waits', { address: named(address), email: named(email) })
          : t.parts('profile.mail.here', { address: named(address ?? email) })
      }
    </p>`,
    postForm({ action: '/profile/mail', csrf }, [
      field({
        name: 'mail',
        label: t('profile.mail.field'),
        type: 'email',
        autocomplete: 'email',
        value: mailTyped ?? address ?? '',
        optional: true,
        hint: t('profile.mail.hint'),
        error: mailFailed && t('id.invalid'),
      }),
      html`<button type="submit">${t('profile.mail.change')}</button>`,
    ]),
  ];
}

function managedBy({ t, account }: DetailsPage): Child {
  return t.parts('profile.managed', { account: named(account ?? '') });
}

function languageName(locale: Locale): string {
  return new Intl.DisplayNames(locale, { type: 'language' }).of(locale) ?? locale;
}

export interface SecurityPage extends Frame, PasswordRulesShown {
  hasPassword: boolean;
  passwordError?: 'wrong' | 'locked' | undefined;
  problems?: readonly PasswordProblem[] | undefined;
  sessions: readonly {
    uid: string;
    current: boolean;
    signedInAt: Date | null;
    seenAt: Date;
    ip: string | null;
    device: string | null;
    clients: readonly string[];
  }[];
  applications: readonly { id: string; name: string; grantedAt: Date }[];
  /** Identity providers of organizations that sign them in. */
  links: readonly { name: string; linkedAt: Date }[];
  factors: OwnFactors;
}

export function securityPage(page: SecurityPage): Html {
  const { t, csrf, email, sessions, applications } = page;
  const passwordErrors = {
    wrong: t('profile.password.wrong'),
    locked: t('profile.password.locked'),
  };
  const problems = page.problems ?? [];
  return profile(page, 'security', [
    part(
      t('profile.password.title'),
      page.hasPassword
        ? postForm({ action: '/profile/password', csrf }, [
            // For the password manager: whose password this is.
            field({
              name: 'username',
              label: t('field.email'),
              value: email,
              autocomplete: 'username',
              readonly: true,
            }),
            field({
              name: 'current',
              label: t('profile.password.current'),
              type: 'password',
              autocomplete: 'current-password',
              error: page.passwordError && passwordErrors[page.passwordError],
            }),
            field({
              name: 'password',
              label: t('profile.password.new'),
              type: 'password',
              autocomplete: 'new-password',
              hint: [
                t('profile.password.hint', { min: page.minLength }),
                page.composition === 'three_of_four' && ` ${t('newpw.too_simple')}`,
              ],
              error: problemsText(page, problems),
            }),
            field({
              name: 'password_again',
              label: t('profile.password.again'),
              type: 'password',
              autocomplete: 'new-password',
              error: problems.includes('mismatch') && t('newpw.mismatch'),
            }),
            primary(t('profile.password.change')),
          ])
        : html`<p>${t('profile.password.none')}</p>`,
    ),
    part(t('mfa.profile.title'), ownFactors(page, page.factors)),
    page.links.length > 0 &&
      part(
        t('profile.links.title'),
        html`<ul class="plain">
          ${page.links.map(
            ({ name, linkedAt }) =>
              html`<li>
                ${t.parts('profile.links.since', { name: named(name), when: linkedAt })}
              </li>`,
          )}
        </ul>`,
      ),
    part(t('profile.sessions.title'), [
      html`<ul class="rows">
        ${sessions.map((session) => sessionRow(page, session))}
      </ul>`,
      sessions.length > 1 &&
        postForm(
          { action: '/profile/sessions/others', csrf },
          html`<button type="submit">${t('profile.sessions.end_others')}</button>`,
        ),
    ]),
    part(
      t('profile.apps.title'),
      applications.length === 0
        ? html`<p class="hint">${t('profile.apps.none')}</p>`
        : html`<ul class="rows">
            ${applications.map(
              ({ id, name, grantedAt }) =>
                html`<li>
                  <span>
                    <strong>${named(name)}</strong>
                    <span class="hint">${t('profile.apps.since', { when: grantedAt })}</span>
                  </span>
                  ${postForm({ action: '/profile/applications', csrf }, [
                    hidden('client', id),
                    html`<button
                      class="quiet"
                      type="submit"
                      aria-label="${t('profile.apps.withdraw_from', { name })}"
                    >
                      ${t('profile.apps.withdraw')}
                    </button>`,
                  ])}
                </li>`,
            )}
          </ul>`,
    ),
  ]);
}

function sessionRow(
  { t, csrf }: SecurityPage,
  { uid, current, signedInAt, seenAt, ip, device, clients }: SecurityPage['sessions'][number],
): Html {
  const name = device ?? t('profile.sessions.unknown');
  const facts = [
    signedInAt && t('profile.sessions.since', { when: signedInAt }),
    t('profile.sessions.seen', { when: seenAt }),
    ip && t('profile.sessions.from', { ip }),
  ].filter(Boolean);
  return html`<li>
    <span>
      <strong>${named(name)}</strong>
      ${current && html`<span class="badge success">${t('profile.sessions.this')}</span>`}
      <span class="hint">${facts.join(' · ')}</span>
      ${
        clients.length > 0 &&
        html`<span class="hint"
          >${t.parts('profile.sessions.apps', { names: named(clients.join(', ')) })}</span
        >`
      }
    </span>
    ${
      !current &&
      postForm({ action: '/profile/sessions', csrf }, [
        hidden('session', uid),
        html`<button
          class="quiet"
          type="submit"
          aria-label="${t('profile.sessions.end_this', { device: name })}"
        >
          ${t('profile.sessions.end')}
        </button>`,
      ])
    }
  </li>`;
}

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

export interface DataPage extends Frame {
  /** Whose administrators decide about a deletion; null where the person does. */
  managedBy: string | null;
  /** Where they belong. */
  account?: string | undefined;
  error?: DataError | undefined;
}

/** The box is not ticked; or their organization would have nobody to look after it. */
export type DataError = 'missing' | 'administrator' | 'contact';

const dataErrors = {
  missing: 'profile.data.delete_missing',
  administrator: 'profile.data.delete_administrator',
  contact: 'profile.data.delete_contact',
} as const satisfies Record<DataError, MessageKey>;

export function dataPage(page: DataPage): Html {
  const { t, csrf, managedBy: manager, error } = page;
  return profile(page, 'data', [
    part(t('profile.data.export_title'), [
      html`<p>${t('profile.data.export_text')}</p>`,
      html`<p>
        <a class="button primary" href="/profile/data/export.json" download
          >${t('profile.data.export')}</a
        >
      </p>`,
    ]),
    part(t('profile.data.delete_title'), [
      html`<p>
        ${
          manager === null
            ? t('profile.data.delete_text')
            : t.parts('profile.data.delete_managed', { account: named(manager) })
        }
      </p>`,
      error && alert(t.parts(dataErrors[error], { account: named(page.account ?? '') })),
      postForm({ action: '/profile/data/delete', csrf }, [
        checkbox({
          id: 'understood',
          name: 'understood',
          value: 'yes',
          label: t('profile.data.delete_understood'),
          required: true,
        }),
        html`<button class="danger" type="submit">
          ${t(manager === null ? 'profile.data.delete' : 'profile.data.delete_request')}
        </button>`,
      ]),
    ]),
  ]);
}

export interface EmailLinkPage extends PageContext {
  action: string;
  token: string;
  email: string;
  reverts: boolean;
}

/** What the link of a mail would do, with the button that does it: scanners follow links. */
export function emailLinkPage(page: EmailLinkPage): Html {
  const { t, csrf, action, token, email, reverts } = page;
  return card(page, {
    title: t(reverts ? 'profile.email.revert_title' : 'profile.email.confirm_title'),
    lead: t.parts(reverts ? 'profile.email.revert_text' : 'profile.email.confirm_text', {
      email: named(email),
    }),
    body: postForm({ action, csrf }, [
      hidden('token', token),
      primary(t(reverts ? 'profile.email.revert' : 'profile.email.confirm')),
    ]),
  });
}

export interface MailLinkPage extends PageContext {
  action: string;
  token: string;
  /** What the person signs in with. */
  email: string;
  address: string;
}

/** What the link to another address to be written to would do. */
export function mailLinkPage({ action, token, email, address, ...page }: MailLinkPage): Html {
  const { t, csrf } = page;
  return card(page, {
    title: t('profile.mail.title'),
    lead: t.parts('profile.mail.confirm_text', { email: named(email), address: named(address) }),
    body: postForm({ action, csrf }, [hidden('token', token), primary(t('profile.mail.confirm'))]),
  });
}

/** It goes there from now on. Nobody is signed in by that: there is nothing else to do here. */
export function mailDonePage({ address, ...page }: PageContext & { address: string }): Html {
  const { t } = page;
  return card(page, {
    title: t('profile.mail.title'),
    lead: t.parts('profile.mail.here', { address: named(address) }),
    body: html`<p><a class="button" href="/profile">${t('profile.title')}</a></p>`,
  });
}

export interface EmailDonePage extends PageContext {
  email: string;
  /** Where to go on. */
  href: string;
  /** Whether a new password has to be chosen first. */
  resets: boolean;
}

export function emailDonePage(page: EmailDonePage): Html {
  const { t, email, href, resets } = page;
  return card(page, {
    title: t('profile.email.title'),
    lead: t.parts('profile.email.done', { email: named(email) }),
    body: html`<p>
      <a class="button primary" href="${href}">${t(resets ? 'stop.reset' : 'action.sign_in')}</a>
    </p>`,
  });
}
