import type { MessageKey, Translate } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { attributeTexts, outcomeText } from '../federation-text.ts';
import { alert, clip, field, hidden, named, notice, postForm, primary } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { administratorList } from './administrators.ts';
import { card } from './card.ts';
import { personFields, type PersonErrors, type PersonFields } from './register.ts';
import { codeBeside } from './second-factor.ts';

/** What a person is told when their company's provider did not get them in. */
export type FederationStop =
  | 'denied'
  | 'error'
  | 'unreachable'
  | 'invalid'
  | 'unavailable'
  | 'domain'
  | 'attributes'
  | 'conflict'
  | 'not_provisioned'
  | 'removed';

export interface FederationStopPage extends PageContext {
  reason: FederationStop;
  /** The address the provider sent, with `domain`. */
  email?: string | null | undefined;
  /** The provider's own word, with `denied` and `error`. */
  error?: string | undefined;
  missing?: readonly string[] | undefined;
  account?: string | undefined;
  administrators?: readonly { name: string; email: string }[] | undefined;
  /** The id of the trace: the person takes it to those who look after the connection. */
  trace: string;
  retryHref?: string | undefined;
  localHref?: string | undefined;
  returnHref?: string | undefined;
}

/** Why nobody comes in by way of a company, and whom to ask. The trace says the rest, to administrators. */
export function federationStopPage(page: FederationStopPage): Html {
  const { t, reason, administrators = [], account, trace } = page;
  return card(page, {
    title: t(reason === 'removed' ? 'federation.removed_title' : 'federation.stop_title'),
    failed: true,
    body: html`
      ${alert(
        [
          html`<p>${why(page)}</p>`,
          helpdesk.has(reason) && html`<p>${t('federation.helpdesk')}</p>`,
        ],
        reason === 'removed' ? 'warning' : 'danger',
      )}
      ${
        administrators.length > 0 &&
        html`<section class="administrators">
          <h2>${t('stop.administrators')}</h2>
          ${account && html`<p>${t.parts('stop.administrators_of', { account: named(account) })}</p>`}
          ${administratorList(administrators)}
        </section>`
      }
      ${way(page.retryHref, t('action.try_again'), true)}
      ${way(page.localHref, t('federation.use_password'), !page.retryHref)}
      ${way(page.returnHref, t('stop.return'), !page.retryHref && !page.localHref)}
      <p class="reference">
        ${t.parts('federation.trace', { trace: html`<code>${trace}</code>` })}
      </p>
    `,
  });
}

function way(href: string | undefined, text: string, first: boolean): Html | false {
  return (
    href !== undefined &&
    html`<p><a class="button ${first && 'primary'}" href="${href}">${text}</a></p>`
  );
}

/** Where somebody in the company has to change something. */
const helpdesk = new Set<FederationStop>([
  'denied',
  'error',
  'invalid',
  'attributes',
  'conflict',
  'domain',
]);

function why({ t, reason, email, error, missing = [], account }: FederationStopPage): Child {
  switch (reason) {
    case 'denied':
    case 'error':
      return t.parts('federation.error', { error: html`<code>${clip(error ?? '')}</code>` });
    case 'attributes':
      return t('federation.attributes', {
        list: missing.map((one) => t(attributeNames[one] ?? 'federation.identifier')).join(', '),
      });
    case 'domain':
      return email
        ? t.parts('federation.domain', { email: named(email) })
        : t('federation.domain_unnamed');
    case 'removed':
      return t.parts('federation.removed', { account: named(account ?? '') });
    default:
      return t(plain[reason]);
  }
}

const plain = {
  unreachable: 'federation.unreachable',
  invalid: 'federation.invalid',
  unavailable: 'federation.unavailable',
  conflict: 'federation.conflict',
  not_provisioned: 'federation.not_provisioned',
} as const satisfies Partial<Record<FederationStop, MessageKey>>;

const attributeNames: Record<string, MessageKey> = {
  givenName: 'profile.given_name',
  familyName: 'profile.family_name',
  country: 'profile.country',
  identifier: 'field.email',
  groups: 'federation.groups',
  roles: 'federation.roles',
};

