import { AccountSettingsChange, changeSettings } from '#identity/accounts/settings.ts';
import { operation } from '../operation.ts';
import { SettingsView } from '../belonging-views.ts';

export default operation({
  id: 'changeSettings',
  tag: 'Accounts',
  method: 'patch',
  path: '/accounts/:accountId/settings',
  summary: 'Changes settings of an account. Each policy that is given is set as a whole.',
  description:
    'Who makes administrators, and passwords shorter than the installation asks for, are for operators to say. The lockout policy holds for addresses of the domains that the account owns.',
  right: 'account:rename',
  body: AccountSettingsChange.meta({ id: 'AccountSettingsChange' }),
  example: { password: { minLength: 14 }, sessions: { idleMinutes: 30, hours: 10 } },
  result: SettingsView,

  handle: (work, { account, asking, body }) => changeSettings(work, asking, account.id, body),
});
