import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { fieldText, mentionOf, valueText } from '../../audit-fields.ts';
import { actionText, actorText, targetText } from '../../audit-text.ts';
import { alert, clip, field, named, notice, select } from '../../form.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { clear, empty, facts, filters, pager, withQuery } from './parts.ts';

export interface EventShown {
  id: number;
  at: Date;
  actor: { type: string; id: string | null; name: string | null };
  action: string;
  target: { type: string; id: string; name: string | null } | null;
  changes: readonly { field: string; before: unknown; after: unknown }[];
  rest: readonly (readonly [name: string, value: unknown])[];
  ip: string | null;
  userAgent: string | null;
  reference: string | null;
}

export interface AuditPage extends ConsoleFrame {
  title: string;
  path: string;
  events: readonly EventShown[];
  filter: Readonly<Record<'actor' | 'target' | 'action' | 'since' | 'until', string>>;
  errors: Readonly<Record<string, string>>;
  /** What things are called today that are named by their id. */
  names: ReadonlyMap<string, string>;
  /** Names to choose an action from. */
  actions: readonly string[];
  /** Whether what changed in settings is left out. */
  withoutSettings: boolean;
  nextCursor: string | null;
  later: boolean;
}

/** What happened, the latest first, and what each thing changed. */
export function auditPage(page: AuditPage): Html {
  const { t, title, path, events, filter, errors, nextCursor, later } = page;
  return consolePage(page, {
    title,
    lead: page.withoutSettings ? t('rooms.audit.without_settings') : undefined,
    failed: Object.keys(errors).length > 0,
    actions: [
      html`<a class="button" href="${withQuery(`${path}.csv`, filter)}"
        >${t('rooms.audit.csv')}</a
      >`,
      html`<a class="button" href="${withQuery(`${path}.jsonl`, filter)}"
        >${t('rooms.audit.jsonl')}</a
      >`,
      html`<a class="button" href="${`${path}/check`}">${t('rooms.audit.check')}</a>`,
    ],
    main: [
      filters(page, 'list', [
        select({
          name: 'action',
          label: t('rooms.audit.action'),
          value: filter.action,
          options: actionChoices(page),
          error: errors['action'],
        }),
        field({
          name: 'actor',
          label: t('rooms.audit.actor'),
          value: filter.actor,
          optional: true,
          error: errors['actor'],
          attributes: 'data-search',
        }),
        field({
          name: 'target',
          label: t('rooms.audit.target'),
          value: filter.target,
          optional: true,
          error: errors['target'],
        }),
        field({
          name: 'since',
          label: t('rooms.audit.since'),
          type: 'date',
          value: filter.since,
          optional: true,
          error: errors['since'],
        }),
        field({
          name: 'until',
          label: t('rooms.audit.until'),
          type: 'date',
          value: filter.until,
          optional: true,
          error: errors['until'],
        }),
      ]),
      html`<div id="list" class="list">
        ${
          events.length === 0
            ? empty(t('rooms.audit.none'), clear(page, path))
            : html`<ol class="events" aria-label="${title}">
                ${events.map((event) => html`<li id="event-${event.id}">${one(page, event)}</li>`)}
              </ol>`
        }
        ${pager(page, { href: withQuery(path, filter), nextCursor, later })}
      </div>`,
    ],
  });
}

/** All that is ever written down, in the order of the reader's alphabet; one typed in an address too. */
function actionChoices({ t, actions, filter }: AuditPage): (readonly [string, string])[] {
  const named = actions
    .map((action) => [action, actionText(t, action)] as const)
    .toSorted(([, one], [, other]) => one.localeCompare(other, t.locale));
  const other = filter.action !== '' && !actions.includes(filter.action) ? [filter.action] : [];
  return [['', t('people.any')], ...other.map((one) => [one, one] as const), ...named];
}

function one(page: AuditPage, event: EventShown): Html {
  const { t } = page;
  const { actor, target, changes, rest } = event;
  return html`<details class="event">
    <summary>
      <span class="at">${when(page, event.at)}</span>
      <span class="happened">${actionText(t, event.action)}</span>
      <span class="whom">${target && about(page, target)}</span>
      <span class="who">${named(actor.name ?? actorText(t, actor.type), 60)}</span>
    </summary>
    ${changes.length > 0 && diff(page, event)}
    ${facts([
      ...rest.map(
        ([name, said]) =>
          [clip(fieldText(t, name, event.action)), value(page, event, said, name)] as const,
      ),
      [
        t('rooms.audit.action'),
        [
          actionText(t, event.action),
          ' ',
          html`<a href="${withQuery(page.path, { action: event.action })}"
            ><code>${event.action}</code></a
          >`,
        ],
      ],
      [
        t('rooms.audit.actor'),
        [
          named(actor.name ?? actorText(t, actor.type)),
          ' ',
          actor.id &&
            html`<a href="${withQuery(page.path, { actor: actor.id })}"
              ><code>${clip(actor.id)}</code></a
            >`,
        ],
      ],
      [
        t('rooms.audit.target'),
        target && [
          targetText(t, target.type),
          ' ',
          target.name && named(target.name),
          ' ',
          html`<a href="${withQuery(page.path, { target: target.id })}"
            ><code>${clip(target.id)}</code></a
          >`,
        ],
      ],
      [t('rooms.audit.from'), event.ip && [event.ip, ' ', named(event.userAgent ?? '')]],
      [t('rooms.audit.reference'), event.reference && html`<code>${event.reference}</code>`],
    ])}
  </details>`;
}

