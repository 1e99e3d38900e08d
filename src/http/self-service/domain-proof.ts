import { Router } from '@koa/router';
import type { Context } from 'koa';
import { findMailProof } from '#identity/domains/mail-proof.ts';
import { answerByMail } from '#identity/domains/verify-domain.ts';
import { domainForPeople } from '#identity/users/email.ts';
import type { Foundation } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import {
  domainAnsweredPage,
  domainLinkInvalidPage,
  domainProofPage,
} from '../pages/domain-proof.ts';

/**
 * The link in the mail that asks a mailbox of a domain whether a claim is right. Opening it answers
 * nothing: scanners open every link. Whoever reads that mailbox has no session here and needs none.
 */
export function domainProofRoutes({
  foundation,
  csrf,
}: {
  foundation: Foundation;
  csrf: Csrf;
}): Router {
  const router = new Router();
  const path = '/domains/confirm';

  router.get(path, async (ctx) => {
    const token = queryText(ctx, 'token') ?? '';
    const proof = await findMailProof(foundation.database, token, foundation.clock());
    if (!proof) return showInvalid(ctx);
    sendPage(
      ctx,
      200,
      domainProofPage({
        ...pageContext(ctx),
        csrf: csrf.token(ctx),
        action: path,
        token,
        domain: domainForPeople(proof.domain),
        account: proof.account,
        claimant: proof.claimant || proof.account,
      }),
    );
  });

  router.post(path, async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const answer = form['answer'] === 'confirm' ? 'confirm' : 'deny';
    const proof = await answerByMail(
      foundation,
      { actor: { type: 'anonymous' }, origin: originOf(ctx) },
      form['token'] ?? '',
      answer,
    );
    if (!proof) return showInvalid(ctx);
    sendPage(
      ctx,
      200,
      domainAnsweredPage({
        ...pageContext(ctx),
        answer,
        domain: domainForPeople(proof.domain),
        account: proof.account,
      }),
    );
  });
  return router;

  function showInvalid(ctx: Context): void {
    sendPage(ctx, 410, domainLinkInvalidPage(pageContext(ctx)));
  }
}
