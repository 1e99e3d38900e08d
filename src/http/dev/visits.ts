import type { IDToken } from 'openid-client';
import { newSecret } from '#platform/secrets.ts';
import type { Clock } from '#platform/clock.ts';
import type { Tone } from '../form.ts';

/** What a person chose to ask for. Empty text is a parameter that is not sent. */
export interface Choices {
  scopes: readonly string[];
  refreshToken: boolean;
  prompt: string;
  loginHint: string;
  maxAge: string;
  acrValues: string;
  uiLocales: string;
  resource: string;
}

/** A sign-in that was begun. What it holds is compared with the answer. */
export interface Pending {
  state: string;
  nonce: string;
  verifier: string;
  maxAge: number | undefined;
  /** Whether the access token will be for an API, which userinfo does not take. */
  resource: string;
  /** The parameters that were sent, for people to read. */
  sent: Record<string, string>;
}

/** What the application received, as it holds it. */
export interface Received {
  idToken: string;
  claims: IDToken;
  accessToken: string;
  /** What the answer said beside the tokens. */
  scope: string | undefined;
  accessTokenUntil: Date | null;
  refreshToken: string | null;
  resource: string;
  sent: Record<string, string>;
  /** What the identity provider said when it was asked. */
  userinfo: Answer | null;
  introspection: { of: TokenKind; answer: Answer } | null;
}

export type TokenKind = 'access_token' | 'refresh_token';

export type Answer = Record<string, unknown>;

/** What is said above the page once something was done. */
export interface Told {
  tone: Tone;
  title: string;
  text: string;
  /** For a developer: the error as it came. */
  code?: string | undefined;
  /** What on the page it is about: that is unfolded. */
  about?: 'userinfo';
}

/** One browser, as the application knows it. */
export interface Visit {
  id: string;
  since: number;
  choices: Choices;
  pending: Map<string, Pending>;
  received: Received | null;
  told: Told | null;
  /** The `state` of a sign-out that is under way. */
  leaving: string | null;
}

const lifetime = 3600_000;
const most = 200;
const mostPending = 10;

/** The visits of this process, in memory: the application is a toy, and forgets with the process. */
export class Visits {
  readonly #visits = new Map<string, Visit>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(id: string | undefined): Visit | null {
    const visit = this.#visits.get(id ?? '');
    if (!visit) return null;
    if (visit.since + lifetime > this.#clock().getTime()) return visit;
    this.#visits.delete(visit.id);
    return null;
  }

  begin(choices: Choices): Visit {
    const visit: Visit = {
      id: newSecret(),
      since: this.#clock().getTime(),
      choices,
      pending: new Map(),
      received: null,
      told: null,
      leaving: null,
    };
    this.#keep(visit);
    return visit;
  }

  /** A new name for the visit once somebody signed in: whoever knew the old one knows nothing. */
  rename(visit: Visit): void {
    this.#visits.delete(visit.id);
    visit.id = newSecret();
    visit.since = this.#clock().getTime();
    this.#keep(visit);
  }

  /** Everything that was received in the session of the identity provider, or from the person. */
  ofSession({ sid, sub }: { sid?: string | undefined; sub?: string | undefined }): Visit[] {
    return [...this.#visits.values()].filter(({ received }) =>
      sid === undefined ? received?.claims.sub === sub : received?.claims['sid'] === sid,
    );
  }

  #keep(visit: Visit): void {
    this.#visits.set(visit.id, visit);
    for (const oldest of this.#visits.keys()) {
      if (this.#visits.size <= most) break;
      this.#visits.delete(oldest);
    }
  }
}

export function keepPending({ pending }: Visit, begun: Pending): void {
  pending.set(begun.state, begun);
  for (const oldest of pending.keys()) {
    if (pending.size <= mostPending) break;
    pending.delete(oldest);
  }
}
