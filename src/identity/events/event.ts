import { isId } from '#platform/ids.ts';
import type { SealedRow } from '../audit/chain.ts';

/** An event as it is sent: a row of the audit log, without what is only for us. */
export interface Event {
  /** The same however often it is sent: by this a receiver knows what it has. */
  id: string;
  /** The action of the audit log, such as `user.locked`. */
  type: string;
  occurredAt: string;
  account: { id: string } | null;
  subject: { type: string; id: string } | null;
  actor: { type: string; id: string | null };
  data: Record<string, unknown>;
  /** The place in the account's chain: what is missing in between was not asked for. */
  sequence: number | null;
  /** By this the administrators find the row in their audit log. */
  reference: string | null;
}

/**
 * The address a person connects from and the browser they use stay in the audit log: the application
 * behind a webhook has no business with them.
 */
export function eventOf(
  row: Pick<
    SealedRow,
    | 'id'
    | 'at'
    | 'account_id'
    | 'actor'
    | 'action'
    | 'target_type'
    | 'target_id'
    | 'details'
    | 'seq'
    | 'reference'
  >,
): Event {
  const { type, id = null } = row.actor as { type: string; id?: string | null };
  return {
    id: eventId(row.id),
    type: row.action,
    occurredAt: row.at.toISOString(),
    account: row.account_id === null ? null : { id: row.account_id },
    subject: row.target_type === null ? null : { type: row.target_type, id: row.target_id! },
    actor: { type, id },
    data: withoutSecrets(row.details) as Record<string, unknown>,
    sequence: row.seq,
    reference: row.reference,
  };
}

export function eventId(id: number): string {
  return `evt_${id}`;
}

/**
 * No rule of ours writes a secret into the audit log, and a test watches that. Should one, it does not
 * leave. The id of a secret is none.
 */
const telling =
  /password|passwd|secret|token$|^code$|_code$|Code$|hash|authorization|cookie|assertion|private|credential$/;

export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, one]) => typeof one !== 'string' || isId(one) || !telling.test(name))
      .map(([name, one]) => [name, withoutSecrets(one)]),
  );
}
