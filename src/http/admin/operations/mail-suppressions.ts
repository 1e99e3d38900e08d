import { z } from 'zod';
import { allowMail, suppressAddress, suppressedAddresses } from '#identity/mail/suppression.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { Email, line, paging, Search } from '../schemas.ts';
import { SuppressedAddressList, SuppressionView } from '../views.ts';

/** Addresses whose mails come back: reported by the mail system, shown, and allowed again. */
export const suppressionOperations: readonly AnyOperation[] = [
  operation({
    id: 'reportBounce',
    tag: 'Mail',
    method: 'post',
    path: '/mail/bounces',
    summary: 'Reports that mails to an address come back for good, or are called spam.',
    description:
      'For the mail system behind SMTP_URL, with a token of the scope mail:report. What it may deliver later is not to be reported. Nothing is sent to the address any more, but for what its reader asks for themselves, until they prove it or an administrator allows it.',
    right: 'mail:report',
    body: z.strictObject({
      email: Email,
      reason: z.enum(['bounced', 'complained']).default('bounced'),
      code: line(100).optional().describe('What the other server said, such as 550 5.1.1.'),
    }),
    example: { email: 'ann@acme.example', reason: 'bounced', code: '550 5.1.1' },
    result: SuppressionView,
    status: 201,
    refusals: ['invalid_email'],

    handle(work, { body: { email, reason, code } }) {
      return suppressAddress(work, canonicalEmail(email)!, { reason, code });
    },
  }),
  operation({
    id: 'listSuppressedAddresses',
    tag: 'Mail',
    method: 'get',
    path: '/mail/suppressions',
    summary: 'Lists the addresses that nothing is sent to.',
    right: 'mail:read',
    query: z.strictObject({ q: Search, ...paging }),
    result: SuppressedAddressList,
    refusals: ['invalid_cursor'],

    async handle(work, { query: { q, limit }, cursor }) {
      const rows = await suppressedAddresses(work, { q, after: cursor.after, limit: limit + 1 });
      return cursor.page(rows, limit, ({ email }) => email);
    },
  }),
  operation({
    id: 'allowAddress',
    tag: 'Mail',
    method: 'post',
    path: '/mail/suppressions/allow',
    summary: 'Sends to an address again.',
    right: 'mail:manage',
    body: z.strictObject({ email: Email }),
    example: { email: 'ann@acme.example' },
    result: null,
    refusals: ['not_found', 'invalid_email'],

    handle(work, { body: { email } }) {
      return allowMail(work, canonicalEmail(email));
    },
  }),
  operation({
    id: 'allowMailToUser',
    tag: 'Users',
    method: 'post',
    path: '/accounts/:accountId/users/:userId/allow-mail',
    summary: 'Sends mails to a person again whose mails came back.',
    right: 'users:edit',
    result: null,
    refusals: ['not_found'],

    handle(work, { person }) {
      return allowMail(work, person.email);
    },
  }),
];
