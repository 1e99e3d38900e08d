import { Refusal } from '#identity/refusal.ts';
import { stoppedBy } from '#identity/terms/stopped.ts';
import { listTerms, publishTerms, termsByIds } from '#identity/terms/terms.ts';
import { locales } from '#platform/i18n.ts';
import {
  newTermsPage,
  termsListPage,
  termsPreviewPage,
  termsVersionPage,
} from '../../pages/console/terms.ts';
import { sendFile } from '../../download.ts';
import { markdown } from '../../markdown.ts';
import { evidenceTable } from '../../terms-file.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const home = '/installation/terms';

/** A text has as many characters as one that comes by the API, and there is one for each language. */
const longest = 500_000;
const atOnce = 4 * 1024 * 1024;

/** The terms that people accept: versions, whom a new one stops, and the evidence. */
export const terms: Room = {
  menu: {
    path: home,
    title: 'rooms.terms',
    section: 'installation',
    right: 'terms:publish',
    everywhere: true,
  },
  open(door) {
    door.get(home, 'terms:publish', async (visit) => {
      const versions = await listTerms(visit.sql);
      visit.show(
        termsListPage({
          ...visit.page,
          versions: versions.map(({ texts, ...version }) => ({
            ...version,
            locales: texts.map(({ locale }) => locale).sort(),
          })),
        }),
      );
    });

    door.get(`${home}/evidence.csv`, 'terms:publish', ({ ctx, sql }) => {
      sendFile(ctx, { name: 'terms-evidence.csv', type: 'text/csv', text: evidenceTable(sql) });
    });

    // Asked before anybody types: what is long does not outlast another sign-in.
    door.get(`${home}/new`, 'terms:publish', (visit) => showNew(visit), { fresh: true });
    door.post(
      `${home}/preview`,
      'terms:publish',
      async (visit) => {
        const { typed, terms: read } = readTerms(visit);
        if (!typed.ok || visit.value('next') === 'edit') return showNew(visit, typed.errors);
        const { csrf, ...values } = visit.form;
        void csrf;
        visit.show(
          termsPreviewPage({
            ...visit.page,
            ...read,
            texts: read.texts.map((text) => ({ ...text, body: markdown(text.body) })),
            values,
            stopped: await stoppedBy(visit.sql, read, visit.now),
          }),
        );
      },
      { limit: atOnce },
    );
    door.post(
      `${home}/publish`,
      'terms:publish',
      async (visit) => {
        const { typed, terms: read } = readTerms(visit);
        if (!typed.ok) return showNew(visit, typed.errors);
        try {
          await visit.operate((work) => publishTerms(work, read));
        } catch (error) {
          if (!(error instanceof Refusal) || error.code !== 'version_exists') throw error;
          return showNew(visit, { version: visit.reason(error) });
        }
        visit.done(home, visit.t('rooms.terms.done'));
      },
      { fresh: true, limit: atOnce },
    );

    door.get(`${home}/:termsId`, 'terms:publish', async (visit) => {
      const [version] = await termsByIds(visit.sql, [visit.params['termsId']!]);
      if (!version) throw new Refusal('terms_not_found');
      visit.show(
        termsVersionPage({
          ...visit.page,
          ...version,
          texts: version.texts.map((text) => ({ ...text, body: markdown(text.body) })),
        }),
      );
    });
  },
};

function showNew(visit: Visit, errors: Typed['errors'] = {}): void {
  const names = new Intl.DisplayNames(visit.t.locale, { type: 'language' });
  visit.show(
    newTermsPage({
      ...visit.page,
      values: {
        kind: visit.value('kind') || 'tos',
        version: visit.value('version') || visit.now.toISOString().slice(0, 10),
        effective: visit.value('effective'),
        anew: visit.value('anew') || 'yes',
        texts: Object.fromEntries(
          locales.map((locale) => [
            locale,
            { title: visit.value(`title_${locale}`), body: visit.value(`body_${locale}`) },
          ]),
        ),
      },
      languages: locales.map((locale) => [locale, names.of(locale) ?? locale] as const),
      errors,
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

/** What was typed. English is what everybody gets whose language has no text. */
function readTerms(visit: Visit): {
  typed: Typed;
  terms: {
    kind: 'tos' | 'privacy';
    version: string;
    effectiveAt: Date;
    requiresReaccept: boolean;
    texts: { locale: string; title: string; body: string }[];
  };
} {
  const typed = new Typed(visit);
  const kind = typed.choice('kind', ['tos', 'privacy']);
  const version = typed.line('version', 50);
  const effectiveAt = typed.day('effective') ?? visit.now;
  const requiresReaccept = typed.choice('anew', ['yes', 'no']) === 'yes';
  const texts = locales.flatMap((locale) => {
    const empty = !visit.value(`title_${locale}`) && !visit.value(`body_${locale}`);
    if (empty && locale !== 'en') return [];
    const title = typed.line(`title_${locale}`, 200);
    return [{ locale, title, body: typed.text(`body_${locale}`, longest) }];
  });
  return { typed, terms: { kind, version, effectiveAt, requiresReaccept, texts } };
}
