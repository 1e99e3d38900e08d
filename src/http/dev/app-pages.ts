import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type Child, type Html, html, raw } from '#platform/html.ts';
import { type Locale, locales } from '#platform/i18n.ts';
import { checkbox, named, postForm } from '../form.ts';
import { layout, type PageContext } from '../layout.ts';
import { claimMeanings, headerMeanings } from './meanings.ts';
import type { Choices, Received, Told, TokenKind } from './visits.ts';

/** The application's pages. A developer's pages are in English, as the log is. */

/** Somebody of the demo, to sign in as. */
export interface Figure {
  who: string;
  email: string;
  password: string;
}

export interface StartPage extends PageContext {
  choices: Choices;
  told: Told | null;
  people: readonly Figure[];
  resource: { identifier: string; scope: string };
  /** What the identity provider says it can reach. */
  acrValues: readonly string[];
}

/** What may be asked for beside `openid`. */
export const scopes: Readonly<Record<string, string>> = {
  profile: 'name and language',
  email: 'e-mail address',
  organization: 'the organization they belong to',
  roles: 'what they may do there',
  groups: 'the groups they are in',
  phone: 'telephone',
  address: 'country',
};

const prompts: Readonly<Record<string, string>> = {
  '': 'only if it has to',
  login: 'always, even if somebody is signed in (prompt=login)',
  consent: 'for agreement (prompt=consent)',
  none: 'never: fail if it would have to (prompt=none)',
};

export function startPage(page: StartPage): Html {
  const { told, people } = page;
  return frame(
    page,
    told ? `${told.title} · Demo app` : 'Demo app',
    html`
      <h1>An application that knows nobody</h1>
      <p class="lead">
        It signs people in through Ostiary by OpenID Connect, as yours would, and shows all it
        receives. Only in development.
      </p>
      ${saying(told)}
      ${postForm(
        { action: '/dev/app/sign-in', csrf: page.csrf },
        html`
          <p class="actions"><button class="primary" type="submit">Sign in</button></p>
          <details>
            <summary>What to ask for</summary>
            <section>
              ${choicesOf(page)}
              <p class="actions"><button type="submit">Sign in with these choices</button></p>
            </section>
          </details>
          ${
            people.length > 0 &&
            html`
              <h2>People of the demo</h2>
              <ul class="people">
                ${people.map(
                  ({ who, email, password }) => html`
                    <li>
                      <strong>${who}</strong>
                      <code>${email}</code>
                      <span class="hint">Password: <code>${password}</code></span>
                      <p>
                        <button name="as" value="${email}">Sign in as ${capital(email)}</button>
                      </p>
                    </li>
                  `,
                )}
              </ul>
            `
          }
        `,
      )}
      <p class="hint">
        Mails go to <a href="/dev/mailbox">the mailbox</a>. This application's code is in
        <code>src/http/dev</code>; what it learned about the identity provider is in
        <a href="/.well-known/openid-configuration">its metadata</a>.
      </p>
    `,
  );
}

function choicesOf({ choices, resource, acrValues }: StartPage): Html {
  return html`
    <fieldset>
      <legend>Scopes: what to learn about the person</legend>
      ${Object.entries(scopes).map(([scope, what]) =>
        checkbox({
          id: `scope-${scope}`,
          name: 'scope',
          value: scope,
          label: html`<code>${scope}</code>, ${what}`,
          checked: choices.scopes.includes(scope),
        }),
      )}
      ${checkbox({
        id: 'refresh-token',
        name: 'refresh_token',
        value: '1',
        label: html`With refresh token (<code>offline_access</code>)`,
        checked: choices.refreshToken,
      })}
    </fieldset>
    ${select('prompt', 'Stop and ask the person', prompts, choices.prompt)}
    ${select(
      'resource',
      'Access token for',
      {
        '': 'userinfo: an opaque token',
        [resource.identifier]: `${resource.identifier}: a JWT for that API alone`,
      },
      choices.resource,
    )}
    ${text('login_hint', 'Who is expected to sign in', choices.loginHint, 'login_hint: an address')}
    ${text(
      'max_age',
      'How long ago they may have signed in',
      choices.maxAge,
      'max_age: seconds; 0 asks again in any case',
      raw('inputmode="numeric" pattern="[0-9]{0,9}"'),
    )}
    ${text(
      'acr_values',
      'How strong the proof should be',
      choices.acrValues,
      html`acr_values, such as <code>${acrValues.join(' ')}</code>`,
    )}
    ${select(
      'ui_locales',
      'Language of the sign-in',
      { '': 'the browser’s', ...Object.fromEntries(locales.map((one) => [one, names[one]])) },
      choices.uiLocales,
    )}
  `;
}

