import { expect } from 'vitest';
import { addApp } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import { terminal } from './support.ts';

it('second factors are shown, reset and demanded at the terminal, of a person, a domain and an account', async ({
  given,
  server,
}) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  await given.user('ann@acme.example', { of: acme });
  const say = terminal(server, await given.apiToken(acme));
  const refused = async (line: string, code: string, status = 1) => {
    const { status: was, err } = await say(line);
    expect([line, was, err]).toEqual([line, status, expect.stringContaining(code)]);
  };

  expect((await say('user factors ann@acme.example')).out).toMatch(/demanded of them +no/);
  const demanded = await say('user require-factor ann@acme.example on --json');
  expect(demanded.json()).toMatchObject({ required: true, factors: [] });
  const lifted = await say('user require-factor ann@acme.example off');
  expect(lifted.out).toMatch(/demanded of them +no/);
  await refused('user reset-factors ann@acme.example', 'second_factor_missing');
  await refused('user require-factor ann@acme.example perhaps', 'on, off', 2);
  await refused('user require-factor ann@acme.example', 'on|off', 2);
  await refused('user factors nobody@acme.example', 'user_not_found');

  await refused('user break-glass fay@acme.example on', 'second_factor_missing');
  await addApp(server, fay);
  expect((await say('user break-glass fay@acme.example on')).out).toMatch(/break-glass +yes/);
  expect((await say('user break-glass fay@acme.example off')).out).toMatch(/break-glass +no/);
  const { factors } = (await say('user factors fay@acme.example --json')).json();
  await refused('user reset-factors fay@acme.example --factor nothing', 'not_found');
  const one = await say(`user reset-factors fay@acme.example --factor ${factors[0].id}`);
  expect(one.out).toContain('sets one up anew');

  expect((await say('domain require-factor acme.example on')).out).toBe('Demanded.\n');
  expect((await say('domain require-factor acme.example off --json')).json()).toEqual({
    required: false,
  });
  await refused('domain require-factor beta.example on', 'domain_not_found');
  const policy = await say(`account second-factor ${acme.id} admins --json`);
  expect(policy.json()).toEqual({ secondFactor: 'admins' });
  expect((await say(`account second-factor ${acme.id} installation`)).out).toContain(
    'as the installation says',
  );
  await refused(`account second-factor ${acme.id} sometimes`, 'policy', 2);
  expect(server.errors).toEqual([]);
});
