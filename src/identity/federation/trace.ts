/** What happened on the way, in its order. */
export type TraceStepKind = 'sent' | 'received' | 'mapped' | 'decided';

export interface TraceStep {
  at: string;
  kind: TraceStepKind;
  /** For administrators. Never a secret, a code, a token or a signature: see `redacted`. */
  data: Record<string, unknown>;
}

/**
 * One attempt to sign in through a connection, step by step. Its id is the id of the attempt, and is
 * shown to the person who failed.
 */
export class FederationTrace {
  readonly id: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly purpose: 'sign_in' | 'test';
  readonly beganAt: Date;
  readonly steps: TraceStep[] = [];
  /** What it came to: an outcome or a refusal of `decideFederatedSignIn`, or an `UpstreamProblemCode`. */
  outcome: string | null = null;
  userId: string | null = null;

  constructor(begun: {
    id: string;
    connectionId: string;
    accountId: string;
    purpose: 'sign_in' | 'test';
    beganAt: Date;
  }) {
    this.id = begun.id;
    this.connectionId = begun.connectionId;
    this.accountId = begun.accountId;
    this.purpose = begun.purpose;
    this.beganAt = begun.beganAt;
  }

  append(at: Date, kind: TraceStepKind, data: Record<string, unknown>): void {
    this.steps.push({ at: at.toISOString(), kind, data });
  }
}
