import { z } from 'zod';
import {
  newSigningKey,
  rotateSigningKeys,
  signingAlgorithms,
} from '#identity/keys/signing-keys.ts';
import { operation } from '../operation.ts';
import { KeyList } from '../views.ts';

export default operation({
  id: 'rotateKeys',
  tag: 'Signing keys',
  method: 'post',
  path: '/keys/rotate',
  summary: 'The next keys sign from now on; the current ones retire and stay published.',
  right: 'keys:manage',
  body: z.strictObject({
    discard: z
      .boolean()
      .default(false)
      .describe('Where a key was stolen: withdraws retired keys at once, and all they signed.'),
  }),
  example: { discard: false },
  result: KeyList,
  afterwards: 'keys_changed',

  prepare: () => Promise.all(signingAlgorithms.map((alg) => newSigningKey(alg))),

  async handle(work, { tools, prepared, body }) {
    const keys = await rotateSigningKeys(work, tools.vault, prepared, body);
    return { items: keys, nextCursor: null };
  },
});
