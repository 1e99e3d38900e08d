import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { alert, named, notice, postForm } from '../../form.ts';
import { actionText } from '../../audit-text.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { act, formPage, questions, type Errors, type Question } from './forms.ts';
import { empty, facts, part, table } from './parts.ts';

type State = 'active' | 'paused' | 'failing';

export interface WebhookShown {
  id: string;
  url: string;
  description: string;
  actions: readonly string[];
  state: State;
  failingSince: Date | null;
  lastError: string | null;
  lastSentAt: Date | null;
  waiting: number;
  createdAt: Date;
}

const states: Record<State, readonly [tone: string, text: MessageKey]> = {
  active: ['success', 'rooms.webhook.active'],
  paused: ['', 'rooms.webhook.paused'],
  failing: ['danger', 'rooms.webhook.failing'],
};

function badge({ t }: ConsoleFrame, state: State): Html {
  return html`<span class="badge ${states[state][0]}">${t(states[state][1])}</span>`;
}

export function webhooksPage(
  page: ConsoleFrame & {
    title: string;
    path: string;
    webhooks: readonly WebhookShown[];
    may: boolean;
  },
): Html {
  const { t, title, path, webhooks, may } = page;
  return consolePage(page, {
    title,
    lead: t('rooms.webhooks.lead'),
    actions:
      may && html`<a class="button primary" href="${`${path}/new`}">${t('rooms.webhook.new')}</a>`,
    main: html`<div id="list" class="list">
      ${
        webhooks.length === 0
          ? empty(t('rooms.webhooks.none'))
          : table({
              caption: title,
              rows: webhooks,
              columns: [
                {
                  title: t('rooms.address'),
                  cell: ({ id, url, description }) => [
                    html`<a href="${`${path}/${id}`}">${named(url, 80)}</a>`,
                    description && html`<span class="hint">${named(description)}</span>`,
                  ],
                },
                { title: t('console.status'), cell: ({ state }) => badge(page, state) },
                {
                  title: t('rooms.webhook.actions'),
                  wide: true,
                  cell: ({ actions }) => html`<code>${actions.join(', ')}</code>`,
                },
                {
                  title: t('rooms.domain.waiting'),
                  number: true,
                  wide: true,
                  cell: ({ waiting }) => waiting.toLocaleString(t.locale),
                },
                {
                  title: t('rooms.webhook.last'),
                  wide: true,
                  cell: ({ lastSentAt }) => whenever(page, lastSentAt),
                },
              ],
            })
      }
    </div>`,
  });
}

export interface WebhookValues {
  url: string;
  description: string;
  actions: string;
}

function asked({ t }: ConsoleFrame, values: WebhookValues): Question[] {
  return [
    { kind: 'url', name: 'url', label: t('rooms.address'), value: values.url },
    {
      kind: 'line',
      name: 'description',
      label: t('rooms.description'),
      value: values.description,
      optional: true,
    },
    {
      kind: 'text',
      name: 'actions',
      label: t('rooms.webhook.actions'),
      hint: t('rooms.webhook.actions_hint'),
      value: values.actions,
      rows: 3,
      code: true,
    },
  ];
}

export function newWebhookPage(
  page: ConsoleFrame & { title: string; path: string; values: WebhookValues; errors: Errors },
): Html {
  const { t, title, path, values, errors } = page;
  return formPage(page, {
    title: t('rooms.webhook.new'),
    back: { href: path, title },
    action: `${path}/new`,
    asked: asked(page, values),
    errors,
    button: t('rooms.create'),
  });
}

export interface WebhookPage extends ConsoleFrame {
  title: string;
  path: string;
  webhook: WebhookShown;
  values: WebhookValues;
  errors: Errors;
  deliveries: readonly {
    id: string;
    type: string;
    state: 'pending' | 'delivered' | 'skipped';
    attempts: number;
    status: number | null;
    error: string | null;
    durationMs: number | null;
    createdAt: Date;
    nextAt: Date | null;
  }[];
  may: boolean;
}

