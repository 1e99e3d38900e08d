import { describe, expect } from 'vitest';
import { tellExpiring } from '#identity/scim/expiry.ts';
import { createScimToken } from '#identity/scim/token.ts';
import { it } from '#test/support/it.ts';

const day = 24 * 3600;

describe('a SCIM token that is soon over', () => {
  it('is told to the administrators 30, 7 and 1 days before, once each, in their language', async ({
    server,
    given,
  }) => {
    const { clock, app } = server;
    const acme = await given.account();
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.rows(`update users set language = 'de' where id = $1`, [fay.id]);
    const inDays = (days: number) => new Date(clock().getTime() + days * day * 1000);
    await given.work(async (work) => {
      await createScimToken(work, acme.id, { name: 'Entra ID', expiresAt: inDays(100) });
      await createScimToken(work, acme.id, { name: 'Brief', expiresAt: inDays(5) });
    });
    const look = async (): Promise<string[]> => {
      await Promise.all([tellExpiring(app.foundation), tellExpiring(app.foundation)]);
      await app.delivery.drain();
      const told = (await given.mails()).map(
        ({ subject, recipient }) => `${recipient}: ${subject}`,
      );
      await given.rows('delete from mailbox');
      return told;
    };
    const told = (label: string, days: string) => [
      `fay@acme.example: ${label}: noch ${days} gültig`,
    ];
    expect(await look()).toEqual([]);
    clock.advance(4 * day + 60);
    expect(await look()).toEqual(told('Brief', '1 Tag'));
    clock.advance(65 * day);
    expect(await look()).toEqual([]);
    clock.advance(day);
    expect(await look()).toEqual(told('Entra ID', '30 Tage'));
    clock.advance(day);
    expect(await look()).toEqual([]);
    clock.advance(28 * day);
    expect(await look()).toEqual(told('Entra ID', '1 Tag'));
    clock.advance(5 * day);
    expect(await look()).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});
