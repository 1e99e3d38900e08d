import { expect } from 'vitest';
import { settingsOf } from '#identity/accounts/settings.ts';
import { it } from '#test/support/it.ts';
import { acmeAndFay, open, send } from './support.ts';

it('lets an Account Administrator set policies, each told beside its field when wrong', async ({
  given,
  browser,
}) => {
  const { acme, fay } = await acmeAndFay(given);
  const page = await open(browser, '/settings', fay);
  const wrong = await send(browser, page, '/settings', {
    min_length: '99',
    attempts: 'many',
    hours: '10',
  });
  expect(wrong.status).toBe(422);
  expect(wrong.alerts).toEqual([
    'Enter a whole number from 8 to 64.',
    'Enter a whole number from 5 to 100.',
  ]);
  // What was typed is still there.
  expect(wrong.forms.find(({ action }) => action.endsWith('/settings'))!.fields).toMatchObject({
    min_length: '99',
    hours: '10',
  });
  const saved = await send(browser, wrong, '/settings', {
    min_length: '16',
    attempts: '10',
    inactive_days: '180',
  });
  expect(saved.words).toContain('Saved.');
  expect(await settingsOf(given.foundation.database, acme.id)).toMatchObject({
    password: { minLength: 16 },
    lockout: { attempts: 10, minutes: null, selfUnlock: true },
    sessions: { hours: 10, idleMinutes: null },
    inactivity: { days: 180, after: 'unaffiliate', afterDays: 90 },
    accountAdminGrant: 'account_admin',
  });
  const weak = await send(browser, saved, '/settings', { min_length: '8' });
  expect(weak.alerts).toEqual(['Fewer than 12 characters are for the operator to allow.']);
});

it('shows them to a Co-Administrator, and takes nothing from one', async ({ given, browser }) => {
  const { acme } = await acmeAndFay(given);
  const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
  const page = await open(browser, '/settings', cora);
  expect(page.words).toContain('You can read this.');
  expect(page.words).not.toContain('Who makes Account Administrators');
  expect((await send(browser, page, '/settings', { min_length: '20' })).status).toBe(403);
});
