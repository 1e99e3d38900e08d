import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { connectedSaml, idpEntityId, idpMetadata } from '#test/support/saml-connection.ts';
import { signInBySaml } from '#test/http/federation/saml-support.ts';
import { it } from '#test/support/it.ts';
import { keyOf } from '#test/support/saml-idp.ts';
import { terminal } from './support.ts';

it('an administrator finds out at the terminal why Ann did not come in, and what would help', async ({
  given,
  server,
}) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const client = await given.client();
  const { id } = await connectedSaml(given, acme, {
    provisioning: { missing: 'reject' },
  });
  await signInBySaml(server, server.agent(), client, 'ann@acme.example', {
    attributes: { email: ['ann@acme.example'], fn: ['Ann'], surname: ['A'], country: ['US'] },
  });
  const say = terminal(server, await given.apiToken(acme));
  const listed = await say(`connection traces ${id} --outcome failed --json`);
  expect(listed.err).toBe('');
  const [{ id: trace }] = listed.json();
  expect((await say(`connection trace ${id} ${trace}`)).out).toContain('attributes_missing');
  expect((await say(`connection health ${id}`)).out).toContain('attributes_missing (1)');
  expect((await say(`connection readiness ${id}`)).out).toContain('It cannot be activated yet.');

  const folder = mkdtempSync(join(tmpdir(), 'ostiary-cli-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  try {
    const mapping = file('mapping.json', '{"attributes":{"givenName":["fn"]}}');
    const tried = await say(`connection simulate ${id} --trace ${trace} --mapping ${mapping}`);
    expect(tried.out).toMatch(/outcome +create/);
    const claims = file('claims.json', '{"sub":"1","email":"ann@elsewhere.example"}');
    expect((await say(`connection simulate ${id} --claims ${claims}`)).out).toContain('refuse');
    expect((await say(`connection simulate ${id} --claims ${mapping}`)).status).toBe(2);
    expect((await say(`connection simulate ${id}`)).status).toBe(2);
    const response = file('response', btoa('<nonsense/>'));
    expect((await say(`connection simulate ${id} --response ${response}`)).status).toBe(1);
    const all = await say(`connection re-evaluate ${id} --mapping ${mapping}`);
    expect(all.out).toMatch(/would come in +1/);
    expect(all.out).toMatch(/ann@acme.example +enters +create/);

    const both = idpMetadata([await keyOf('pinned'), await keyOf('foreign')]);
    const metadata = file('metadata.xml', both);
    const read = await say(`connection read-metadata ${id} --file ${metadata} --json`);
    const [{ fingerprint }] = read.json().staged;
    const accepted = await say(`connection accept-certificate ${id} ${fingerprint}`);
    expect(accepted.out).toContain(idpEntityId);
    expect(accepted.out).not.toContain('not accepted yet');
    expect((await say(`connection remove-certificate ${id} ${fingerprint}`)).err).toBe('');
    expect((await say(`connection saml ${id}`)).out).not.toContain(fingerprint);
    expect((await say(`connection read-metadata ${id} --file ${folder}/none`)).status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }

  const refused = await say(`connection setup-link ${id}`);
  expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('connection_in_use')]);
  await say(`connection disable ${id}`);
  const link = await say(`connection setup-link ${id} --contact Ida --days 3 --directory --json`);
  expect(link.json()).toMatchObject({ directory: true });
  expect(link.json().url).toContain(`${server.url}/setup/`);
  expect((await say(`connection setup-links ${id}`)).out).toContain('Ida');
  expect((await say(`connection revoke-setup-link ${id} ${link.json().id}`)).out).toBe(
    'Revoked.\n',
  );
});
