import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { Sql } from '#platform/database/sql.ts';
import type { Locale } from '#platform/i18n.ts';
import { readForm } from '../body.ts';
import { pageContext, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import { Problem } from '../problem.ts';
import {
  type Mail,
  mailboxPage,
  mailPage,
  type MailSummary,
  previewPage,
  previewsPage,
} from './pages.ts';

/** A letter with sample values, as it would leave. */
export interface MailPreview {
  kind: string;
  variant: number;
  render(locale: Locale): { subject: string; text: string; html: string };
}

export interface MailboxDependencies {
  database: Sql;
  csrf: Csrf;
  previews: readonly MailPreview[];
}

/** How many mails the list shows, the newest. */
const shown = 200;

/**
 * The development mailbox, under `/dev/mailbox`: what would have been sent, for people and, asked
 * with `Accept: application/json`, for tests. It shows every mail to whoever asks. Mounted only where
 * mails are kept instead of sent.
 */
export function mailboxRoutes({ database, csrf, previews }: MailboxDependencies): Router {
  const router = new Router({ prefix: '/dev/mailbox' });

  router.get('/', async (ctx) => {
    const to = recipientOf(ctx);
    const wantsJson = ctx.accepts('html', 'json') === 'json';
    ctx.vary('Accept');
    if (wantsJson) {
      const mails = await database.query<Mail>(newest, [to, shown]);
      answer(ctx, { mails: mails.map(mailView) });
      return;
    }
    const mails = await database.query<MailSummary>(newestInShort, [to, shown]);
    const page = { ...pageContext(ctx), csrf: csrf.token(ctx) };
    sendPage(ctx, 200, mailboxPage(page, { mails, to }));
  });

  router.get('/previews', (ctx) => {
    const page = pageContext(ctx);
    const letters = previews.map((preview) => ({
      kind: preview.kind,
      variant: preview.variant,
      subject: preview.render(page.t.locale).subject,
    }));
    sendPage(ctx, 200, previewsPage(page, letters));
  });

  router.get('/previews/:kind/:variant', (ctx) => {
    const page = pageContext(ctx);
    framing(ctx);
    const preview = previewOf(ctx);
    sendPage(ctx, 200, previewPage(page, { ...preview, ...preview.render(page.t.locale) }));
  });

  router.get('/previews/:kind/:variant/html', (ctx) => {
    sendMailHtml(ctx, previewOf(ctx).render(pageContext(ctx).t.locale).html);
  });

  router.get('/:id', async (ctx) => {
    const mail = await mailOf(ctx);
    ctx.vary('Accept');
    if (ctx.accepts('html', 'json') === 'json') {
      answer(ctx, mailView(mail));
      return;
    }
    framing(ctx);
    sendPage(ctx, 200, mailPage(pageContext(ctx), mail));
  });

  router.get('/:id/html', async (ctx) => {
    sendMailHtml(ctx, (await mailOf(ctx)).html);
  });

  router.get('/:id/text', async (ctx) => {
    ctx.type = 'text/plain; charset=utf-8';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = (await mailOf(ctx)).text;
  });

  // Another site cannot send a DELETE without asking first (CORS), and is never allowed to.
  router.delete('/', async (ctx) => {
    await database.query(remove, [recipientOf(ctx)]);
    ctx.status = 204;
  });

  router.post('/clear', async (ctx) => {
    csrf.check(ctx, await readForm(ctx));
    await database.query(remove, [null]);
    ctx.status = 303;
    ctx.redirect('/dev/mailbox');
  });

  async function mailOf(ctx: Context): Promise<Mail> {
    const { id = '' } = ctx.params as { id?: string };
    const [mail] = /^[1-9]\d{0,14}$/.test(id) ? await database.query<Mail>(byId, [Number(id)]) : [];
    if (!mail) throw notFound();
    return mail;
  }

  function previewOf(ctx: Context): MailPreview {
    const { kind, variant } = ctx.params as Record<string, string>;
    const preview = previews.find(
      (preview) => preview.kind === kind && String(preview.variant) === variant,
    );
    if (!preview) throw notFound();
    return preview;
  }

  return router;
}

const newest = `
  select * from mailbox where $1::text is null or recipient = $1 order by id desc limit $2`;

const newestInShort = `
  select id, kind, recipient, subject, sent_at from mailbox
  where $1::text is null or recipient = $1 order by id desc limit $2`;

const byId = 'select * from mailbox where id = $1';

const remove = 'delete from mailbox where $1::text is null or recipient = $1';

/** A mail as a test reads it. */
function mailView(mail: Mail): Record<string, unknown> {
  const { id, kind, sender, recipient, subject, sent_at, text, html } = mail;
  return {
    id,
    kind,
    from: sender,
    to: recipient,
    subject,
    sentAt: sent_at.toISOString(),
    text,
    html,
    links: text.match(/https?:\/\/\S+/g) ?? [],
    code: /: (\d{6,8})$/m.exec(text)?.[1] ?? null,
  };
}

function recipientOf(ctx: Context): string | null {
  const { to } = ctx.query;
  return typeof to === 'string' && to.trim() !== '' ? to.trim().toLowerCase() : null;
}

function answer(ctx: Context, body: object): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.body = body;
}

/** Lets this page, which is ours, show the mail in a frame. */
function framing(ctx: Context): void {
  const policy = ctx.response.get('Content-Security-Policy') || "default-src 'none'";
  ctx.set('Content-Security-Policy', `${policy}; frame-src 'self'`);
}

/** The mail as its reader would see it: no script, no form, nothing loaded, in a world of its own. */
function sendMailHtml(ctx: Context, html: string): void {
  ctx.type = 'text/html; charset=utf-8';
  ctx.set({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'; sandbox",
    'X-Frame-Options': 'SAMEORIGIN',
    'Cache-Control': 'no-store',
  });
  ctx.body = html;
}

function notFound(): Problem {
  return new Problem(404, 'not_found', 'There is no such mail.');
}
