import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHmac } from 'node:crypto';
import { decodeMessage } from '#platform/saml/raw-guard.ts';
import { newOwnKey, type OwnKey } from '#platform/saml/own-key.ts';
import { readCertificate } from '#platform/saml/certificate.ts';
import { samlVerifier, type SamlVerifier } from '#platform/saml/verifier.ts';
import type { Expected, VerifiedAssertion } from '#platform/saml/verify.ts';
import { selfSigned } from '#test/support/certificate.ts';
import {
  assertionXml,
  base64,
  honest,
  keyOf,
  responseXml,
  samlResponse,
  sha256,
  signElement,
  type Said,
  type Signing,
} from '#test/support/saml-idp.ts';

/** The hostile documents of security.md 2.2, 5.2 and D-13 to D-19, against the verifier itself. */

const idp = 'https://idp.acme.example/saml';
const sp = 'https://id.example/federation/1/metadata';
const acs = 'https://id.example/federation/1/acs';
const inResponseTo = '_request';

let verifier: SamlVerifier;
let ours: OwnKey;
let pinned: OwnKey;
let foreign: OwnKey;
let expected: Expected;

beforeAll(async () => {
  verifier = samlVerifier();
  [ours, pinned, foreign] = await Promise.all([keyOf('ours'), keyOf('pinned'), keyOf('foreign')]);
  expected = {
    spEntityId: sp,
    acsUrl: acs,
    requestId: inResponseTo,
    idpEntityId: idp,
    certificates: [pinned.certificate],
    decryptionKeys: [foreign.privateKey, ours.privateKey],
    now: Date.now(),
  };
});
afterAll(() => verifier.stop());

const said = (changes: Partial<Said> = {}): Said =>
  honest({ idp, sp, acs, inResponseTo, ...changes });

function verify(xml: string, changes: Partial<Expected> = {}): Promise<VerifiedAssertion> {
  return Promise.resolve()
    .then(() => decodeMessage(base64(xml)))
    .then((text) => verifier.verify(text, { ...expected, ...changes }));
}

const response = (changes: Partial<Said> = {}, signing: Partial<Signing> = {}): Promise<string> =>
  samlResponse(said(changes), { key: pinned, ...signing });

