import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { pageContext, queryText, referenceOf, sendPage } from '../context.ts';
import type { PageContext } from '../layout.ts';
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from '../pages/device.ts';
import { formPostPage } from '../pages/front.ts';
import { signedOutPage, signOutPage } from '../pages/sign-out.ts';
import { errorPage } from '../pages/trouble.ts';

/** The pages that the engine asks for. */
export interface EnginePages {
  error(ctx: KoaContextWithOIDC, out: EngineError, error: Error): void;
  userCodeInput(ctx: KoaContextWithOIDC, form: string, out?: EngineError, error?: Error): void;
  userCodeConfirm(
    ctx: KoaContextWithOIDC,
    form: string,
    client: unknown,
    deviceInfo: unknown,
    userCode: string,
  ): void;
  deviceDone(ctx: KoaContextWithOIDC): void;
  signOut(ctx: KoaContextWithOIDC, form: string): void;
  signedOut(ctx: KoaContextWithOIDC): void;
}

export interface EngineError {
  error: string;
  error_description?: string | undefined;
}

/**
 * The engine's pages, as ours. It hands over small forms as markup; the one value in them that
 * matters is its token against forged forms.
 */
export function enginePages(): EnginePages {
  return {
    error(ctx, out, error) {
      const { params } = ctx.oidc;
      sendPage(
        ctx,
        ctx.status >= 400 ? ctx.status : 400,
        errorPage({
          ...pageContext(ctx, { requested: params?.['ui_locales'] }),
          status: ctx.status,
          // What went wrong inside stays inside.
          detail: out.error === 'server_error' ? undefined : out.error_description,
          code: out.error,
          reference: referenceOf(ctx),
        }),
      );
      void error;
    },

    userCodeInput(ctx, form, out, error) {
      const userCode = (error as { userCode?: string } | undefined)?.userCode;
      sendPage(
        ctx,
        out ? 400 : 200,
        deviceCodePage({
          ...pageContext(ctx),
          action: '/device',
          xsrf: tokenIn(form),
          userCode: userCode ?? queryText(ctx, 'user_code'),
          error: error && codeError(error),
        }),
      );
    },

    userCodeConfirm(ctx, form, client, _deviceInfo, userCode) {
      sendPage(
        ctx,
        200,
        deviceConfirmPage({
          ...pageContext(ctx),
          action: '/device',
          xsrf: tokenIn(form),
          userCode,
          clientName: nameOf(client) ?? '',
        }),
      );
    },

    deviceDone(ctx) {
      sendPage(
        ctx,
        200,
        deviceDonePage({ ...pageContext(ctx), clientName: nameOf(ctx.oidc.client) }),
      );
    },

    signOut(ctx, form) {
      sendPage(
        ctx,
        200,
        signOutPage({
          ...pageContext(ctx, { requested: ctx.oidc.params?.['ui_locales'] }),
          formAction: '/oauth/end_session/confirm',
          xsrf: tokenIn(form),
          stayHref: '/',
          clientName: nameOf(ctx.oidc.client),
        }),
      );
    },

    signedOut(ctx) {
      sendPage(
        ctx,
        200,
        signedOutPage({ ...pageContext(ctx), clientName: nameOf(ctx.oidc.client) }),
      );
    },
  };
}

/**
 * The engine carries some answers as a form that a script submits, on a bare page of its own. The
 * same form on our page: it says what happens, and works without the script.
 */
export function dressFormPost(ctx: Context): void {
  const { body } = ctx;
  if (typeof body !== 'string' || !body.includes('<title>Submitting Callback</title>')) return;
  const action = /<form method="post" action="([^"]*)">/.exec(body);
  if (!action) return;
  const fields: Record<string, string> = {};
  for (const [, name, value] of body.matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g,
  ))
    fields[name!] = unescapeHtml(value!);
  const { status } = ctx;
  const page = onTheWay(ctx);
  sendPage(
    ctx,
    status,
    formPostPage({
      ...page,
      action: unescapeHtml(action[1]!),
      fields,
      // A code that came by a link goes to no application: it is looked at here.
      title: ctx.path === '/device' ? page.t('device.title') : undefined,
    }),
  );
}

/** A page that is left at once. Asked for again, in another language, it would be another answer. */
function onTheWay(ctx: Context | KoaContextWithOIDC): PageContext {
  const { oidc } = ctx as Partial<KoaContextWithOIDC>;
  return {
    ...pageContext(ctx, { requested: oidc?.params?.['ui_locales'] }),
    here: undefined,
  };
}

function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => characters[name]!);
}

const characters: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
};

function tokenIn(form: string): string {
  return /name="xsrf" value="([^"]*)"/.exec(form)?.[1] ?? '';
}

function nameOf(client: unknown): string | undefined {
  return (client as { clientName?: string } | undefined)?.clientName;
}

function codeError(error: Error): 'missing' | 'wrong' | 'aborted' {
  if (error.name === 'AbortedError') return 'aborted';
  return error.name === 'NoCodeError' ? 'missing' : 'wrong';
}
