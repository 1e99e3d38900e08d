import { type Html, html } from '#platform/html.ts';
import { field, hidden, named, postForm, primary } from '../../form.ts';
import { problemsText, type PasswordProblem, type PasswordRulesShown } from '../password.ts';
import { ownFactors, type OwnFactors } from '../second-factor.ts';
import { part, profile, type Frame } from './frame.ts';

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
