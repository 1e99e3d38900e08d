import { suppressionOf } from '#identity/mail/suppression.ts';
import { authoritiesOf } from '#identity/scim/authority.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { UserDetailView } from '../views.ts';

export default operation({
  id: 'getUser',
  tag: 'Users',
  method: 'get',
  path: '/accounts/:accountId/users/:userId',
  summary: 'Shows a person of an account.',
  right: 'users:read',
  result: UserDetailView,

  async handle(work, { account, person }) {
    const user = await userOfAccount(work, account.id, person.id, work.now);
    const mailSuppressed = await suppressionOf(work, person.email);
    return { ...user, mailSuppressed, attributes: await authoritiesOf(work, person.id) };
  },
});
