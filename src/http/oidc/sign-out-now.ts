import type { KoaContextWithOIDC } from 'oidc-provider';
import { confirm } from 'oidc-provider/lib/actions/end_session.js';

/**
 * Signs out without asking, and sends the person back: the application proved whom it means, or
 * nobody is signed in. The engine would have a form submitted first, with which it ends the session
 * at a second address; a browser without JavaScript would have to be told to go on, and whoever
 * closed it there would still be signed in. This is the last step of that address: what it reads
 * was put into the session by the first.
 */
export async function signOutNow(ctx: KoaContextWithOIDC): Promise<void> {
  Object.assign(ctx.oidc.params!, { logout: 'yes' });
  await confirm.at(-1)!(ctx);
}
