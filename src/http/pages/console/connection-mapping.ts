import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import {
  attributeFields,
  attributeTexts,
  outcomeText,
  type AttributeField,
} from '../../federation-text.ts';
import { alert, clip, hidden, named, notice, postForm } from '../../form.ts';
import { home } from './connections.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { questions, type Errors, type Question } from './forms.ts';
import { empty, facts, part, table } from './parts.ts';

/** A mapping as it is typed. Of fields that may be chosen several times, a list. */
export type MappingValues = Readonly<Record<string, string | readonly string[]>>;

/** Fields of which several may be chosen. */
export const repeatedFields = ['new_roles'] as const;

export interface MappingForm extends ConsoleFrame {
  connection: { id: string; name: string };
  values: MappingValues;
  /** Where attributes are looked for unless something else is said. */
  usual: Readonly<Record<AttributeField, readonly string[]>>;
  countries: readonly (readonly [string, string])[];
  /** Roles that applications give a meaning to: no provider makes administrators. */
  roles: readonly { key: string; name: string }[];
  errors: Errors;
  failure?: string | undefined;
}

/** How claims become a person, and what is done with people who are new. */
export function mappingPage(page: MappingForm): Html {
  const { t, csrf, connection, errors, failure } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('connection.mapping'),
    lead: t('connection.mapping_lead'),
    back: { href: base, title: named(connection.name) },
    failed: failure !== undefined || Object.keys(errors).length > 0,
    main: [
      failure && alert(failure),
      postForm({ action: `${base}/mapping`, csrf }, [
        part(t('connection.attributes'), [
          html`<p>${t('connection.attributes_text')}</p>`,
          questions(attributeQuestions(page), errors),
        ]),
        part(t('connection.people_new'), questions(provisioningQuestions(page), errors)),
        part(t('connection.groups'), questions(grantQuestions(page, 'groups'), errors)),
        part(t('connection.roles'), questions(grantQuestions(page, 'roles'), errors)),
        html`<div class="actions">
          <button class="primary" type="submit" name="next" value="try">
            ${t('connection.try')}
          </button>
          <button type="submit" name="next" value="save">${t('rooms.save')}</button>
          <a class="button quiet" href="${base}">${t('console.cancel')}</a>
        </div>`,
      ]),
    ],
  });
}

function text(values: MappingValues, name: string): string {
  return String(values[name] ?? '');
}

function attributeQuestions({ t, values, usual }: MappingForm): Question[] {
  return attributeFields.map((name) => ({
    kind: 'line',
    name: `a_${name}`,
    label: t(attributeTexts[name]),
    hint: html`<code>${clip(usual[name].join(', '), 160)}</code>`,
    value: text(values, `a_${name}`),
    optional: true,
  }));
}

