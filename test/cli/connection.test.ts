import { expect } from 'vitest';
import { provider } from '#test/http/federation/support.ts';
import { it } from '#test/support/it.ts';
import { terminal } from './support.ts';

const acmeIdp = provider();

it('an operator sets up a connection at the terminal, tests and disables it', async ({
  given,
  server,
}) => {
  await given.account('Acme', { owns: ['acme.example'] });
  const say = terminal(server, await given.apiToken());
  const made = await say(
    `connection create Acme-sign-in --account Acme --preset generic --issuer ${acmeIdp.issuer} --client-id us --client-secret a-long-secret --domain acme.example --json`,
  );
  expect(made.err).toBe('');
  const { id } = made.json();
  expect((await say('connection list --account Acme')).out).toMatch(
    /Acme-sign-in +oidc +draft +optional +acme.example/,
  );
  const early = await say(`connection activate ${id} --account Acme`);
  expect([early.status, early.err]).toEqual([1, expect.stringContaining('connection_not_ready')]);
  const test = await say(`connection test ${id} --account Acme`);
  expect(test.out).toContain(`${server.url}/federation/${id}/start?test=`);
  expect((await say(`connection show ${id} --account Acme`)).out).toContain('testing');
  const changed = await say(`connection change ${id} --account Acme --tester ann@acme.example`);
  expect(changed.out).toContain('ann@acme.example');
  expect(changed.out).toMatch(/sign-out +here/);
  expect((await say(`connection change ${id} --account Acme --sign-out everywhere`)).out).toMatch(
    /sign-out +everywhere/,
  );
  expect((await say(`connection change ${id} --account Acme`)).status).toBe(2);
  expect((await say(`connection secrets ${id} --account Acme`)).out).toContain('cret');
  expect((await say(`connection add-secret ${id} --account Acme`)).out).toContain('private_key');
  expect((await say(`connection disable ${id} --account Acme`)).out).toContain('disabled');
  expect((await say(`connection remove ${id} --account Acme`)).out).toContain('Removed');
});