/** Why a document is refused; `accepted` when it is not. */
async function verdict(
  xml: string | Promise<string>,
  changes?: Partial<Expected>,
): Promise<string> {
  return verify(await xml, changes).then(
    () => 'accepted',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

describe('an honest response', () => {
  it.for(['assertion', 'response', 'both'] as const)(
    'is believed with its %s signed',
    async (sign) => {
      expect(await verify(await response({}, { sign }))).toMatchObject({
        issuer: idp,
        nameId: { value: 'S-1-ann', format: expect.stringContaining('persistent') },
        attributes: { email: ['ann@acme.example'], givenName: ['Ann'] },
        sessionIndex: 's1',
        encrypted: false,
      });
    },
  );

  it('is believed when it is encrypted to our key', async () => {
    const xml = await response({}, { encryptTo: ours.certificate });
    expect(xml).not.toContain('ann@acme.example');
    expect(await verify(xml)).toMatchObject({
      nameId: { value: 'S-1-ann' },
      attributes: { email: ['ann@acme.example'] },
      encrypted: true,
    });
    expect(await verdict(response({}, { sign: 'both', encryptTo: ours.certificate }))).toBe(
      'accepted',
    );
  });

  it('is believed with any of the certificates that are pinned', async () => {
    expect(
      await verdict(response(), { certificates: [foreign.certificate, pinned.certificate] }),
    ).toBe('accepted');
  });

  it('says nothing of what stands outside of what is signed', async () => {
    const { attributes } = await verify(
      await response({ attributes: { email: ['a&b<c@x.test'] } }),
    );
    expect(attributes).toEqual({ email: ['a&b<c@x.test'] });
  });

  it('takes less than 10 ms of a processor', async () => {
    const times: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      await verify(await response());
      times.push(verifier.lastTook);
    }
    // The first ones are slower: the thread has just begun.
    expect(Math.min(...times)).toBeLessThan(10);
  });
});

describe('who signed', () => {
  it.for<[what: string, made: () => Promise<string>, why: string]>([
    ['nobody', () => response({}, { sign: 'none' }), 'unsigned'],
    ['somebody else', () => response({}, { key: foreign }), 'signature'],
    [
      'somebody else, the response',
      () => response({}, { key: foreign, sign: 'response' }),
      'signature',
    ],
    [
      'the right one the response, somebody else the assertion',
      async () => {
        const one = said();
        const assertion = signElement(assertionXml(one), one.assertionId, foreign);
        return signElement(responseXml(one, assertion), one.responseId, pinned);
      },
      'signature',
    ],
    [
      'nobody inside what is encrypted',
      () => response({}, { sign: 'none', encryptTo: ours.certificate }),
      'unsigned',
    ],
    [
      'the response alone, around an encrypted assertion that nobody signed',
      () => response({}, { sign: 'response', encryptTo: ours.certificate }),
      'unsigned',
    ],
  ])('%s: refused', async ([, made, why]) => {
    expect(await verdict(made())).toBe(why);
  });

  it('does not come from a certificate in the document', async () => {
    const xml = await response({}, { key: foreign });
    expect(xml).toContain('X509Certificate');
    expect(await verdict(xml)).toBe('signature');
  });

  it('is not an HMAC made with the certificate as its key', async () => {
    const xml = (await response()).replace(
      sha256.signature,
      'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
    );
    const forged = xml.replace(
      /(<ds:SignatureValue>)[^<]*/,
      `$1${createHmac('sha1', pinned.certificate).update('x').digest('base64')}`,
    );
    expect(await verdict(forged)).toBe('algorithm');
  });

  it('is nobody when what was signed changed afterwards', async () => {
    expect(await verdict((await response()).replace('ann@acme', 'eve@acme'))).toBe('signature');
  });

  it('is nobody when no certificate is pinned', async () => {
    expect(await verdict(response(), { certificates: [] })).toBe('certificate');
  });
});

describe('signature wrapping', () => {
  /** Eve's assertion beside Ann's signed one: each placement that is known as XSW 1 to 8. */
  const evil = (id = '_evil'): string =>
    assertionXml(said({ assertionId: id, attributes: { email: ['ceo@acme.example'] } }));
  const cut = (xml: string): { signature: string; rest: string } => {
    const [signature = ''] = /<ds:Signature .*<\/ds:Signature>/s.exec(xml) ?? [];
    return { signature, rest: xml.replace(signature, '') };
  };
  const signedAssertion = (): { xml: string; one: Said } => {
    const one = said();
    return { one, xml: signElement(assertionXml(one), one.assertionId, pinned) };
  };
  const inSignature = (signature: string, what: string): string =>
    signature.replace('</ds:Signature>', `<ds:Object>${what}</ds:Object></ds:Signature>`);
  const inAssertion = (assertion: string, what: string): string =>
    assertion.replace('</saml:Issuer>', `</saml:Issuer>${what}`);

  it.for<[what: string, made: () => Promise<string>]>([
    [
      'XSW 1: a forged response around the signature that holds the signed one',
      async () => {
        const xml = await response({}, { sign: 'response' });
        const { signature, rest } = cut(xml);
        return rest
          .replace(/ID="_[^"]*"/, 'ID="_evil-response"')
          .replace('ann@acme', 'ceo@acme')
          .replace('</samlp:Status>', `</samlp:Status>${inSignature(signature, rest)}`);
      },
    ],
    [
      'XSW 2: the signed response before the signature, in a forged one',
      async () => {
        const xml = await response({}, { sign: 'response' });
        const { signature, rest } = cut(xml);
        return rest
          .replace(/ID="_[^"]*"/, 'ID="_evil-response"')
          .replace('ann@acme', 'ceo@acme')
          .replace('<samlp:Status>', `${rest}${signature}<samlp:Status>`);
      },
    ],
    [
      'XSW 3: a forged assertion before the signed one',
      async () => {
        const { xml, one } = signedAssertion();
        return responseXml(one, evil() + xml);
      },
    ],
    [
      'XSW 4: the signed assertion within a forged one',
      async () => {
        const { xml, one } = signedAssertion();
        return responseXml(one, inAssertion(evil(), xml));
      },
    ],
    [
      'XSW 5: a forged assertion with the signature, the signed one behind it',
      async () => {
        const { xml, one } = signedAssertion();
        const { signature, rest } = cut(xml);
        return responseXml(one, inAssertion(evil(), signature) + rest);
      },
    ],
    [
      'XSW 6: the signed assertion within the signature of a forged one',
      async () => {
        const { xml, one } = signedAssertion();
        const { signature, rest } = cut(xml);
        return responseXml(one, inAssertion(evil(), inSignature(signature, rest)));
      },
    ],
    [
      'XSW 7: a forged assertion in Extensions',
      async () => {
        const { xml, one } = signedAssertion();
        return responseXml(one, `<samlp:Extensions>${evil()}</samlp:Extensions>${xml}`);
      },
    ],
    [
      'XSW 8: the signed assertion in an Object of the signature of a forged one',
      async () => {
        const { xml, one } = signedAssertion();
        const { signature, rest } = cut(xml);
        return responseXml(
          one,
          inAssertion(
            evil(),
            signature.replace('</ds:SignedInfo>', `</ds:SignedInfo><ds:Object>${rest}</ds:Object>`),
          ),
        );
      },
    ],
    [
      'two assertions, the second signed',
      async () => {
        const { xml, one } = signedAssertion();
        return responseXml(one, `${xml}${evil()}`);
      },
    ],
    [
      'one ID twice',
      async () => {
        const { xml, one } = signedAssertion();
        return responseXml(one, `${evil(one.assertionId)}${xml}`);
      },
    ],
    [
      'the ID once more, in another spelling',
      async () => {
        const { xml, one } = signedAssertion();
        return responseXml(one, xml).replace(
          '<samlp:Status>',
          `<samlp:Status Id="${one.assertionId}">`,
        );
      },
    ],
    [
      'an assertion in a namespace that looks alike',
      async () => {
        const { xml, one } = signedAssertion();
        const alike = evil().replace(
          'urn:oasis:names:tc:SAML:2.0:assertion',
          'urn:oasis:names:tc:SAML:1.0:assertion',
        );
        return responseXml(one, `<samlp:Extensions>${alike}</samlp:Extensions>${xml}`);
      },
    ],
    [
      'an encrypted assertion beside the signed one',
      async () => {
        const { xml, one } = signedAssertion();
        const other = await response({}, { sign: 'none', encryptTo: ours.certificate });
        const [encrypted = ''] =
          /<saml:EncryptedAssertion>.*<\/saml:EncryptedAssertion>/s.exec(other) ?? [];
        return responseXml(one, `${xml}${encrypted}`);
      },
    ],
    [
      'a second SignedInfo',
      async () => (await response()).replace(/(<ds:SignedInfo>.*?<\/ds:SignedInfo>)/s, '$1$1'),
    ],
    [
      'a second Reference',
      async () => (await response()).replace(/(<ds:Reference .*?<\/ds:Reference>)/s, '$1$1'),
    ],
    [
      'a Reference to the whole document',
      async () => (await response()).replace(/URI="#[^"]*"/, 'URI=""'),
    ],
    [
      'an ID with a namespace of its own',
      async () =>
        (await response()).replace('<samlp:Response ', '<samlp:Response samlp:ID="_other" '),
    ],
    [
      'a relative namespace, which leaves nothing to canonicalize elsewhere',
      async () => (await response()).replace('<samlp:Status>', '<samlp:Status xmlns:x="relative">'),
    ],
  ])('%s: refused', async ([, made]) => {
    expect(await verdict(made())).toBe('structure');
  });
});

describe('what hides in a document', () => {
  const hidden: [what: string, change: (xml: string) => string][] = [
    ['a comment in the NameID', (xml) => xml.replace('S-1-ann', 'S-1<!---->-ann')],
    [
      'a comment in an address',
      (xml) => xml.replace('ann@acme.example', 'ann@acme.example<!-- -->.evil.test'),
    ],
    ['a comment in a digest', (xml) => xml.replace(/(<ds:DigestValue>)/, '$1<!-- x -->')],
    [
      'CDATA in an address',
      (xml) => xml.replace('ann@acme.example', '<![CDATA[ann@acme.example]]>'),
    ],
    ['a processing instruction', (xml) => xml.replace('S-1-ann', 'S-1<?x?>-ann')],
    ['a DOCTYPE', (xml) => `<!DOCTYPE x>${xml}`],
    [
      'entities that grow',
      (xml) =>
        `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${xml.replace('S-1-ann', '&b;')}`,
    ],
    [
      'an external entity',
      (xml) =>
        `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>${xml.replace('S-1-ann', '&a;')}`,
    ],
  ];

  it.for(hidden)('%s: refused', async ([, change]) => {
    expect(await verdict(change(await response()))).toBe('markup');
  });

  it('is refused though the signature over it is good: canonicalization leaves comments out', async () => {
    const one = said();
    for (const place of ['S-1-ann', 'ann@acme.example']) {
      const assertion = assertionXml(one).replace(place, (text) => `${text}<!-- -->.evil.test`);
      const signed = signElement(assertion, one.assertionId, pinned);
      expect(await verdict(responseXml(one, signed))).toBe('markup');
    }
  });

  it('is looked for inside what is encrypted, too', async () => {
    const one = said({ extra: { inAssertion: '<!-- hidden -->' } });
    const xml = await samlResponse(one, { key: pinned, encryptTo: ours.certificate });
    expect(await verdict(xml)).toBe('markup');
  });

  it('is no entity that nobody declared', async () => {
    expect(await verdict((await response()).replace('S-1-ann', '&boom;'))).toBe('malformed');
  });

  it.for<[what: string, encoded: string, why: string]>([
    ['nothing', '', 'encoding'],
    ['no Base64', '<samlp:Response/>', 'encoding'],
    ['Base64 for URLs', '-_-_', 'encoding'],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x3c, 0x00]).toString('base64'), 'encoding'],
    ['UTF-16 that says so', base64('<?xml version="1.0" encoding="UTF-16"?><a/>'), 'encoding'],
    ['NUL', base64('<a>\0</a>'), 'encoding'],
    ['no XML', base64('hello'), 'malformed'],
    ['half of it', base64('<samlp:Response'), 'malformed'],
    ['more ends than beginnings', base64('<a></a></a>'), 'malformed'],
    ['257 KB', base64(`<a>${'x'.repeat(257 * 1024)}</a>`), 'too_large'],
  ])('%s: refused before it is parsed', ([, encoded, why]) => {
    expect(() => decodeMessage(encoded)).toThrow(expect.objectContaining({ code: why }));
  });
});

