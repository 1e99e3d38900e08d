import type { MessageKey, Translate } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { clip, named, postForm, primary, webAddress } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

export interface ScopeText {
  name: string;
  title: string;
  description?: string;
}

export interface ConsentPage extends PageContext {
  action: string;
  declineAction: string;
  clientName: string;
  clientUri?: string | undefined;
  /** Shown only if we serve it ourselves: a foreign host must not learn who signs in. */
  logoUri?: string | undefined;
  policyUri?: string | undefined;
  tosUri?: string | undefined;
  email: string;
  scopes: ScopeText[];
  resources: { identifier: string; scopes: string[] }[];
  /** Access goes on after the person has left. */
  offline: boolean;
}

export function consentPage(page: ConsentPage): Html {
  const { t, csrf, action, declineAction, clientName, email, resources } = page;
  const client = named(clientName);
  return card(page, {
    title: t('consent.title', { client: clip(clientName) }),
    heading: [applicationMark(page), t.parts('consent.title', { client })],
    lead: t.parts('consent.signed_in_as', { email: named(email) }),
    body: html`
      ${postForm({ action, csrf }, [
        html`
          <h2>${t.parts('consent.scopes', { client })}</h2>
          <ul class="scopes">
            ${requested(page).map(scopeItem)}
          </ul>
        `,
        resources.length > 0 &&
          html`
            <h2>${t('consent.resources')}</h2>
            <ul class="scopes">
              ${resources.map(resourceItem)}
            </ul>
          `,
        html`<p class="hint">${t.parts('consent.trust', { client })}</p>`,
        primary(t('consent.allow')),
      ])}
      ${postForm(
        { action: declineAction, csrf },
        html`<button type="submit">${t('consent.deny')}</button>`,
      )}
      ${applicationLinks(page)}
    `,
  });
}

/** `offline` and the scope of that name are one wish, told once. */
function requested({ t, scopes, offline }: ConsentPage): ScopeText[] {
  const others = scopes.filter(({ name }) => name !== 'offline_access');
  const asked = offline || others.length < scopes.length;
  return asked ? [...others, describeScope(t, 'offline_access')] : others;
}

function scopeItem({ title, description }: ScopeText): Html {
  return html`<li>
    <strong>${named(title)}</strong>
    ${description && html`<span class="hint">${named(description, 300)}</span>`}
  </li>`;
}

function resourceItem({ identifier, scopes }: ConsentPage['resources'][number]): Html {
  return html`<li>
    <strong>${named(identifier)}</strong>
    <span class="hint">${named(scopes.join(', '), 300)}</span>
  </li>`;
}

function applicationMark({ logoUri, clientName }: ConsentPage): Html {
  if (logoUri && /^(\/(?!\/)|data:image\/)/.test(logoUri)) {
    return html`<img class="logo" src="${logoUri}" alt="" width="48" height="48" />`;
  }
  const [initial = ''] = clientName.trim();
  return html`<span class="logo" aria-hidden="true">${initial.toUpperCase()}</span>`;
}

function applicationLinks({ t, clientUri, policyUri, tosUri }: ConsentPage): Html | false {
  const links: [string | undefined, MessageKey][] = [
    [webAddress(clientUri), 'consent.website'],
    [webAddress(policyUri), 'consent.policy'],
    [webAddress(tosUri), 'consent.terms'],
  ];
  const known = links.filter(([href]) => href);
  return (
    known.length > 0 &&
    html`<p class="links">
      ${known.map(([href, text]) => html`<a href="${href}" rel="noreferrer">${t(text)}</a> `)}
    </p>`
  );
}

const known: Record<string, [title: MessageKey, description: MessageKey]> = {
  openid: ['scope.openid.title', 'scope.openid.description'],
  profile: ['scope.profile.title', 'scope.profile.description'],
  email: ['scope.email.title', 'scope.email.description'],
  address: ['scope.address.title', 'scope.address.description'],
  phone: ['scope.phone.title', 'scope.phone.description'],
  organization: ['scope.organization.title', 'scope.organization.description'],
  roles: ['scope.roles.title', 'scope.roles.description'],
  groups: ['scope.groups.title', 'scope.groups.description'],
  offline_access: ['scope.offline_access.title', 'scope.offline_access.description'],
};

/** A scope in words. One that is not ours is told by its name. */
export function describeScope(t: Translate, scope: string): ScopeText {
  const texts = Object.hasOwn(known, scope) ? known[scope] : undefined;
  if (!texts) return { name: scope, title: scope };
  const [title, description] = texts;
  return { name: scope, title: t(title), description: t(description) };
}