const deliveryStates: Record<WebhookPage['deliveries'][number]['state'], MessageKey> = {
  pending: 'rooms.delivery.pending',
  delivered: 'rooms.delivery.delivered',
  skipped: 'rooms.delivery.skipped',
};

/** One webhook: what it hears, what was sent, and what to do when it fails. */
export function webhookPage(page: WebhookPage): Html {
  const { t, csrf, title, path, webhook, deliveries, may, values, errors } = page;
  const base = `${path}/${webhook.id}`;
  return consolePage(page, {
    title: webhook.url,
    heading: named(webhook.url, 80),
    back: { href: path, title },
    failed: Object.keys(errors).length > 0,
    main: [
      webhook.state === 'failing' &&
        alert(t('rooms.webhook.failing_text', { error: webhook.lastError ?? '' })),
      part(t('console.status'), [
        html`<p>${badge(page, webhook.state)}</p>`,
        facts([
          [t('rooms.created'), when(page, webhook.createdAt)],
          [t('rooms.webhook.last'), whenever(page, webhook.lastSentAt)],
          [t('rooms.domain.waiting'), webhook.waiting.toLocaleString(t.locale)],
        ]),
        may &&
          html`<div class="actions">
            ${act(page, {
              action: `${base}/${webhook.state === 'active' ? 'pause' : 'resume'}`,
              label: t(webhook.state === 'active' ? 'rooms.webhook.pause' : 'rooms.webhook.resume'),
            })}
            ${act(page, { action: `${base}/test`, label: t('rooms.webhook.test') })}
            ${act(page, { action: `${base}/rotate`, label: t('rooms.webhook.rotate') })}
            <a class="button danger" href="${`${base}/remove`}">${t('rooms.remove')}</a>
          </div>`,
      ]),
      may &&
        part(
          t('rooms.edit'),
          postForm({ action: base, csrf }, [
            questions(asked(page, values), errors),
            html`<div class="actions">
              <button class="primary" type="submit">${t('rooms.save')}</button>
            </div>`,
          ]),
        ),
      may &&
        part(
          t('rooms.webhook.replay'),
          postForm({ action: `${base}/replay`, csrf }, [
            questions(
              [
                {
                  kind: 'date',
                  name: 'since',
                  label: t('rooms.audit.since'),
                  hint: t('rooms.webhook.replay_hint'),
                },
              ],
              errors,
            ),
            html`<div class="actions">
              <button type="submit">${t('rooms.webhook.replay')}</button>
            </div>`,
          ]),
        ),
      part(
        t('rooms.deliveries'),
        deliveries.length === 0
          ? notice('info', t('rooms.deliveries.none'))
          : table({
              caption: t('rooms.deliveries'),
              rows: deliveries,
              rowId: ({ id }) => `delivery-${id}`,
              columns: [
                {
                  title: t('rooms.audit.action'),
                  cell: ({ type }) => [
                    actionText(t, type === 'webhook.test' ? 'webhook.tested' : type),
                    html`<span class="hint"><code>${type}</code></span>`,
                  ],
                },
                { title: t('rooms.when'), cell: ({ createdAt }) => when(page, createdAt) },
                {
                  title: t('rooms.delivery.answer'),
                  cell: ({ state, status, error, durationMs, attempts }) => [
                    t(deliveryStates[state]),
                    html`<span class="hint"
                      >${[
                        status,
                        error && ` ${error}`,
                        durationMs !== null && ` ${durationMs} ms`,
                        attempts > 1 && ` (${attempts}×)`,
                      ]}</span
                    >`,
                  ],
                },
                {
                  title: t('console.actions'),
                  does: true,
                  cell: ({ id, state, type }) =>
                    may &&
                    html`<span class="do"
                      >${[
                        act(page, {
                          action: `${base}/deliveries/${id}/redeliver`,
                          label: t('rooms.delivery.again'),
                          named: type,
                        }),
                        state === 'pending' &&
                          act(page, {
                            action: `${base}/deliveries/${id}/skip`,
                            label: t('rooms.delivery.skip'),
                            named: type,
                          }),
                      ]}</span
                    >`,
                },
              ],
            }),
        { id: 'deliveries' },
      ),
    ],
  });
}
