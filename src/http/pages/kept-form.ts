import { type Html, html } from '#platform/html.ts';
import { hidden, postForm } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

/** Somebody had to sign in before what they sent was done: it is sent by one button. */
export function keptFormPage(
  page: PageContext & { action: string; fields: Readonly<Record<string, string>> },
): Html {
  const { t, csrf, action, fields } = page;
  return card(page, {
    title: t('kept.title'),
    lead: t('kept.text'),
    body: postForm({ action, csrf }, [
      Object.entries(fields).map(([name, value]) => hidden(name, value)),
      html`<div class="actions">
        <button class="primary" type="submit" autofocus>${t('kept.send')}</button>
        <a class="button quiet" href="${action}">${t('kept.leave')}</a>
      </div>`,
    ]),
  });
}
