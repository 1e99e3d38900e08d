import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { outcomeText } from '../federation-text.ts';
import { alert, clip, field, hidden, named, notice, postForm, primary, textArea } from '../form.ts';
import { layout, type PageContext } from '../layout.ts';
import { card } from './card.ts';

export interface SetupDomain {
  name: string;
  displayName: string;
  /** `free`: proved, and no connection has it; `elsewhere`: proved, and another one has. */
  state: 'pending' | 'free' | 'here' | 'elsewhere';
  record: { name: string; value: string } | null;
}

export interface SetupCertificate {
  fingerprint: string;
  notAfter: Date;
  staged: boolean;
}

export type SetupProblem = 'domain' | 'domain_missing' | 'provider' | 'wait' | 'other';
export type SetupStep = 'domain' | 'provider' | 'mapping' | 'test' | 'directory' | 'done';

/** The claims that a mapping names, as the form has them. */
export const setupAttributes = ['identifier', 'givenName', 'familyName', 'country'] as const;
export type SetupAttribute = (typeof setupAttributes)[number];

export interface SetupPage extends PageContext {
  account: string;
  expiresAt: Date;
  /** Where the forms go: `/setup/{secret}`. */
  action: string;
  kind: 'oidc' | 'saml';
  domains: readonly SetupDomain[];
  ours:
    | { kind: 'saml'; entityId: string; acsUrl: string; metadataUrl: string | null }
    | { kind: 'oidc'; redirectUri: string };
  /** Whom it trusts, once that is known. */
  issuer: string | null;
  metadataUrl: string | null;
  clientId: string | null;
  secretKept: boolean;
  certificates: readonly SetupCertificate[];
  mapping: Partial<Record<SetupAttribute, string>>;
  usual: Record<SetupAttribute, string>;
  /** What the mapping makes of what was received the last time. */
  seen: Partial<Record<SetupAttribute, string | null>> | null;
  testHref: string | null;
  test: { at: Date; ok: boolean; outcome: string; trace: string } | null;
  /** The company's directory; null where the link may connect none. */
  directory: {
    endpoint: string;
    /** Where it was just made: told once. */
    token: string | null;
    made: boolean;
    dryRun: boolean;
    firstRequestAt: Date | null;
  } | null;
  /** `directory` is null where there is no such step. */
  complete: Record<Exclude<SetupStep, 'done' | 'directory'>, boolean> & {
    directory: boolean | null;
  };
  /** What was just done, and what of it did not work. */
  saved?: SetupStep | undefined;
  problem?: SetupTrouble | undefined;
  /** Where who looks after the account came from. */
  consoleHref?: string | null;
}

export interface SetupTrouble {
  step: SetupStep;
  what: SetupProblem;
  detail?: string | undefined;
  /** The field it is about. */
  field?: string | undefined;
  /** What was typed, to be mended. */
  typed?: Readonly<Record<string, string>>;
}

/**
 * One page on which the IT of a company sets its connection up: domain, provider, mapping, a test. Each
 * step is a form of its own, and the page says what is done.
 */
export function setupPage(page: SetupPage): Html {
  const { t, account, expiresAt, complete } = page;
  const values = { account: named(account) };
  const done = !Object.values(complete).includes(false);
  const title = t('setup.title', { account: clip(account, 60) });
  return layout({
    ...page,
    title: page.problem ? t('layout.error_title', { title }) : title,
    main: html`
      ${page.consoleHref && html`<p class="back"><a href="${page.consoleHref}">${t('setup.to_console')}</a></p>`}
      <div class="card">
        <h1>${t.parts('setup.title', values)}</h1>
        <p class="lead">${t.parts('setup.lead', { ...values, date: expiresAt })}</p>
        ${notice('info', t('setup.secret'))}
      </div>
      ${section(page, 'domain', t('setup.step_domain'), domainStep(page))}
      ${section(page, 'provider', t('setup.step_provider'), providerStep(page))}
      ${section(page, 'mapping', t('setup.step_mapping'), mappingStep(page))}
      ${section(page, 'test', t('setup.step_test'), testStep(page))}
      ${page.directory && section(page, 'directory', t('setup.step_directory'), directoryStep(page, page.directory))}
      <section class="card" id="step-done" aria-labelledby="done-title">
        <h2 id="done-title">${t('setup.step_done')}</h2>
        ${done ? notice('success', t.parts('setup.done', values)) : html`<p>${t('setup.not_done')}</p>`}
      </section>
    `,
  });
}

