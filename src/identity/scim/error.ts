import { Refusal } from '../refusal.ts';

/** What RFC 7644 (table 9) and RFC 9865 (section 2.1) call what went wrong. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount';

/** Why, in one word for a program: which rule of ours said no. */
export type ScimReason = string;

export interface ScimErrorOptions {
  scimType?: ScimType | undefined;
  reason?: ScimReason | undefined;
  headers?: Record<string, string> | undefined;
}

/** What a directory asked cannot be done; `message` says which attribute or operation, and why. */
export class ScimError extends Error {
  override readonly name = 'ScimError';
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly reason: ScimReason | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    { scimType, reason, headers = {} }: ScimErrorOptions = {},
  ) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
    this.reason = reason;
    this.headers = headers;
  }
}

/** 400, as most of what a client gets wrong. */
export function bad(scimType: ScimType, detail: string, reason?: ScimReason): ScimError {
  return new ScimError(400, detail, { scimType, reason });
}

export function notFound(): ScimError {
  return new ScimError(404, 'There is no such resource.');
}

/** What somebody sent, short enough to be repeated in an answer. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** What a try comes to, or null where it is refused: for who goes another way then, which says why. */
export function orNull<T>(attempt: () => T): T | null {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof ScimError || error instanceof Refusal) return null;
    throw error;
  }
}
