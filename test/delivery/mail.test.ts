import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mailHandler } from '#delivery/mail/handler.ts';
import { sampleLetters } from '#delivery/mail/samples.ts';
import { type DeliveryWorker, deliveryWorker } from '#delivery/worker.ts';
import { letters } from '#identity/mail/letter-rules.ts';
import type { Letter } from '#identity/mail/letter.ts';
import { mail, type MailOptions } from '#identity/mail/mail.ts';
import type { Recipient } from '#identity/mail/recipient.ts';
import { insertOutbox, type Origin, type Outgoing, outboxParams } from '#identity/work.ts';
import type { Database } from '#platform/database/database.ts';
import {
  mailboxTransport,
  type MailTransport,
  senderOf,
  smtpTransport,
} from '#platform/mail/transport.ts';
import { vault } from '#platform/secrets.ts';
import { testDatabase } from '#test/support/database.ts';
import {
  fakeClock,
  type FakeClock,
  type FakeLog,
  fakeLog,
  fakeMailServer,
  type FakeMailServer,
  parts,
} from './fakes.ts';

const keys = vault([Buffer.alloc(32, 7)]);
const minute = 60_000;
const ada: Recipient = {
  userId: '0193f1de-0000-7000-8000-000000000001',
  email: 'ada@acme.example',
  name: 'Ada Lovelace',
  locale: 'de',
};

let database: Database;
let server: FakeMailServer;
let smtp: MailTransport;
let clock: FakeClock;
let log: FakeLog;

beforeAll(async () => {
  ({ database } = await testDatabase());
});

beforeEach(async () => {
  await database.query('truncate outbox, mailbox, suppressed_addresses');
  clock = fakeClock();
  log = fakeLog();
  server = await fakeMailServer();
  smtp = smtpTransport({ url: server.url, timeoutMs: 2000 });
});

afterEach(async () => {
  smtp.close();
  await server.close();
});

function worker(transport: MailTransport = smtp): DeliveryWorker {
  const from = senderOf('Ostiary <no-reply@id.example.com>');
  const handler = mailHandler({
    foundation: { database, vault: keys, clock, issuer: 'https://id.example.com' },
    transport,
    from,
    product: 'Ostiary',
  });
  return deliveryWorker({ database, vault: keys, clock, handlers: { mail: handler }, log });
}

/** Queues letters as a unit of work does. */
async function write(
  to: Recipient,
  letter: Letter | Letter[],
  options?: MailOptions,
  origin: Origin = {},
): Promise<void> {
  const outgoing: Outgoing[] = [];
  const work = { origin, send: (one: Outgoing) => void outgoing.push(one) };
  for (const one of [letter].flat()) mail(work, to, one, options);
  await database.query(insertOutbox, outboxParams(keys, clock(), outgoing));
}

const sample = (kind: Letter['kind']): Letter =>
  sampleLetters.find((letter) => letter.kind === kind)!;

interface Row {
  subject: string;
  payload: object;
  sealed: string | null;
  expires_at: Date | null;
  delivered_at: Date | null;
  failed_at: Date | null;
  last_error: string | null;
}

const outbox = (): Promise<Row[]> => database.query<Row>('select * from outbox order by id');

/** The subject and the text of a raw message, decoded. */
function read(raw: string): { subject: string; text: string } {
  const { headers, body } = parts(raw);
  const subject = headers.find((line) => line.startsWith('Subject: '))!.slice(9);
  const [, encoding, text] = /text\/plain.*?Encoding: (\S+)\r\n\r\n(.*?)\r\n----_/s.exec(body)!;
  return { subject: decodedWords(subject), text: decoded(text!, encoding!) };
}

function decodedWords(header: string): string {
  return header
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?q\?(.*?)\?=/gi, (_, text: string) =>
      decoded(text.replaceAll('_', ' '), 'quoted-printable'),
    )
    .replace(/=\?utf-8\?b\?(.*?)\?=/gi, (_, text: string) =>
      Buffer.from(text, 'base64').toString(),
    );
}

