import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { clip, named } from '../../form.ts';
import { type ConsoleFrame, when } from './frame.ts';

/** How people are shown wherever they are listed. */

export type StatusShown =
  | 'erased'
  | 'erasing'
  | 'suspended'
  | 'locked'
  | 'invited'
  | 'registered-unverified'
  | 'pending-approval'
  | 'unaffiliated'
  | 'active';

export const statusTexts: Record<StatusShown, MessageKey> = {
  active: 'people.status.active',
  invited: 'people.status.invited',
  locked: 'people.status.locked',
  suspended: 'people.status.suspended',
  'pending-approval': 'people.status.pending',
  'registered-unverified': 'people.status.unverified',
  unaffiliated: 'people.status.unaffiliated',
  erasing: 'people.status.erasing',
  erased: 'people.status.erased',
};

const tones: Record<StatusShown, string> = {
  active: 'success',
  invited: 'info',
  locked: 'danger',
  suspended: 'danger',
  'pending-approval': 'warning',
  'registered-unverified': 'warning',
  unaffiliated: '',
  erasing: 'danger',
  erased: '',
};

export function statusBadge({ t }: Pick<ConsoleFrame, 't'>, status: StatusShown): Html {
  return html`<span class="badge ${tones[status]}">${t(statusTexts[status])}</span>`;
}

export interface LockShown {
  reason: LockReasonShown;
  since: Date;
  until: Date | null;
  by: string | null;
  note: string | null;
}

export type LockReasonShown =
  | 'too_many_attempts'
  | 'admin'
  | 'unaffiliated'
  | 'directory'
  | 'inactive'
  | 'operator'
  | 'compromised'
  | 'erasing'
  | 'domain_lapsed'
  | 'expired';

export const lockTexts: Record<LockReasonShown, MessageKey> = {
  too_many_attempts: 'people.lock.attempts',
  admin: 'people.lock.admin',
  unaffiliated: 'people.lock.unaffiliated',
  directory: 'people.lock.directory',
  inactive: 'people.lock.inactive',
  operator: 'people.lock.operator',
  compromised: 'people.lock.compromised',
  erasing: 'people.lock.erasing',
  domain_lapsed: 'people.lock.domain_lapsed',
  expired: 'people.lock.expired',
};

/** The same in a word or two, where it names what is counted or marked. */
export const lockNames: Record<LockReasonShown, MessageKey> = {
  ...lockTexts,
  too_many_attempts: 'rooms.lock.too_many_attempts',
  admin: 'rooms.lock.admin',
  unaffiliated: 'rooms.lock.unaffiliated',
  directory: 'rooms.lock.directory',
  inactive: 'rooms.lock.inactive',
  operator: 'rooms.lock.operator',
  compromised: 'rooms.lock.compromised',
  erasing: 'rooms.lock.erasing',
};

/** Why somebody is locked, in one sentence: "Locked by fay@acme.example on 3 May 2026: left us". */
export function lockSentence(page: Pick<ConsoleFrame, 't' | 'zone'>, lock: LockShown): Child {
  const { t } = page;
  const { reason, since, until, by, note } = lock;
  return [
    reason === 'admin' && by
      ? t.parts('people.lock.by', { by: named(by), when: when(page, since, 'day') })
      : [
          t(lockTexts[reason]),
          ' ',
          t.parts('people.lock.since', { when: when(page, since, 'day') }),
        ],
    until && [' ', t.parts('people.lock.until', { when: when(page, until) })],
    note && [': ', named(note, 300)],
  ];
}

/** The padlock of a list: its reasons are read when it is pointed at, and when it has the focus. */
export function padlock(
  page: Pick<ConsoleFrame, 't' | 'zone'>,
  id: string,
  locks: readonly LockShown[],
): Html | null {
  if (locks.length === 0) return null;
  return html`<span class="padlock">
    <button type="button" class="lock" aria-describedby="why-${id}">
      <span class="hidden">${page.t('people.locked_because')}</span>
    </button>
    <span class="tip" role="tooltip" id="why-${id}"
      >${locks.map((lock) => html`<span>${lockSentence(page, lock)}</span>`)}</span
    >
  </span>`;
}

export interface Named {
  id: string;
  email: string | null;
  givenName: string;
  familyName: string;
}

/** "Ann Archer", or the address where no name is known; whoever was erased has neither. */
export function nameOf({ email, givenName, familyName }: Omit<Named, 'id'>): string {
  return clip(`${givenName} ${familyName}`.trim() || (email ?? '–'), 120);
}

export function nameAndEmail(person: Named, href?: string): Html {
  const name = nameOf(person);
  return html`${href ? html`<a href="${href}">${named(name)}</a>` : html`<strong>${named(name)}</strong>`}
  ${person.email && person.email !== name && html`<span class="hint">${named(person.email)}</span>`}`;
}

export const sourceTexts = {
  local: 'people.source.local',
  registration: 'people.source.registration',
  admin: 'people.source.admin',
  import: 'people.source.import',
  jit: 'people.source.jit',
  scim: 'people.source.scim',
} as const satisfies Record<string, MessageKey>;
export type SourceShown = keyof typeof sourceTexts;

/** A country by its name in the reader's language. */
export function countryName({ t }: Pick<ConsoleFrame, 't'>, code: string | null): string {
  if (code === null) return '';
  // Of anything else the formatter throws, and the log keeps what was written.
  if (!/^[A-Z]{2}$/.test(code)) return code;
  return new Intl.DisplayNames(t.locale, { type: 'region' }).of(code) ?? code;
}

/** A language by its name in the reader's. */
export function languageName({ t }: Pick<ConsoleFrame, 't'>, code: string): string {
  if (!/^[a-z]{2,3}(-[a-z0-9]+)*$/i.test(code)) return code;
  return new Intl.DisplayNames(t.locale, { type: 'language' }).of(code) ?? code;
}

/** Roles by what they are called. */
export function roleName(
  { t }: Pick<ConsoleFrame, 't'>,
  { key, name }: { key: string; name: string },
): string {
  const ours = Object.hasOwn(builtIn, key) ? builtIn[key] : undefined;
  return ours ? t(ours) : name;
}

const builtIn: Record<string, MessageKey | undefined> = {
  operator: 'people.role.operator',
  account_administrator: 'people.role.account_administrator',
  co_administrator: 'people.role.co_administrator',
  group_manager: 'people.role.group_manager',
};
