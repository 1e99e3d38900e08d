import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { settleRegistration } from '#identity/belonging/settle.ts';
import { acceptTerms, termsByIds, textIn } from '#identity/terms/terms.ts';
import type { Person } from '#identity/users/person.ts';
import { unitOfWork } from '#identity/work.ts';
import { again } from '../again.ts';
import { readForm } from '../body.ts';
import { originOf, sendPage } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { termsPage } from '../pages/terms.ts';
import { pageOf, type Desk } from './desk.ts';
import { markdown } from '../markdown.ts';

/** Do you accept? The text that is shown is the text that is accepted (behaviour.md F02). */
export function termsStep(router: Router, desk: Desk) {
  const { foundation, csrf } = desk;
  const { database } = foundation;

  router.post('/terms', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx, { repeated: ['accept'] });
    csrf.check(ctx, form, interaction.uid);
    const known = await desk.known(interaction);
    if (!known || desk.step(interaction, known).step !== 'terms')
      return desk.back(ctx, interaction);
    const { person } = known;

    // What was ticked is what was read: that version, in that language.
    const ticked = new Set((form['accept'] ?? '').split('\n'));
    const versions = await termsByIds(database, person.outstandingTerms);
    const accepted = versions.flatMap(({ id, kind, version, texts }) =>
      texts
        .filter((text) => ticked.has(termsBox(id, text.locale)))
        .slice(0, 1)
        .map(({ locale, sha256 }) => ({ id, kind, version, locale, sha256 })),
    );
    if (accepted.length < versions.length) return show(ctx, interaction, person, 'missing');
    const actor = { type: 'user', id: person.id, email: person.email } as const;
    await again(() =>
      unitOfWork(foundation, { actor, origin: originOf(ctx) }, async (work) => {
        await acceptTerms(work, {
          userId: person.id,
          accountId: person.account?.id ?? null,
          clientId: interaction.client?.id ?? null,
          interaction: interaction.uid,
          accepted,
        });
        // Who registered finds their place now (behaviour.md U8 to U10).
        await settleRegistration(work, person.id);
      }),
    );
    await desk.proceed(ctx, interaction, { terms: {} });
  });

  return show;

  async function show(
    ctx: Context,
    interaction: Interaction,
    person: Person,
    error?: 'missing',
  ): Promise<void> {
    const { uid, client } = interaction;
    const page = pageOf(ctx, interaction, person);
    const versions = await termsByIds(database, person.outstandingTerms);
    const [{ before }] = (await database.query<{ before: boolean }>(
      'select exists (select from terms_acceptances where user_id = $1) as before',
      [person.id],
    )) as [{ before: boolean }];
    sendPage(
      ctx,
      error ? 422 : 200,
      termsPage({
        ...page,
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/terms`,
        declineAction: `/sign-in/${uid}/decline`,
        documents: versions.map((version) => {
          const text = textIn(version, [page.t.locale]);
          return {
            id: termsBox(version.id, text.locale),
            kind: version.kind,
            version: version.version,
            effectiveAt: version.effectiveAt,
            title: text.title,
            body: markdown(text.body),
          };
        }),
        updated: before,
        clientName: client?.name,
        error,
      }),
    );
  }
}

/** The box that says: this version, read in this language. */
function termsBox(version: string, locale: string): string {
  return `${version}:${locale}`;
}
