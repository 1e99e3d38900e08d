import { randomUUID } from 'node:crypto';
import { Refused } from './refused.ts';

export interface ApiSettings {
  url: string;
  /** Null where none is set: the command says so when it needs one. */
  token: string | null;
}

type Json = Record<string, unknown>;

/** The API of the running server. */
export interface Api {
  get<T = Json>(path: string, query?: Record<string, string | undefined>): Promise<T>;
  /** Every page of a list. */
  list<T = Json>(path: string, query?: Record<string, string | undefined>): Promise<T[]>;
  text(path: string): Promise<string>;
  /** Sends a file as it is. */
  upload<T = Json>(path: string, text: string, type: string): Promise<T>;
  send<T = Json>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

export function apiClient(settings: () => ApiSettings): Api {
  async function call(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<Response> {
    const { url, token } = settings();
    if (token === null)
      throw new Refused(
        'unauthorized',
        'No token: set OSTIARY_TOKEN, or start the demo, whose token is in demo.json.',
      );
    let response: Response;
    try {
      response = await fetch(new URL(`/api/v1${path}`, url), {
        method,
        redirect: 'error',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(method !== 'GET' && { 'idempotency-key': randomUUID() }),
          ...(body !== undefined && { 'content-type': type }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
    } catch (error) {
      const { cause } = error as { cause?: { code?: string; message?: string } };
      throw new Refused(
        'unreachable',
        `No server answers at ${url} (${cause?.code ?? cause?.message ?? 'no connection'}).`,
      );
    }
    if (!response.ok) throw await refusalIn(response, url);
    return response;
  }

  const api: Api = {
    async get<T>(path: string, query = {}): Promise<T> {
      return (await (await call('GET', withQuery(path, query))).json()) as T;
    },

    async list<T>(path: string, query = {}): Promise<T[]> {
      const items: T[] = [];
      let cursor: string | undefined;
      do {
        const page: { items: T[]; nextCursor: string | null } = await api.get(path, {
          ...query,
          ...(cursor !== undefined && { cursor }),
        });
        items.push(...page.items);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return items;
    },

    async text(path) {
      return (await call('GET', path)).text();
    },

    async upload<T>(path: string, text: string, type: string): Promise<T> {
      return (await (await call('POST', path, text, type)).json()) as T;
    },

    async send<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await call(method, path, body);
      return (response.status === 204 ? {} : await response.json()) as T;
    },
  };
  return api;
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}

interface Problem {
  code?: string;
  detail?: string;
  errors?: { field: string; message: string }[];
  details?: { problems?: { field: string; problem: string }[]; why?: string };
}

async function refusalIn(response: Response, url: string): Promise<Refused> {
  const text = await response.text();
  let problem: Problem;
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    return new Refused(
      'unreachable',
      `${url} is no Ostiary server: it answers ${response.status}.`,
    );
  }
  const lines = [
    problem.detail ?? `The server answers ${response.status}.`,
    ...(problem.errors ?? []).map(({ field, message }) => `  ${field}: ${message}`),
    ...(problem.details?.problems ?? []).map((one) => `  ${one.field}: ${one.problem}`),
    ...(problem.details?.why ? [`  ${problem.details.why}`] : []),
  ];
  return new Refused(problem.code ?? `http_${response.status}`, lines.join('\n'), problem);
}
