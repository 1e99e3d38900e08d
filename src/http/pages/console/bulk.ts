import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html, raw } from '#platform/html.ts';
import { checkbox, field, hidden, named } from '../../form.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { act } from './forms.ts';
import { empty, facts, pager, part, sendOrCancel, table, withQuery } from './parts.ts';

type Kind = 'add' | 'update' | 'delete';
type State = 'checking' | 'checked' | 'running' | 'done' | 'cancelled';
type Result = 'ok' | 'skipped' | 'error';

export interface JobShown {
  id: string;
  kind: Kind;
  state: State;
  total: number;
  succeeded: number;
  skipped: number;
  failed: number;
  by: string | null;
  createdAt: Date;
  rowsUntil: Date | null;
}

const kinds = {
  add: { do: 'bulk.add', doing: 'bulk.kind.add', hint: 'bulk.add_hint' },
  update: { do: 'bulk.update', doing: 'bulk.kind.update', hint: 'bulk.update_hint' },
  delete: { do: 'bulk.delete', doing: 'bulk.kind.delete', hint: 'bulk.delete_hint' },
} as const satisfies Record<Kind, Record<string, MessageKey>>;

const states = {
  checking: { text: 'bulk.state.checking', tone: 'info' },
  checked: { text: 'bulk.state.checked', tone: 'warning' },
  running: { text: 'bulk.state.running', tone: 'info' },
  done: { text: 'bulk.state.done', tone: 'success' },
  cancelled: { text: 'bulk.state.cancelled', tone: '' },
} as const satisfies Record<State, { text: MessageKey; tone: string }>;

export interface BulkPage extends ConsoleFrame {
  jobs: readonly JobShown[];
  nextCursor: string | null;
  later: boolean;
  may: { upload: boolean; export: boolean };
}

/** What can be done with files, and what was. */
export function bulkPage(page: BulkPage): Html {
  const { t, jobs, nextCursor, later, may } = page;
  return consolePage(page, {
    title: t('bulk.title'),
    lead: t('bulk.lead'),
    actions:
      may.upload &&
      (['add', 'update', 'delete'] as const).map(
        (kind) =>
          html`<a
            class="button ${kind === 'add' ? 'primary' : ''}"
            href="/console/bulk/new?kind=${kind}"
            >${t(kinds[kind].do)}</a
          >`,
      ),
    main: [
      may.export &&
        part(t('bulk.export'), html`<p>${t('bulk.export_hint')}</p>`, {
          actions: [
            html`<a class="button" href="/console/bulk/users.csv?format=full"
              >${t('bulk.export_full')}</a
            >`,
            html`<a class="button" href="/console/bulk/users.csv?format=compact"
              >${t('bulk.export_compact')}</a
            >`,
          ],
        }),
      html`<h2>${t('bulk.jobs')}</h2>`,
      html`<div id="list" class="list">
        ${
          jobs.length === 0
            ? empty(t('bulk.none'))
            : table({
                caption: t('bulk.jobs'),
                rows: jobs,
                columns: [
                  {
                    title: t('bulk.what'),
                    cell: ({ id, kind }) =>
                      html`<a href="/console/bulk/${id}">${t(kinds[kind].doing)}</a>`,
                  },
                  { title: t('console.status'), cell: (job) => badge(page, job.state) },
                  { title: t('bulk.rows'), number: true, cell: ({ total }) => String(total) },
                  { title: t('bulk.by'), wide: true, cell: ({ by }) => by && named(by, 60) },
                  { title: t('bulk.when'), wide: true, cell: (job) => when(page, job.createdAt) },
                ],
              })
        }
        ${pager(page, { href: '/console/bulk', nextCursor, later })}
      </div>`,
    ],
  });
}

function badge({ t }: ConsoleFrame, state: State): Html {
  return html`<span class="badge ${states[state].tone}">${t(states[state].text)}</span>`;
}

export interface UploadPage extends ConsoleFrame {
  kind: Kind;
  required: readonly string[];
  optional: readonly string[];
  rowLimit: number;
  options: { sendInvitation: boolean; addExisting: boolean; inviteExisting: boolean; note: string };
  error: string | null;
}