const names: Record<Locale, string> = {
  en: 'English',
  fr: 'French',
  nl: 'Dutch',
  de: 'German',
  es: 'Spanish',
  tr: 'Turkish',
  it: 'Italian',
  pl: 'Polish',
  cs: 'Czech',
};

export interface ReceivedPage extends PageContext {
  received: Received;
  told: Told | null;
}

export function receivedPage(page: ReceivedPage): Html {
  const { received, told, csrf } = page;
  const { claims, refreshToken, userinfo } = received;
  const name = text1(claims['name']) ?? text1(claims['email']) ?? claims.sub;
  return frame(
    page,
    told ? `${told.title} · Demo app` : `${name} · Demo app`,
    html`
      <h1>${named(name)} is signed in</h1>
      ${saying(told)}
      <dl class="details">
        ${row('E-mail', text1(claims['email']))} ${row('Organization', text1(claims['org_name']))}
        ${row('Roles', (claims['roles'] as string[] | undefined)?.join(', '))}
        ${row('Signed in', claims.auth_time === undefined ? undefined : moment(claims.auth_time))}
        ${row('Identity provider', claims.iss)}
      </dl>
      ${postForm(
        { action: '/dev/app/do', csrf },
        html`<p class="actions">
          ${act('userinfo', 'Call userinfo')} ${refreshToken !== null && act('refresh', 'Refresh')}
          ${act('silent', 'Silent sign-in')} ${act('sign-out', 'Sign out')}
        </p>`,
      )}
      ${idTokenPart(received)} ${accessTokenPart(received, csrf)}
      ${refreshToken !== null && refreshTokenPart(received, csrf)}
      <section class="card">
        <h2>Userinfo</h2>
        <p class="hint">
          What the identity provider says about the person now, to whoever holds the access token.
        </p>
        ${
          userinfo
            ? html`<details ${told?.about === 'userinfo' && raw('open')}>
                <summary>The answer</summary>
                ${listOf(userinfo)}
              </details>`
            : html`<p>There is no answer yet.</p>`
        }
      </section>
      <section class="card">
        <h2>What was asked</h2>
        <p class="hint">The parameters with which the browser was sent to the identity provider.</p>
        <details>
          <summary>The parameters</summary>
          ${listOf(received.sent, requestMeanings)}
        </details>
      </section>
    `,
  );
}

function idTokenPart({ idToken, claims }: Received): Html {
  return html`
    <section class="card">
      <h2>ID token</h2>
      <p class="hint">
        Who signed in, for this application alone. Its signature, issuer, audience, time and nonce
        were compared.
      </p>
      <h3>Header</h3>
      ${listOf({ ...decodeProtectedHeader(idToken) }, headerMeanings)}
      <h3>Claims</h3>
      ${listOf({ ...claims })} ${asItCame('ID token', idToken)}
    </section>
  `;
}

function accessTokenPart(received: Received, csrf: string | undefined): Html {
  const { accessToken, accessTokenUntil, scope, resource } = received;
  const jwt = accessToken.split('.').length === 3;
  return html`
    <section class="card">
      <h2>Access token</h2>
      <p class="hint">
        ${
          jwt
            ? html`A JWT for <code>${resource}</code>, which reads it by itself. The application
                should not: it is shown here because this is a demo.`
            : 'Opaque: it says nothing to anybody but the identity provider, and dies at once when it is revoked.'
        }
      </p>
      ${listOf({
        ...(scope !== undefined && { scope }),
        ...(accessTokenUntil && { 'good until': moment(accessTokenUntil.getTime() / 1000) }),
      })}
      ${
        jwt &&
        html`<h3>Header</h3>
          ${listOf({ ...decodeProtectedHeader(accessToken) }, headerMeanings)}
          <h3>Claims</h3>
          ${listOf({ ...decodeJwt(accessToken) })}`
      }
      ${asItCame('access token', accessToken)} ${tokenActs('access_token', csrf)}
      ${introspectionOf(received, 'access_token')}
    </section>
  `;
}

function refreshTokenPart(received: Received, csrf: string | undefined): Html {
  return html`
    <section class="card">
      <h2>Refresh token</h2>
      <p class="hint">
        Gets the next access token without the person. Good for one use: the answer holds the next
        one, and using one twice revokes them all.
      </p>
      ${asItCame('refresh token', received.refreshToken!)} ${tokenActs('refresh_token', csrf)}
      ${introspectionOf(received, 'refresh_token')}
    </section>
  `;
}

