import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { Refusal } from '#identity/refusal.ts';
import { confirmCommunicationEmail, openCommunicationLink } from '#identity/users/communication.ts';
import { carryOutEmailChange, openEmailChange } from '#identity/users/profile.ts';
import { readForm } from '../../body.ts';
import { pageContext, queryText, sendPage } from '../../context.ts';
import { linkInvalidPage } from '../../pages/password.ts';
import {
  emailDonePage,
  emailLinkPage,
  mailDonePage,
  mailLinkPage,
} from '../../pages/profile/mail-links.ts';
import type { ProfileDesk } from './desk.ts';

/** What the links in mails do: they need no session. */
export function mailLinks(router: Router, desk: ProfileDesk): void {
  const { passwords, csrf, as } = desk;
  const { database, clock } = passwords;

  for (const [path, reverts] of [
    ['/email/confirm', false],
    ['/email/revert', true],
  ] as const) {
    router.get(path, async (ctx) => {
      const token = queryText(ctx, 'token') ?? '';
      const change = await openEmailChange(database, token, clock());
      if (change?.reverts !== reverts) return showInvalid(ctx);
      sendPage(
        ctx,
        200,
        emailLinkPage({
          ...pageContext(ctx, { profile: change.person.language }),
          csrf: csrf.token(ctx),
          action: `/profile${path}`,
          token,
          email: change.email,
          reverts,
        }),
      );
    });

    router.post(path, async (ctx) => {
      const form = await readForm(ctx);
      csrf.check(ctx, form);
      const change = await openEmailChange(database, form['token'] ?? '', clock());
      if (change?.reverts !== reverts) return showInvalid(ctx);
      try {
        const { person, email } = await as(ctx, change.person, (work) =>
          carryOutEmailChange(work, form['token'] ?? ''),
        );
        sendPage(
          ctx,
          200,
          emailDonePage({
            ...pageContext(ctx, { profile: person.language }),
            email,
            href: reverts ? '/forgot-password' : '/profile',
            resets: reverts,
          }),
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        showInvalid(ctx);
      }
    });
  }

  router.get('/mail/confirm', async (ctx) => {
    const token = queryText(ctx, 'token') ?? '';
    const found = await openCommunicationLink(database, token, clock());
    if (!found) return showInvalid(ctx);
    sendPage(
      ctx,
      200,
      mailLinkPage({
        ...pageContext(ctx, { profile: found.person.language }),
        csrf: csrf.token(ctx),
        action: '/profile/mail/confirm',
        token,
        email: found.person.email!,
        address: found.address,
      }),
    );
  });

  router.post('/mail/confirm', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const token = form['token'] ?? '';
    const found = await openCommunicationLink(database, token, clock());
    if (!found) return showInvalid(ctx);
    try {
      const address = await as(ctx, found.person, (work) => confirmCommunicationEmail(work, token));
      const page = pageContext(ctx, { profile: found.person.language });
      sendPage(ctx, 200, mailDonePage({ ...page, address }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      showInvalid(ctx);
    }
  });

  function showInvalid(ctx: Context): void {
    sendPage(ctx, 410, linkInvalidPage({ ...pageContext(ctx), forgotHref: '/profile' }));
  }
}
