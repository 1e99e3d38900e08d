import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { alert, checkbox, named, postForm } from '../../form.ts';
import { part, profile, type Frame } from './frame.ts';

export interface DataPage extends Frame {
  /** Whose administrators decide about a deletion; null where the person does. */
  managedBy: string | null;
  /** Where they belong. */
  account?: string | undefined;
  error?: DataError | undefined;
}

/** The box is not ticked; or their organization would have nobody to look after it. */
export type DataError = 'missing' | 'administrator' | 'contact';

const dataErrors = {
  missing: 'profile.data.delete_missing',
  administrator: 'profile.data.delete_administrator',
  contact: 'profile.data.delete_contact',
} as const satisfies Record<DataError, MessageKey>;

export function dataPage(page: DataPage): Html {
  const { t, csrf, managedBy: manager, error } = page;
  return profile(page, 'data', [
    part(t('profile.data.export_title'), [
      html`<p>${t('profile.data.export_text')}</p>`,
      html`<p>
        <a class="button primary" href="/profile/data/export.json" download
          >${t('profile.data.export')}</a
        >
      </p>`,
    ]),
    part(t('profile.data.delete_title'), [
      html`<p>
        ${
          manager === null
            ? t('profile.data.delete_text')
            : t.parts('profile.data.delete_managed', { account: named(manager) })
        }
      </p>`,
      error && alert(t.parts(dataErrors[error], { account: named(page.account ?? '') })),
      postForm({ action: '/profile/data/delete', csrf }, [
        checkbox({
          id: 'understood',
          name: 'understood',
          value: 'yes',
          label: t('profile.data.delete_understood'),
          required: true,
        }),
        html`<button class="danger" type="submit">
          ${t(manager === null ? 'profile.data.delete' : 'profile.data.delete_request')}
        </button>`,
      ]),
    ]),
  ]);
}
