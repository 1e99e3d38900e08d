/** Why a person is locked. A person is locked while the set is not empty (security.md 3.8). */
export const lockReasons = [
  'too_many_attempts',
  'admin',
  'unaffiliated',
  'directory',
  'inactive',
  'operator',
  'compromised',
  'erasing',
  'domain_lapsed',
  'expired',
] as const;

export type LockReason = (typeof lockReasons)[number];

/**
 * Which reason is told first when there are several: the one nobody but its setter can lift comes
 * before those an administrator lifts, and what the person can end alone comes last.
 */
export const tellingOrder: readonly LockReason[] = [
  'erasing',
  'operator',
  'compromised',
  'directory',
  'admin',
  'unaffiliated',
  'domain_lapsed',
  'expired',
  'inactive',
  'too_many_attempts',
];
