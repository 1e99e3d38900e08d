import { describe, expect } from 'vitest';
import { newId } from '#platform/ids.ts';
import { watchDirectories } from '#identity/scim/failing.ts';
import { changeScimToken, createScimToken } from '#identity/scim/token.ts';
import { it } from '#test/support/it.ts';

describe('a directory whose requests keep failing', () => {
  it('is told to the administrators once, in their language, and once more when it works again', async ({
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
    const make = (name: string, dryRun = false) =>
      given.work(async (work) => (await createScimToken(work, acme.id, { name, dryRun })).token);
    const [entra, trial] = [await make('Entra ID'), await make('Probe', true)];
    const sent = async (token: { id: string }, outcome: 'refused' | 'changed', times = 1) => {
      for (let n = 0; n < times; n += 1) {
        clock.advance(1);
        await given.rows(
          `insert into scim_exchanges (id, token_id, account_id, at, duration_ms, method, target,
             kind, status, outcome, reason, detail)
           values ($1, $2, $3, $4, 1, 'POST', '/Users', 'user.create', 400, $5, $6, $7)`,
          [
            newId(clock().getTime()),
            token.id,
            acme.id,
            clock().toISOString(),
            outcome,
            outcome === 'refused' ? 'uniqueness' : '',
            outcome === 'refused' ? 'There is somebody already.' : '',
          ],
        );
      }
    };
    const look = async (): Promise<string[]> => {
      await Promise.all([watchDirectories(app.foundation), watchDirectories(app.foundation)]);
      await app.delivery.drain();
      const told = (await given.mails()).map(({ subject, text }) => {
        const [, error] = /Letzter Fehler: (.*)/.exec(text) ?? [];
        return [subject, error].filter(Boolean).join(' / ');
      });
      await given.rows('delete from mailbox');
      return told;
    };

    await sent(entra, 'changed', 2);
    await sent(entra, 'refused', 4);
    await sent(trial, 'refused', 8);
    expect(await look()).toEqual([]);
    await sent(entra, 'refused', 2);
    expect(await look()).toEqual([
      'Das Verzeichnis Entra ID schlägt immer wieder fehl / uniqueness: There is somebody already.',
    ]);
    await sent(entra, 'refused', 3);
    expect(await look()).toEqual([]);
    // It is silent for days: that is no recovery.
    clock.advance(3 * 24 * 3600);
    expect(await look()).toEqual([]);
    await sent(entra, 'changed');
    expect(await look()).toEqual(['Das Verzeichnis Entra ID läuft wieder']);
    expect(await look()).toEqual([]);
    // Many good ones of before do not hide that nothing has worked since.
    await sent(entra, 'changed', 60);
    await sent(entra, 'refused', 20);
    expect(await look()).toHaveLength(1);
    // Who lets it only try out is not written to any more.
    await given.work((work) => changeScimToken(work, acme.id, entra.id, { dryRun: true }));
    await sent(entra, 'changed');
    expect(await look()).toEqual([]);
    expect((await given.events()).filter((one) => /failing|recovered/.test(one))).toEqual([
      'scim_token.failing',
      'scim_token.recovered',
      'scim_token.failing',
    ]);
    expect(server.errors).toEqual([]);
  });
});
