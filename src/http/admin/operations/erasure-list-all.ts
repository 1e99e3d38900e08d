import { openErasures } from '#identity/users/erase.ts';
import { operation } from '../operation.ts';
import { ErasureList } from '../belonging-views.ts';

export default operation({
  id: 'listAllErasures',
  tag: 'Erasure',
  method: 'get',
  path: '/erasures',
  summary: 'Lists every open request to be deleted.',
  right: 'erasures:operate',
  result: ErasureList,

  async handle(work) {
    return { items: await openErasures(work, null), nextCursor: null };
  },
});
