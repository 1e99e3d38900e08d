/** What people are shown of a person's four facts, as one word (behaviour.md section 2.1). */
export const userStatuses = [
  'erased',
  'erasing',
  'suspended',
  'locked',
  'invited',
  'registered-unverified',
  'pending-approval',
  'unaffiliated',
  'active',
] as const;

export type UserStatus = (typeof userStatuses)[number];

/**
 * The status as an SQL expression over a user `u` and their account `a`; `locks` is the expression
 * of the reasons they are locked for, as a `text[]`. In SQL, because lists are filtered by it; and
 * nowhere else, so that the two cannot disagree. First match wins.
 */
export function statusSql(locks: string): string {
  return `case
    when u.identity = 'erased' then 'erased'
    when u.identity = 'erasing' or 'erasing' = any (${locks}) then 'erasing'
    when ${locks} && '{directory,operator}'::text[] then 'suspended'
    when u.affiliation = 'member' and a.status <> 'active' then 'suspended'
    when cardinality(${locks}) > 0 then 'locked'
    when u.identity = 'invited' or u.affiliation = 'provisional' then 'invited'
    when u.identity = 'unverified' then 'registered-unverified'
    when u.affiliation = 'pending' then 'pending-approval'
    when u.affiliation = 'none' then 'unaffiliated'
    else 'active' end`;
}
