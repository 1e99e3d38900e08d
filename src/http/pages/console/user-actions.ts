import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, boxes, checkbox, notice, select, textArea } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { confirmPage } from './parts.ts';
import {
  countryName,
  lockSentence,
  nameAndEmail,
  nameOf,
  roleName,
  type LockShown,
  type Named,
} from './people.ts';

export type ActionField = 'note' | 'roles' | 'groups' | 'country';

/** Somebody to whom it is not done, and why. */
export interface Refused {
  person: Named;
  reason: string;
}

export interface ActionPage extends ConsoleFrame {
  key: string;
  title: MessageKey;
  what: readonly MessageKey[];
  danger: boolean;
  field: ActionField | undefined;
  people: readonly Named[];
  refused: readonly Refused[];
  /** Everybody it is for, as it is carried along. */
  sel: string;
  from: string;
  back: string;
  choices: {
    roles: readonly { key: string; name: string }[];
    groups: readonly { id: string; name: string }[];
  };
  /** The roles that the one person has; null where it is about several. */
  held: readonly string[] | null;
  /** Why the one person is locked, before it is lifted. */
  locks?: readonly LockShown[];
  countries: readonly string[];
  /** Kinds of lock, for who may choose. */
  reasons: readonly ('admin' | 'operator' | 'compromised')[];
  input: {
    note: string;
    reason: string;
    give: readonly string[];
    take: readonly string[];
    into: string;
    outOf: string;
    country: string;
    pinned: boolean;
  };
  problem: MessageKey | null;
}

/** How many are named before the rest is counted. */
const shown = 20;

export function actionPage(page: ActionPage): Html {
  const { t, key, people, refused, sel, from, danger, back } = page;
  const title = t(page.title);
  const [only] = people;
  return confirmPage(page, {
    title,
    heading: people.length === 1 ? [title, ': ', html`<bdi>${nameOf(only!)}</bdi>`] : title,
    back: {
      href: `/console${back}`,
      title: from === 'user' && only ? html`<bdi>${nameOf(only)}</bdi>` : t('people.title'),
    },
    what: [
      people.length > 1 && [
        html`<p><strong>${t('people.do.for', { n: people.length })}</strong></p>`,
        html`<ul class="chosen-people">
          ${people.slice(0, shown).map((person) => html`<li>${nameAndEmail(person)}</li>`)}
          ${
            people.length > shown &&
            html`<li>${t('people.do.and_more', { n: people.length - shown })}</li>`
          }
        </ul>`,
      ],
      page.locks?.map((lock) => html`<p><strong>${lockSentence(page, lock)}</strong></p>`),
      page.what.map((text) => html`<p>${t(text)}</p>`),
      refused.length > 0 &&
        notice('warning', [
          html`<p>
            ${
              refused.length === people.length
                ? t('people.do.none')
                : t('people.do.not_for', { n: refused.length })
            }
          </p>`,
          refusedList(refused),
        ]),
    ],
    fields: fieldsOf(page),
    action: `/console/users/do/${key}`,
    values: { sel, from },
    button: title,
    danger,
  });
}

function fieldsOf(page: ActionPage): Child {
  const { t, choices, countries, reasons, input, problem } = page;
  const nothing = ['', t('people.do.nothing')] as const;
  switch (page.field) {
    case 'note':
      return [
        reasons.length > 0 &&
          select({
            name: 'reason',
            label: t('people.do.kind'),
            value: input.reason,
            options: reasons.map((reason) => [reason, t(kinds[reason])] as const),
          }),
        textArea({
          name: 'note',
          most: 500,
          label: t('people.do.note'),
          hint: t('people.do.note_hint'),
          value: input.note,
          error: problem && t(problem),
        }),
      ];
    case 'roles': {
      const roles = choices.roles.filter(({ key }) => key !== 'group_manager');
      // To one person only what they lack can be given, and only what they have be taken.
      const choice = (way: 'give' | 'take') =>
        roles.filter(
          ({ key }) => page.held === null || page.held.includes(key) === (way === 'take'),
        );
      return [
        (['give', 'take'] as const)
          .filter((way) => choice(way).length > 0)
          .map((way, at) =>
            boxes({
              name: way,
              legend: t(way === 'give' ? 'people.do.give' : 'people.do.take'),
              options: choice(way).map((role) => [role.key, roleName(page, role)] as const),
              chosen: input[way],
              error: at === 0 && problem && t(problem),
            }),
          ),
      ];
    }
    case 'groups': {
      const options = [nothing, ...choices.groups.map(({ id, name }) => [id, name] as const)];
      return [
        select({
          name: 'into',
          label: t('people.do.into'),
          value: input.into,
          options,
          error: problem && t(problem),
        }),
        select({ name: 'outOf', label: t('people.do.out_of'), value: input.outOf, options }),
      ];
    }
    case 'country':
      return [
        select({
          name: 'country',
          label: t('people.entitlement'),
          value: input.country,
          options: [
            ['', t('people.do.no_country')],
            ...countries.map((code) => [code, countryName(page, code)] as const),
          ],
        }),
        checkbox({
          id: 'pinned',
          name: 'pinned',
          value: 'yes',
          label: t('people.do.pinned'),
          checked: input.pinned,
        }),
      ];
    default:
      return null;
  }
}

const kinds = {
  admin: 'people.lock.admin',
  operator: 'people.lock.operator',
  compromised: 'people.lock.compromised',
} as const;

export interface ActionDonePage extends ConsoleFrame {
  title: MessageKey;
  /** What was done; null where nothing was. */
  text: string | null;
  refused: readonly Refused[];
  back: string;
}

/** Some of it was done, or none: who was left out, and why. */
export function actionDonePage(page: ActionDonePage): Html {
  const { t, text, refused, back } = page;
  return consolePage(page, {
    title: t(page.title),
    failed: true,
    main: html`<section class="card part">
      ${text && html`<div role="status">${notice('success', text)}</div>`}
      ${alert([
        html`<p>${t('people.do.not_for', { n: refused.length })}</p>`,
        refusedList(refused),
      ])}
      <p><a class="button primary" href="/console${back}">${t('console.go_back')}</a></p>
    </section>`,
  });
}

function refusedList(refused: readonly Refused[]): Html {
  return html`<ul>
    ${refused.map(
      ({ person, reason }) =>
        html`<li>
          <strong><bdi>${nameOf(person)}</bdi></strong
          >: ${reason}
        </li>`,
    )}
  </ul>`;
}
