import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** What a name is: text records, a web server's address, an alias, or trouble. */
export interface Zone {
  txt?: string[];
  a?: string[];
  cname?: string;
  /** Answers as if it could not find out. */
  fails?: 'SERVFAIL' | 'REFUSED';
  /** Answers after so long. */
  delayMs?: number;
  /** Never answers. */
  silent?: boolean;
}

const types: Record<number, 'a' | 'cname' | 'txt' | 'aaaa'> = {
  1: 'a',
  5: 'cname',
  16: 'txt',
  28: 'aaaa',
};
const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/** A name server on this machine, over UDP and TCP, that says what a test wants. */
export class FakeDns {
  /** By name; `*.name` is for all below it. */
  readonly zones = new Map<string, Zone>();
  /** What was asked, as `name TYPE`. */
  readonly asked: string[] = [];
  readonly #udp: Socket = createSocket('udp4');
  readonly #tcp: Server = createServer((socket) => {
    let buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      if (buffer.length < 2 || buffer.length < 2 + buffer.readUInt16BE(0)) return;
      const question = buffer.subarray(2, 2 + buffer.readUInt16BE(0));
      buffer = Buffer.alloc(0);
      this.#answer(question, 65_535, (answer) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([length, answer]));
      });
    });
  });
  #port = 0;

  /** The same port for both: taken for TCP first, and another where UDP has it not. */
  static async start(): Promise<FakeDns> {
    for (;;) {
      const dns = new FakeDns();
      await new Promise<void>((resolve) => dns.#tcp.listen(0, '127.0.0.1', resolve));
      dns.#port = (dns.#tcp.address() as AddressInfo).port;
      const free = await new Promise<boolean>((resolve) => {
        dns.#udp.once('error', () => resolve(false));
        dns.#udp.bind(dns.#port, '127.0.0.1', () => resolve(true));
      });
      if (free) return dns.#listening();
      dns.#tcp.close();
    }
  }

  #listening(): FakeDns {
    this.#udp.on('message', (message: Buffer, from: RemoteInfo) => {
      this.#answer(message, 512, (answer) => {
        // A slow answer may come when nobody waits for it any more.
        if (!this.#stopped) this.#udp.send(answer, from.port, from.address);
      });
    });
    return this;
  }

  #stopped = false;

  get server(): string {
    return `127.0.0.1:${this.#port}`;
  }

  set(name: string, zone: Zone): void {
    this.zones.set(name, zone);
  }

  remove(name: string): void {
    this.zones.delete(name);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await new Promise<unknown>((resolve) => this.#tcp.close(resolve));
  }

  #answer(message: Buffer, limit: number, send: (answer: Buffer) => void): void {
    const { name, end } = readName(message, 12);
    const type = types[message.readUInt16BE(end)];
    const question = message.subarray(12, end + 4);
    this.asked.push(`${name} ${type?.toUpperCase()}`);
    const zone = this.#zoneOf(name);
    if (zone?.silent) return;
    const reply = (): void => {
      const code = zone?.fails ?? (zone ? 'NOERROR' : 'NXDOMAIN');
      const records = zone && !zone.fails && type ? recordsOf(zone, type, this) : [];
      const whole = packet(message, question, codes[code], records, false);
      send(whole.length > limit ? packet(message, question, codes[code], [], true) : whole);
    };
    if (zone?.delayMs) setTimeout(reply, zone.delayMs);
    else reply();
  }

  #zoneOf(name: string): Zone | undefined {
    const exact = this.zones.get(name);
    if (exact) return exact;
    for (let rest = name; rest.includes('.');) {
      rest = rest.slice(rest.indexOf('.') + 1);
      const wildcard = this.zones.get(`*.${rest}`);
      if (wildcard) return wildcard;
    }
    return undefined;
  }
}

interface DnsRecord {
  owner: Buffer;
  type: number;
  data: Buffer;
}

/** The name of the question, as a pointer to it. */
const asQuestioned = Buffer.from([0xc0, 0x0c]);

function recordsOf(zone: Zone, type: string, dns: FakeDns): DnsRecord[] {
  const { cname } = zone;
  const alias = cname ? [{ owner: asQuestioned, type: 5, data: writeName(cname) }] : [];
  const owner = cname ? writeName(cname) : asQuestioned;
  const { txt = [], a = [] } = (cname ? dns.zones.get(cname) : zone) ?? {};
  switch (type) {
    case 'txt':
      return [...alias, ...txt.map((text) => ({ owner, type: 16, data: textData(text) }))];
    case 'a':
      return [
        ...alias,
        ...a.map((ip) => ({ owner, type: 1, data: Buffer.from(ip.split('.').map(Number)) })),
      ];
    default:
      return alias;
  }
}

function packet(
  question: Buffer,
  section: Buffer,
  code: number,
  records: DnsRecord[],
  truncated: boolean,
): Buffer {
  const header = Buffer.alloc(12);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (truncated ? 0x0200 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const fixed = (type: number, length: number): Buffer => {
    const part = Buffer.alloc(10);
    part.writeUInt16BE(type, 0);
    part.writeUInt16BE(1, 2);
    part.writeUInt32BE(1, 4);
    part.writeUInt16BE(length, 8);
    return part;
  };
  return Buffer.concat([
    header,
    section,
    ...records.flatMap(({ owner, type, data }) => [owner, fixed(type, data.length), data]),
  ]);
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  while (message[at] !== 0) {
    const length = message[at]!;
    labels.push(message.toString('ascii', at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function writeName(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

/** A text is sent in pieces of at most 255 bytes. */
function textData(text: string): Buffer {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < Math.max(1, bytes.length); at += 255) {
    const piece = bytes.subarray(at, at + 255);
    pieces.push(Buffer.from([piece.length]), piece);
  }
  return Buffer.concat(pieces);
}
