import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { named, notice } from '../../form.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { formPage, type Errors, type Question } from './forms.ts';
import { languageName } from './people.ts';
import { confirmPage, empty, facts, part, table } from './parts.ts';

type Kind = 'tos' | 'privacy';

const kinds: Record<Kind, MessageKey> = { tos: 'rooms.terms.tos', privacy: 'rooms.terms.privacy' };

export function termsListPage(
  page: ConsoleFrame & {
    versions: readonly {
      id: string;
      kind: Kind;
      version: string;
      effectiveAt: Date;
      requiresReaccept: boolean;
      locales: readonly string[];
    }[];
  },
): Html {
  const { t, versions } = page;
  return consolePage(page, {
    title: t('rooms.terms'),
    lead: t('rooms.terms.lead'),
    actions: [
      html`<a class="button" href="/console/installation/terms/evidence.csv"
        >${t('rooms.terms.evidence')}</a
      >`,
      html`<a class="button primary" href="/console/installation/terms/new"
        >${t('rooms.terms.new')}</a
      >`,
    ],
    main: html`<div id="list" class="list">
      ${
        versions.length === 0
          ? empty(t('rooms.terms.none'))
          : table({
              caption: t('rooms.terms'),
              rows: versions,
              columns: [
                {
                  title: t('rooms.terms.version'),
                  cell: ({ id, version }) =>
                    html`<a href="${`/console/installation/terms/${id}`}">${named(version)}</a>`,
                },
                { title: t('rooms.terms.kind'), cell: ({ kind }) => t(kinds[kind]) },
                {
                  title: t('rooms.terms.effective'),
                  cell: ({ effectiveAt }) => when(page, effectiveAt, 'day'),
                },
                {
                  title: t('rooms.terms.anew'),
                  wide: true,
                  cell: ({ requiresReaccept }) => t(requiresReaccept ? 'rooms.yes' : 'rooms.no'),
                },
                {
                  title: t('rooms.terms.languages'),
                  wide: true,
                  cell: ({ locales }) => locales.map((one) => languageName({ t }, one)).join(', '),
                },
              ],
            })
      }
    </div>`,
  });
}

export function termsVersionPage(
  page: ConsoleFrame & {
    kind: Kind;
    version: string;
    effectiveAt: Date;
    publishedAt: Date;
    requiresReaccept: boolean;
    /** As people read them. */
    texts: readonly { locale: string; title: string; body: Html; sha256: string }[];
  },
): Html {
  const { t, kind, version, texts } = page;
  return consolePage(page, {
    title: `${t(kinds[kind])} ${version}`,
    heading: [t(kinds[kind]), ' ', named(version)],
    back: { href: '/console/installation/terms', title: t('rooms.terms') },
    main: [
      notice('info', t('rooms.terms.immutable')),
      part(
        t('console.status'),
        facts([
          [t('rooms.terms.effective'), when(page, page.effectiveAt)],
          [t('rooms.terms.published'), when(page, page.publishedAt)],
          [t('rooms.terms.anew'), t(page.requiresReaccept ? 'rooms.yes' : 'rooms.no')],
        ]),
      ),
      texts.map(({ locale, title, body, sha256 }) =>
        part(html`${languageName({ t }, locale)}: ${named(title)}`, [
          html`<p class="hint">SHA-256 <code>${sha256}</code></p>`,
          read(locale, title, body),
        ]),
      ),
    ],
  });
}

export interface TermsValues {
  kind: string;
  version: string;
  effective: string;
  anew: string;
  /** Title and text by language. */
  texts: Readonly<Record<string, { title: string; body: string }>>;
}

export function newTermsPage(
  page: ConsoleFrame & {
    values: TermsValues;
    /** English first: it is what everybody reads whose language has no text. */
    languages: readonly (readonly [locale: string, name: string])[];
    errors: Errors;
  },
): Html {
  const { t, values, languages, errors } = page;
  const inLanguage = ([locale, name]: (typeof languages)[number]): Question[] => [
    {
      kind: 'line',
      name: `title_${locale}`,
      label: `${t('rooms.terms.title')} (${name})`,
      value: values.texts[locale]?.title ?? '',
      optional: locale !== 'en',
    },
    {
      kind: 'text',
      name: `body_${locale}`,
      label: `${t('rooms.terms.text')} (${name})`,
      value: values.texts[locale]?.body ?? '',
      optional: locale !== 'en',
      rows: locale === 'en' ? 12 : 4,
    },
  ];
  return formPage(page, {
    title: t('rooms.terms.new'),
    lead: t('rooms.terms.new_lead'),
    back: { href: '/console/installation/terms', title: t('rooms.terms') },
    action: '/console/installation/terms/preview',
    errors,
    asked: [
      {
        kind: 'choice',
        name: 'kind',
        label: t('rooms.terms.kind'),
        value: values.kind,
        options: [
          ['tos', t('rooms.terms.tos')],
          ['privacy', t('rooms.terms.privacy')],
        ],
      },
      {
        kind: 'line',
        name: 'version',
        label: t('rooms.terms.version'),
        hint: t('rooms.terms.version_hint'),
        value: values.version,
      },
      {
        kind: 'date',
        name: 'effective',
        label: t('rooms.terms.effective'),
        hint: t('rooms.terms.effective_hint'),
        value: values.effective,
        optional: true,
      },
      {
        kind: 'choice',
        name: 'anew',
        label: t('rooms.terms.anew'),
        value: values.anew,
        options: [
          ['yes', t('rooms.terms.anew_yes')],
          ['no', t('rooms.terms.anew_no')],
        ],
      },
      ...languages.slice(0, 1).flatMap(inLanguage),
    ],
    further: {
      title: t('rooms.terms.other_languages'),
      asked: languages.slice(1).flatMap(inLanguage),
    },
    button: t('rooms.terms.preview'),
  });
}

/** A text as people are shown it. */
function read(locale: string, title: string, body: Html): Html {
  return html`<div class="text" role="region" tabindex="0" aria-label="${title}" lang="${locale}">
    ${body}
  </div>`;
}

/** Before a version is published for ever: whom it stops. */
export function termsPreviewPage(
  page: ConsoleFrame & {
    values: Readonly<Record<string, string>>;
    kind: Kind;
    version: string;
    effectiveAt: Date;
    stopped: { people: number; soon: number };
    texts: readonly { locale: string; title: string; body: Html }[];
  },
): Html {
  const { t, kind, version, stopped, texts } = page;
  return confirmPage(page, {
    title: t('rooms.terms.publish'),
    heading: [t(kinds[kind]), ' ', named(version)],
    back: { href: '/console/installation/terms/new', title: t('rooms.terms.new') },
    what: [
      notice('warning', [
        html`<p>
          <strong>${t('rooms.terms.stops', { n: stopped.people })}</strong>
          ${t('rooms.terms.stops_soon', { n: stopped.soon })}
        </p>`,
        html`<p>${t.parts('rooms.terms.from', { date: when(page, page.effectiveAt) })}</p>`,
      ]),
      texts.map(
        ({ locale, title, body }) =>
          html`<details>
            <summary><span>${locale}: ${named(title)}</span></summary>
            ${read(locale, title, body)}
          </details>`,
      ),
      html`<p>${t('rooms.terms.immutable')}</p>`,
    ],
    action: '/console/installation/terms/publish',
    values: page.values,
    fields: html`<p>
      <button
        class="quiet"
        type="submit"
        name="next"
        value="edit"
        formaction="/console/installation/terms/preview"
      >
        ${t('connection.edit_on')}
      </button>
    </p>`,
    button: t('rooms.terms.publish'),
  });
}
