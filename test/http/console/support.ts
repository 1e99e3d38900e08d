import { counted } from '#platform/database/database.ts';
import type { Agent, Answer, Form } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';
import { typePassword } from '#test/support/sign-in.ts';
import type { GivenUser, World } from '#test/support/world.ts';

/** Opens a page of the console, signing in on the way when it has to. */
export async function open(browser: Agent, path: string, user: GivenUser): Promise<Answer> {
  const page = await browser.follow(await browser.get(`/console${path}`));
  return page.url.pathname.startsWith('/sign-in/') ? typePassword(browser, page, user) : page;
}

/** The form of a page that is sent to `path` of the console. */
export function formTo(page: Answer, path: string, having: Record<string, string> = {}): Form {
  const form = page.forms.find(
    ({ action, fields }) =>
      new URL(action).pathname === `/console${path}` &&
      Object.entries(having).every(([name, value]) => fields[name] === value),
  );
  if (!form) throw new Error(`No form to ${path} on ${page.url.pathname}: ${page.words}`);
  return form;
}

/** Fills in the form of a page and sends it; the answer is the page one is led to. */
export async function send(
  browser: Agent,
  page: Answer,
  path: string,
  typed: Record<string, string> = {},
): Promise<Answer> {
  return browser.follow(await browser.submit(formTo(page, path), typed));
}

/** Acme, which owns acme.example, and Fay, who administers it. */
export async function acmeAndFay(given: World): Promise<{
  acme: { id: string; name: string };
  fay: GivenUser;
}> {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  return { acme, fay };
}

/** The statements that the server makes to answer one request. */
export async function statementsOf(
  { app }: TestServer,
  browser: Agent,
  path: string,
): Promise<{ answer: Answer; texts: string[] }> {
  const listener = app.listener;
  const answered: Promise<{ texts: string[] }>[] = [];
  app.listener = (request, response) => {
    answered.push(
      counted(
        () =>
          new Promise<void>((resolve) => {
            response.on('close', resolve);
            listener.call(app, request, response);
          }),
      ),
    );
  };
  const answer = await browser.get(path);
  app.listener = listener;
  const [seen] = await Promise.all(answered);
  return { answer, texts: seen!.texts };
}
