import { type Html, html } from '#platform/html.ts';
import { field, hidden, named, notice, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

/** Pages of the device flow, RFC 8628. oidc-provider checks its own token, `xsrf`. */

export interface DeviceCodePage extends PageContext {
  action: string;
  xsrf: string;
  userCode?: string | undefined;
  error?: 'missing' | 'wrong' | 'aborted' | undefined;
}

export function deviceCodePage(page: DeviceCodePage): Html {
  const { t, action, csrf, xsrf, userCode, error } = page;
  return card(page, {
    title: t('device.title'),
    lead: t('device.text'),
    failed: error === 'missing' || error === 'wrong',
    body: html`
      ${error === 'aborted' && notice('info', t('device.aborted'))}
      ${postForm({ action, csrf }, [
        hidden('xsrf', xsrf),
        field({
          name: 'user_code',
          label: t('device.field'),
          value: userCode,
          error:
            (error === 'missing' && t('device.text')) || (error === 'wrong' && t('device.wrong')),
          autofocus: true,
          attributes: 'autocapitalize="characters" spellcheck="false" class="code"',
        }),
        primary(t('action.continue')),
      ])}
    `,
  });
}

export interface DeviceConfirmPage extends PageContext {
  action: string;
  xsrf: string;
  userCode: string;
  clientName: string;
  /** Further fields that oidc-provider wants back. */
  hidden?: Record<string, string>;
}

/**
 * The place where remote phishing is stopped, if anywhere (RFC 8628, section 5.4): the person
 * compares the code with a device in their hand.
 */
export function deviceConfirmPage(page: DeviceConfirmPage): Html {
  const { t, action, csrf, xsrf, userCode, clientName } = page;
  const fields = { xsrf, user_code: userCode, confirm: 'yes', ...page.hidden };
  return card(page, {
    title: t('device.confirm.title'),
    lead: t.parts('device.confirm.text', { client: named(clientName) }),
    body: html`
      <p class="value code">${named(userCode)}</p>
      ${notice('warning', t('device.confirm.warning'))}
      ${postForm({ action, csrf }, [
        Object.entries(fields).map(([name, value]) => hidden(name, value)),
        primary(t('action.continue')),
        html`<button type="submit" name="abort" value="yes">${t('device.abort')}</button>`,
      ])}
    `,
  });
}

export interface DeviceDonePage extends PageContext {
  clientName?: string | undefined;
}

export function deviceDonePage(page: DeviceDonePage): Html {
  const { t, clientName } = page;
  return card(page, {
    title: t('device.done.title'),
    lead: clientName
      ? t.parts('device.done.with', { client: named(clientName) })
      : t('device.done.text'),
  });
}
