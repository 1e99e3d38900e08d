import type { Router } from '@koa/router';
import type { Context } from 'koa';
import type { Person } from '#identity/users/person.ts';
import { unitOfWork } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, sendPage } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { consentPage, describeScope } from '../pages/consent.ts';
import { pageOf, type Desk } from './desk.ts';

/** May a stranger's application have this? What was agreed to once is not asked again. */
export function consentStep(router: Router, desk: Desk) {
  const { foundation, csrf } = desk;

  router.post('/consent', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    const { client } = interaction;
    const known = await desk.known(interaction);
    if (!known || !client || desk.step(interaction, known).step !== 'consent')
      return desk.back(ctx, interaction);
    const { person } = known;
    const asked = whatIsAsked(interaction);
    await unitOfWork(
      foundation,
      { actor: { type: 'user', id: person.id, email: person.email }, origin: originOf(ctx) },
      async (work) => {
        await work.query(
          `insert into consents as c (user_id, client_id, scopes, claims, resources, granted_at)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (user_id, client_id) do update set
             scopes = array(select distinct unnest(c.scopes || excluded.scopes)),
             claims = array(select distinct unnest(c.claims || excluded.claims)),
             resources = c.resources || excluded.resources, granted_at = excluded.granted_at`,
          [
            person.id,
            client.id,
            asked.scopes,
            asked.claims,
            JSON.stringify(asked.resources),
            work.now,
          ],
        );
        work.record(
          'consent.granted',
          { type: 'user', id: person.id },
          { client: client.id, ...asked },
          person.account?.id,
        );
      },
    );
    await desk.proceed(ctx, interaction, { consent: {} });
  });

  return show;

  function show(ctx: Context, interaction: Interaction, person: Person): void {
    const { uid, client } = interaction;
    const page = pageOf(ctx, interaction, person);
    const { scopes, resources } = whatIsAsked(interaction);
    const text = (name: string): string | undefined => {
      const value = client?.metadata[name];
      return typeof value === 'string' ? value : undefined;
    };
    sendPage(
      ctx,
      200,
      consentPage({
        ...page,
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/consent`,
        declineAction: `/sign-in/${uid}/decline`,
        clientName: client?.name ?? '',
        clientUri: text('client_uri'),
        policyUri: text('policy_uri'),
        tosUri: text('tos_uri'),
        email: person.email ?? '',
        scopes: scopes
          .filter((scope) => scope !== 'offline_access')
          .map((scope) => describeScope(page.t, scope)),
        resources: Object.entries(resources).map(([identifier, names]) => ({
          identifier,
          scopes: names,
        })),
        offline: scopes.includes('offline_access'),
      }),
    );
  }
}

/** The scopes, claims and resource scopes that the person has not agreed to yet. */
function whatIsAsked({ prompt, params }: Interaction): {
  scopes: string[];
  claims: string[];
  resources: Record<string, string[]>;
} {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  const requested = (typeof params['scope'] === 'string' ? params['scope'] : '')
    .split(' ')
    .filter(Boolean);
  const resources = missingResourceScopes ?? {};
  const elsewhere = new Set(Object.values(resources).flat());
  return {
    scopes: missingOIDCScope ?? requested.filter((scope) => !elsewhere.has(scope)),
    claims: missingOIDCClaims ?? [],
    resources,
  };
}
