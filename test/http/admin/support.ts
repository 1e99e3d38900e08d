import type { Agent, AgentRequest, Answer } from '#test/support/agent.ts';

/** A program that has a token. */
export function caller(program: Agent, token: string) {
  const send = (method: string, path: string, json?: unknown, headers = {}): Promise<Answer> =>
    program.send(`/api/v1${path}`, {
      method,
      ...(json !== undefined && { json }),
      headers: { authorization: `Bearer ${token}`, ...headers },
    } satisfies AgentRequest);
  return {
    get: (path: string) => send('GET', path),
    post: (path: string, json: unknown = {}, headers?: Record<string, string>) =>
      send('POST', path, json, headers),
    patch: (path: string, json: unknown) => send('PATCH', path, json),
    delete: (path: string) => send('DELETE', path),
    file: (path: string, body: string, headers: Record<string, string> = {}) =>
      program.send(`/api/v1${path}`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv', ...headers },
      }),
    send,
  };
}

export type Caller = ReturnType<typeof caller>;

/** Statuses in order, for requests that were sent at the same time. */
export function statusesOf(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort((one, other) => one - other);
}

/** A person as the API takes one. */
export function someone(email: string, more: object = {}): object {
  return { email, givenName: 'New', familyName: 'Person', country: 'US', ...more };
}

/** What two answers have to have in common so that nobody can tell them apart. */
export function apartFromReference({ status, json, headers }: Answer): unknown {
  const { ref, ...rest } = json as Record<string, unknown>;
  void ref;
  return { status, type: headers['content-type'], ...rest };
}