/** Asks for a file, and says what is to stand in it. */
export function uploadPage(page: UploadPage): Html {
  const { t, kind, required, optional, rowLimit, error } = page;
  const described = ['file-hint', error && 'file-error'].filter(Boolean).join(' ');
  return consolePage(page, {
    title: t(kinds[kind].do),
    lead: t(kinds[kind].hint),
    back: { href: '/console/bulk', title: t('bulk.title') },
    failed: error !== null,
    main: html`<section class="card part">
      ${facts([
        [t('bulk.required'), html`<code>${required.join(', ')}</code>`],
        [t('bulk.optional'), optional.length > 0 && html`<code>${optional.join(', ')}</code>`],
      ])}
      <p><a href="/console/bulk/sample.csv?kind=${kind}">${t('bulk.sample')}</a></p>
      <form method="post" action="/console/bulk/new" enctype="multipart/form-data">
        ${hidden('csrf', page.csrf)} ${hidden('kind', kind)}
        <div class="field">
          <label for="file">${t('bulk.file')}</label>
          <p class="hint" id="file-hint">${t('bulk.file_hint', { rows: rowLimit })}</p>
          <input
            id="file"
            name="file"
            type="file"
            accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain"
            required
            aria-describedby="${described}"
            ${error !== null && raw('aria-invalid="true"')}
          />
          ${error !== null && html`<p class="error" id="file-error" role="alert">${error}</p>`}
        </div>
        ${chosen(page)}
        <p class="hint">${t('bulk.check_hint')}</p>
        ${sendOrCancel(page, t('bulk.check'), { href: '/console/bulk' })}
      </form>
    </section>`,
  });
}

function chosen({ t, kind, options }: UploadPage): Child {
  if (kind === 'delete') return null;
  if (kind === 'update')
    return field({
      name: 'note',
      label: t('bulk.option.note'),
      hint: t('bulk.option.note_hint'),
      value: options.note,
      optional: true,
      attributes: 'maxlength="500"',
    });
  return (
    [
      ['sendInvitation', 'bulk.option.send'],
      ['addExisting', 'bulk.option.add_existing'],
      ['inviteExisting', 'bulk.option.invite_existing'],
    ] as const
  ).map(([name, label]) =>
    checkbox({ id: name, name, value: 'yes', label: t(label), checked: options[name] }),
  );
}

export interface RowShown {
  row: number;
  email: string;
  result: Result | null;
  text: string;
  userId: string | null;
}

export interface JobPage extends ConsoleFrame {
  job: JobShown;
  /** Which rows are shown; empty for all. */
  result: string;
  rows: readonly RowShown[];
  nextCursor: string | null;
  later: boolean;
  may: { manage: boolean };
}

/**
 * How far a job is, and what came, or would come, of each row. While it is worked on, the part that
 * changes is asked for every other second; without a script the page is shown anew by itself.
 */
export function jobPage(page: JobPage): Html {
  const { t, job } = page;
  const working = job.state === 'checking' || job.state === 'running';
  const live = html`data-hx-get="/console/bulk/${job.id}" data-hx-trigger="every 2s"
  data-hx-select="#job" data-hx-swap="outerHTML"`;
  return consolePage(page, {
    title: t(kinds[job.kind].doing),
    back: { href: '/console/bulk', title: t('bulk.title') },
    refresh: working ? 3 : undefined,
    main: html`<div id="job" class="stack" ${working && live}>
      ${part(null, [
        facts([
          [t('console.status'), badge(page, job.state)],
          [t('bulk.rows'), String(job.total)],
          [t('bulk.by'), job.by && named(job.by, 80)],
          [t('bulk.when'), when(page, job.createdAt)],
          [t('bulk.kept_until'), job.rowsUntil && !working && when(page, job.rowsUntil, 'day')],
        ]),
        working ? progress(page) : decision(page),
      ])}
      ${!working && results(page)}
    </div>`,
  });
}

