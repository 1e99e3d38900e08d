import { settingsOf } from '#identity/accounts/settings.ts';
import { operation } from '../operation.ts';
import { SettingsView } from '../belonging-views.ts';

export default operation({
  id: 'getSettings',
  tag: 'Accounts',
  method: 'get',
  path: '/accounts/:accountId/settings',
  summary: 'Gives the settings of an account.',
  right: 'account:read',
  result: SettingsView,

  handle(work, { account }) {
    return settingsOf(work, account.id);
  },
});
