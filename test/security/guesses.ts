import { it as base } from '#test/support/it.ts';
import { testDatabase } from '#test/support/database.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { authorizeUrl } from '#test/support/sign-in.ts';
import type { GivenClient } from '#test/support/world.ts';

/** `it`, with a server that is set up otherwise. */
export function itWith(options: Parameters<typeof startServer>[1]) {
  return base.extend<{ server: TestServer }>({
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs none
    server: async ({}, use) => {
      const { database, reset } = await testDatabase();
      await reset();
      const server = await startServer(database, options);
      await use(server);
      await server.close();
    },
  });
}

/** Behind a proxy that we were told of: who asks stands in X-Forwarded-For. */
export const itBehindProxy = itWith({ config: { trustedProxies: ['127.0.0.1', '::1'] } });

/** Somebody at a password page, trying. */
export class Guesser {
  readonly agent: Agent;
  readonly #server: TestServer;
  readonly #client: GivenClient;
  #page: Answer | undefined;
  #began = 0;

  constructor(server: TestServer, client: GivenClient, { from }: { from?: string } = {}) {
    this.#server = server;
    this.#client = client;
    this.agent = server.agent();
    if (from) this.agent.headers['x-forwarded-for'] = from;
  }

  /** Types an address and a password into the page; one that is old, or let in, is asked for anew. */
  async guess(
    email: string,
    password: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const now = this.#server.clock().getTime();
    if (!this.#page || now - this.#began > 1800_000) {
      const url = authorizeUrl(this.#client, { prompt: 'login', login_hint: email });
      this.#page = await this.agent.follow(await this.agent.get(url));
      this.#began = now;
    }
    const answer = await this.agent.submit(this.#page.forms[0]!, { email, password }, headers);
    if (answer.status === 303) this.#page = undefined;
    return answer;
  }
}

/** What a page says, without what is another one each time. */
export function sameness(answer: Answer): object {
  const {
    date: _date,
    'content-length': length,
    'set-cookie': cookies = [],
    ...headers
  } = answer.headers;
  return {
    status: answer.status,
    headers,
    cookies: cookies.map((cookie) => cookie.replace(/=[^;]*/, '=')),
    hasLength: length !== undefined,
    text: answer.text
      .replaceAll(/(name="csrf" value=")[^"]*/g, '$1')
      .replaceAll(/\/sign-in\/[\w-]+/g, '/sign-in/uid')
      .replaceAll(/sign_in=[\w-]+/g, 'sign_in=uid')
      .replaceAll(/<code>[0-9A-Z]{10}<\/code>/g, '<code>reference</code>')
      .replaceAll(/[\w.+-]+@[\w.-]+/g, 'address'),
  };
}

export const told = {
  wrong: "We didn't recognize the email address or password you entered.",
  locked:
    'This account is locked because of too many sign-in attempts. Reset your password or ask your administrator to unlock it.',
};
