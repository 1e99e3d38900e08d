import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { refreshMetadata, tellWhatEnds } from '#identity/federation/watch.ts';
import { egressAllowance } from '#platform/egress.ts';
import { newOwnKey } from '#platform/saml/own-key.ts';
import { samlVerifier, type SamlVerifier } from '#platform/saml/verifier.ts';
import { readCertificate } from '#platform/saml/certificate.ts';
import { it } from '#test/support/it.ts';
import { keyOf } from '#test/support/saml-idp.ts';
import { caller } from '../admin/support.ts';
import { idpEntityId, idpMetadata, idpSignOn, samlDraft } from '#test/support/saml-connection.ts';

/** What is published at an address of the provider's. */
let published = '';
let web: Server;
let metadataUrl: string;
let saml: SamlVerifier;

beforeAll(async () => {
  saml = samlVerifier();
  web = createServer((_request, response) => {
    response.statusCode = published === '' ? 503 : 200;
    response.end(published);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  metadataUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}/metadata`;
});
afterAll(async () => {
  web.close();
  await saml.stop();
});

const tools = () => ({ egress: egressAllowance(['127.0.0.1']), saml });
const fingerprintOf = (pem: string): string => readCertificate(pem).fingerprint;

describe('the settings of a SAML connection', () => {
  it('are read from pasted metadata, and say what the provider has to know of us', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const id = await samlDraft(given, acme);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${id}/saml`;
    expect((await admin.get(path)).json).toMatchObject({
      entityId: null,
      problem: expect.stringContaining('metadata'),
    });
    const key = await keyOf('pinned');
    const read = await admin.post(`${path}/metadata`, { xml: idpMetadata([key]) });
    expect(read.status).toBe(200);
    expect(read.json).toMatchObject({
      entityId: idpEntityId,
      signOn: { redirect: idpSignOn, post: null },
      binding: 'redirect',
      certificates: [{ fingerprint: fingerprintOf(key.certificate) }],
      staged: [],
      problem: null,
      ours: {
        entityId: `${server.url}/federation/${id}/metadata`,
        acsUrl: `${server.url}/federation/${id}/acs`,
        keys: [{ fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      },
    });
    expect(read.text).not.toContain('PRIVATE KEY');
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.post(`${path}/metadata`, { xml: idpMetadata([key]) })).status).toBe(403);
    const other = caller(program, await given.apiToken(await given.account('Beta')));
    expect((await other.get(path)).status).toBe(404);
  });

  it.for<[what: string, xml: string, why: RegExp]>([
    ['no XML', 'hello', /well-formed/],
    ['no metadata', '<a/>', /no metadata/],
    ['a bomb', '<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>', /entity/],
    [
      'a service provider',
      '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>',
      /no metadata/,
    ],
    [
      'two providers',
      `<x>${idpMetadata([]).replace(/<\?xml.*\?>/, '')}${idpMetadata([]).replace(/<\?xml.*\?>/, '')}</x>`,
      /several/,
    ],
    ['no address', idpMetadata([], { redirect: 'javascript:alert(1)' }), /neither/],
  ])('are not read from %s', async ([, xml, why], { given, program }) => {
    const acme = await given.account('Acme');
    const id = await samlDraft(given, acme);
    const admin = caller(program, await given.apiToken(acme));
    const answer = await admin.post(`/accounts/${acme.id}/connections/${id}/saml/metadata`, {
      xml,
    });
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_value']);
    expect(answer.text).toMatch(why);
  });

  it.for([
    'http://idp.acme.example/',
    'https://127.0.0.1/',
    'https://169.254.169.254/latest',
    'https://[::1]/',
  ])('are not fetched from inside: %s (D-77)', async (url, { given, program }) => {
    const acme = await given.account('Acme');
    const id = await samlDraft(given, acme);
    const admin = caller(program, await given.apiToken(acme));
    const answer = await admin.post(`/accounts/${acme.id}/connections/${id}/saml/metadata`, {
      url,
    });
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid_value']);
  });

  it('choose what names people, and a binding that the provider offers', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme');
    const id = await samlDraft(given, acme);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${id}/saml`;
    await admin.post(`${path}/metadata`, { xml: idpMetadata([await keyOf('pinned')]) });
    expect((await admin.patch(path, { subjectAttribute: 'oid' })).json).toMatchObject({
      subjectAttribute: 'oid',
      mutableSubject: false,
    });
    const refused = await admin.patch(path, { binding: 'post' });
    expect([refused.status, refused.json.code]).toEqual([422, 'invalid_value']);
  });

  it('change our key in two steps', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const id = await samlDraft(given, acme);
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${id}/saml`;
    const { json } = await admin.post(`${path}/metadata`, {
      xml: idpMetadata([await keyOf('pinned')]),
    });
    const [first] = json.ours.keys;
    expect((await admin.delete(`${path}/keys/${first.id}`)).status).toBe(409);
    const added = await admin.post(`${path}/keys`);
    expect(added.json.ours.keys).toHaveLength(2);
    expect((await admin.post(`${path}/keys`)).status).toBe(409);
    const left = await admin.delete(`${path}/keys/${first.id}`);
    expect(left.json.ours.keys).toEqual([added.json.ours.keys[1]]);
  });
});

