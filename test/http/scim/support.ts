import { createScimToken, type NewScimToken } from '#identity/scim/token.ts';
import { enterpriseSchema, userSchema } from '#identity/scim/schema.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';

export const scimType = 'application/scim+json';

/** A directory of an account, as it speaks to us. */
export class Directory {
  readonly #agent: Agent;
  readonly token: string;
  readonly base: string;

  constructor(agent: Agent, token: string) {
    this.#agent = agent;
    this.token = token;
    this.base = new URL('/scim/v2', agent.base).href;
  }

  /** The same directory, as it speaks to another process. */
  at(agent: Agent): Directory {
    return new Directory(agent, this.token);
  }

  send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.#agent.send(`/scim/v2${path}`, {
      method,
      ...(body !== undefined && {
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
      headers: {
        accept: scimType,
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': scimType }),
        ...headers,
      },
    });
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.send('POST', path, body);
  }

  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.send('PUT', path, body, headers);
  }

  delete(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send('DELETE', path, undefined, headers);
  }

  patch(path: string, ...operations: unknown[]): Promise<Answer> {
    return this.send('PATCH', path, patchOf(...operations));
  }

  filter(path: string, filter: string, more = ''): Promise<Answer> {
    return this.get(`${path}?filter=${encodeURIComponent(filter)}${more}`);
  }

  /** Makes a user and gives the resource. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test looks into it knows
  async user(userName: string, more: Record<string, unknown> = {}): Promise<any> {
    const made = await this.post('/Users', user(userName, more));
    if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
    return made.json;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  async group(displayName: string, members: readonly { id: string }[] = []): Promise<any> {
    const made = await this.post('/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName,
      members: members.map(({ id }) => ({ value: id })),
    });
    if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
    return made.json;
  }
}

export function patchOf(...operations: unknown[]): Record<string, unknown> {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: operations,
  };
}

export function user(
  userName: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { schemas: [userSchema, enterpriseSchema], userName, ...more };
}

/** The directory of an account, with a token of its own. */
export async function directoryOf(
  given: World,
  agent: Agent,
  account: { id: string },
  options: Partial<NewScimToken> = {},
): Promise<Directory> {
  const { secret } = await given.work((work) =>
    createScimToken(work, account.id, { name: 'Entra', ...options }),
  );
  return new Directory(agent, secret!);
}
