import { describe, expect } from 'vitest';
import { addToAccount } from '#identity/belonging/add.ts';
import { acceptInvitation } from '#identity/belonging/answer-invitation.ts';
import { decideApprovals } from '#identity/belonging/approvals.ts';
import { expireInvitations } from '#identity/belonging/housekeeping.ts';
import { invite } from '#identity/belonging/invite.ts';
import { Account } from '#identity/accounts/account.ts';
import { affiliate } from '#identity/users/affiliate.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { it } from '#test/support/it.ts';
import type { World } from '#test/support/world.ts';

const operator = { role: 'operator', accountId: null, userId: null } as const;

const permitted = (account: { id: string; name: string }) => ({
  ...account,
  status: 'active' as const,
  countries: ['US', 'DE'],
});

/** Beta invites a person; the secret of the link. */
async function invitedBy(given: World, account: { id: string; name: string }, email: string) {
  const secret = newSecret();
  await given.work(async (work) => {
    const id = await invite(work, account, {
      email,
      givenName: 'A',
      familyName: 'B',
      country: 'US',
      roles: [],
      groups: [],
      entitlementCountry: null,
    });
    await work.query('update invitations set secret_hash = $2 where id = $1', [
      id,
      secretHash(secret),
    ]);
  });
  return secret;
}

const settled = (attempts: readonly Promise<unknown>[]) =>
  Promise.all(
    attempts.map((attempt) =>
      attempt.then(
        () => 'won',
        (error: { code?: string }) => error.code ?? 'bug',
      ),
    ),
  );

describe('one person, many doors at the same moment', () => {
  it('two accounts take the same person, by invitation and approval: exactly one wins', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    await given.trust(acme, beta, 'acme.example');
    for (let round = 0; round < 10; round += 1) {
      const ann = await given.user(`ann${round}@acme.example`);
      const request = await given.waiting(ann, acme);
      const secret = await invitedBy(given, beta, ann.email);
      const [approved, accepted] = await Promise.all([
        given.work((work) =>
          decideApprovals(work, operator, permitted(acme), { ids: [request], decision: 'approve' }),
        ),
        acceptInvitation(
          given.foundation,
          server.app.hasher,
          secret,
          { by: 'person', userId: ann.id },
          {},
        ),
      ]);
      const wins = [approved.items[0]!.result === 'approved', accepted.outcome === 'accepted'];
      expect(wins.filter(Boolean)).toHaveLength(1);
      expect(
        await given.rows(
          'select 1 as one from affiliations where user_id = $1 and ended_at is null',
          [ann.id],
        ),
      ).toHaveLength(1);
      // Nothing is left open for them anywhere.
      expect(
        await given.rows(
          `select 1 as one from invitations where email = $1 and state = 'pending'
           union all select 1 from approval_requests where user_id = $2 and state = 'open'`,
          [ann.email, ann.id],
        ),
      ).toEqual([]);
    }
  });

  it('every door at once: one membership, and no deadlock', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta');
    const gamma = await given.account('Gamma');
    for (let round = 0; round < 5; round += 1) {
      const ann = await given.user(`ann${round}@acme.example`);
      const request = await given.waiting(ann, acme);
      const secrets = [
        await invitedBy(given, beta, ann.email),
        await invitedBy(given, gamma, ann.email),
      ];
      await given.trust(acme, round % 2 ? beta : gamma, 'acme.example').catch(() => {});
      const answers = await settled([
        given.work((work) =>
          decideApprovals(work, operator, permitted(acme), { ids: [request], decision: 'approve' }),
        ),
        given.work((work) => addToAccount(work, operator, permitted(acme), ann.id)),
        given.work((work) => affiliate(work, ann.id, gamma.id, 'test')),
        ...secrets.map((secret) =>
          acceptInvitation(
            given.foundation,
            server.app.hasher,
            secret,
            { by: 'person', userId: ann.id },
            {},
          ),
        ),
        expireInvitations(given.foundation),
      ]);
      expect(answers.filter((one) => one === 'bug' || /^\d/.test(one))).toEqual([]);
      expect(
        await given.rows(
          'select 1 as one from affiliations where user_id = $1 and ended_at is null',
          [ann.id],
        ),
      ).toHaveLength(1);
    }
  });

  it('nobody joins an account that is put on hold at that moment', async ({ given }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example');
    const [joined] = await settled([
      given.work((work) => addToAccount(work, operator, permitted(acme), ann.id)),
      given.work(async (work) => {
        const found = await work.em.findOneOrFail(Account, { id: acme.id });
        found.hold('The invoice is open.', work.now);
      }),
    ]);
    expect(['won', 'account_on_hold']).toContain(joined);
    const bob = await given.user('bob@acme.example');
    const [refused] = await settled([
      given.work((work) => addToAccount(work, operator, permitted(acme), bob.id)),
    ]);
    expect(refused).toBe('account_on_hold');
    expect((await given.person(bob))?.affiliation).toBe('none');
  });
});
