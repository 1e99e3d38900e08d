import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { named, postForm } from '../../form.ts';
import { act, questions } from './forms.ts';
import { facts, part, table } from './parts.ts';
import type { DomainPage } from './domain-shown.ts';
import { signupNames } from './domains.ts';

/** What is owned with a domain, how people come in by it, and who has an address there already. */

export function belowPart(page: DomainPage, base: string): Html {
  const { t, below, proof, may } = page;
  const include = below === 'out';
  return part(
    t('rooms.domain.below'),
    [
      html`<p>
        ${t(
          below === 'along'
            ? 'rooms.domain.below_along'
            : include
              ? 'rooms.domain.below_off'
              : 'rooms.domain.below_on',
        )}
      </p>`,
      may &&
        below !== 'along' &&
        (!include || proof === 'dns') &&
        act(page, {
          action: `${base}/subdomains`,
          label: t(include ? 'rooms.domain.below_take' : 'rooms.domain.below_leave'),
          values: { include: include ? 'yes' : 'no' },
        }),
    ],
    { id: 'subdomains' },
  );
}

export function signupPart(page: DomainPage, base: string): Html {
  const { t, csrf, signup, defaults, roles, groups, countries, may, waiting } = page;
  return part(
    t('rooms.domain.coming'),
    [
      postForm(
        { action: `${base}/sign-up`, csrf },
        html`<fieldset class="stack" ${!may && html`disabled`}>
          ${questions([
            {
              kind: 'choice',
              name: 'signup',
              label: t('rooms.domain.signup'),
              value: signup,
              options: (['approve', 'auto', 'closed'] as const).map((one) => [
                one,
                t(signupNames[one]),
              ]),
            },
            {
              kind: 'choice',
              name: 'country',
              label: t('rooms.domain.default_country'),
              value: defaults.country,
              options: [['', t('rooms.none')], ...countries],
            },
            ...(roles.length > 0
              ? ([
                  {
                    kind: 'boxes',
                    name: 'roles',
                    label: t('rooms.domain.default_roles'),
                    chosen: defaults.roles,
                    options: roles,
                  },
                ] as const)
              : []),
            ...(groups.length > 0
              ? ([
                  {
                    kind: 'boxes',
                    name: 'groups',
                    label: t('rooms.domain.default_groups'),
                    chosen: defaults.groups,
                    options: groups,
                  },
                ] as const)
              : []),
          ])}
          ${may && html`<div class="actions"><button class="primary" type="submit">${t('rooms.save')}</button></div>`}
        </fieldset>`,
      ),
      may &&
        waiting > 0 && [
          html`<p>${t('rooms.domain.waiting_text', { n: waiting })}</p>`,
          act(page, {
            action: `${base}/approve-waiting`,
            label: t('rooms.domain.approve_waiting'),
          }),
        ],
    ],
    { id: 'sign-up' },
  );
}

/** What is counted of the people of a domain. */
export const countNames: Record<keyof DomainPage['counts'], MessageKey> = {
  members: 'rooms.impact.members',
  waiting: 'rooms.impact.waiting',
  unaffiliated: 'rooms.impact.unaffiliated',
  former: 'rooms.impact.former',
  elsewhere: 'rooms.impact.elsewhere',
  invitedElsewhere: 'rooms.impact.invited',
  unverified: 'rooms.impact.unverified',
};

const standings: Record<string, MessageKey> = {
  unaffiliated: 'rooms.impact.unaffiliated',
  waiting: 'rooms.impact.waiting',
  former: 'rooms.impact.former',
  elsewhere: 'rooms.impact.elsewhere',
};

/** Who has an address there, before anything is done about them. */
export function impactPart(page: DomainPage, base: string): Html {
  const { t, counts, people, may, state, signup, proof } = page;
  return part(
    t('rooms.impact'),
    [
      html`<p>${t('rooms.impact.text')}</p>`,
      facts(
        (Object.keys(countNames) as (keyof DomainPage['counts'])[]).map((key) => [
          t(countNames[key]),
          counts[key].toLocaleString(t.locale),
        ]),
        'counts',
      ),
      people.length > 0 &&
        html`<details>
          <summary>${t('rooms.impact.people', { n: people.length })}</summary>
          ${table({
            caption: t('rooms.impact'),
            rows: people,
            columns: [
              { title: t('rooms.email'), cell: ({ email }) => named(email) },
              {
                title: t('console.status'),
                cell: ({ standing }) => t(standings[standing] ?? 'rooms.impact.unaffiliated'),
              },
            ],
          })}
        </details>`,
      may &&
        state === 'owned' &&
        counts.unaffiliated > 0 &&
        html`<div class="actions">
          ${act(page, {
            action: `${base}/take-in`,
            label: t('rooms.impact.as_requests'),
            values: { as: 'requests' },
          })}
          ${
            signup === 'auto' &&
            act(page, {
              action: `${base}/take-in`,
              label: t('rooms.impact.as_members'),
              values: { as: 'members' },
            })
          }
        </div>`,
      may &&
        state === 'owned' &&
        proof !== 'email' &&
        counts.elsewhere > 0 && [
          html`<p>${t('rooms.impact.ask_text')}</p>`,
          act(page, {
            action: `${base}/take-in`,
            label: t('rooms.impact.ask'),
            values: { as: 'asked' },
          }),
        ],
    ],
    { id: 'impact' },
  );
}