function decoded(text: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString();
  if (encoding !== 'quoted-printable') return text;
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

it('writes to a person in their language, with the reference of the request', async () => {
  await write(ada, sample('password_reset'), {}, { reference: 'REF12345AB' });
  await worker().drain();

  const [{ raw, to } = { raw: '', to: [] }] = server.received;
  expect(to).toEqual(['ada@acme.example']);
  const { subject, text } = read(raw);
  expect(subject).toBe('Legen Sie ein neues Passwort für Ostiary fest');
  expect(text).toContain('Guten Tag Ada Lovelace,');
  expect(text).toContain('Ihr Code: 90317264');
  expect(text).toContain('https://id.example.com/reset-password?token=');
  expect(text).toContain('Referenz: REF12345AB');
});

it('writes English to somebody whose language is not known', async () => {
  await write({ email: 'eve@acme.example', locale: null }, sample('registration_code'));
  await worker().drain();
  expect(read(server.received[0]!.raw).text).toMatch(/^Hello,\r\n/);
});

it('hands every letter over, in every variant', async () => {
  for (const [index, letter] of sampleLetters.entries())
    await write({ ...ada, userId: undefined, email: `ada${index}@acme.example` }, letter);
  await worker().drain();
  expect(server.received).toHaveLength(sampleLetters.length);
  expect(log.lines.filter((line) => !line.startsWith('info'))).toEqual([]);
});

it('keeps links and codes sealed until they leave, and then nothing of the letter', async () => {
  for (const letter of sampleLetters) {
    await write(ada, letter);
    const [row] = await outbox();
    const secrets = letters[letter.kind].secret
      .map((name) => Reflect.get(letter, name) as unknown)
      .filter((value) => value !== null);
    expect(secrets.every((secret) => typeof secret === 'string')).toBe(true);
    for (const secret of secrets)
      expect(JSON.stringify({ ...row, sealed: '' }), letter.kind).not.toContain(secret);
    expect(JSON.stringify(row), letter.kind).not.toMatch(/token=/);
    await database.query('truncate outbox');
  }

  await write(ada, sample('invitation'));
  await worker().drain();
  const [row] = await outbox();
  expect(row!.sealed).toBeNull();
  expect(JSON.stringify(row)).not.toMatch(/acme|Ada|Acme/);
});

it('ends with the link in it, or when it is told to', async () => {
  await write(ada, [sample('invitation'), sample('welcome')]);
  await write(ada, sample('welcome'), { expiresAt: new Date('2026-06-02T00:00:00Z') });
  expect((await outbox()).map((row) => row.expires_at)).toEqual([
    new Date('2026-06-08T09:00:00Z'),
    null,
    new Date('2026-06-02T00:00:00Z'),
  ]);
});

it('is written once for one key', async () => {
  const options = { dedupKey: 'reminder:acme:2026-06-01:ada' };
  await write(ada, sample('approval_reminder'), options);
  await write(ada, sample('approval_reminder'), options);
  await worker().drain();
  expect(server.received).toHaveLength(1);
});

it('has the same Message-ID each time it is sent', async () => {
  await write(ada, sample('welcome'));
  const messageIds: string[] = [];
  const stubborn: MailTransport = {
    async send({ messageId }) {
      messageIds.push(messageId);
      if (messageIds.length < 3) throw new Error('no');
    },
    close() {},
  };
  for (let i = 0; i < 3; i++) {
    await worker(stubborn).drain();
    clock.pass(minute);
  }
  expect(messageIds).toHaveLength(3);
  expect(new Set(messageIds).size).toBe(1);
  expect(messageIds[0]).toMatch(/^[\w-]{32}@id\.example\.com$/);
});

it('survives a mail server that is down, slow or greylisting, and sends once', async () => {
  await write(ada, sample('welcome'));
  server.answer = { at: 'rcpt', code: 451, text: 'greylisted' };
  await worker().drain();
  clock.pass(minute);
  server.answer = null;
  server.hang = true;
  await worker().drain();
  clock.pass(minute);
  server.hang = false;
  await worker().drain();
  clock.pass(minute);
  await worker().drain();

  expect(server.received).toHaveLength(1);
  expect(log.lines.map((line) => line.split(' ')[0])).toEqual(['warn', 'warn', 'info']);
  expect(log.lines.join('\n')).not.toMatch(/ada@|https:/);
});

it('gives up at once on a mailbox that does not exist', async () => {
  await write(ada, sample('invitation'));
  server.answer = { at: 'rcpt', code: 550, text: '5.1.1 <ada@acme.example> unknown' };
  await worker().drain();
  expect(await outbox()).toMatchObject([
    {
      failed_at: clock(),
      sealed: null,
      last_error: 'Undeliverable: SMTP 550 EENVELOPE at RCPT TO',
    },
  ]);
});

describe('an address whose mailbox does not exist', () => {
  const hour = 60 * minute;
  const marks = () =>
    database.query<{ email: string; reason: string; code: string }>(
      'select email, reason, code from suppressed_addresses',
    );
  const reset: Letter = { ...sample('password_reset'), by: 'user' } as Letter;

  beforeEach(async () => {
    await write({ ...ada, email: 'Ada@acme.example' }, sample('invitation'));
    server.answer = { at: 'rcpt', code: 550, text: '5.1.1 <ada@acme.example> unknown' };
    await worker().drain();
  });

  it('is marked, and sent nothing that its reader does not ask for', async () => {
    expect(await marks()).toEqual([
      { email: 'ada@acme.example', reason: 'refused', code: '550 5.1.1' },
    ]);
    server.answer = null;
    await write(ada, [sample('welcome'), { ...reset, by: 'administrator' } as Letter]);
    await worker().drain();
    expect(server.received).toEqual([]);
    expect((await outbox()).at(-1)!.last_error).toBe('Undeliverable: suppressed: refused');
    expect(
      await database.query('select action from audit_events order by id desc limit 1'),
    ).toEqual([{ action: 'address.suppressed' }]);
  });

  it('is tried once an hour where its reader waits for the letter, and free when it is taken', async () => {
    await write(ada, [reset, reset]);
    await worker().drain();
    expect((await outbox()).map(({ last_error }) => last_error).slice(1)).toEqual([
      'Undeliverable: SMTP 550 EENVELOPE at RCPT TO',
      'Undeliverable: suppressed: refused, and tried lately',
    ]);
    server.answer = null;
    clock.pass(hour);
    await write(ada, [{ ...reset, expiresAt: new Date(clock().getTime() + hour) } as Letter]);
    await worker().drain();
    expect(server.received).toHaveLength(1);
    expect(await marks()).toEqual([]);
  });
});

it.each([
  ['is full', 552, '5.2.2 over quota'],
  ['takes nothing from us', 550, '5.7.1 blocked'],
  ['says later', 450, '4.1.1 not now'],
])('does not blame the address when a mailbox %s', async (_, code, text) => {
  await write(ada, sample('welcome'));
  server.answer = { at: 'rcpt', code, text };
  await worker().drain();
  expect(await database.query('select 1 from suppressed_addresses')).toEqual([]);
});

it('never writes to an address that is not one plain address', async () => {
  for (const email of [
    '"a@evil.test "@corp.test',
    'a@b.test,c@d.test',
    'a@b.test\r\nRCPT TO:<c@d.test>',
  ])
    await write({ email, locale: null }, sample('registration_known'));
  await worker().drain();
  expect(server.received).toEqual([]);
  expect((await outbox()).every(({ failed_at }) => failed_at !== null)).toBe(true);
});

it('lets no name reach a header or a second line', async () => {
  const name = 'Ada\r\nBcc: victim@evil.test\r\n\r\n<svg onload=alert(1)>\u202e';
  await write(
    { ...ada, name },
    {
      kind: 'invitation',
      account: name,
      invitedBy: name,
      link: 'https://id.example.com/i?token=x',
      expiresAt: new Date('2026-06-08T09:00:00Z'),
    },
  );
  await worker().drain();

  const [mail] = server.received;
  expect(mail!.to).toEqual(['ada@acme.example']);
  const { headers, body } = parts(mail!.raw);
  expect(headers).toHaveLength(10);
  expect(headers.filter((line) => /^(bcc|cc|to):/i.test(line))).toEqual(['To: ada@acme.example']);
  expect(mail!.raw).not.toMatch(/^Bcc:/im);
  expect(body.slice(body.indexOf('text/html'))).not.toContain('<svg');
  expect(mail!.raw).not.toContain('\u202e');
});

describe('to one address', () => {
  const stranger: Recipient = { email: 'victim@acme.example', locale: 'en' };
  const reasons = async (): Promise<(string | null)[]> =>
    (await outbox()).map(({ last_error }) => last_error).filter(Boolean);

  it('go five of a kind in an hour, and no more, whoever asked', async () => {
    for (let i = 0; i < 7; i++)
      await write(
        i % 2 ? { ...stranger, email: 'Victim@acme.example', userId: ada.userId } : stranger,
        sample('registration_code'),
      );
    await write(stranger, sample('registration_known'));
    await worker().drain();

    expect(server.received).toHaveLength(6);
    expect(await reasons()).toEqual([
      'Undeliverable: limit: 5 of a kind in an hour',
      'Undeliverable: limit: 5 of a kind in an hour',
    ]);

    clock.pass(61 * minute);
    await write(stranger, sample('registration_code'));
    await worker().drain();
    expect(server.received).toHaveLength(7);
  });

  it('go twenty in a day, and no more', async () => {
    for (let i = 0; i < 23; i++) {
      await write(stranger, sampleLetters[i * 2]!);
      await worker().drain();
      clock.pass(30 * minute);
    }
    expect(server.received).toHaveLength(20);
    expect(new Set(await reasons())).toEqual(new Set(['Undeliverable: limit: 20 mails in a day']));

    clock.pass(14 * 60 * minute);
    await write(stranger, sample('welcome'));
    await worker().drain();
    expect(server.received).toHaveLength(21);
  });

  it('do not count for another', async () => {
    for (let i = 0; i < 6; i++) await write(stranger, sample('registration_code'));
    await write(ada, sample('registration_code'));
    await worker().drain();
    expect(server.received.map(({ to }) => to[0]).filter((to) => to === ada.email)).toHaveLength(1);
  });
});

it('lies in the development mailbox instead, when there is no mail server', async () => {
  await write(ada, sample('activation'));
  await worker(mailboxTransport(database, clock)).drain();
  expect(await database.query('select * from mailbox')).toMatchObject([
    {
      kind: 'activation',
      sender: 'no-reply@id.example.com',
      recipient: 'ada@acme.example',
      subject: 'Vervollständigen Sie Ihr Profil bei Ostiary',
      sent_at: clock(),
    },
  ]);
});
