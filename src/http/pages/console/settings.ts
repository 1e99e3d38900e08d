import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { alert, notice, postForm } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { questions, type Errors, type Question } from './forms.ts';

export interface SettingsPage extends ConsoleFrame {
  /** As it was typed, by the name of its field; empty for nothing. */
  values: Readonly<Record<SettingName, string>>;
  errors: Errors;
  failure?: string | undefined;
  /** Whether this person may change them. */
  may: boolean;
  /** Whether they may change what operators alone may. */
  operator: boolean;
}

export const settingNames = [
  'min_length',
  'composition',
  'attempts',
  'lock_minutes',
  'self_unlock',
  'sign_up',
  'foreign_domains',
  'idle_minutes',
  'hours',
  'refresh_days',
  'inactive_days',
  'inactive_after',
  'inactive_after_days',
  'admin_grant',
] as const;
export type SettingName = (typeof settingNames)[number];

/** What the account decides for its people. */
export function settingsPage(page: SettingsPage): Html {
  const { t, csrf, values, errors, failure, may, operator } = page;
  const number = (
    name: SettingName,
    label: MessageKey,
    hint: MessageKey,
    optional = true,
  ): Question => ({
    kind: 'number',
    name,
    label: t(label),
    hint: t(hint),
    value: values[name],
    optional,
  });
  const choice = (
    name: SettingName,
    label: MessageKey,
    options: readonly (readonly [string, MessageKey])[],
  ): Question => ({
    kind: 'choice',
    name,
    label: t(label),
    value: values[name],
    options: options.map(([value, text]) => [value, t(text)]),
  });
  const groups: readonly (readonly [MessageKey, readonly Question[]])[] = [
    [
      'rooms.settings.password',
      [
        number('min_length', 'rooms.settings.min_length', 'rooms.settings.min_length_hint', false),
        choice('composition', 'rooms.settings.composition', [
          ['any', 'rooms.settings.composition_any'],
          ['three_of_four', 'rooms.settings.composition_three'],
        ]),
      ],
    ],
    [
      'rooms.settings.lockout',
      [
        number('attempts', 'rooms.settings.attempts', 'rooms.settings.attempts_hint', false),
        number('lock_minutes', 'rooms.settings.lock_minutes', 'rooms.settings.lock_minutes_hint'),
        choice('self_unlock', 'rooms.settings.self_unlock', [
          ['yes', 'rooms.settings.self_unlock_yes'],
          ['no', 'rooms.settings.self_unlock_no'],
        ]),
      ],
    ],
    [
      'rooms.settings.sign_up_title',
      [
        choice('sign_up', 'rooms.settings.sign_up', [
          ['approve', 'rooms.signup.approve'],
          ['auto', 'rooms.signup.auto'],
          ['closed', 'rooms.signup.closed'],
        ]),
        choice('foreign_domains', 'rooms.settings.foreign', [
          ['on', 'rooms.settings.foreign_on'],
          ['off', 'rooms.settings.foreign_off'],
        ]),
      ],
    ],
    [
      'rooms.settings.sessions',
      [
        number('idle_minutes', 'rooms.settings.idle', 'rooms.settings.default_hint'),
        number('hours', 'rooms.settings.hours', 'rooms.settings.default_hint'),
        number('refresh_days', 'rooms.settings.refresh', 'rooms.settings.default_hint'),
      ],
    ],
    [
      'rooms.settings.inactivity',
      [
        number(
          'inactive_days',
          'rooms.settings.inactive_days',
          'rooms.settings.inactive_days_hint',
        ),
        choice('inactive_after', 'rooms.settings.inactive_after', [
          ['nothing', 'rooms.settings.inactive_nothing'],
          ['unaffiliate', 'rooms.settings.inactive_unaffiliate'],
          ['erase', 'rooms.settings.inactive_erase'],
        ]),
        number(
          'inactive_after_days',
          'rooms.settings.inactive_after_days',
          'rooms.settings.inactive_after_hint',
        ),
      ],
    ],
    ...(operator
      ? ([
          [
            'rooms.settings.administrators',
            [
              choice('admin_grant', 'rooms.settings.admin_grant', [
                ['account_admin', 'rooms.settings.grant_admin'],
                ['account_admin_and_tokens', 'rooms.settings.grant_tokens'],
                ['operator', 'rooms.settings.grant_operator'],
              ]),
            ],
          ],
        ] as const)
      : []),
  ];
  return consolePage(page, {
    title: t('rooms.settings'),
    lead: t('rooms.settings.lead'),
    failed: Object.keys(errors).length > 0 || failure !== undefined,
    main: [
      !may && notice('info', t('rooms.read_only')),
      failure && alert(failure),
      postForm(
        { action: '/console/settings', csrf },
        html`<fieldset class="stack" ${!may && html`disabled`}>
          ${groups.map(
            ([title, asked]) =>
              html`<fieldset class="card part">
                <legend><h2>${t(title)}</h2></legend>
                ${questions(asked, errors)}
              </fieldset>`,
          )}
          ${may && html`<div class="actions"><button class="primary" type="submit">${t('rooms.save')}</button></div>`}
        </fieldset>`,
      ),
    ],
  });
}
