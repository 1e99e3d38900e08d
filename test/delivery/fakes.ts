import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Log } from '#delivery/worker.ts';

export interface Received {
  from: string;
  to: string[];
  raw: string;
}

export interface FakeMailServer {
  url: string;
  received: Received[];
  /** What it answers instead of taking a mail. */
  answer: { at: 'rcpt' | 'data' | 'mail'; code: number; text: string } | null;
  /** Takes no mail and says nothing. */
  hang: boolean;
  close(): Promise<void>;
}

/** A mail server at the edge: it speaks SMTP, and keeps what it takes. */
export async function fakeMailServer(): Promise<FakeMailServer> {
  const fake: FakeMailServer = {
    url: '',
    received: [],
    answer: null,
    hang: false,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };

  function refusal(at: string): Error | null {
    if (fake.answer?.at !== at) return null;
    return Object.assign(new Error(fake.answer.text), { responseCode: fake.answer.code });
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    closeTimeout: 50,
    onMailFrom: (_address, _session, done) => done(refusal('mail')),
    onRcptTo: (_address, _session, done) => done(refusal('rcpt')),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (fake.hang) return;
        const error = refusal('data');
        if (error) return done(error);
        const { mailFrom, rcptTo } = session.envelope;
        fake.received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  fake.url = `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  return fake;
}

/** The header lines of a raw message, unfolded, and the body after them. */
export function parts(raw: string): { headers: string[]; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const headers = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  return { headers, body: raw.slice(end + 4) };
}

export interface FakeLog extends Log {
  lines: string[];
}

export function fakeLog(): FakeLog {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (details: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(details)}`);
    };
  return { lines, info: write('info'), warn: write('warn'), error: write('error') };
}

/** A clock that moves only when it is told to. */
export interface FakeClock {
  (): Date;
  pass(ms: number): void;
}

export function fakeClock(start = '2026-06-01T09:00:00Z'): FakeClock {
  let now = Date.parse(start);
  return Object.assign(() => new Date(now), {
    pass(ms: number) {
      now += ms;
    },
  });
}