function section(
  page: SetupPage,
  step: Exclude<SetupStep, 'done'>,
  title: string,
  body: Child,
): Html {
  const { t, complete, saved, problem } = page;
  const state = t(complete[step] ? 'setup.step_complete' : 'setup.step_open');
  return html`
    <section class="card" id="step-${step}" aria-labelledby="${step}-title">
      <h2 id="${step}-title">${title} <span class="hint">(${state})</span></h2>
      ${
        problem?.step === step
          ? problem.field === undefined && alert(troubleText(page, problem))
          : saved === step && notice('success', t('setup.saved'))
      }
      ${body}
    </section>
  `;
}

const problems = {
  domain: 'setup.problem_domain',
  domain_missing: 'setup.domain_missing',
  provider: 'setup.problem_provider',
  wait: 'setup.problem_wait',
  other: 'setup.problem_other',
} as const satisfies Record<SetupProblem, MessageKey>;

function troubleText({ t }: SetupPage, { what, detail }: SetupTrouble): Html {
  return html`${t(problems[what])} ${detail && html`<code>${clip(detail, 300)}</code>`}`;
}

/** What stands in a field of a step, and what is wrong with it. */
function typedIn(
  page: SetupPage,
  step: SetupStep,
  name: string,
  kept?: string | null,
): { value: string | undefined; error: Child } {
  const trouble = page.problem?.step === step ? page.problem : undefined;
  return {
    value: trouble?.typed?.[name] ?? kept ?? undefined,
    error: trouble?.field === name && troubleText(page, trouble),
  };
}

const standings = {
  pending: 'setup.domain_pending',
  free: 'setup.domain_free',
  here: 'setup.domain_owned',
  elsewhere: 'setup.domain_elsewhere',
} as const satisfies Record<SetupDomain['state'], MessageKey>;

function domainStep(page: SetupPage): Html {
  const { t, csrf, action, domains } = page;
  return html`
    <p>${t('setup.domain_why')}</p>
    ${domains.map(
      ({ name, displayName, state, record }) => html`
        <h3>${named(displayName)}</h3>
        <p>${t(standings[state])}</p>
        ${
          state === 'free' &&
          postForm({ action: `${action}/domain`, csrf }, [
            hidden('domain', name),
            html`<button type="submit">${t('setup.domain_use', { domain: displayName })}</button>`,
          ])
        }
        ${
          record &&
          state === 'pending' &&
          html`<p>${t('setup.domain_publish')}</p>
            ${facts([
              [t('setup.record_name'), record.name],
              [t('setup.record_value'), record.value],
            ])}
            ${postForm({ action: `${action}/check`, csrf }, [
              hidden('domain', name),
              html`<button type="submit">${t('setup.domain_check')}</button>`,
            ])}`
        }
      `,
    )}
    ${postForm({ action: `${action}/domain`, csrf }, [
      field({
        name: 'domain',
        ...typedIn(page, 'domain', 'domain'),
        label: t('setup.domain'),
        hint: t('setup.domain_hint'),
        attributes: 'inputmode="url" spellcheck="false"',
      }),
      html`<button type="submit">${t('setup.domain_add')}</button>`,
    ])}
  `;
}

function providerStep(page: SetupPage): Html {
  const { t, csrf, action, ours, issuer, certificates } = page;
  const values: [string, Child][] =
    ours.kind === 'saml'
      ? [
          [t('setup.entity_id'), ours.entityId],
          [t('setup.acs'), ours.acsUrl],
          ...(ours.metadataUrl === null
            ? []
            : ([
                [t('setup.metadata'), html`<a href="${ours.metadataUrl}">${ours.metadataUrl}</a>`],
              ] satisfies [string, Child][])),
        ]
      : [[t('setup.redirect_uri'), ours.redirectUri]];
  return html`
    <p>${t('setup.ours')}</p>
    ${facts(values)}
    ${issuer !== null && html`<p>${t.parts('setup.trusts', { issuer: named(issuer, 300) })}</p>`}
    ${
      certificates.length > 0 &&
      facts(
        certificates.map(({ fingerprint, notAfter, staged }) => [
          t('setup.fingerprint'),
          html`<code>${fingerprint}</code>,
            ${staged ? t('setup.staged') : t('setup.valid_until', { date: notAfter })}`,
        ]),
      )
    }
    ${postForm(
      { action: `${action}/provider`, csrf },
      ours.kind === 'saml' ? samlFields(page) : oidcFields(page),
    )}
  `;
}

function samlFields(page: SetupPage): Child {
  const { t, metadataUrl } = page;
  return [
    field({
      name: 'url',
      label: t('setup.metadata_url'),
      ...typedIn(page, 'provider', 'url', metadataUrl),
      optional: true,
      attributes: 'inputmode="url" spellcheck="false"',
    }),
    textArea({
      name: 'xml',
      label: t('setup.metadata_xml'),
      ...typedIn(page, 'provider', 'xml'),
      optional: true,
      rows: 6,
      code: true,
    }),
    primary(t('setup.save')),
  ];
}

