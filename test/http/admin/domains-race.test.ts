import { describe, expect } from 'vitest';
import { startServer } from '#test/support/server.ts';
import { testDatabase } from '#test/support/database.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import { it } from '../../identity/domains/support.ts';
import { entities } from '../../../src/entities.ts';
import { caller } from './support.ts';

const rounds = 50;

describe('two organizations that prove the same domain at the same moment (D-23)', () => {
  it(
    'are one owner and one contested, in each of fifty rounds',
    { timeout: 240_000 },
    async ({ organization, given, net, server }) => {
      // On PostgreSQL, two programs on one database, as in production.
      const { url } = await testDatabase();
      const second = url === null ? null : await openPostgres(url, entities, () => {});
      const other = second && (await startServer(second, { config: { dnsServers: net.servers } }));
      try {
        const acme = await organization('Acme');
        const beta = await organization('Beta');
        const betaElsewhere = other
          ? caller(other.agent({ cookies: false }), await given.apiToken(beta))
          : beta;
        const verify = (who: typeof betaElsewhere, id: string, domain: string) =>
          who.post(`/accounts/${id}/domains/${domain}/verify`);
        // Ten at a time: all of them at once, and no more than twenty may wait.
        for (let round = 0; round < rounds; round += 10) {
          const domains = Array.from({ length: 10 }, (_, index) => `round${round + index}.test`);
          await Promise.all(
            domains.flatMap((domain) => [
              acme.claimAndPublish(domain),
              beta.claimAndPublish(domain),
            ]),
          );
          const answers = await Promise.all(
            domains.map((domain) =>
              Promise.all([verify(acme, acme.id, domain), verify(betaElsewhere, beta.id, domain)]),
            ),
          );
          for (const both of answers) {
            expect(both.map(({ status }) => status)).toEqual([200, 200]);
            expect(both.map(({ json }) => json.state as string).sort()).toEqual([
              'contested',
              'owned',
            ]);
          }
        }
        const owners = await given.rows<{ owners: number }>(
          `select count(*)::int as owners from domains where state = 'owned' group by name`,
        );
        expect(owners).toHaveLength(rounds);
        expect(owners.every((row) => row.owners === 1)).toBe(true);
        const said = await given.rows<{ count: number }>(
          `select count(*)::int as count from audit_events where action = 'domain.owned'`,
        );
        expect(said[0]!.count).toBe(rounds);
        expect(server.errors).toEqual([]);
        expect(other?.errors ?? []).toEqual([]);
      } finally {
        await other?.close();
        await second?.close();
      }
    },
  );
});

describe('many who do the same at once', () => {
  it('claim a domain once, and own it once, whoever looks', async ({
    organization,
    check,
    server,
    given,
  }) => {
    const acme = await organization('Acme');
    for (let round = 0; round < 10; round += 1) {
      const domain = `once${round}.test`;
      await acme.claimAndPublish(domain);
      server.clock.advance(3601);
      const path = `/accounts/${acme.id}/domains/${domain}/verify`;
      const answers = await Promise.all([acme.post(path), acme.post(path), check(), check()]);
      expect(
        answers
          .slice(0, 2)
          .map((answer) => (answer as { status: number }).status)
          .every((status) => status === 200 || status === 429),
      ).toBe(true);
      expect(await acme.state(domain)).toBe('owned');
    }
    const [said] = await given.rows<{ count: number }>(
      `select count(*)::int as count from audit_events where action = 'domain.owned'`,
    );
    expect(said!.count).toBe(10);
    expect(server.errors).toEqual([]);
  });

  it('cancel and prove a claim, and one of both is what happened', async ({
    organization,
    server,
    given,
  }) => {
    const acme = await organization('Acme');
    for (let round = 0; round < 15; round += 1) {
      const domain = `either${round}.test`;
      await acme.claimAndPublish(domain);
      const path = `/accounts/${acme.id}/domains/${domain}`;
      const [verified, cancelled] = await Promise.all([
        acme.post(`${path}/verify`),
        acme.delete(path),
      ]);
      // Let go after it was proved, given up before, or not there any more.
      const state = await acme.state(domain);
      expect(['released', 'cancelled']).toContain(state);
      expect(cancelled.status).toBe(204);
      expect([200, 409]).toContain(verified.status);
    }
    const open = await given.rows(`select 1 from domains where state in ('owned', 'pending')`);
    expect(open).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('answer a request, and one answer counts', async ({ organization, server }) => {
    const acme = await organization('Acme');
    const beta = await organization('Beta');
    for (let round = 0; round < 15; round += 1) {
      const domain = `asked${round}.test`;
      await acme.claimAndPublish(domain);
      await acme.verify(domain);
      const asked = await beta.post(`/accounts/${beta.id}/domains/${domain}/request-access`);
      const decide = (decision: string) =>
        acme.post(`/accounts/${acme.id}/domain-requests/${asked.json.id}/decide`, { decision });
      const answers = await Promise.all([decide('grant'), decide('refuse')]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
      const [no] = answers.filter(({ status }) => status === 409);
      expect(no!.json.code).toBe('already_decided');
    }
    expect(server.errors).toEqual([]);
  });
});
