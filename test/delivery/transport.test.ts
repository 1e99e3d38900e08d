import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  isAddress,
  type MailMessage,
  MailRefused,
  type MailTransport,
  senderOf,
  smtpTransport,
} from '#platform/mail/transport.ts';
import { fakeMailServer, type FakeMailServer, parts } from './fakes.ts';

let server: FakeMailServer;
let transport: MailTransport;

beforeEach(async () => {
  server = await fakeMailServer();
  transport = smtpTransport({ url: server.url, timeoutMs: 2000 });
});

afterEach(async () => {
  transport.close();
  await server.close();
});

const message: MailMessage = {
  kind: 'welcome',
  from: { name: 'Ostiary', address: 'no-reply@id.example.com' },
  to: { address: 'ada@acme.example' },
  subject: 'Grüße von “Acme”',
  text: 'Guten Tag,\n\n.\nBcc: nobody\n',
  html: '<p>Guten Tag</p>',
  messageId: 'abc123@id.example.com',
  reference: '4H7QX2MKTW',
};

it('hands over one mail to one recipient, with the headers we chose and no other', async () => {
  await transport.send(message);

  const [mail] = server.received;
  expect(mail).toMatchObject({ from: 'no-reply@id.example.com', to: ['ada@acme.example'] });
  const { headers, body } = parts(mail!.raw);
  expect(headers.map((line) => line.split(':', 1).join('')).toSorted()).toEqual([
    'Auto-Submitted',
    'Content-Type',
    'Date',
    'From',
    'MIME-Version',
    'Message-ID',
    'Subject',
    'To',
    'X-Auto-Response-Suppress',
    'X-Reference',
  ]);
  expect(headers).toContain('From: Ostiary <no-reply@id.example.com>');
  expect(headers).toContain('To: ada@acme.example');
  expect(headers).toContain('Message-ID: <abc123@id.example.com>');
  expect(headers).toContain('Auto-Submitted: auto-generated');
  expect(headers).toContain('X-Reference: 4H7QX2MKTW');
  expect(body).toContain('text/plain');
  expect(body).toContain('text/html');
});

it.each([
  ['the subject', { subject: 'Hello\r\nBcc: victim@evil.test' }],
  ['the subject, by a bare line feed', { subject: 'Hello\nBcc: victim@evil.test' }],
  ['the subject, by a Unicode line separator', { subject: 'Hello\u2028Bcc: victim@evil.test' }],
  ['the name of the sender', { from: { name: 'A\r\nBcc: b@evil.test', address: 'a@b.test' } }],
  ['the name of the recipient', { to: { name: 'A\r\nBcc: b@evil.test', address: 'a@b.test' } }],
  ['the reference', { reference: 'x\r\nBcc: victim@evil.test' }],
  ['the Message-ID', { messageId: 'x>\r\nBcc: victim@evil.test' }],
  ['the Message-ID, by a bracket', { messageId: 'x> <y@evil.test' }],
])('refuses a header smuggled in by %s', async (_where, change) => {
  await expect(transport.send({ ...message, ...change })).rejects.toThrow(MailRefused);
  expect(server.received).toEqual([]);
});

const notOneAddress = [
  '',
  'ada',
  'ada@acme.example, eve@evil.test',
  'ada@acme.example;eve@evil.test',
  '"a@evil.test "@corp.test',
  '"a@evil.test x"@corp.test',
  'a@evil.test@corp.test',
  'Ada <ada@acme.example>',
  '<ada@acme.example>',
  'friends: a@b.test, c@d.test;',
  'ada@acme.example\r\nRCPT TO:<eve@evil.test>',
  'ada@acme.example%0aBcc:eve@evil.test ',
  'ada(comment)@acme.example',
  'ada@[127.0.0.1]',
  '@relay.test:ada@acme.example',
  'ada@acme..example',
  '.ada@acme.example',
  'ada @acme.example',
  'm\u0131ke@acme.example',
  '\u212aate@acme.example',
  'ka\u200bte@acme.example',
  'ada@b\u00fccher.example',
  `${'a'.repeat(250)}@b.test`,
];

it.each(notOneAddress)('refuses a recipient that is not one plain address: %j', async (address) => {
  await expect(transport.send({ ...message, to: { address } })).rejects.toThrow(MailRefused);
  expect(server.received).toEqual([]);
});

it.each([
  'ada@acme.example',
  "o'brien+tag@sub.acme.example",
  'a@xn--bcher-kva.example',
  'x@localhost',
])('takes a plain address: %s', (address) => {
  expect(isAddress(address)).toBe(true);
});

it('does not read the name of a recipient as an address', async () => {
  const to = { name: 'eve@evil.test, Ada <x@evil.test>', address: 'ada@acme.example' };
  await transport.send({ ...message, to });
  expect(server.received[0]!.to).toEqual(['ada@acme.example']);
});

describe('a server that refuses', () => {
  it.each(['rcpt', 'data'] as const)('the mail for good (%s) is not asked again', async (at) => {
    server.answer = { at, code: 550, text: '5.1.1 <ada@acme.example>: no such user' };
    const sending = transport.send(message);
    await expect(sending).rejects.toThrow(MailRefused);
    await expect(sending).rejects.not.toThrow(/acme/);
  });

  it.each([
    ['rcpt', 450],
    ['data', 452],
    ['mail', 550],
  ] as const)('for now (%s %d) may be asked again', async (at, code) => {
    server.answer = { at, code, text: 'greylisted ada@acme.example' };
    const sending = transport.send(message);
    await expect(sending).rejects.toThrow(`SMTP ${code}`);
    await expect(sending).rejects.not.toThrow(MailRefused);
  });
});

it('gives up on a server that takes the mail and never answers', async () => {
  server.hang = true;
  const before = performance.now();
  await expect(transport.send(message)).rejects.toThrow(/SMTP/);
  expect(performance.now() - before).toBeLessThan(4000);
});

it('says when there is no server', async () => {
  const nobody = smtpTransport({ url: 'smtp://127.0.0.1:9' });
  await expect(nobody.send(message)).rejects.toThrow(/^SMTP ES?/);
  nobody.close();
});

it('reads MAIL_FROM with and without a name', () => {
  expect(senderOf('no-reply@acme.example')).toEqual({ address: 'no-reply@acme.example' });
  expect(senderOf('Acme, Inc. <no-reply@acme.example>')).toEqual({
    name: 'Acme, Inc.',
    address: 'no-reply@acme.example',
  });
  expect(() => senderOf('nobody')).toThrow('not an address');
  expect(() => senderOf('A <a@b.test>, C <c@d.test>')).toThrow('not an address');
});
