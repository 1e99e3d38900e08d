import { describe, expect, vi } from 'vitest';
import { closeAccount } from '#identity/accounts/close.ts';
import { invite } from '#identity/belonging/invite.ts';
import { createScimToken } from '#identity/scim/token.ts';
import { requestErasure } from '#identity/users/erase.ts';
import { unitOfWork } from '#identity/work.ts';
import { it } from '#test/support/it.ts';

const day = 86_400;

/** Each of these is tested where it is; here, that somebody calls it. */
describe('a server that runs', () => {
  it('does by itself what is due: sweeps, closes, erases, reminds, counts and seals', async ({
    given,
    server,
  }) => {
    const { app, clock } = server;
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    const gone = await given.account('Gone');
    const ann = await given.user('ann@nowhere.example');
    const person = (await given.person(ann))!;
    const actor = { type: 'user', id: ann.id } as const;
    await given.work(async (work) => {
      await invite(work, acme, {
        email: 'ida@nowhere.example',
        givenName: 'Ida',
        familyName: 'Ito',
        country: null,
        entitlementCountry: null,
        roles: [],
        groups: [],
      });
      await closeAccount(work, gone.id, 'The contract ended.');
      await createScimToken(work, acme.id, {
        name: 'Entra ID',
        expiresAt: new Date(clock().getTime() + 34 * day * 1000),
      });
    });
    await unitOfWork(given.foundation, { actor }, (work) => requestErasure(work, person));
    await given.rows(
      `insert into oidc_artifacts (id, model, payload, expires_at)
       values ('old', 'AccessToken', '{}', now())`,
    );
    clock.advance(31 * day);

    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await app.start();
      vi.advanceTimersByTime(11 * 60_000);
    } finally {
      vi.useRealTimers();
    }
    const undone = {
      sweep: 'select 1 from oidc_artifacts',
      tending: `select 1 from invitations where state = 'pending'`,
      closing: `select 1 from accounts where status = 'closing'`,
      erasure: `select 1 from users where id = '${ann.id}' and identity <> 'erased'`,
      sealing: 'select 1 from audit_events where hash is null',
      counting: `select 1 where not exists (select from counting where position > 0)`,
      reminding: `select 1 where not exists (
        select from mailbox where recipient = 'fay@acme.example')`,
    };
    for (const [what, still] of Object.entries(undone))
      await expect.poll(() => given.rows(still), { timeout: 10_000, message: what }).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});
