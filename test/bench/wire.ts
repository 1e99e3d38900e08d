import { connect, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface WireAnswer {
  status: number;
  /** The header, in the case it was sent in. */
  head: string;
  body: string;
}

/**
 * One HTTP/1.1 connection that is kept: one request at a time. It costs a fraction of what
 * `node:http` costs, so that the machine works for the server and not for who asks it.
 */
export class Wire {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #answered: ((answer: WireAnswer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  /** @param localAddress from where it asks: who counts requests by address counts them apart */
  constructor(port: number, localAddress = '127.0.0.1') {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    this.#socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#parse();
    });
    this.#socket.on('error', (error) => this.#failed?.(error));
    this.#socket.on('close', () => this.#failed?.(new Error('The connection was closed.')));
  }

  send(request: string): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #parse(): void {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    let body: string;
    if (length) {
      const until = end + 4 + Number(length[1]);
      if (this.#received.length < until) return;
      body = this.#received.toString('utf8', end + 4, until);
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      const whole = unchunked(this.#received.subarray(end + 4));
      if (whole === null) return;
      body = whole;
    } else body = '';
    this.#received = Buffer.alloc(0);
    this.#answered!({ status: Number(head.slice(9, 12)), head, body });
  }
}

/** The text of a chunked body, or null while it is not all there. */
function unchunked(bytes: Buffer): string | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (size === 0) return bytes.length >= line + 4 ? Buffer.concat(parts).toString() : null;
    if (bytes.length < line + 2 + size + 2) return null;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

/** A browser with one connection, as far as signing in needs one. */
export class Browser {
  readonly #wire: Wire;
  readonly #host: string;
  readonly #cookies = new Map<string, Cookie>();
  readonly #headers = new Map<string, string>();

  constructor(port: number, host: string) {
    this.#wire = new Wire(port);
    this.#host = host;
  }

  async get(path: string, headers = 'Accept: text/html\r\n'): Promise<WireAnswer> {
    return this.#kept(
      await this.#wire.send(
        `GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${headers}${this.#cookieHeader(path)}\r\n`,
      ),
    );
  }

  async post(
    path: string,
    form: string,
    headers = 'Accept: application/json\r\n',
  ): Promise<WireAnswer> {
    return this.#kept(
      await this.#wire.send(
        `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${headers}${this.#cookieHeader(path)}` +
          `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${Buffer.byteLength(form)}\r\n\r\n${form}`,
      ),
    );
  }

  /** Any method, with a body as a program sends it. */
  send(method: string, path: string, headers: string, body?: string): Promise<WireAnswer> {
    const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    return this.#wire.send(
      `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${headers}${length}\r\n${body ?? ''}`,
    );
  }

  /** Forgets all cookies but those whose name fits. */
  forget(keep: RegExp): void {
    for (const [key, { name }] of this.#cookies) if (!keep.test(name)) this.#cookies.delete(key);
    this.#headers.clear();
  }

  close(): void {
    this.#wire.close();
  }

  #kept(answer: WireAnswer): WireAnswer {
    if (!/\r\nset-cookie:/i.test(answer.head)) return answer;
    for (const line of answer.head.split('\r\n')) {
      if (!/^set-cookie:/i.test(line)) continue;
      const [pair = '', ...attributes] = line
        .slice(line.indexOf(':') + 1)
        .trim()
        .split('; ');
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals);
      const value = pair.slice(equals + 1);
      const path = attributes.find((one) => one.startsWith('path='))?.slice(5) ?? '/';
      const key = `${name};${path}`;
      if (this.#cookies.get(key)?.value === value) continue;
      if (value === '') this.#cookies.delete(key);
      else this.#cookies.set(key, { name, value, path });
      this.#headers.clear();
    }
    return answer;
  }

  #cookieHeader(target: string): string {
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    let header = this.#headers.get(path);
    if (header === undefined) {
      const pairs = [...this.#cookies.values()]
        .filter((one) => one.path === '/' || path === one.path || path.startsWith(`${one.path}/`))
        .map(({ name, value }) => `${name}=${value}`);
      header = pairs.length > 0 ? `Cookie: ${pairs.join('; ')}\r\n` : '';
      if (this.#headers.size > 20) this.#headers.clear();
      this.#headers.set(path, header);
    }
    return header;
  }
}

/** Where an answer redirects to, or null. */
export function locationOf({ head }: WireAnswer): string | null {
  return /\r\nlocation: *([^\r\n]+)/i.exec(head)?.[1] ?? null;
}
