import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { named, notice, postForm } from '../../form.ts';
import { act, questions } from './forms.ts';
import { part } from './parts.ts';
import type { DomainPage } from './domain-shown.ts';

/** How a domain is proved, what was found, and whom one asks who owns it. */

export function proofPart(page: DomainPage, base: string): Html {
  const { t, record, actions, may, state } = page;
  const open = state !== 'owned';
  const copy = (label: MessageKey, id: string, value: string): Html =>
    html`<div class="field">
      <label for="${id}">${t(label)}</label>
      <input id="${id}" class="code" type="text" readonly value="${value}" />
    </div>`;
  return part(
    t('rooms.domain.prove'),
    [
      record?.type === 'TXT' && [
        open && html`<p>${t('rooms.domain.prove_dns')}</p>`,
        copy('rooms.domain.record_name', 'record-name', record.name),
        copy('rooms.domain.record_value', 'record-value', record.value),
        open &&
          html`<p class="hint">
            ${t.parts('rooms.domain.record_else', { name: html`<code>${record.alternativeName}</code>` })}
          </p>`,
      ],
      record?.type === 'HTTPS' && [
        open && html`<p>${t('rooms.domain.prove_https')}</p>`,
        copy('rooms.domain.record_url', 'record-url', record.url),
        copy('rooms.domain.record_value', 'record-value', record.value),
      ],
      record?.type === 'MAIL' && [
        open && html`<p>${t('rooms.domain.prove_email')}</p>`,
        html`<ul class="plain">
          ${record.mailboxes.map((mailbox) => html`<li>${named(mailbox)}</li>`)}
        </ul>`,
      ],
      may &&
        record?.type !== 'MAIL' &&
        actions.includes('verify') &&
        act(page, { action: `${base}/verify`, label: t('rooms.domain.verify'), kind: 'primary' }),
      open && html`<p class="hint">${t('rooms.domain.prove_later')}</p>`,
    ],
    { id: 'proof' },
  );
}

const outcomes = {
  found: ['success', 'rooms.check.found'],
  missing: ['warning', 'rooms.check.missing'],
  unknown: ['warning', 'rooms.check.unknown'],
} as const;

/** What was found where, for whoever looks for the mistake. */
export function checkPart(page: DomainPage): Html {
  const { t, findings } = page;
  return part(
    t('rooms.check'),
    html`<div role="status">
      ${findings!.map(({ method, outcome, seen, answers }) => [
        notice(outcomes[outcome][0], [
          html`<p><strong>${method.toUpperCase()}</strong> ${t(outcomes[outcome][1])}</p>`,
          seen.length > 0 &&
            html`<p>
              ${t('rooms.check.seen')}
              ${seen.map((one) => html`<code class="value code">${one}</code>`)}
            </p>`,
          answers.length > 0 &&
            html`<p class="hint">
              ${answers.map(({ source, answer }) => `${source}: ${answer}`).join('; ')}
            </p>`,
        ]),
      ])}
    </div>`,
    { id: 'check' },
  );
}

export function contestedPart(page: DomainPage, base: string): Html {
  const { t, csrf } = page;
  return part(
    t('rooms.domain.ask_owner'),
    [
      html`<p>${t('rooms.domain.ask_owner_text')}</p>`,
      postForm({ action: `${base}/request`, csrf }, [
        questions(
          [
            {
              kind: 'text',
              name: 'message',
              label: t('rooms.request.message'),
              value: page.typed.message,
              optional: true,
              rows: 3,
            },
          ],
          page.errors,
        ),
        html`<div class="actions">
          <button class="primary" name="kind" value="access">
            ${t('rooms.request.ask_access')}
          </button>
          <button name="kind" value="release">${t('rooms.request.ask_release')}</button>
        </div>`,
      ]),
    ],
    { id: 'ask' },
  );
}
