import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { named, notice, postForm } from '../../form.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import { facts, part } from './parts.ts';
import {
  countryName,
  lockSentence,
  nameOf,
  padlock,
  roleName,
  sourceTexts,
  statusBadge,
} from './people.ts';
import {
  actionHref,
  change,
  eventsPart,
  historyPart,
  sessionsPart,
  signInPart,
} from './user-parts.ts';
import type { SourceOfAttribute, SuppressionShown, UserPage } from './user-shown.ts';

/** Actions that have the place beside the name; the others stand in the parts they are about. */
const first = ['invite', 'reset', 'lock', 'remove'];

export function userPage(page: UserPage): Html {
  const { t, user, actions, beyond, self } = page;
  const name = nameOf(user);
  const link = ({ key, title }: { key: string; title: MessageKey }): Html =>
    html`<a
      class="button ${key === 'remove' || key === 'lock' ? 'danger' : ''}"
      href="${actionHref(page, key)}"
      >${t(title)}</a
    >`;
  return consolePage(page, {
    title: name,
    heading: html`<bdi>${name}</bdi>`,
    lead: html`<span class="state"
      >${user.email !== name && named(user.email ?? '')} ${statusBadge(page, user.status)}
      ${padlock(page, user.id, page.locks)}</span
    >`,
    back: { href: '/console/users', title: t('people.title') },
    actions:
      !beyond &&
      !self &&
      first.flatMap((key) => actions.filter((action) => action.key === key).map(link)),
    main: [
      beyond && notice('info', t('people.beyond')),
      self && notice('info', t('people.self')),
      locksPart(page),
      mailPart(page),
      html`<div class="columns-2">
        ${detailsPart(page)} ${belongsPart(page)} ${signInPart(page)} ${historyPart(page)}
        ${sessionsPart(page)} ${eventsPart(page)}
      </div>`,
    ],
  });
}

function locksPart(page: UserPage): Child {
  const { t, locks, beyond, self, actions } = page;
  if (locks.length === 0) return null;
  const unlock = actions.find(({ key }) => key === 'unlock');
  return part(
    t('people.locks'),
    [
      html`<ul class="rows">
        ${locks.map(
          (lock) =>
            html`<li>
              <span>
                ${lockSentence(page, lock)}
                <span class="hint"
                  >${t(lock.mine ? 'people.lift.you' : lifters[lock.lifters])}</span
                >
              </span>
            </li>`,
        )}
      </ul>`,
      unlock &&
        !beyond &&
        !self &&
        locks.some(({ mine }) => mine) &&
        html`<p>
          <a class="button primary" href="${actionHref(page, 'unlock')}">${t(unlock.title)}</a>
        </p>`,
    ],
    { id: 'locks' },
  );
}

const suppressions = {
  refused: 'people.mail.refused',
  bounced: 'people.mail.bounced',
  complained: 'people.mail.complained',
} as const satisfies Record<SuppressionShown, MessageKey>;

/** That mails come back, where they do. */
function mailPart(page: UserPage): Child {
  const { t, user, details, may } = page;
  if (details.suppressed === null) return null;
  const { reason, code, since } = details.suppressed;
  return part(
    t('people.mail'),
    [
      notice('warning', [
        t(suppressions[reason]),
        html` <span class="hint"
          >${when(page, since)}${code && html` <code>${named(code)}</code>`}</span
        >`,
      ]),
      html`<p>${t('people.mail.text')}</p>`,
      may.change &&
        postForm({ action: `/console/users/${user.id}/allow-mail`, csrf: page.csrf }, [
          html`<div class="actions">
            <button type="submit">${t('people.mail.allow')}</button>
          </div>`,
        ]),
    ],
    { id: 'mail' },
  );
}

const lifters = {
  administrators: 'people.lift.administrators',
  directory: 'people.lift.directory',
  operator: 'people.lift.operator',
  itself: 'people.lift.itself',
} as const satisfies Record<string, MessageKey>;

