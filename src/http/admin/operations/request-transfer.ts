import { requestTransfer } from '#identity/belonging/add.ts';
import { counting } from '../adding.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'requestTransfer',
  tag: 'Invitations',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/request-transfer',
  summary: 'Asks a person of a domain of this account, who belongs elsewhere, to come over.',
  description: 'Nothing moves but by their own act, after they have left where they are.',
  right: 'users:add',
  whom: 'unchecked',
  result: null,
  refusals: ['already_invited'],
  ...counting,

  async handle(work, { account, params }) {
    await requestTransfer(work, account, params['userId']!);
  },
});
