import { listSigningKeys } from '#identity/keys/signing-keys.ts';
import { operation } from '../operation.ts';
import { KeyList } from '../views.ts';

export default operation({
  id: 'listKeys',
  tag: 'Signing keys',
  method: 'get',
  path: '/keys',
  summary: 'Lists the keys that sign tokens: the current, the next and the retired ones.',
  right: 'keys:manage',
  result: KeyList,

  async handle(work) {
    return { items: await listSigningKeys(work), nextCursor: null };
  },
});