function tokenActs(kind: TokenKind, csrf: string | undefined): Html {
  const what = kind === 'access_token' ? 'access token' : 'refresh token';
  return postForm({ action: '/dev/app/do', csrf }, [
    html`<input type="hidden" name="token" value="${kind}" />`,
    html`<p class="actions">
      ${act('introspect', html`Introspect<span class="hidden"> the ${what}</span>`)}
      ${act('revoke', html`Revoke<span class="hidden"> the ${what}</span>`)}
    </p>`,
  ]);
}

function introspectionOf({ introspection }: Received, kind: TokenKind): Html | null {
  if (introspection?.of !== kind) return null;
  return html`<h3>What introspection says</h3>
    ${listOf(introspection.answer)}`;
}

export function noDemoPage(page: PageContext, told: Told | null): Html {
  return frame(
    page,
    'Demo app',
    html`
      <h1>There is no demo here</h1>
      ${saying(told)}
      <p>
        This application signs people in with the demo's client, and the database of this server has
        no demo: it was started with <code>DEMO=0</code>, or had people in it before. Point
        <code>DATA_DIR</code> to an empty folder, or delete the one there is, and start again.
      </p>
      <p><a href="/">Back to the start</a></p>
    `,
  );
}

const requestMeanings: Readonly<Record<string, string>> = {
  client_id: 'Which application asks.',
  response_type: 'A code, to be redeemed by the application itself: no token meets the browser.',
  redirect_uri: 'Where the answer goes. It has to be registered, letter by letter.',
  scope: 'What to learn and to be permitted.',
  state: 'Comes back with the answer: nobody else’s answer fits.',
  nonce: 'Comes back in the ID token.',
  code_challenge: 'The hash of a secret that is sent with the code: a stolen code is of no use.',
  code_challenge_method: 'How that secret is hashed.',
  prompt: 'Whether to stop and ask the person.',
  login_hint: 'Who is expected to sign in.',
  max_age: 'How many seconds ago they may have signed in.',
  acr_values: 'How strong the proof should be.',
  ui_locales: 'The language of the sign-in.',
  resource: 'The API that the access token is for.',
  id_token_hint: 'Who was signed in before.',
};

/** Names, values, and what they mean. */
function listOf(
  values: Record<string, unknown>,
  meanings: Readonly<Record<string, string>> = claimMeanings,
): Html {
  return html`<dl class="details">
    ${Object.entries(values).map(
      ([name, value]) => html`
        <dt><code>${name}</code></dt>
        <dd>
          <code>${shown(value)}</code>${moments.has(name) && html` = ${moment(Number(value))}`}
          ${meanings[name] && html`<p class="hint">${meanings[name]}</p>`}
        </dd>
      `,
    )}
  </dl>`;
}

const moments = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at', 'session_expiry']);

function row(name: string, value: string | undefined): Html | undefined {
  return value === undefined || value === ''
    ? undefined
    : html`<dt>${name}</dt>
        <dd>${named(value)}</dd>`;
}

function asItCame(what: string, token: string): Html {
  return html`<details>
    <summary>The ${what} as it came</summary>
    <p class="value"><code>${token}</code></p>
  </details>`;
}

function saying(told: Told | null): Html | null {
  if (!told) return null;
  const { tone, title, text, code } = told;
  const role = raw(tone === 'danger' ? 'role="alert"' : 'role="status"');
  return html`<div class="notice ${tone}" ${role}>
    <p><strong>${title}</strong></p>
    <p>${text}</p>
    ${code !== undefined && html`<p><code>${code}</code></p>`}
  </div>`;
}

function act(name: string, label: Child): Html {
  return html`<button name="do" value="${name}">${label}</button>`;
}

function select(
  name: string,
  label: string,
  options: Readonly<Record<string, string>>,
  chosen: string,
): Html {
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <select id="${name}" name="${name}">
      ${Object.entries(options).map(
        ([value, text]) =>
          html`<option value="${value}" ${value === chosen && raw('selected')}>${text}</option>`,
      )}
    </select>
  </div>`;
}

function text(
  name: string,
  label: string,
  value: string,
  hint: Child,
  attributes: Html | null = null,
): Html {
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <p class="hint" id="${name}-hint">${hint}</p>
    <input
      id="${name}"
      name="${name}"
      type="text"
      value="${value}"
      autocomplete="off"
      aria-describedby="${name}-hint"
      ${attributes}
    />
  </div>`;
}

function frame(page: PageContext, title: string, main: Html): Html {
  return layout({
    ...page,
    title,
    width: 'wide',
    main: html`<section lang="en">${main}</section>`,
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function text1(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function capital(email: string): string {
  return email.charAt(0).toUpperCase() + email.slice(1).split('@')[0]!;
}

/** Seconds since 1970, as people read them. */
function moment(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