function oidcFields(page: SetupPage): Child {
  const { t, issuer, clientId, secretKept } = page;
  return [
    field({
      name: 'issuer',
      label: t('setup.issuer'),
      ...typedIn(page, 'provider', 'issuer', issuer),
      attributes: 'inputmode="url" spellcheck="false"',
    }),
    field({
      name: 'client_id',
      label: t('setup.client_id'),
      ...typedIn(page, 'provider', 'client_id', clientId),
    }),
    field({
      name: 'client_secret',
      label: t('setup.client_secret'),
      error: typedIn(page, 'provider', 'client_secret').error,
      type: 'password',
      autocomplete: 'off',
      optional: secretKept,
      hint: secretKept ? t('setup.client_secret_kept') : undefined,
    }),
    primary(t('setup.save')),
  ];
}

const labels = {
  identifier: 'setup.identifier',
  givenName: 'setup.given_name',
  familyName: 'setup.family_name',
  country: 'setup.country',
} as const;

function mappingStep(page: SetupPage): Html {
  const { t, csrf, action, mapping, usual, seen } = page;
  return html`
    <p>${t('setup.mapping_why')}</p>
    ${postForm({ action: `${action}/mapping`, csrf }, [
      ...setupAttributes.map((attribute) =>
        field({
          name: attribute,
          label: t(labels[attribute]),
          ...typedIn(page, 'mapping', attribute, mapping[attribute]),
          optional: true,
          hint: html`<code>${clip(usual[attribute], 160)}</code>`,
          attributes: 'spellcheck="false"',
        }),
      ),
      html`<button type="submit">${t('setup.save')}</button>`,
    ])}
    ${
      seen &&
      html`<p>${t('setup.mapping_seen')}</p>
        ${facts(
          setupAttributes.map((attribute) => [
            t(labels[attribute]),
            seen[attribute] ? named(seen[attribute]) : '–',
          ]),
        )}`
    }
  `;
}

function testStep({ t, test, testHref }: SetupPage): Html {
  return html`
    <p>${t('setup.test_why')}</p>
    ${
      test === null
        ? html`<p>${t('setup.test_none')}</p>`
        : html`<p>
              ${t('setup.test_last', { date: test.at })}.
              ${t(test.ok ? 'setup.test_good' : 'setup.test_bad')} ${outcomeText(test.outcome, t)}
            </p>
            <p class="reference">
              ${t.parts('federation.trace', { trace: html`<code>${test.trace}</code>` })}
            </p>`
    }
    ${
      testHref !== null &&
      html`<p>
        <a class="button" href="${testHref}" target="_blank" rel="noopener">${t('setup.test')}</a>
      </p>`
    }
  `;
}

function directoryStep(
  { t, csrf, action }: SetupPage,
  { endpoint, token, made, dryRun, firstRequestAt }: NonNullable<SetupPage['directory']>,
): Html {
  return html`
    <p>${t('setup.directory_why')}</p>
    ${facts([[t('setup.directory_url'), endpoint]])}
    ${
      token !== null &&
      html`${notice('warning', t('setup.directory_once'))}
        <div class="field">
          <label for="token">${t('setup.directory_token')}</label>
          <input id="token" class="code" type="text" readonly value="${token}" />
        </div>`
    }
    ${
      made &&
      html`<p>
        ${
          firstRequestAt === null
            ? t('setup.directory_waits')
            : t('setup.directory_arrived', { date: firstRequestAt })
        }
        ${dryRun && t('setup.directory_tries')}
      </p>`
    }
    ${
      made &&
      firstRequestAt === null &&
      html`<p>
        <a class="button" href="${`${action}#step-directory`}">${t('setup.directory_look')}</a>
      </p>`
    }
    ${postForm(
      { action: `${action}/directory`, csrf },
      html`<button type="submit">
        ${t(made ? 'setup.directory_again' : 'setup.directory_make')}
      </button>`,
    )}
  `;
}

function facts(rows: readonly (readonly [string, Child])[]): Html {
  return html`<dl class="details">
    ${rows.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${typeof value === 'string' ? html`<code>${value}</code>` : value}</dd>`,
    )}
  </dl>`;
}

/** The link is not good, or not any more. */
export function setupInvalidPage(page: PageContext): Html {
  const { t } = page;
  return card(page, {
    title: t('setup.invalid_title'),
    body: alert(t('setup.invalid')),
    failed: true,
  });
}
