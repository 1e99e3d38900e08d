import { samlVerifier } from '#platform/saml/verifier.ts';
import { decodeMessage } from '#platform/saml/raw-guard.ts';
import { base64, honest, keyOf, samlResponse } from '../support/saml-idp.ts';

/** What verifying SAML costs, and what it costs others (performance.md; security.md D-18). */
export interface SamlFigures {
  /** Milliseconds of a processor for an ordinary response, whose assertion is signed; median. */
  verification: number;
  reach: number;
  /** The same where the response is signed too, and where the assertion is encrypted as well. */
  signedTwice: number;
  encrypted: number;
  /** How long the event loop needed at most to refuse 84 KB that mean to be slow. */
  hostile: number;
  reached: boolean;
}

/** Milliseconds, at most (issue 5). */
const reach = 10;
const rounds = 60;

/** Verifies ordinary responses in a thread of its own, and refuses hostile ones in this one. */
export async function measureSaml(): Promise<SamlFigures> {
  const verifier = samlVerifier({ workers: 1 });
  try {
    const [ours, theirs] = await Promise.all([keyOf('ours'), keyOf('theirs')]);
    const [idp, sp, acs] = ['https://idp.example', 'https://sp.example', 'https://sp.example/acs'];
    const took = async (
      sign: 'assertion' | 'both',
      encryptTo: string | null = null,
    ): Promise<number> => {
      const all: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const inResponseTo = `_${round}`;
        const xml = await samlResponse(honest({ idp, sp, acs, inResponseTo }), {
          key: theirs,
          sign,
          encryptTo,
        });
        await verifier.verify(decodeMessage(base64(xml)), {
          spEntityId: sp,
          acsUrl: acs,
          requestId: inResponseTo,
          idpEntityId: idp,
          certificates: [theirs.certificate],
          decryptionKeys: [ours.privateKey],
          now: Date.now(),
        });
        all.push(verifier.lastTook);
      }
      // The first ones are slower: the thread has just begun.
      return median(all.slice(rounds / 2));
    };
    const verification = await took('assertion');
    return {
      verification,
      reach,
      signedTwice: await took('both'),
      encrypted: await took('assertion', ours.certificate),
      hostile: hostile(),
      reached: verification < reach,
    };
  } finally {
    await verifier.stop();
  }
}

function hostile(): number {
  const encoded = base64(`<a>${'<b/>x'.repeat(16_000)}</a>`);
  let longest = 0;
  for (let round = 0; round < 20; round += 1) {
    const from = performance.now();
    try {
      decodeMessage(encoded);
    } catch {
      longest = Math.max(longest, performance.now() - from);
    }
  }
  return longest;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}