/** Things of which the id is what everybody calls them. */
const speaking = new Set(['domain', 'role', 'resource']);

/** What a row is about, in a line: by its name, or by what it is where it has none. */
function about({ t }: AuditPage, { type, id, name }: NonNullable<EventShown['target']>): Child {
  const called = name ?? (speaking.has(type) ? id : null);
  if (called === null) return targetText(t, type);
  return [html`<span class="hidden">${targetText(t, type)}: </span>`, named(called, 60)];
}

function diff(page: AuditPage, event: EventShown): Html {
  const { t } = page;
  return html`<table class="diff">
    <caption class="hidden">
      ${t('rooms.audit.changes')}
    </caption>
    <thead>
      <tr>
        <th scope="col">${t('rooms.audit.field')}</th>
        <th scope="col">${t('rooms.audit.before')}</th>
        <th scope="col">${t('rooms.audit.after')}</th>
      </tr>
    </thead>
    <tbody>
      ${event.changes.map(
        ({ field: name, before, after }) =>
          html`<tr>
            <th scope="row">${clip(fieldText(t, name, event.action))}</th>
            <td data-title="${t('rooms.audit.before')}">
              ${side(page, event, name, [before, after], 'del')}
            </td>
            <td data-title="${t('rooms.audit.after')}">
              ${side(page, event, name, [after, before], 'ins')}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** One side of a change; of a list, only what is not on the other is marked. */
function side(
  page: AuditPage,
  event: EventShown,
  name: string,
  [one, other]: readonly [unknown, unknown],
  kind: 'del' | 'ins',
): Child {
  const marked = (part: unknown): Child => {
    const said = value(page, event, part, name);
    return kind === 'del' ? html`<del>${said}</del>` : html`<ins>${said}</ins>`;
  };
  if (one === undefined || one === null) return value(page, event, one);
  if (!Array.isArray(one) || one.length === 0) return marked(one);
  const there = new Set((Array.isArray(other) ? other : []).map((part) => JSON.stringify(part)));
  return html`<ul class="plain">
    ${one
      .slice(0, most)
      .map(
        (part: unknown) =>
          html`<li>
            ${there.has(JSON.stringify(part)) ? value(page, event, part, name) : marked(part)}
          </li>`,
      )}
    ${one.length > most && html`<li>…</li>`}
  </ul>`;
}

/** How many of a list are shown. */
const most = 20;

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;

/** A value as it is read; what somebody typed keeps its direction to itself. */
function value(page: AuditPage, event: EventShown, one: unknown, name = ''): Child {
  if (one === undefined || one === null) return html`<span class="none">–</span>`;
  const word = valueText(page.t, name, one, event.action);
  if (word !== null) return word;
  const known = typeof one === 'string' && mentionOf(name) ? page.names.get(one) : undefined;
  if (known !== undefined) return named(known);
  if (typeof one === 'boolean') return page.t(one ? 'rooms.yes' : 'rooms.no');
  if (typeof one === 'number') return one.toLocaleString(page.t.locale);
  if (typeof one === 'string' && moment.test(one) && !Number.isNaN(Date.parse(one)))
    return when(page, new Date(one));
  if (Array.isArray(one) && one.every((part) => typeof part === 'string'))
    return one
      .slice(0, most)
      .map((part, at) => [at > 0 && ', ', value(page, event, part, name)])
      .concat(one.length > most ? [['…']] : []);
  return named(typeof one === 'string' ? one : JSON.stringify(one), 300);
}

export interface AuditCheckPage extends ConsoleFrame {
  back: { href: string; title: string };
  chains: readonly {
    name: string;
    checked: number;
    fault: { fault: keyof typeof faults; seq: number } | null;
  }[];
}

const faults = {
  altered: 'rooms.audit.fault.altered',
  missing: 'rooms.audit.fault.missing',
  reordered: 'rooms.audit.fault.reordered',
  cut_off: 'rooms.audit.fault.cut_off',
  forged_end: 'rooms.audit.fault.forged_end',
} as const satisfies Record<string, MessageKey>;

/** Whether the log is as it was written. */
export function auditCheckPage(page: AuditCheckPage): Html {
  const { t, back, chains } = page;
  return consolePage(page, {
    title: t('rooms.audit.check'),
    back,
    failed: chains.some(({ fault }) => fault !== null),
    main: chains.map(({ name, checked, fault }) =>
      fault === null
        ? notice('success', t('rooms.audit.sound', { name, n: checked }))
        : alert(
            t('rooms.audit.fault', {
              name,
              n: checked,
              fault: t(faults[fault.fault], { n: fault.seq }),
            }),
          ),
    ),
  });
}
