import { createTransport } from 'nodemailer';
import type { Sql } from '../database/sql.ts';

export interface MailAddress {
  name?: string;
  address: string;
}

export interface MailMessage {
  /** What kind of letter it is. Shown in the development mailbox, sent nowhere. */
  kind: string;
  from: MailAddress;
  to: MailAddress;
  subject: string;
  text: string;
  html: string;
  /** The same for each attempt, so that a mailbox can tell a repeated delivery. */
  messageId: string;
  /** What support finds the mail by. */
  reference: string;
}

/** Hands a mail over. When `send` returns, another system has taken it. */
export interface MailTransport {
  send(message: MailMessage): Promise<void>;
  close(): void;
}

/** This mail can never be handed over: trying again changes nothing. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
  /** What the server says where there is no such mailbox: `550 5.1.1`. Null for another reason. */
  readonly noMailbox: string | null;

  constructor(message: string, noMailbox: string | null = null) {
    super(message);
    this.noMailbox = noMailbox;
  }
}

export interface SmtpOptions {
  /** `smtp://user:password@host:587`, or `smtps://`. */
  url: string;
  /** How long one mail may take, whatever the server does. */
  timeoutMs?: number;
  maxConnections?: number;
}

/** Hands mails to a mail server. Connections are kept open between mails. */
export function smtpTransport({
  url,
  timeoutMs = 45_000,
  maxConnections = 4,
}: SmtpOptions): MailTransport {
  const { hostname, port, protocol, username, password, searchParams } = new URL(url);
  const transporter = createTransport({
    pool: true,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port ? Number(port) : protocol === 'smtps:' ? 465 : 587,
    secure: protocol === 'smtps:',
    requireTLS: searchParams.get('requireTLS') === 'true',
    ignoreTLS: searchParams.get('ignoreTLS') === 'true',
    auth: username
      ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
      : undefined,
    maxConnections,
    // The outbox repeats, the pool does not: one attempt is one delivery.
    maxRequeues: 0,
    dnsTimeout: 5000,
    connectionTimeout: 5000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  return {
    async send(message) {
      const { from, to, subject, text, html, messageId, reference } = checked(message);
      try {
        await transporter.sendMail({
          from: { name: from.name ?? '', address: from.address },
          to: { name: to.name ?? '', address: to.address },
          // The envelope is said outright, so that no header is ever read for recipients.
          envelope: { from: from.address, to: [to.address] },
          subject,
          text,
          html,
          messageId: `<${messageId}>`,
          headers: {
            // RFC 3834: nobody's holiday reply comes back.
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            'X-Reference': reference,
          },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.timeout(timeoutMs),
        });
      } catch (error) {
        throw told(error as SmtpError);
      }
    },

    close() {
      transporter.close();
    },
  };
}

/** Keeps mails in the table `mailbox`, where a developer reads them instead of sending them. */
export function mailboxTransport(database: Sql, clock: () => Date): MailTransport {
  return {
    async send(message) {
      const { kind, from, to, subject, text, html } = checked(message);
      await database.query(insertMail, [
        kind,
        from.address,
        to.address,
        subject,
        text,
        html,
        clock(),
      ]);
    },
    close() {},
  };
}

const insertMail = `
  insert into mailbox (kind, sender, recipient, subject, text, html, sent_at)
  values ($1, $2, $3, $4, $5, $6, $7)`;

/** `MAIL_FROM`: an address, or `Name <address>`. */
export function senderOf(text: string): MailAddress {
  const [, name = '', address = ''] = /^(?:([^<>]*)<([^<>]+)>|.*)$/s.exec(text.trim()) ?? [];
  const sender = address
    ? { name: name.trim().replace(/^"(.*)"$/, '$1'), address: address.trim() }
    : { address: text.trim() };
  if (!isAddress(sender.address)) throw new Error(`"${text}" is not an address to send mail from.`);
  return sender;
}

/**
 * One plain address: no quotes, lists, groups, comments or routes, and nothing but ASCII. A quoted
 * `"a@evil.test "@corp.test` was once delivered to evil.test (CVE-2025-13033).
 */
export function isAddress(text: string): boolean {
  return (
    text.length <= 254 &&
    /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(
      text,
    )
  );
}

/** Refuses what could become another recipient or another header. */
function checked(message: MailMessage): MailMessage {
  const { from, to, subject, messageId, reference } = message;
  if (!isAddress(to.address)) throw new MailRefused('The recipient is not one plain address.');
  if (!isAddress(from.address)) throw new MailRefused('The sender is not one plain address.');
  const headers = [from.name ?? '', to.name ?? '', subject, messageId, reference];
  if (headers.some((header) => /\p{Cc}|[\u2028\u2029]/u.test(header)))
    throw new MailRefused('A header has a line break or a control character.');
  if (/[<>\s]/.test(messageId)) throw new MailRefused('The Message-ID is malformed.');
  return message;
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

/**
 * What went wrong, without the server's own words: they repeat addresses.
 *
 * The mail itself is refused for good only by a 5xx to its recipient or its text (RFC 5321, section
 * 4.2.1). A 5xx to our greeting, password or sender is a wrong setting, and may be right tomorrow.
 */
function told({ name, code, command, responseCode = 0, response = '' }: SmtpError): Error {
  const text = ['SMTP', responseCode || undefined, code ?? name, command && `at ${command}`]
    .filter(Boolean)
    .join(' ');
  const aboutMail = command === 'RCPT TO' || command === 'DATA';
  if (responseCode < 500 || !aboutMail) return new Error(text);
  return new MailRefused(text, command === 'RCPT TO' ? noMailbox(responseCode, response) : null);
}

/**
 * That the mailbox is not there, as servers say it: by an enhanced code (RFC 3463: of its address, or
 * switched off), or by the plain one of RFC 5321 where there is none. One that is full, or a server
 * that takes nothing from us, says nothing about the address.
 */
function noMailbox(code: number, response: string): string | null {
  const [, enhanced] = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response) ?? [];
  if (enhanced === undefined) return [550, 551, 553].includes(code) ? String(code) : null;
  return /^5\.(1\.(0|1|2|3|6|10)|2\.1)$/.test(enhanced) ? `${code} ${enhanced}` : null;
}