function progress(page: JobPage): Html {
  const { t, job, may } = page;
  const done = job.succeeded + job.skipped + job.failed;
  const text = t('bulk.progress', { done, total: job.total });
  return html`<label class="field"
      >${text} <progress max="${job.total}" value="${done}">${text}</progress></label
    >
    <p>${t(job.state === 'checking' ? 'bulk.checking_text' : 'bulk.running_text')}</p>
    <div class="actions">
      <a class="button" href="/console/bulk/${job.id}">${t('bulk.reload')}</a>
      ${
        may.manage &&
        act(page, {
          action: `/console/bulk/${job.id}/cancel`,
          label: t('bulk.stop'),
          kind: 'quiet',
        })
      }
    </div>`;
}

function decision(page: JobPage): Child {
  const { t, job, may } = page;
  const { id, kind, state } = job;
  if (state === 'checked')
    return [
      html`<p role="status">
        ${t(job.succeeded > 0 ? 'bulk.checked_text' : 'bulk.checked_nothing')}
      </p>`,
      may.manage &&
        html`<div class="actions">
          ${
            job.succeeded > 0 &&
            act(page, {
              action: `/console/bulk/${id}/apply`,
              label: t('bulk.apply', { n: job.succeeded }),
              kind: kind === 'delete' ? 'danger' : 'primary',
            })
          }
          ${act(page, { action: `/console/bulk/${id}/cancel`, label: t('bulk.discard'), kind: 'quiet' })}
        </div>`,
    ];
  if (job.rowsUntil === null) return html`<p>${t('bulk.gone')}</p>`;
  return html`<div class="actions">
    <a class="button" href="/console/bulk/${id}/result.csv">${t('bulk.result_file')}</a>
    ${
      kind === 'update' &&
      job.succeeded > 0 &&
      html`<a class="button" href="/console/bulk/${id}/undo.csv">${t('bulk.undo_file')}</a>
        ${may.manage && act(page, { action: `/console/bulk/${id}/undo`, label: t('bulk.undo') })}`
    }
  </div>`;
}

function results(page: JobPage): Html | null {
  const { t, job, result, rows, nextCursor, later } = page;
  if (job.rowsUntil === null) return null;
  const href = `/console/bulk/${job.id}`;
  const tried = job.state === 'checked';
  const choices = [
    ['', t('bulk.all'), job.total],
    ['ok', t(tried ? 'bulk.result.would' : 'bulk.result.ok'), job.succeeded],
    ['skipped', t('bulk.result.skipped'), job.skipped],
    ['error', t('bulk.result.error'), job.failed],
  ] as const;
  return html`<nav class="periods" aria-label="${t('bulk.result')}">
      ${choices.map(
        ([key, text, count]) =>
          html`<a
            href="${withQuery(href, { result: key })}"
            ${key === result && raw('aria-current="true"')}
            >${text} (${count})</a
          >`,
      )}
    </nav>
    <div id="list" class="list">
      ${
        rows.length === 0
          ? empty(t('bulk.no_rows'))
          : table({
              caption: t('bulk.rows'),
              rows,
              columns: [
                { title: t('bulk.row'), wide: true, cell: ({ row }) => String(row) },
                {
                  title: t('bulk.user'),
                  cell: ({ email, userId }) =>
                    userId && job.kind !== 'delete'
                      ? html`<a href="/console/users/${userId}">${named(email, 60)}</a>`
                      : named(email, 60),
                },
                {
                  title: t('bulk.result'),
                  cell: ({ result: came, text }) =>
                    html`${outcome(page, came, tried)}
                      <p class="hint">${named(text, 300)}</p>`,
                },
              ],
            })
      }
      ${pager(page, { href: withQuery(href, { result }), nextCursor, later })}
    </div>`;
}

function outcome({ t }: ConsoleFrame, result: Result | null, tried: boolean): Child {
  if (result === null) return null;
  if (result === 'ok')
    return html`<span class="badge success"
      >${t(tried ? 'bulk.result.would' : 'bulk.result.ok')}</span
    >`;
  return result === 'skipped'
    ? html`<span class="badge">${t('bulk.result.skipped')}</span>`
    : html`<span class="badge danger">${t('bulk.result.error')}</span>`;
}
