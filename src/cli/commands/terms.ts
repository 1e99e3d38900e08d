import { readFileSync } from 'node:fs';
import { WrongUsage, type Command } from '../command.ts';
import { detailed, listed } from '../print.ts';

interface Terms {
  id: string;
  kind: string;
  version: string;
  effectiveAt: string;
  requiresReaccept: boolean;
  texts: { locale: string; title: string; body: string }[];
}

/** `en=terms.en.md`: the language, and a Markdown file whose first heading is the title. */
function textIn(given: string): Terms['texts'][number] {
  const [, locale, file] = /^([a-z]{2}(?:-[A-Z]{2})?)=(.+)$/.exec(given) ?? [];
  if (locale === undefined) throw new WrongUsage(`--text ${given}: write it as en=terms.en.md`);
  let body: string;
  try {
    body = readFileSync(file!, 'utf8');
  } catch {
    throw new WrongUsage(`--text ${given}: ${file} cannot be read.`);
  }
  const [, title] = /^#\s+(.+)$/m.exec(body) ?? [];
  if (title === undefined) throw new WrongUsage(`--text ${given}: the file has no heading.`);
  return { locale, title: title.trim(), body };
}

export const termsCommands: Command[] = [
  {
    noun: 'terms',
    verb: 'publish',
    summary: 'Publishes a version of the terms. It can never be changed again.',
    options: {
      kind: { value: 'tos|privacy', summary: 'Terms of service (default) or privacy notice.' },
      version: { value: 'version', summary: 'What it is called.', required: true },
      text: {
        value: 'locale=file',
        summary: 'The text in one language, as Markdown; repeat.',
        multiple: true,
        required: true,
      },
      effective: { value: 'time', summary: 'From when on it is asked for; now, if left out.' },
      'keep-acceptances': { summary: 'Who accepted an earlier version need not accept again.' },
    },
    async run(given, { api }) {
      const made = await api.send<Terms & Record<string, unknown>>('POST', '/terms', {
        kind: given.text('kind') ?? 'tos',
        version: given.text('version'),
        effectiveAt: given.text('effective'),
        requiresReaccept: !given.on('keep-acceptances'),
        texts: given.all('text').map(textIn),
      });
      const { texts, ...rest } = made;
      return detailed(made, { ...rest, texts: texts.map(({ locale }) => locale) });
    },
  },
  {
    noun: 'terms',
    verb: 'list',
    summary: 'Lists every published version.',
    async run(_given, { api }) {
      const items = await api.list<Terms>('/terms');
      return listed(items, {
        ID: ({ id }) => id,
        KIND: ({ kind }) => kind,
        VERSION: ({ version }) => version,
        EFFECTIVE: ({ effectiveAt }) => effectiveAt,
        'ACCEPT AGAIN': ({ requiresReaccept }) => requiresReaccept,
        TEXTS: ({ texts }) => texts.map(({ locale }) => locale),
      });
    },
  },
  {
    noun: 'terms',
    verb: 'show',
    summary: 'Shows the text of a version.',
    takes: [{ name: 'terms', summary: 'The id of the version.' }],
    options: { locale: { value: 'locale', summary: 'Which language; English, if left out.' } },
    async run(given, { api }) {
      const terms = await api.get<Terms>(`/terms/${encodeURIComponent(given.args[0]!)}`);
      const wanted = given.text('locale') ?? 'en';
      const text = terms.texts.find(({ locale }) => locale === wanted) ?? terms.texts[0]!;
      return { json: terms, text: `${text.title}\n\n${text.body}` };
    },
  },
  {
    noun: 'terms',
    verb: 'evidence',
    summary: 'Writes who accepted what, as CSV.',
    async run(_given, { api }) {
      const csv = await api.text('/terms/evidence.csv');
      return { json: { csv }, text: csv.trimEnd() };
    },
  },
];
