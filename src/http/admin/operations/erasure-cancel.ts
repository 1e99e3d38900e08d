import { cancelErasure } from '#identity/users/erase.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'cancelErasure',
  tag: 'Erasure',
  method: 'post',
  path: '/erasures/:personId/cancel',
  summary: 'Keeps a person who was to be deleted.',
  right: 'erasures:operate',
  result: null,
  refusals: ['not_found', 'user_not_found'],

  handle(work, { params }) {
    return cancelErasure(work, params['personId']!);
  },
});
