/** It was understood, and is not done. Exit status 1. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;
  /** The problem as the server told it. */
  readonly problem: unknown;

  constructor(code: string, message: string, problem: unknown = null) {
    super(message);
    this.code = code;
    this.problem = problem ?? { code, detail: message };
  }
}
