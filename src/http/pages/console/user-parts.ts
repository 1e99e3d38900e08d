import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { actionText, actorText } from '../../audit-text.ts';
import { hidden, named, postForm } from '../../form.ts';
import { when, whenever } from './frame.ts';
import { facts, part } from './parts.ts';
import type { UserPage } from './user-shown.ts';

/** Of the page of a person: what leads to a change, how they sign in, and what happened. */

export function actionHref({ user }: UserPage, key: string): string {
  return `/console/users/do/${key}?ids=${user.id}&from=user`;
}

/** A link to one of the other actions, where it may be done. */
export function change(page: UserPage, key: string): Child {
  const action = page.actions.find((one) => one.key === key);
  return (
    action &&
    !page.beyond &&
    html` <a class="change" href="${actionHref(page, key)}">${page.t(action.title)}</a>`
  );
}

export function signInPart(page: UserPage): Html {
  const { t, user, details } = page;
  return part(
    t('people.sign_in'),
    facts([
      [t('people.last_login'), whenever(page, user.lastLoginAt)],
      [t('people.last_seen'), whenever(page, details.lastSeenAt)],
      [
        t('people.password'),
        details.passwordSetAt
          ? t.parts('people.password_set', { when: when(page, details.passwordSetAt, 'day') })
          : t('people.password_none'),
      ],
      [
        t('people.factors'),
        [
          details.factors.length === 0
            ? t('people.factors_none')
            : html`<ul class="plain">
                ${details.factors.map(
                  ({ kind, name, lastUsedAt }) =>
                    html`<li>
                      ${t(kind === 'totp' ? 'people.factor_app' : 'people.factor_passkey')}:
                      ${named(name)} <span class="hint">${whenever(page, lastUsedAt)}</span>
                    </li>`,
                )}
              </ul>`,
          html` <a class="change" href="/console/users/${user.id}/second-factors"
            >${t('mfa.console.change')}</a
          >`,
        ],
      ],
      [
        t('people.links'),
        details.links.length === 0
          ? null
          : html`<ul class="plain">
              ${details.links.map(
                ({ connection, subject, lastUsedAt }) =>
                  html`<li>
                    ${named(connection)}: <code>${named(subject)}</code>
                    <span class="hint">${when(page, lastUsedAt)}</span>
                  </li>`,
              )}
            </ul>`,
      ],
      [t('people.break_glass'), details.breakGlass ? t('people.break_glass_yes') : null],
    ]),
  );
}

export function historyPart(page: UserPage): Html {
  const { t, details } = page;
  return part(t('people.history'), [
    html`<ul class="plain">
      ${details.affiliations.map(
        ({ reason, beganAt, endedAt }) =>
          html`<li>
            ${
              endedAt
                ? t.parts('people.member_until', {
                    from: when(page, beganAt, 'day'),
                    until: when(page, endedAt, 'day'),
                  })
                : t.parts('people.member_since', { from: when(page, beganAt, 'day') })
            }
            ${reasons[reason] && html`<span class="hint">${t(reasons[reason])}</span>`}
          </li>`,
      )}
    </ul>`,
    details.terms.length > 0 &&
      html`<ul class="plain">
        ${details.terms.map(
          ({ title, version, acceptedAt }) =>
            html`<li>
              ${t.parts('people.terms_accepted', {
                title: named(title),
                version,
                when: when(page, acceptedAt, 'day'),
              })}
            </li>`,
        )}
      </ul>`,
  ]);
}

/** How somebody came to belong. */
const reasons: Record<string, MessageKey | undefined> = {
  added: 'people.reason.added',
  approval: 'people.reason.approval',
  auto_approved: 'people.reason.auto_approved',
  invitation: 'people.reason.invitation',
  import: 'people.reason.import',
  just_in_time: 'people.reason.jit',
  directory: 'people.reason.scim',
  adopted: 'people.reason.scim',
  restored: 'people.reason.restored',
  moved: 'people.reason.moved',
  fulfillment_contact: 'people.reason.fulfillment_contact',
};

export function sessionsPart(page: UserPage): Html {
  const { t, csrf, user, sessions, may } = page;
  return part(
    t('people.sessions'),
    sessions.length === 0
      ? html`<p class="hint">${t('people.sessions_none')}</p>`
      : html`<ul class="rows">
          ${sessions.map(
            ({ id, createdAt, seenAt, ip, device, own }) =>
              html`<li>
                <span>
                  <strong>${named(device ?? t('profile.sessions.unknown'))}</strong>
                  ${own && html`<span class="badge success">${t('profile.sessions.this')}</span>`}
                  <span class="hint"
                    >${t.parts('people.session_facts', {
                      since: when(page, createdAt),
                      seen: when(page, seenAt),
                      ip: ip ?? '–',
                    })}</span
                  >
                </span>
                ${
                  may.sessions &&
                  postForm({ action: `/console/users/${user.id}/sessions`, csrf }, [
                    hidden('session', id),
                    html`<button
                      class="quiet"
                      type="submit"
                      aria-label="${t('profile.sessions.end_this', {
                        device: device ?? t('profile.sessions.unknown'),
                      })}"
                    >
                      ${t('profile.sessions.end')}
                    </button>`,
                  ])
                }
              </li>`,
          )}
        </ul>`,
    { id: 'sessions', actions: sessions.length > 1 && may.sessions && change(page, 'sessions') },
  );
}

export function eventsPart(page: UserPage): Html {
  const { t, user, events, may } = page;
  return part(
    t('people.events'),
    events.length === 0
      ? html`<p class="hint">${t('people.events_none')}</p>`
      : html`<ul class="rows">
          ${events.map(
            ({ at, action, actor, reference }) =>
              html`<li>
                <span
                  ><span title="${action}">${actionText(t, action)}</span>
                  <span class="hint">${named(actor.name ?? actorText(t, actor.type))}</span></span
                >
                <span class="hint"
                  >${when(page, at)}${reference && html` · <code>${reference}</code>`}</span
                >
              </li>`,
          )}
        </ul>`,
    {
      actions:
        may.audit &&
        html`<a class="change" href="/console/audit?target=${user.id}"
          >${t('people.events_all')}</a
        >`,
    },
  );
}
