import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage } from '#platform/saml/raw-guard.ts';
import type { OwnKey } from '#platform/saml/own-key.ts';
import { verifyResponse, type VerifiedAssertion } from '#platform/saml/verify.ts';
import { selfSigned } from '#test/support/certificate.ts';
import {
  base64,
  honest,
  keyOf,
  samlResponse,
  sha256,
  type Said,
  type Signing,
} from '#test/support/saml-idp.ts';

/**
 * The same documents before our verifier and before `xmlsec1` of Debian, which nobody here wrote: what
 * ours believes, the other believes too, about the same bytes (security.md 5.3, rule 12). Ours refuses
 * more: that is policy, and no difference. Skipped where the program is not installed.
 */

const idp = 'https://idp.acme.example/saml';
const sp = 'https://id.example/federation/1/metadata';
const acs = 'https://id.example/federation/1/acs';
const more = 'http://www.w3.org/2001/04/xmldsig-more#';

type Key = Pick<OwnKey, 'privateKey' | 'certificate'>;

let folder: string;
let pinned: Key;
let foreign: Key;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ostiary-xmlsec-'));
  [pinned, foreign] = await Promise.all([keyOf('pinned'), keyOf('foreign')]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hasXmlsec(): boolean {
  try {
    execFileSync('xmlsec1', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const said = (changes: Partial<Said> = {}): Said =>
  honest({ idp, sp, acs, inResponseTo: '_request', ...changes });

/** What ours makes of it: null where it is refused. */
async function ours(xml: string, key: Key): Promise<VerifiedAssertion | null> {
  try {
    return await verifyResponse(decodeMessage(base64(xml)), {
      spEntityId: sp,
      acsUrl: acs,
      requestId: '_request',
      idpEntityId: idp,
      certificates: [key.certificate],
      decryptionKeys: [],
      now: Date.now(),
    });
  } catch {
    return null;
  }
}

/** What the other makes of each signature in it: what it covers, and its text as it was hashed. */
function theirs(xml: string, key: Key): { uri: string; text: string }[] | null {
  const document = join(folder, 'document.xml');
  const certificate = join(folder, 'certificate.pem');
  writeFileSync(document, xml);
  writeFileSync(certificate, key.certificate);
  const found: { uri: string; text: string }[] = [];
  for (const place of ['/*', '/*/*[local-name()="Assertion"]']) {
    if (!new RegExp(place === '/*' ? responseSigned : assertionSigned, 's').test(xml)) continue;
    const { status, stdout } = spawnSync('xmlsec1', [
      '--verify',
      '--pubkey-cert-pem',
      certificate,
      // The key is ours to choose: what the document brings is not looked at.
      '--enabled-key-data',
      'rsa,ecdsa',
      '--enabled-reference-uris',
      'same-doc',
      '--id-attr:ID',
      'urn:oasis:names:tc:SAML:2.0:assertion:Assertion',
      '--id-attr:ID',
      'urn:oasis:names:tc:SAML:2.0:protocol:Response',
      '--node-xpath',
      `${place}/*[local-name()="Signature"]`,
      '--store-references',
      '--print-debug',
      document,
    ]);
    if (status !== 0) return null;
    const text = stdout.toString();
    found.push({
      uri: /^== URI: "([^"]*)"/m.exec(text)?.[1] ?? '',
      text:
        /PreDigest data - start buffer:\n(.*)\n== PreDigest data - end buffer/s.exec(text)?.[1] ??
        '',
    });
  }
  return found.length > 0 ? found : null;
}

const responseSigned = '^<samlp:Response[^>]*>(<saml:Issuer>[^<]*</saml:Issuer>)?<ds:Signature';
const assertionSigned = '<saml:Assertion[^>]*><saml:Issuer>[^<]*</saml:Issuer><ds:Signature';

/** Numbers that look like chance, and are the same each time. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.skipIf(!hasXmlsec())('our verifier and xmlsec1', () => {
  const curve = (name: string): Key => {
    const { key, cert } = selfSigned('idp', name);
    return { privateKey: key, certificate: cert };
  };
  const algorithms = (signature: string, digest: string) => ({
    ...sha256,
    signature: `${more}${signature}`,
    digest,
  });
  const sha384 = `${more}sha384`;
  const sha512 = 'http://www.w3.org/2001/04/xmlenc#sha512';
  const shapes: [what: string, changes: Partial<Said>, signing: () => Partial<Signing>][] = [
    ['the assertion signed', {}, () => ({})],
    ['the response signed', {}, () => ({ sign: 'response' })],
    ['both signed', {}, () => ({ sign: 'both' })],
    ['RSA with SHA-384', {}, () => ({ algorithms: algorithms('rsa-sha384', sha384) })],
    ['RSA with SHA-512', {}, () => ({ algorithms: algorithms('rsa-sha512', sha512) })],
    [
      'ECDSA, P-256',
      {},
      () => ({ key: curve('P-256'), algorithms: algorithms('ecdsa-sha256', sha256.digest) }),
    ],
    [
      'ECDSA, P-384',
      {},
      () => ({ key: curve('P-384'), algorithms: algorithms('ecdsa-sha384', sha384) }),
    ],
    [
      'all that has to be escaped',
      { attributes: { email: ['a&b<c>"d\'e@x.test'], 'n&"me': ['\u00e9\u{1f511}\ttab', ''] } },
      () => ({ sign: 'both' }),
    ],
    [
      'namespaces that nobody uses, and that somebody does',
      {
        extra: {
          inAssertion: '',
          inResponse: '',
          conditions: '<saml:OneTimeUse xmlns:unused="urn:x:unused"/>',
        },
        attributes: { email: ['ann@acme.example'], list: ['1', '2', '2'] },
      },
      () => ({ sign: 'response' }),
    ],
  ];

  it.for(shapes)('believe the same of %s', async ([, changes, signing]) => {
    const one = said(changes);
    const { key = pinned, sign = 'assertion', ...rest } = signing();
    const xml = await samlResponse(one, { key, sign, ...rest });
    const believed = await ours(xml, key);
    const other = theirs(xml, key);
    expect(believed).toMatchObject({ assertionId: one.assertionId, nameId: { value: one.nameId } });
    const uris = { assertion: [one.assertionId], response: [one.responseId], none: [] };
    expect(other?.map(({ uri }) => uri)).toEqual(
      (sign === 'both' ? [one.responseId, one.assertionId] : uris[sign]).map((id) => `#${id}`),
    );
    for (const { text } of other!) {
      expect(text).toContain(`ID="${one.assertionId}"`);
      expect(text).toContain(`>${one.nameId}</saml:NameID>`);
    }
    // Another key is believed by neither.
    expect(await ours(xml, foreign)).toBeNull();
    expect(theirs(xml, foreign)).toBeNull();
  });

  it('refuse the same, wherever a character of what was signed is another', async () => {
    const next = chance(20_261_122);
    const xml = await samlResponse(said(), { key: pinned, sign: 'both' });
    // What nobody signs: the certificate that comes along.
    const free = [...xml.matchAll(/<ds:KeyInfo>.*?<\/ds:KeyInfo>|<ds:KeyInfo .*?<\/ds:KeyInfo>/gs)];
    const isFree = (at: number): boolean =>
      free.some(({ index, 0: text }) => at >= index && at < index + text.length);
    for (let tried = 0; tried < 80;) {
      const at = next(xml.length);
      const was = xml[at]!;
      const by = String.fromCharCode(97 + next(26));
      if (isFree(at) || was === by || /[\s=]/.test(was)) continue;
      tried += 1;
      const changed = xml.slice(0, at) + by + xml.slice(at + 1);
      const where = `${xml.slice(at - 20, at)}[${was} > ${by}]${xml.slice(at + 1, at + 20)}`;
      expect([where, await ours(changed, pinned)]).toEqual([where, null]);
      expect([where, theirs(changed, pinned)]).toEqual([where, null]);
    }
  });

  it('ours believes nothing that the other does not, whatever is moved about', async () => {
    const next = chance(7);
    let believed = 0;
    for (let round = 0; round < 60; round += 1) {
      const sign = (['assertion', 'response', 'both'] as const)[round % 3]!;
      const xml = await samlResponse(said(), { key: pinned, sign });
      const elements = [...xml.matchAll(/<(\w+:\w+)[^>]*>[^<]*<\/\1>|<\w+:\w+[^>]*\/>/g)];
      const [from, to] = [elements[next(elements.length)]!, elements[next(elements.length)]!];
      const changed =
        next(3) === 0
          ? xml.replace(from[0], '')
          : xml.slice(0, to.index) + from[0] + xml.slice(to.index);
      if ((await ours(changed, pinned)) === null) continue;
      believed += 1;
      expect([changed, theirs(changed, pinned)]).not.toEqual([changed, null]);
    }
    expect(believed).toBeGreaterThan(0);
    expect(believed).toBeLessThan(60);
  });
});
