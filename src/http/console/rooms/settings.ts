import {
  administratorGrants,
  AccountSettingsChange,
  changeSettings,
  settingsOf,
  type AccountSettings,
} from '#identity/accounts/settings.ts';
import { passwordCompositions } from '#identity/credentials/password-rules.ts';
import { signupModes } from '#identity/domains/domain.ts';
import { Refusal } from '#identity/refusal.ts';
import { settingNames, settingsPage, type SettingName } from '../../pages/console/settings.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

/** What the account decides for its people: passwords, lockout, sign-up, sessions. */
export const settings: Room = {
  menu: {
    path: '/settings',
    title: 'rooms.settings',
    section: 'organization',
    right: 'account:read',
  },
  open(door) {
    door.get('/settings', 'account:read', async (visit) => {
      show(visit, valuesOf(await settingsOf(visit.sql, visit.account.id)));
    });

    door.post('/settings', 'account:rename', async (visit) => {
      const typed = new Typed(visit);
      const change = read(visit, typed);
      if (!typed.ok) return show(visit, typedValues(visit), { errors: typed.errors });
      try {
        await visit.act((work, { asking, account }) =>
          changeSettings(work, asking, account.id, AccountSettingsChange.parse(change)),
        );
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'permission_denied') throw error;
        return show(visit, typedValues(visit), {
          errors: { min_length: visit.t('rooms.settings.min_length_operator') },
        });
      }
      visit.done('/settings', visit.t('rooms.saved'));
    });
  },
};

function show(
  visit: Visit,
  values: Record<SettingName, string>,
  { errors = {} }: { errors?: Typed['errors'] } = {},
): void {
  visit.show(
    settingsPage({
      ...visit.page,
      values,
      errors,
      may: visit.may('account:rename'),
      operator: visit.may('account:edit'),
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function read(visit: Visit, typed: Typed): Partial<AccountSettings> {
  const inactiveDays = typed.number('inactive_days', 30, 3650, { optional: true });
  return {
    password: {
      minLength: typed.number('min_length', 8, 64) ?? 12,
      composition: typed.choice('composition', passwordCompositions),
    },
    lockout: {
      attempts: typed.number('attempts', 5, 100) ?? 100,
      minutes: typed.number('lock_minutes', 5, 10_080, { optional: true }),
      selfUnlock: typed.choice('self_unlock', ['yes', 'no']) === 'yes',
    },
    signUp: typed.choice('sign_up', signupModes),
    foreignDomains: typed.choice('foreign_domains', ['on', 'off']),
    sessions: {
      idleMinutes: typed.number('idle_minutes', 5, 10_080, { optional: true }),
      hours: typed.number('hours', 1, 720, { optional: true }),
      refreshDays: typed.number('refresh_days', 1, 365, { optional: true }),
    },
    inactivity:
      inactiveDays === null
        ? null
        : {
            days: inactiveDays,
            after: typed.choice('inactive_after', ['nothing', 'unaffiliate', 'erase']),
            afterDays: typed.number('inactive_after_days', 7, 3650, { optional: true }) ?? 90,
          },
    ...(visit.may('account:edit') && {
      accountAdminGrant: typed.choice('admin_grant', administratorGrants),
    }),
  };
}

function valuesOf(now: AccountSettings): Record<SettingName, string> {
  const { password, lockout, sessions, inactivity } = now;
  const text = (value: number | null | undefined): string => (value ?? '').toString();
  return {
    min_length: text(password.minLength),
    composition: password.composition,
    attempts: text(lockout.attempts),
    lock_minutes: text(lockout.minutes),
    self_unlock: lockout.selfUnlock ? 'yes' : 'no',
    sign_up: now.signUp,
    foreign_domains: now.foreignDomains,
    idle_minutes: text(sessions.idleMinutes),
    hours: text(sessions.hours),
    refresh_days: text(sessions.refreshDays),
    inactive_days: text(inactivity?.days),
    inactive_after: inactivity?.after ?? 'unaffiliate',
    inactive_after_days: text(inactivity?.afterDays),
    admin_grant: now.accountAdminGrant,
  };
}

function typedValues(visit: Visit): Record<SettingName, string> {
  return Object.fromEntries(settingNames.map((name) => [name, visit.value(name)])) as Record<
    SettingName,
    string
  >;
}
