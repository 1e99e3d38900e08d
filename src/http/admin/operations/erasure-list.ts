import { openErasures } from '#identity/users/erase.ts';
import { operation } from '../operation.ts';
import { ErasureList } from '../belonging-views.ts';

export default operation({
  id: 'listErasures',
  tag: 'Erasure',
  method: 'get',
  path: '/accounts/:accountId/erasures',
  summary: 'Lists who asked to be deleted, and waits for this account or for the end of the grace.',
  right: 'erasures:read',
  result: ErasureList,

  async handle(work, { account }) {
    return { items: await openErasures(work, account.id), nextCursor: null };
  },
});