describe('a certificate that changes', () => {
  it('is staged when it appears in metadata, told, and believed once somebody says so', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme');
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    const id = await samlDraft(given, acme, { state: 'active' });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${id}/saml`;
    const [old, next] = await Promise.all([keyOf('pinned'), keyOf('foreign')]);
    await admin.post(`${path}/metadata`, { xml: idpMetadata([old]) });
    await given.rows(
      `update connections set metadata_due_at = now(),
         settings = settings || jsonb_build_object('metadataUrl', $2::text) where id = $1`,
      [id, metadataUrl],
    );
    published = idpMetadata([old, next], { redirect: 'https://evil.example/sso' });
    server.clock.advance(60);
    expect(await refreshMetadata(given.foundation, tools())).toBe(1);
    expect(await refreshMetadata(given.foundation, tools())).toBe(0);
    const { json } = await admin.get(path);
    expect(json.certificates.map((one: { pem: string }) => fingerprintOf(one.pem))).toEqual([
      fingerprintOf(old.certificate),
    ]);
    expect(json.staged).toMatchObject([{ fingerprint: fingerprintOf(next.certificate) }]);
    // Where requests go does not change by itself either.
    expect(json).toMatchObject({
      signOn: { redirect: idpSignOn },
      metadataProblem: expect.stringContaining('another address'),
    });
    expect(await mails(given)).toMatchObject([{ what: 'certificate_found', label: 'Acme ADFS' }]);

    const accepted = await admin.post(`${path}/certificates`, {
      fingerprint: fingerprintOf(next.certificate),
    });
    expect(accepted.json).toMatchObject({ staged: [], certificates: [{}, {}] });
    const kept = await admin.delete(`${path}/certificates/${fingerprintOf(old.certificate)}`);
    expect(kept.json.certificates).toMatchObject([
      { fingerprint: fingerprintOf(next.certificate) },
    ]);
    // The last one of a connection in use stays.
    const last = await admin.delete(`${path}/certificates/${fingerprintOf(next.certificate)}`);
    expect([last.status, last.json.code]).toEqual([409, 'limit_reached']);
  });

  it('changes nothing when the address answers with nothing, or as another provider', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme');
    const id = await samlDraft(given, acme, { state: 'active' });
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/connections/${id}/saml`;
    const key = await keyOf('pinned');
    await admin.post(`${path}/metadata`, { xml: idpMetadata([key]) });
    for (const [answer, why] of [
      ['', 'status 503'],
      [
        idpMetadata([await keyOf('foreign')], { entityId: 'https://evil.example' }),
        'another provider',
      ],
    ] as const) {
      await given.rows(
        `update connections set metadata_due_at = now(),
           settings = settings || jsonb_build_object('metadataUrl', $2::text) where id = $1`,
        [id, metadataUrl],
      );
      published = answer;
      server.clock.advance(7200);
      await refreshMetadata(given.foundation, tools());
      expect((await admin.get(path)).json).toMatchObject({
        entityId: idpEntityId,
        certificates: [{ fingerprint: fingerprintOf(key.certificate) }],
        staged: [],
        metadataProblem: expect.stringContaining(why),
      });
    }
    const byHand = await admin.post(`${path}/metadata`, {
      xml: idpMetadata([key], { entityId: 'https://evil.example' }),
    });
    expect([byHand.status, byHand.json.code]).toEqual([422, 'invalid_value']);
  });

  it('is told 30, 7 and 1 days before it ends, once each', async ({ given, program, server }) => {
    const acme = await given.account('Acme');
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    const id = await samlDraft(given, acme, { state: 'active' });
    const admin = caller(program, await given.apiToken(acme));
    const years = 5 * 365 * 24 * 3600_000;
    const ends = server.clock().getTime() + 40 * 24 * 3600_000;
    const key = await newOwnKey('ends soon', new Date(ends - years), 2048);
    await admin.post(`/accounts/${acme.id}/connections/${id}/saml/metadata`, {
      xml: idpMetadata([key]),
    });
    const told: number[] = [];
    for (let day = 0; day < 42; day += 1) {
      await tellWhatEnds(given.foundation);
      const letters = await mails(given);
      told.push(...letters.slice(told.length).map(({ days }) => days));
      server.clock.advance(24 * 3600);
    }
    expect(told).toEqual([30, 7, 1]);
  });
});

async function mails(given: {
  rows(text: string): Promise<unknown[]>;
}): Promise<{ what: string; label: string; days: number }[]> {
  const rows = (await given.rows(
    `select payload from outbox where kind = 'mail' and payload::text like '%secret_expiring%' order by id`,
  )) as { payload: { letter: { what: string; label: string; days: number } } }[];
  return rows.map(({ payload }) => payload.letter);
}
