import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { hidden, named, postForm, select } from '../../form.ts';
import { consolePage, type ConsoleFrame, whenever } from './frame.ts';
import { empty, part, table } from './parts.ts';

export type PolicyShown = 'off' | 'optional' | 'admins' | 'all';

export interface SecondFactorsPage extends ConsoleFrame {
  /** Null: as the installation says. */
  policy: PolicyShown | null;
  /** How many of those it is about would have to set one up at their next sign-in. */
  stopped: { admins: number; all: number };
  domains: readonly { name: string; shown: string; required: boolean; stopped: number }[];
  breakGlass: readonly { id: string; email: string }[];
  may: { policy: boolean; domains: boolean };
}

const policies: Record<PolicyShown, MessageKey> = {
  off: 'mfa.console.off',
  optional: 'mfa.console.optional',
  admins: 'mfa.console.admins',
  all: 'mfa.console.all',
};

/** Who of the account has to show more than a password, and who comes in when nothing else works. */
export function secondFactorsPage(page: SecondFactorsPage): Html {
  const { t, csrf, policy, stopped, domains, breakGlass, may } = page;
  return consolePage(page, {
    title: t('mfa.console.title'),
    lead: t('mfa.console.lead'),
    main: [
      part(
        t('mfa.console.policy'),
        may.policy
          ? postForm({ action: '/console/second-factors/policy', csrf }, [
              select({
                name: 'policy',
                label: t('mfa.console.who'),
                value: policy ?? '',
                options: [
                  ['', t('mfa.console.as_installation')],
                  ...Object.entries(policies).map(([key, text]) => {
                    const people = key === 'admins' || key === 'all' ? stopped[key] : null;
                    const stops = people !== null && t('mfa.console.stops', { n: people });
                    return [key, stops ? `${t(text)}: ${stops}` : t(text)] as const;
                  }),
                ],
              }),
              html`<button class="primary" type="submit">${t('mfa.console.save')}</button>`,
            ])
          : html`<p>${t(policy ? policies[policy] : 'mfa.console.as_installation')}</p>`,
        { id: 'everybody' },
      ),
      part(
        t('mfa.console.domains'),
        [
          html`<p>${t('mfa.console.domains_text')}</p>`,
          domains.length === 0
            ? empty(t('mfa.console.no_domains'))
            : table({
                caption: t('mfa.console.domains'),
                columns: [
                  {
                    title: t('mfa.console.domain'),
                    cell: ({ name, shown }) =>
                      html`<a href="/console/domains/${encodeURIComponent(name)}"
                        >${named(shown)}</a
                      >`,
                  },
                  {
                    title: t('mfa.console.title'),
                    cell: ({ required, stopped: people }) =>
                      required
                        ? t('mfa.console.demanded')
                        : [
                            t('mfa.console.not_demanded'),
                            html`<span class="hint"
                              >${t('mfa.console.would', {
                                stops: t('mfa.console.stops', { n: people }),
                              })}</span
                            >`,
                          ],
                  },
                  {
                    title: t('console.actions'),
                    does: true,
                    cell: (domain) => may.domains && toggle(page, domain),
                  },
                ],
                rows: domains,
              }),
        ],
        { id: 'domains' },
      ),
      part(t('mfa.console.break_glass'), [
        html`<p>${t('mfa.console.break_glass_text')}</p>`,
        breakGlass.length === 0
          ? html`<p class="hint">${t('mfa.console.break_glass_none')}</p>`
          : html`<ul class="plain">
              ${breakGlass.map(
                ({ id, email }) =>
                  html`<li>
                    <a href="/console/users/${id}/second-factors">${named(email)}</a>
                  </li>`,
              )}
            </ul>`,
      ]),
    ],
  });
}

