import { z } from 'zod';
import { publishTerms } from '#identity/terms/terms.ts';
import { operation } from '../operation.ts';
import { line, Locale, Moment } from '../schemas.ts';
import { TermsView } from '../views.ts';

export default operation({
  id: 'publishTerms',
  tag: 'Terms',
  method: 'post',
  path: '/terms',
  summary: 'Publishes a version of the terms. It can never be changed again.',
  right: 'terms:publish',
  body: z.strictObject({
    kind: z.enum(['tos', 'privacy']),
    version: line(50),
    effectiveAt: Moment.optional().describe('From when on it is asked for; now, if left out.'),
    requiresReaccept: z
      .boolean()
      .default(true)
      .describe('Whether those who accepted an earlier version have to accept again.'),
    texts: z
      .array(
        z.strictObject({
          locale: Locale,
          title: line(200),
          body: z.string().min(1).max(500_000).describe('Markdown.'),
        }),
      )
      .min(1)
      .max(50)
      .refine(
        (texts) => new Set(texts.map(({ locale }) => locale)).size === texts.length,
        'There are two texts in one language.',
      ),
  }),
  example: {
    kind: 'tos',
    version: '2027-01-01',
    effectiveAt: '2027-01-01T00:00:00Z',
    texts: [{ locale: 'en', title: 'Terms of Service', body: '# Terms\n\nBe good.' }],
  },
  result: TermsView,
  status: 201,
  refusals: ['version_exists'],

  handle: (work, { body }) =>
    publishTerms(work, { ...body, effectiveAt: body.effectiveAt ?? work.now }),
});
