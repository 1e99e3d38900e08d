import { type Child, type Html, html } from '#platform/html.ts';
import { alert, clip, field, named, notice } from '../../form.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { empty, filters, pager, withQuery } from './parts.ts';

export interface EventShown {
  id: number;
  at: Date;
  actor: { type: string; id: string | null; name: string | null };
  action: string;
  target: { type: string; id: string } | null;
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
        field({
          name: 'action',
          label: t('rooms.audit.action'),
          value: filter.action,
          optional: true,
          error: errors['action'],
          attributes: 'list="actions" data-search',
        }),
        html`<datalist id="actions">
          ${page.actions.map((action) => html`<option value="${action}"></option>`)}
        </datalist>`,
        field({
          name: 'actor',
          label: t('rooms.audit.actor'),
          value: filter.actor,
          optional: true,
          error: errors['actor'],
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
            ? empty(t('rooms.audit.none'))
            : html`<ol class="events" aria-label="${title}">
                ${events.map((event) => html`<li id="event-${event.id}">${one(page, event)}</li>`)}
              </ol>`
        }
        ${pager(page, { href: withQuery(path, filter), nextCursor, later })}
      </div>`,
    ],
  });
}

function one(page: AuditPage, event: EventShown): Html {
  const { t } = page;
  const { actor, target, changes, rest } = event;
  return html`<details class="event">
    <summary>
      <span class="at">${when(page, event.at)}</span>
      <code>${event.action}</code>
      <span class="who">${named(actor.name ?? actor.id ?? actor.type, 60)}</span>
      <span class="whom">${target && named(`${target.type} ${target.id}`, 60)}</span>
    </summary>
    ${
      changes.length > 0 &&
      html`<table class="diff">
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
          ${changes.map(
            (change) =>
              html`<tr>
                <th scope="row">${clip(change.field)}</th>
                <td>${value(change.before, 'del')}</td>
                <td>${value(change.after, 'ins')}</td>
              </tr>`,
          )}
        </tbody>
      </table>`
    }
    <dl class="details">
      ${rest.map(
        ([name, one]) =>
          html`<dt>${clip(name)}</dt>
            <dd>${value(one)}</dd>`,
      )}
      <dt>${t('rooms.audit.actor')}</dt>
      <dd>
        ${named(actor.name ?? actor.type)}
        ${actor.id && html`<a href="${withQuery(page.path, { actor: actor.id })}">${clip(actor.id)}</a>`}
      </dd>
      ${
        target &&
        html`<dt>${t('rooms.audit.target')}</dt>
          <dd>
            ${target.type}
            <a href="${withQuery(page.path, { target: target.id })}">${clip(target.id)}</a>
          </dd>`
      }
      ${
        event.ip &&
        html`<dt>${t('rooms.audit.from')}</dt>
          <dd>${event.ip} ${event.userAgent && named(event.userAgent)}</dd>`
      }
      ${
        event.reference &&
        html`<dt>${t('rooms.audit.reference')}</dt>
          <dd>${event.reference}</dd>`
      }
    </dl>
  </details>`;
}

/** A value as it is written, whatever it is; what somebody typed keeps its direction to itself. */
function value(one: unknown, kind?: 'del' | 'ins'): Child {
  if (one === undefined || one === null) return html`<span class="none">–</span>`;
  const text = named(typeof one === 'string' ? one : JSON.stringify(one), 300);
  if (kind === 'del') return html`<del>${text}</del>`;
  return kind === 'ins' ? html`<ins>${text}</ins>` : text;
}

export interface AuditCheckPage extends ConsoleFrame {
  back: { href: string; title: string };
  chains: readonly { name: string; checked: number; fault: string | null }[];
}

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
        : alert(t('rooms.audit.fault', { name, n: checked, fault })),
    ),
  });
}