describe('other keys and other hashes', () => {
  const more = 'http://www.w3.org/2001/04/xmldsig-more#';
  const curve = (name: string): Pick<OwnKey, 'privateKey' | 'certificate'> => {
    const { key, cert } = selfSigned('idp', name);
    return { privateKey: key, certificate: cert };
  };

  it.for<[method: string, digest: string, curve: string | null]>([
    ['rsa-sha384', `${more}sha384`, null],
    ['rsa-sha512', 'http://www.w3.org/2001/04/xmlenc#sha512', null],
    ['ecdsa-sha256', sha256.digest, 'P-256'],
    ['ecdsa-sha384', `${more}sha384`, 'P-384'],
  ])('%s is believed, from the key it names and no other', async ([method, digest, name]) => {
    const algorithms = { ...sha256, signature: `${more}${method}`, digest };
    const key = name === null ? pinned : curve(name);
    const xml = await response({}, { key, algorithms });
    expect(await verdict(xml, { certificates: [key.certificate] })).toBe('accepted');
    const other = name === null ? curve('P-256') : pinned;
    expect(await verdict(xml, { certificates: [other.certificate] })).toBe('signature');
    expect(
      await verdict(xml.replace('S-1-ann', 'S-1-eve'), { certificates: [key.certificate] }),
    ).toBe('signature');
  });

  it('is no signature of zeros', async () => {
    const key = curve('P-256');
    const algorithms = { ...sha256, signature: `${more}ecdsa-sha256` };
    const xml = (await response({}, { key, algorithms })).replace(
      /(<ds:SignatureValue>)[^<]*/,
      `$1${Buffer.alloc(64).toString('base64')}`,
    );
    expect(await verdict(xml, { certificates: [key.certificate] })).toBe('signature');
  });

  it('pins curves that are in use, and no others', () => {
    expect(readCertificate(selfSigned('idp', 'P-384').cert).subject).toBe('CN=idp');
    expect(() => readCertificate(selfSigned('idp', 'P-521').cert)).toThrow(/secp521r1/);
  });
});