function toggle(
  { t, csrf }: ConsoleFrame,
  { name, shown, required }: SecondFactorsPage['domains'][number],
): Html {
  const text = t(required ? 'mfa.console.relax' : 'mfa.console.demand');
  return postForm({ action: '/console/second-factors/domain', csrf }, [
    hidden('domain', name),
    hidden('required', required ? 'no' : 'yes'),
    html`<button class="quiet" type="submit" aria-label="${`${text}: ${shown}`}">${text}</button>`,
  ]);
}

export interface UserFactorsPage extends ConsoleFrame {
  userId: string;
  name: string;
  factors: readonly {
    id: string;
    kind: 'totp' | 'passkey';
    name: string;
    lastUsedAt: Date | null;
  }[];
  codesLeft: number;
  required: boolean;
  anew: boolean;
  breakGlass: boolean;
  may: { reset: boolean; require: boolean; breakGlass: boolean };
}

const kinds = { totp: 'mfa.app.name', passkey: 'mfa.passkey.name' } as const;

/** The second factors of one person, and what can be done when they are lost. */
export function userFactorsPage(page: UserFactorsPage): Html {
  const { t, csrf, userId, name, factors, codesLeft, required, anew, may } = page;
  const base = `/console/users/${userId}/second-factors`;
  return consolePage(page, {
    title: t('mfa.console.of', { name }),
    heading: t.parts('mfa.console.of', { name: named(name) }),
    back: { href: `/console/users/${userId}`, title: name },
    main: [
      part(t('mfa.console.has'), [
        factors.length === 0
          ? html`<p>${t('mfa.console.none')}</p>`
          : html`<ul class="rows">
                ${factors.map(
                  (factor) =>
                    html`<li>
                      <span>
                        ${t(kinds[factor.kind])}: <strong>${named(factor.name)}</strong>
                        <span class="hint">${whenever(page, factor.lastUsedAt)}</span>
                      </span>
                      ${
                        may.reset &&
                        factors.length > 1 &&
                        postForm({ action: `${base}/remove`, csrf }, [
                          hidden('factor', factor.id),
                          html`<button
                            class="quiet"
                            type="submit"
                            aria-label="${t('mfa.profile.remove_this', { name: factor.name })}"
                          >
                            ${t('mfa.profile.remove')}
                          </button>`,
                        ])
                      }
                    </li>`,
                )}
              </ul>
              <p>${t('mfa.profile.codes_left', { n: codesLeft })}</p>`,
        anew && html`<p class="notice info">${t('mfa.console.anew')}</p>`,
      ]),
      may.reset &&
        factors.length > 0 &&
        part(t('mfa.console.reset_title'), [
          html`<p>${t('mfa.console.reset_text')}</p>`,
          postForm(
            { action: `${base}/reset`, csrf },
            html`<button class="danger" type="submit">${t('mfa.console.reset')}</button>`,
          ),
        ]),
      part(t('mfa.console.who'), [
        html`<p>${t(required ? 'mfa.console.person_demanded' : 'mfa.console.person_not')}</p>`,
        may.require &&
          postForm({ action: `${base}/require`, csrf }, [
            hidden('required', required ? 'no' : 'yes'),
            html`<button type="submit">
              ${t(required ? 'mfa.console.relax' : 'mfa.console.demand')}
            </button>`,
          ]),
      ]),
      breakGlassPart(page, base),
    ],
  });
}

function breakGlassPart({ t, csrf, breakGlass, may }: UserFactorsPage, base: string): Child {
  if (!breakGlass && !may.breakGlass) return null;
  return part(t('mfa.console.break_glass'), [
    html`<p>${t(breakGlass ? 'mfa.console.marked' : 'mfa.console.not_marked')}</p>`,
    html`<p class="hint">${t('mfa.console.break_glass_text')}</p>`,
    may.breakGlass &&
      postForm({ action: `${base}/break-glass`, csrf }, [
        hidden('on', breakGlass ? 'no' : 'yes'),
        html`<button type="submit">
          ${t(breakGlass ? 'mfa.console.unmark' : 'mfa.console.mark')}
        </button>`,
      ]),
  ]);
}
