import { changeSettings } from '#identity/accounts/settings.ts';
import { Refusal } from '#identity/refusal.ts';
import { operation } from '../operation.ts';
import { SettingsView } from '../belonging-views.ts';

export default operation({
  id: 'changeSettings',
  tag: 'Accounts',
  method: 'patch',
  path: '/accounts/:accountId/settings',
  summary: 'Changes settings of an account. Who makes administrators is for operators to say.',
  right: 'account:rename',
  body: SettingsView.partial().strict(),
  example: { inactivity: { days: 180, after: 'unaffiliate', afterDays: 90 } },
  result: SettingsView,

  handle(work, { account, asking, body }) {
    if (body.accountAdminGrant !== undefined && asking.role !== 'operator')
      throw new Refusal('permission_denied');
    const change = Object.fromEntries(Object.entries(body).filter(([, one]) => one !== undefined));
    return changeSettings(work, account.id, change);
  },
});