describe('weak algorithms', () => {
  const c14n = 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments';
  it.for<[what: string, algorithms: typeof sha256]>([
    ['rsa-sha1', { ...sha256, signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }],
    ['a digest of SHA-1', { ...sha256, digest: 'http://www.w3.org/2000/09/xmldsig#sha1' }],
    ['canonicalization with comments', { ...sha256, c14n }],
    ['a transform with comments', { ...sha256, transforms: [sha256.transforms[0]!, c14n] }],
    [
      'inclusive canonicalization',
      {
        ...sha256,
        transforms: [sha256.transforms[0]!, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'],
      },
    ],
  ])('%s: refused, though the key is right', async ([, algorithms]) => {
    expect(await verdict(response({}, { algorithms }))).toBe('algorithm');
  });

  it('refuses XPath and XSLT among the transforms', async () => {
    for (const transform of [
      'http://www.w3.org/TR/1999/REC-xpath-19991116',
      'http://www.w3.org/TR/1999/REC-xslt-19991116',
    ])
      expect(await verdict((await response()).replace(sha256.transforms[0]!, transform))).toBe(
        'algorithm',
      );
  });

  it('refuses two thousand transforms at once', async () => {
    const xml = (await response()).replace(
      /(<ds:Transform Algorithm="[^"]*enveloped[^>]*\/>)/,
      '$1'.repeat(1400),
    );
    expect(await verdict(xml)).toMatch(/algorithm|too_complex/);
  });

  it('does not open what is encrypted with CBC, or its key with PKCS 1.5', async () => {
    const to = { encryptTo: ours.certificate };
    const cbc = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';
    const pkcs = 'http://www.w3.org/2001/04/xmlenc#rsa-1_5';
    expect(await verdict(response({}, { ...to, cipher: cbc }))).toBe('algorithm');
    expect(await verdict(response({}, { ...to, keyCipher: pkcs }))).toBe('algorithm');
    expect(await verdict(response({}, { encryptTo: pinned.certificate }))).toBe('decryption');
    expect(await verdict(response({}, to), { decryptionKeys: [] })).toBe('decryption');
  });

  it('pins no RSA key below 2048 bits, and nothing that is no certificate', async () => {
    const { certificate } = await newOwnKey('weak', new Date(), 1024);
    expect(() => readCertificate(certificate)).toThrow(/2048/);
    expect(() => readCertificate('AAAA')).toThrow(/no certificate/);
    expect(readCertificate(pinned.certificate).fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a response that was made for something else', () => {
  const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);
  it.for<[what: string, changes: Partial<Said>, why: string]>([
    ['another audience', { audience: 'https://other.example' }, 'audience'],
    ['no audience', { audience: null }, 'audience'],
    ['another recipient', { recipient: 'https://other.example/acs' }, 'recipient'],
    ['no recipient', { recipient: null }, 'recipient'],
    ['another destination', { destination: 'https://other.example/acs' }, 'destination'],
    [
      'another issuer',
      { assertionIssuer: 'https://other.example', responseIssuer: null },
      'issuer',
    ],
    ['another issuer of the response', { responseIssuer: 'https://other.example' }, 'issuer'],
    ['another request', { inResponseTo: '_other' }, 'in_response_to'],
    [
      'another request, in the response alone',
      { responseInResponseTo: '_other' },
      'in_response_to',
    ],
    ['no request', { inResponseTo: null, responseInResponseTo: null }, 'in_response_to'],
    [
      'a request that only the unsigned response names',
      { inResponseTo: null, responseInResponseTo: inResponseTo },
      'in_response_to',
    ],
    ['holder of key', { method: 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key' }, 'confirmation'],
    ['a failure', { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }, 'status'],
    ['a confirmation that ended', { confirmedUntil: minutes(-2) }, 'expired'],
    ['a confirmation without an end', { confirmedUntil: null }, 'structure'],
    ['an assertion that ended', { notOnOrAfter: minutes(-2) }, 'expired'],
    ['an assertion without an end', { notOnOrAfter: null }, 'structure'],
    ['an assertion that has not begun', { notBefore: minutes(3) }, 'not_yet_valid'],
    ['one issued in the future', { issued: minutes(10) }, 'not_yet_valid'],
    ['one that lives for two hours', { notOnOrAfter: minutes(120) }, 'conditions'],
    ['a session that ended', { sessionEnds: minutes(-2) }, 'session'],
    ['a sign-in of the future', { authnInstant: minutes(5) }, 'not_yet_valid'],
    [
      'a condition nobody understands',
      { extra: { conditions: '<saml:Condition/>' } },
      'conditions',
    ],
    ['an empty NameID', { nameId: '' }, 'subject'],
  ])('%s: refused', async ([, changes, why]) => {
    expect(await verdict(response(changes))).toBe(why);
    expect(await verdict(response(changes, { sign: 'both' }))).toBe(why);
  });

  it('is refused later, though it was good a while ago', async () => {
    const xml = await response();
    expect(await verdict(xml)).toBe('accepted');
    expect(await verdict(xml, { now: Date.now() + 7 * 60_000 })).toBe('expired');
  });
});

describe('a document that means to be slow', () => {
  it.for<[what: string, xml: () => string]>([
    ['16,000 siblings in 84 KB', () => `<a>${'<b/>x'.repeat(16_000)}</a>`],
    ['3,000 levels', () => '<a>'.repeat(3000) + '</a>'.repeat(3000)],
    [
      '10,000 attributes',
      () => `<a ${Array.from({ length: 10_000 }, (_, n) => `b${n}="1"`).join(' ')}/>`,
    ],
  ])('%s: refused within 100 ms, before it is parsed', ([, xml]) => {
    const encoded = base64(xml());
    const from = performance.now();
    expect(() => decodeMessage(encoded)).toThrow(expect.objectContaining({ code: 'too_complex' }));
    expect(performance.now() - from).toBeLessThan(100);
  });

  it('costs a fraction of what an honest one costs, where somebody else signed it', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 700 }, (_, n) => [`group${n}`, ['a group with a longer name']]),
    );
    const cost = async (key: typeof pinned): Promise<number> => {
      const xml = await response({ attributes: many }, { key });
      await verdict(xml);
      await verdict(xml);
      return verifier.lastTook;
    };
    const honestly = await cost(pinned);
    expect(await cost(foreign)).toBeLessThan(honestly / 2);
  });

  it('is ended at its deadline, and the next one is served', async () => {
    const impatient = samlVerifier({ workers: 1, deadlineMs: 20 });
    const many = Object.fromEntries(
      Array.from({ length: 600 }, (_, n) => [`group${n}`, [`g${n}`]]),
    );
    const slow = decodeMessage(base64(await response({ attributes: many })));
    // Each of the three is begun: by a new thread, where the one before was ended.
    const three = Array.from({ length: 3 }, () => impatient.verify(slow, expected));
    for (const { status, reason } of (await Promise.allSettled(three)) as PromiseRejectedResult[])
      expect([status, (reason as { code: string }).code]).toEqual(['rejected', 'deadline']);
    await impatient.stop();
  });

  it('waits in a line that has an end', async () => {
    const small = samlVerifier({ workers: 1, queue: 2 });
    const xml = decodeMessage(base64(await response()));
    const verdicts = await Promise.all(
      Array.from({ length: 4 }, () =>
        small.verify(xml, expected).then(
          () => 'accepted',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(verdicts.sort()).toEqual(['accepted', 'accepted', 'busy', 'busy']);
    await small.stop();
  });
});
