import type { Agent, Answer } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';

export interface Mail {
  kind: string;
  recipient: string;
  subject: string;
  text: string;
  html: string;
}

/** What was sent so far, the newest first, once everything queued has left. */
export async function mailsTo(server: TestServer, recipient?: string): Promise<Mail[]> {
  await server.app.delivery.drain();
  const mails = await server.given.mails();
  return mails.filter((mail) => recipient === undefined || mail.recipient === recipient).reverse();
}

/** The newest mail to somebody. */
export async function mailTo(server: TestServer, recipient: string): Promise<Mail> {
  const [mail] = await mailsTo(server, recipient);
  if (!mail) throw new Error(`Nothing was sent to ${recipient}.`);
  return mail;
}

/** The path of the one link of a mail. */
export function linkIn({ text }: Pick<Mail, 'text'>): string {
  const [link] = /https?:\/\/\S+(?:\?token=|\/invitations\/)[\w-]+/.exec(text) ?? [];
  if (!link) throw new Error(`No link in: ${text}`);
  const { pathname, search } = new URL(link);
  return pathname + search;
}

export function codeIn({ text }: Pick<Mail, 'text'>): string {
  const [code] = /(?<!\d)\d{6}(?!\d)/.exec(text) ?? [];
  if (!code) throw new Error(`No code in: ${text}`);
  return code;
}

/** Says that a password is forgotten. */
export async function forget(
  browser: Agent,
  email: string,
  at = '/forgot-password',
): Promise<Answer> {
  const page = await browser.get(at);
  return browser.submit(page.forms[0]!, { email });
}

/** Types a new password into the page of a link. */
export function choose(
  browser: Agent,
  page: Answer,
  password: string,
  again = password,
): Promise<Answer> {
  return browser.submit(page.forms[0]!, { password, password_again: again });
}