function provisioningQuestions({ t, values, countries, roles }: MappingForm): Question[] {
  const anyCountry = [['', '–'] as const, ...countries];
  const box = (name: string, label: MessageKey, hint?: MessageKey): Question => ({
    kind: 'box',
    name,
    label: t(label),
    ...(hint && { hint: t(hint) }),
    checked: text(values, name) === 'yes',
  });
  const choice = (
    name: string,
    label: MessageKey,
    options: readonly (readonly [value: string, label: MessageKey])[],
  ): Question => ({
    kind: 'choice',
    name,
    label: t(label),
    value: text(values, name),
    options: options.map(([value, said]) => [value, t(said)] as const),
  });
  return [
    choice('mode', 'connection.mode', [
      ['jit', 'connection.mode.jit'],
      ['jit_and_scim', 'connection.mode.jit_and_scim'],
      ['scim_only', 'connection.mode.scim_only'],
    ]),
    choice('missing', 'connection.missing', [
      ['ask', 'connection.missing.ask'],
      ['reject', 'connection.missing.reject'],
    ]),
    box('require_country', 'connection.require_country'),
    {
      kind: 'choice',
      name: 'default_country',
      label: t('connection.default_country'),
      value: text(values, 'default_country'),
      options: anyCountry,
    },
    {
      kind: 'choice',
      name: 'entitlement_country',
      label: t('connection.entitlement_country'),
      value: text(values, 'entitlement_country'),
      options: anyCountry,
    },
    box('sync', 'connection.sync', 'connection.sync_hint'),
    box('guests', 'connection.guests', 'connection.guests_hint'),
    box('sticks', 'connection.sticks', 'connection.sticks_hint'),
    choice('second_factor', 'connection.second_factor', [
      ['trust', 'connection.second_factor.trust'],
      ['if_missing', 'connection.second_factor.if_missing'],
      ['always', 'connection.second_factor.always'],
    ]),
    {
      kind: 'text',
      name: 'new_groups',
      label: t('connection.new_groups'),
      hint: t('connection.new_groups_hint'),
      value: text(values, 'new_groups'),
      optional: true,
      rows: 2,
    },
    ...(roles.length > 0
      ? ([
          {
            kind: 'boxes',
            name: 'new_roles',
            label: t('connection.new_roles'),
            chosen: [values['new_roles'] ?? []].flat(),
            options: roles.map(({ key, name }) => [key, name || key] as const),
          },
        ] satisfies Question[])
      : []),
  ];
}

function grantQuestions({ t, values, roles }: MappingForm, of: 'groups' | 'roles'): Question[] {
  return [
    {
      kind: 'line',
      name: `${of}_claim`,
      label: t('connection.claim'),
      hint: t('connection.claim_hint'),
      value: text(values, `${of}_claim`),
      optional: true,
    },
    {
      kind: 'choice',
      name: `${of}_absent`,
      label: t('connection.absent'),
      value: text(values, `${of}_absent`),
      options: [
        ['keep', t('connection.absent.keep')],
        ['remove', t('connection.absent.remove')],
        ['deny', t('connection.absent.deny')],
      ],
    },
    {
      kind: 'text',
      name: `${of}_rules`,
      label: t('connection.rules'),
      hint:
        of === 'groups'
          ? t('connection.rules_groups')
          : [
              t('connection.rules_roles'),
              ' ',
              html`<code>${roles.map(({ key }) => key).join(', ')}</code>`,
            ],
      value: text(values, `${of}_rules`),
      optional: true,
      code: true,
      rows: 5,
    },
  ];
}

export const effectTexts = {
  enters: ['success', 'connection.effect.enters'],
  refused: ['danger', 'connection.effect.refused'],
  asked: ['warning', 'connection.effect.asked'],
  changes: ['info', 'connection.effect.changes'],
} as const satisfies Record<string, readonly [tone: string, text: MessageKey]>;

export interface PreviewPage extends ConsoleFrame {
  connection: { id: string; name: string };
  values: MappingValues;
  found: {
    counts: Readonly<Record<keyof typeof effectTexts | 'same', number>>;
    considered: number;
    unknown: number;
    more: boolean;
    affected: readonly {
      effect: keyof typeof effectTexts;
      traceId: string;
      at: Date;
      userId: string | null;
      email: string | null;
      before: string;
      after: string;
      fields: readonly { name: string; before: string | null; after: string | null }[];
      /** By name. */
      given: readonly string[];
      taken: readonly string[];
    }[];
  };
}

