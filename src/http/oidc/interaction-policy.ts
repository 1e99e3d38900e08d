import { decodeJwt } from 'jose';
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { AccessDecision } from '#identity/access/access-decision.ts';
import { levelOfAcr, takesOnlyFactor } from '#identity/sign-in/assurance.ts';

/**
 * When the authorization endpoint stops and asks a person.
 *
 *     login    nobody is signed in, or not freshly or strongly enough, or they may not be
 *     terms    there are terms they have not accepted
 *     account  their account does not let them in to this application
 *     consent  a third party asks for something they have not agreed to
 *
 * `terms` and `account` look at the person as they are now, not at what this sign-in did, so a
 * session of last month meets the rules of today. Neither can be asked for by `prompt`.
 */
export function signInPolicy(
  decide: (ctx: KoaContextWithOIDC) => Promise<AccessDecision>,
  isFirstParty: (ctx: KoaContextWithOIDC) => Promise<boolean>,
  isTooOld: (ctx: KoaContextWithOIDC) => Promise<boolean>,
) {
  const { base, Check, Prompt } = interactionPolicy;
  const prompts = base();

  const login = prompts.get('login')!;
  // When a person comes back from our pages, the engine has forgotten whom the application asked for,
  // and lets in whoever signed in (OpenID Connect Core 1.0, section 3.1.2.1, forbids it). The hint was
  // verified when the request came in, and what is kept of the request is ours.
  const hinted = login.checks.get('id_token_hint')!;
  const { check: compare } = hinted;
  hinted.check = async (ctx) => {
    const { entities, params } = ctx.oidc;
    const hint = params?.['id_token_hint'];
    if (!entities.IdTokenHint && typeof hint === 'string')
      ctx.oidc.entity('IdTokenHint', { header: {}, payload: decodeJwt(hint) });
    return await compare(ctx);
  };

  // Without it, a person who was locked or erased while signed in meets a server error at every
  // request until the cookie dies (oidc.md P1).
  login.checks.add(
    new Check(
      'account_unavailable',
      'the End-User cannot be signed in',
      'login_required',
      async (ctx) => {
        if (!ctx.oidc.session?.accountId) return Check.NO_NEED_TO_PROMPT;
        const decision = await decide(ctx);
        return decision.access === 'deny' && personal.has(decision.denial.reason)
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT;
      },
    ),
  );

  login.checks.add(
    new Check(
      'session_too_old',
      'the End-User has to sign in again',
      'login_required',
      async (ctx) =>
        !ctx.oidc.result?.login && (await isTooOld(ctx))
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT,
    ),
  );

  // A session of last month was good with a password alone, and today's rule wants more.
  login.checks.add(
    new Check(
      'second_factor_missing',
      'the End-User has to show a second factor',
      'login_required',
      async (ctx) => {
        if (!ctx.oidc.session?.accountId) return Check.NO_NEED_TO_PROMPT;
        const decision = await decide(ctx);
        return decision.access === 'interact' && decision.need === 'second_factor'
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT;
      },
    ),
  );

  // What is asked for by `acr_values` is voluntary (OpenID Connect Core 1.0, section 3.1.2.1): who has
  // signed in for it once is not asked again. The engine itself looks at essential claims alone.
  login.checks.add(
    new Check('acr_values', 'a second factor is asked for', 'login_required', (ctx) => {
      const { session, params, result } = ctx.oidc;
      const wanted = params?.['acr_values'];
      if (!session?.accountId || typeof wanted !== 'string' || result?.login)
        return Check.NO_NEED_TO_PROMPT;
      const level = levelOfAcr(session.acr);
      return takesOnlyFactor(wanted.split(' ')) && level !== 'second_factor' && level !== 'upstream'
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT;
    }),
  );

  const terms = new Prompt(
    { name: 'terms', requestable: false },
    new Check('terms_not_accepted', 'the terms have to be accepted', async (ctx) => {
      const decision = await decide(ctx);
      return decision.access === 'interact' && decision.need === 'terms'
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT;
    }),
  );
  const account = new Prompt(
    { name: 'account', requestable: false },
    new Check('account_not_admitted', 'the account is not admitted to this client', async (ctx) => {
      const decision = await decide(ctx);
      return decision.access === 'deny' ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
    }),
  );
  prompts.add(terms, 1);
  prompts.add(account, 2);

  const consent = prompts.get('consent')!;
  // First-party applications are not consented to, not even when they ask for it to get a refresh
  // token (OpenID Connect Core 1.0, section 11: other conditions permit offline access).
  for (const reason of ['native_client_prompt', 'consent_prompt']) {
    const check = consent.checks.get(reason)!;
    const { check: original } = check;
    check.check = async (ctx) =>
      (await isFirstParty(ctx)) ? Check.NO_NEED_TO_PROMPT : await original(ctx);
  }
  return prompts;
}

/** What concerns the person, whichever application they are on their way to. */
const personal = new Set(['unknown', 'unverified', 'locked']);