const authorityTexts = {
  directory: 'people.from.directory',
  identity_provider: 'people.from.provider',
  administrator: 'people.from.administrator',
} as const satisfies Record<Exclude<SourceOfAttribute, 'person'>, MessageKey>;

function detailsPart(page: UserPage): Html {
  const { t, user, details, authorities, may } = page;
  const said = (attribute: string, value: Child): Child => {
    const found = authorities.find((one) => one.attribute === attribute);
    if (!value || !found || found.source === 'person') return value;
    return [
      value,
      html` <span class="${found.source === 'administrator' ? 'hint' : 'badge'}"
        >${t.parts(authorityTexts[found.source], { name: named(found.name ?? '') })}</span
      >`,
    ];
  };
  return part(
    t('profile.details'),
    facts([
      [t('profile.given_name'), said('givenName', user.givenName && named(user.givenName))],
      [t('profile.family_name'), said('familyName', user.familyName && named(user.familyName))],
      [t('field.email'), said('email', named(user.email ?? ''))],
      [
        t('people.verified'),
        details.emailVerifiedAt ? when(page, details.emailVerifiedAt, 'day') : t('people.not_yet'),
      ],
      [
        t('people.communication'),
        said(
          'communicationEmail',
          details.communicationEmail && [
            named(details.communicationEmail),
            details.communicationWaits && html` (${t('people.communication_waits')})`,
          ],
        ),
      ],
      [t('profile.country'), said('country', countryName(page, user.country))],
      [t('people.language'), said('language', user.language && languageName(page, user.language))],
      [t('profile.phone'), said('phone', details.phone && named(details.phone))],
      [t('profile.job_title'), said('jobTitle', details.jobTitle && named(details.jobTitle))],
      [t('people.source'), t(sourceTexts[user.source])],
      [t('people.id'), html`<code>${user.id}</code>`],
    ]),
    {
      actions:
        may.change &&
        html`<a class="change" href="/console/users/${user.id}/change">${t('people.change')}</a>`,
    },
  );
}

function belongsPart(page: UserPage): Html {
  const { t, user, details, roles } = page;
  const names = user.roles
    .filter((key) => key !== 'group_manager')
    .map((key) => roleName(page, roles.find((role) => role.key === key) ?? { key, name: key }));
  const groupLinks = (groups: readonly { id: string; name: string }[]): Child =>
    html`<ul class="plain">
      ${groups.map(
        ({ id, name }) => html`<li><a href="/console/groups/${id}">${named(name)}</a></li>`,
      )}
    </ul>`;
  return part(
    t('people.belongs'),
    facts(
      [
        [
          t('people.roles'),
          [
            names.length > 0 ? named(names.join(', ')) : t('people.none_given'),
            change(page, 'roles'),
          ],
        ],
        [
          t('people.groups'),
          [
            user.groups.length > 0 ? groupLinks(user.groups) : t('people.none_given'),
            change(page, 'groups'),
          ],
        ],
        [t('people.manages'), details.manages.length > 0 && groupLinks(details.manages)],
        [
          t('people.entitlement'),
          [
            user.entitlementCountry === null
              ? html`<span class="badge warning">${t('people.no_entitlement')}</span>`
              : countryName(page, user.entitlementCountry),
            details.entitlementPinned && html` <span class="badge">${t('people.is_pinned')}</span>`,
            change(page, 'country'),
          ],
        ],
        [
          t('people.contact'),
          user.fulfillmentContact &&
            html`<a href="/console/contacts">${t('people.is_contact')}</a>`,
        ],
        [
          t('people.invitation'),
          details.invitation &&
            t.parts('people.invited_until', {
              sent: when(page, details.invitation.sentAt, 'day'),
              until: when(page, details.invitation.expiresAt),
            }),
        ],
      ].filter((row): row is [string, Child] => row[1] !== false),
    ),
  );
}

function languageName({ t }: ConsoleFrame, tag: string): string {
  try {
    return new Intl.DisplayNames(t.locale, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