export interface FederationAskPage extends PageContext {
  action: string;
  account: string;
  email: string;
  missing: readonly (keyof PersonFields)[];
  values: Partial<PersonFields>;
  errors: PersonErrors;
  countries: readonly (readonly [string, string])[];
  returnHref: string;
}

/** What the company did not say about a person, and the person may: once, at their first sign-in. */
export function federationAskPage(page: FederationAskPage): Html {
  const { t, action, csrf, account, email, missing, values, errors, countries } = page;
  return card(page, {
    title: t('federation.ask_title'),
    lead: t.parts('federation.ask', { account: named(account), email: named(email) }),
    failed: Object.keys(errors).length > 0,
    body: html`
      ${postForm({ action, csrf }, [
        personFields(t, values, errors, countries, missing),
        primary(t('action.continue')),
      ])}
      <p class="links"><a href="${page.returnHref}">${t('stop.return')}</a></p>
    `,
  });
}

export interface FederationStepUpPage extends PageContext {
  action: string;
  account: string;
  email: string;
  error?: 'wrong' | 'locked' | 'code' | 'code_wrong' | undefined;
  returnHref: string;
}

/** An administrator shows once, by the password they had, that they are the same person. */
export function federationStepUpPage(page: FederationStepUpPage): Html {
  const { t, action, csrf, account, email, error } = page;
  return card(page, {
    title: t('federation.step_up_title'),
    lead: t.parts('federation.step_up', { account: named(account), email: named(email) }),
    failed: error !== undefined,
    body: html`
      ${error === 'locked' && alert(t('locked.attempts'))}
      ${postForm({ action, csrf }, [
        hidden('email', email),
        field({
          name: 'password',
          label: t('field.password'),
          type: 'password',
          autocomplete: 'current-password',
          error: error === 'wrong' && t('cred.bad'),
          autofocus: true,
        }),
        codeBeside(page, error),
        primary(t('action.continue')),
      ])}
      ${notice('info', t('federation.step_up_effect'))}
      <p class="links"><a href="${page.returnHref}">${t('stop.return')}</a></p>
    `,
  });
}

export interface FederationTestPage extends PageContext {
  connection: string;
  /** Whether this person would come in. */
  ok: boolean;
  /** What would happen, or what went wrong, in the words of the trace. */
  outcome: string;
  detail?: string | undefined;
  received: Readonly<Record<string, unknown>>;
  mapped: Readonly<Record<string, unknown>>;
  trace: string;
}

/** What a test sign-in brought: nobody is made, linked or signed in by it. */
export function federationTestPage(page: FederationTestPage): Html {
  const { t, connection, ok, outcome, detail, received, mapped, trace } = page;
  return card(page, {
    title: t('federation.test_title'),
    lead: named(connection),
    failed: !ok,
    body: html`
      ${
        ok
          ? notice('success', t('federation.test_ok'))
          : alert([
              html`<p>${t('federation.test_failed')}</p>`,
              detail && html`<p lang="en">${clip(detail, 500)}</p>`,
            ])
      }
      <p>${t('federation.test_outcome', { outcome: outcomeText(outcome, t) })}</p>
      ${table(t('federation.test_received'), received)}
      ${table(t('federation.test_mapped'), inWords(t, mapped))}
      <p>${t('federation.test_nothing')}</p>
      <p class="reference">
        ${t.parts('federation.trace', { trace: html`<code>${trace}</code>` })}
      </p>
    `,
  });
}

/** What the mapping filled in, by the names that the console has for it. */
function inWords(t: Translate, mapped: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names: Readonly<Record<string, MessageKey | undefined>> = attributeTexts;
  return Object.fromEntries(
    Object.entries(mapped).map(([name, value]) => [names[name] ? t(names[name]) : name, value]),
  );
}

function table(title: string, values: Readonly<Record<string, unknown>>): Html | false {
  const rows = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return (
    rows.length > 0 &&
    html`<section>
      <h2>${title}</h2>
      <dl class="details">
        ${rows.slice(0, 60).map(
          ([name, value]) =>
            html`<dt>${named(name)}</dt>
              <dd>${named(typeof value === 'string' ? value : JSON.stringify(value), 500)}</dd>`,
        )}
      </dl>
    </section>`
  );
}
