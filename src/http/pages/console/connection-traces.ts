import type { MessageKey } from '#messages/translate.ts';
import { outcomeText } from '../../federation-text.ts';
import { clip, named, select } from '../../form.ts';
import { type Html, html } from '#platform/html.ts';
import { home } from './connections.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { empty, facts, filters, pager, part, searchField, table, withQuery } from './parts.ts';

export interface TraceRow {
  id: string;
  purpose: 'sign_in' | 'test';
  outcome: string | null;
  good: boolean;
  beganAt: Date;
}

export function tracesPage(
  page: ConsoleFrame & {
    connection: { id: string; name: string };
    traces: readonly TraceRow[];
    outcome: string;
    id: string;
    nextCursor: string | null;
    later: boolean;
  },
): Html {
  const { t, connection, traces, outcome, id } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('rooms.connection.traces'),
    lead: t('rooms.connection.traces_lead'),
    back: { href: base, title: named(connection.name) },
    main: [
      filters(page, 'list', [
        select({
          name: 'outcome',
          label: t('rooms.scim.outcome'),
          value: outcome,
          options: [
            ['', t('rooms.explain.any')],
            ['failed', t('rooms.dashboard.failed')],
            ['succeeded', t('rooms.dashboard.succeeded')],
          ],
        }),
        searchField({
          name: 'id',
          label: t('rooms.audit.reference'),
          value: id,
        }),
      ]),
      html`<div id="list" class="list">
        ${
          traces.length === 0
            ? empty(t('rooms.connection.traces_none'))
            : table({
                caption: t('rooms.connection.traces'),
                rows: traces,
                columns: [
                  {
                    title: t('rooms.when'),
                    cell: ({ id: trace, beganAt }) =>
                      html`<a href="${`${base}/traces/${trace}`}">${when(page, beganAt)}</a>`,
                  },
                  {
                    title: t('rooms.scim.outcome'),
                    cell: ({ outcome: one, good }) =>
                      html`<span class="badge ${one === null ? '' : good ? 'success' : 'danger'}"
                        >${outcomeText(one, t)}</span
                      >`,
                  },
                  {
                    title: t('rooms.connection.purpose'),
                    cell: ({ purpose }) =>
                      t(purpose === 'test' ? 'rooms.connection.test' : 'rooms.connection.sign_in'),
                  },
                ],
              })
        }
        ${pager(page, {
          href: withQuery(`${base}/traces`, { outcome }),
          nextCursor: page.nextCursor,
          later: page.later,
        })}
      </div>`,
    ],
  });
}

const stepNames: Record<string, MessageKey> = {
  sent: 'rooms.trace.sent',
  received: 'rooms.trace.received',
  mapped: 'rooms.trace.mapped',
  decided: 'rooms.trace.decided',
};

/** A sign-in step by step. */
export function tracePage(
  page: ConsoleFrame & {
    connection: { id: string; name: string };
    /** Whether it can be decided about once more. */
    replayable: boolean;
    trace: TraceRow & { steps: readonly { at: string; kind: string; data: unknown }[] };
  },
): Html {
  const { t, connection, trace } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('rooms.connection.trace'),
    lead: html`<code>${trace.id}</code>`,
    back: { href: `${base}/traces`, title: t('rooms.connection.traces') },
    actions:
      page.replayable &&
      html`<a class="button" href="${withQuery(`${base}/simulate`, { trace: trace.id })}"
        >${t('rooms.connection.simulate')}</a
      >`,
    main: [
      part(
        t('console.status'),
        facts([
          [t('rooms.when'), when(page, trace.beganAt)],
          [t('rooms.scim.outcome'), outcomeText(trace.outcome, t)],
        ]),
      ),
      trace.steps.map(({ at, kind, data }) =>
        part(
          html`${t(stepNames[kind] ?? 'rooms.trace.decided')} <span class="hint">${at}</span>`,
          json(data),
        ),
      ),
    ],
  });
}

/** What a program said, as it stands. */
export function json(value: unknown): Html {
  return html`<pre
    class="scroll"
    tabindex="0"
  ><code>${clip(JSON.stringify(value, null, 2) ?? '', 20_000)}</code></pre>`;
}
