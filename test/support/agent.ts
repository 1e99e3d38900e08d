import { request, type IncomingHttpHeaders } from 'node:http';
import { parse, type DefaultTreeAdapterTypes } from 'parse5';

/** An answer, as a browser or a program would see it. */
export class Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Where it came from. */
  readonly url: URL;

  constructor(status: number, headers: IncomingHttpHeaders, text: string, url: URL) {
    this.status = status;
    this.headers = headers;
    this.text = text;
    this.url = url;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- what a test looks into it knows
  get json(): any {
    return JSON.parse(this.text);
  }

  /** Where it redirects to, or null. */
  get location(): URL | null {
    const { location } = this.headers;
    return location === undefined ? null : new URL(location, this.url);
  }

  /** The forms of the page, in their order. */
  get forms(): Form[] {
    return elements(parse(this.text), 'form').map((form) => ({
      action: new URL(attribute(form, 'action') ?? '', this.url).href,
      method: attribute(form, 'method') ?? 'get',
      fields: Object.fromEntries([
        ...elements(form, 'select').map((list) => {
          const options = elements(list, 'option');
          const chosen = options.find((one) => attribute(one, 'selected') !== null) ?? options[0];
          return [attribute(list, 'name') ?? '', (chosen && attribute(chosen, 'value')) ?? ''];
        }),
        ...elements(form, 'textarea').map((text) => [attribute(text, 'name') ?? '', textOf(text)]),
        ...elements(form, 'input')
          .filter((input) => {
            const type = attribute(input, 'type');
            return (
              type !== 'submit' && !(type === 'checkbox' && attribute(input, 'checked') === null)
            );
          })
          .map((input) => [attribute(input, 'name') ?? '', attribute(input, 'value') ?? '']),
      ] as [string, string][]),
      boxes: elements(form, 'input')
        .filter((input) => attribute(input, 'type') === 'checkbox')
        .map((input) => ({
          name: attribute(input, 'name') ?? '',
          value: attribute(input, 'value') ?? 'on',
          required: attribute(input, 'required') !== null,
        })),
    }));
  }

  /** What a person reads: the text of `main`, in one line. */
  get words(): string {
    return elements(parse(this.text), 'main')
      .map((main) => textOf(main))
      .join(' ')
      .replace(/\s+/g, ' ')
      .trim();
  }

  /** The texts of what is announced as an error. */
  get alerts(): string[] {
    return all(parse(this.text))
      .filter((element) => attribute(element, 'role') === 'alert')
      .map((element) => textOf(element).replace(/\s+/g, ' ').trim());
  }
}

export interface Form {
  action: string;
  method: string;
  fields: Record<string, string>;
  boxes: { name: string; value: string; required: boolean }[];
}

export interface AgentRequest {
  method?: string;
  headers?: Record<string, string>;
  form?: Record<string, string> | URLSearchParams;
  json?: unknown;
  body?: string | Buffer;
}

/**
 * A browser without a screen: keeps cookies by path, fills in forms, and follows redirects only
 * within the server it belongs to, when told to. With `cookies: false` it is a program.
 */
export class Agent {
  readonly base: URL;
  readonly #cookies = new Map<string, { name: string; value: string; path: string }>();
  readonly #keepsCookies: boolean;
  headers: Record<string, string> = {};

  constructor(base: string, { cookies = true }: { cookies?: boolean } = {}) {
    this.base = new URL(base);
    this.#keepsCookies = cookies;
  }

  get(path: string | URL, options: AgentRequest = {}): Promise<Answer> {
    return this.send(path, { ...options, method: 'GET' });
  }

  post(path: string | URL, options: AgentRequest = {}): Promise<Answer> {
    return this.send(path, { method: 'POST', ...options });
  }

  /** Sends a form with what it holds, changed by what a person types. */
  submit(
    form: Form,
    typed: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.post(form.action, { form: { ...form.fields, ...typed }, headers });
  }

  /** Follows redirects until a page, or until one leads elsewhere: that answer is given back. */
  async follow(answer: Answer): Promise<Answer> {
    let current = answer;
    for (let step = 0; step < 20; step += 1) {
      const to = current.location;
      if (!to || to.origin !== this.base.origin || current.status < 300 || current.status > 399)
        return current;
      current = await this.get(to);
    }
    throw new Error(`It redirects for ever: ${current.url.href}`);
  }

  send(
    path: string | URL,
    { method = 'GET', headers = {}, form, json, body }: AgentRequest,
  ): Promise<Answer> {
    const url = new URL(path, this.base);
    const payload =
      body ??
      (form
        ? new URLSearchParams(form).toString()
        : json === undefined
          ? undefined
          : JSON.stringify(json));
    const all: Record<string, string> = {
      accept:
        form || method === 'GET'
          ? 'text/html,application/json;q=0.9,*/*;q=0.8'
          : 'application/json',
      host: url.host,
      ...this.headers,
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(payload !== undefined && { 'content-length': String(Buffer.byteLength(payload)) }),
      ...headers,
    };
    const cookie = this.#cookieHeader(url);
    if (cookie && this.#keepsCookies) all['cookie'] = cookie;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.base.port,
          path: url.pathname + url.search,
          method,
          headers: all,
          agent: false,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
            resolve(
              new Answer(
                response.statusCode!,
                response.headers,
                Buffer.concat(chunks).toString(),
                url,
              ),
            );
          });
        },
      );
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  cookie(name: string): string | undefined {
    return [...this.#cookies.values()].find((one) => one.name === name)?.value;
  }

  setCookie(name: string, value: string, path = '/'): void {
    this.#cookies.set(`${name};${path}`, { name, value, path });
  }

  forgetCookies(pattern: RegExp = /./): void {
    for (const [key, { name }] of this.#cookies) if (pattern.test(name)) this.#cookies.delete(key);
  }

  #cookieHeader({ pathname }: URL): string {
    return [...this.#cookies.values()]
      .filter(({ path }) => path === '/' || pathname === path || pathname.startsWith(`${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
    const expires = attributes.find((one) => /^expires=/i.test(one))?.slice(8);
    const key = `${name};${path}`;
    if (value === '' || (expires && new Date(expires).getTime() <= 0)) this.#cookies.delete(key);
    else this.#cookies.set(key, { name, value, path });
  }
}

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

function all(node: Node): Element[] {
  const children = 'childNodes' in node ? node.childNodes : [];
  return [...('tagName' in node ? [node] : []), ...children.flatMap(all)];
}

function elements(node: Node, tag: string): Element[] {
  return all(node).filter((element) => element.tagName === tag);
}

function attribute(element: Element, name: string): string | null {
  return element.attrs.find((one) => one.name === name)?.value ?? null;
}

function textOf(node: Node): string {
  if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join(' ') : '';
}
