import { describe, expect } from 'vitest';
import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { it } from '#test/support/it.ts';
import type { Answer } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { caller, someone } from '../http/admin/support.ts';
import { directoryOf } from '../http/scim/support.ts';

/** Two doors at the same moment: each is told in words, one after the other, and neither fails. */

const rounds = 5;
const chosen = 'another quiet otter swims';

/** The secret of a link that was sent. */
async function linkFor(
  given: World,
  user: { id: string },
  purpose: string,
  subject: string,
): Promise<string> {
  const secret = newSecret();
  await given.rows(
    `insert into one_time_tokens (id, purpose, user_id, subject, secret_hash, created_at, expires_at)
     values ($1, $2, $3, $4, $5, now(), now() + interval '30 min')`,
    [newId(), purpose, user.id, subject, secretHash(secret)],
  );
  return secret;
}

const send = (page: Answer, typed = {}) => [page.forms[0]!, typed] as const;

describe('at the same moment', () => {
  it('a new password, a lock and a directory meet, and the person is locked', async ({
    given,
    server,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    const entra = await directoryOf(given, program, acme);
    for (let round = 0; round < rounds; round += 1) {
      const ann = await given.user(`ann${round}@acme.example`, { of: acme });
      const secret = await linkFor(given, ann, 'password_reset', ann.email);
      const browser = server.agent();
      const page = await browser.get(`/reset-password?token=${secret}`);
      const filter = `userName eq "${ann.email}"`;
      const [found] = (await entra.filter('/Users', filter)).json.Resources;
      const [reset, locked, put] = await Promise.all([
        browser.submit(...send(page, { password: chosen, password_again: chosen })),
        admin.post(`/accounts/${acme.id}/users/${ann.id}/lock`, { note: 'x' }),
        entra.patch(`/Users/${found.id}`, { op: 'replace', path: 'active', value: false }),
      ]);
      expect([200, 410]).toContain(reset.status);
      expect([locked.status, put.status]).toEqual([200, 200]);
      const reasons = (await given.person(ann))!.locks.map(({ reason }) => reason).toSorted();
      expect(reasons).toEqual(['admin', 'directory']);
    }
    expect(server.errors).toEqual([]);
  });

  it('two people take one address, while somebody invites it', async ({
    given,
    server,
    program,
  }) => {
    const acme = await given.account('Acme');
    const admin = caller(program, await given.apiToken(acme));
    for (let round = 0; round < rounds; round += 1) {
      const email = `new${round}@gmail.com`;
      const forms = await Promise.all(
        ['ann', 'bob'].map(async (name) => {
          const user = await given.user(`${name}${round}@home.example`);
          const secret = await linkFor(given, user, 'email_change', email);
          const browser = server.agent();
          return { browser, page: await browser.get(`/profile/email/confirm?token=${secret}`) };
        }),
      );
      const [invited, ...taken] = await Promise.all([
        admin.post(`/accounts/${acme.id}/invitations`, someone(email)),
        ...forms.map(({ browser, page }) => browser.submit(...send(page))),
      ]);
      expect(invited.status).toBe(201);
      expect(taken.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
      expect(taken.every(({ status }) => status === 200 || status === 410)).toBe(true);
      expect(await given.rows('select 1 from users where email = $1', [email])).toHaveLength(1);
    }
    expect(server.errors).toEqual([]);
  });
});