/** What another mapping would do, before it is saved: counts first, then who. */
export function previewPage(page: PreviewPage): Html {
  const { t, csrf, connection, values, found } = page;
  const base = `${home}/${connection.id}`;
  const { counts, considered, unknown, more, affected } = found;
  const told = Object.keys(effectTexts) as (keyof typeof effectTexts)[];
  return consolePage(page, {
    title: t('connection.preview'),
    lead: t('connection.preview_lead'),
    back: { href: base, title: named(connection.name) },
    main: [
      part(
        t('connection.preview_counts'),
        [
          considered === 0
            ? notice('info', t('connection.preview_nobody'))
            : affected.length === 0 && notice('success', t('connection.preview_same')),
          facts([
            ...told.map(
              (effect) =>
                [
                  t(effectTexts[effect][1]),
                  html`<span class="badge ${counts[effect] > 0 ? effectTexts[effect][0] : ''}"
                    >${counts[effect]}</span
                  >`,
                ] as const,
            ),
            [t('connection.effect.same'), counts.same],
            [t('connection.preview_considered'), considered],
            [t('connection.preview_unknown'), unknown > 0 && unknown],
          ]),
          more && html`<p class="hint">${t('connection.preview_more')}</p>`,
          postForm({ action: `${base}/mapping`, csrf }, [
            carried(values),
            html`<div class="actions">
              <button class="primary" type="submit" name="next" value="save">
                ${t('rooms.save')}
              </button>
              <button type="submit" name="next" value="edit">${t('connection.edit_on')}</button>
              <a class="button quiet" href="${base}">${t('console.cancel')}</a>
            </div>`,
          ]),
        ],
        { id: 'counts' },
      ),
      html`<h2>${t('connection.preview_people')}</h2>`,
      html`<div id="list" class="list">
        ${
          affected.length === 0
            ? empty(t('connection.preview_none'))
            : table({
                caption: t('connection.preview_people'),
                rows: affected,
                columns: [
                  {
                    title: t('rooms.explain.person'),
                    cell: ({ email, userId }) =>
                      userId
                        ? html`<a href="${`/console/users/${userId}`}"
                            >${named(email ?? '–', 48)}</a
                          >`
                        : named(email ?? '–', 48),
                  },
                  {
                    title: t('rooms.explain.then'),
                    cell: ({ effect, before, after }) => [
                      html`<strong>${t(effectTexts[effect][1])}</strong>`,
                      before !== after &&
                        html`<span class="hint"
                          >${outcomeText(before, t)} → ${outcomeText(after, t)}</span
                        >`,
                    ],
                  },
                  { title: t('connection.preview_what'), cell: (one) => changed(page, one) },
                  {
                    title: t('rooms.connection.sign_in'),
                    wide: true,
                    cell: ({ at, traceId }) =>
                      html`<a href="${`${base}/traces/${traceId}`}">${when(page, at)}</a>`,
                  },
                ],
              })
        }
      </div>`,
      part(
        t('connection.try_one'),
        postForm({ action: `${base}/simulate`, csrf }, [
          html`<p>${t('connection.try_one_text')}</p>`,
          carried(values),
          html`<div class="actions">
            <button type="submit" name="next" value="edit">
              ${t('rooms.connection.simulate')}
            </button>
          </div>`,
        ]),
      ),
    ],
  });
}

function changed(page: ConsoleFrame, one: PreviewPage['found']['affected'][number]): Child {
  const { t } = page;
  const { fields, given, taken } = one;
  if (fields.length + given.length + taken.length === 0) return '–';
  return html`<ul class="plain">
    ${fields.map(
      ({ name, before, after }) =>
        html`<li>
          ${fieldName(page, name)}: ${named(before || '–', 32)} → ${named(after || '–', 32)}
        </li>`,
    )}
    ${given.map((name) => html`<li>${t('connection.given', { name: clip(name, 32) })}</li>`)}
    ${taken.map((name) => html`<li>${t('connection.taken', { name: clip(name, 32) })}</li>`)}
  </ul>`;
}

function fieldName({ t }: ConsoleFrame, name: string): Child {
  const attribute = name === 'email' ? 'identifier' : name;
  const known = attributeFields.find((one) => one === attribute);
  return known ? t(attributeTexts[known]) : html`<code>${name}</code>`;
}

/** What was typed goes along, unseen. */
export function carried(values: MappingValues): Child {
  return Object.entries(values).flatMap(([name, value]) =>
    [value].flat().map((one) => hidden(name, one)),
  );
}
