import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import * as oidc from 'openid-client';
import type { Clock } from '#platform/clock.ts';
import type { Egress, IncomingAnswer } from '#platform/egress.ts';
import { UpstreamProblem } from '#identity/federation/assertion.ts';
import type { LiveConnection } from '#identity/federation/upstream.ts';

/** For one of its answers. */
const answerMs = 5_000;
const answerBytes = 256 * 1024;
/** Metadata is kept so long. */
const metadataMs = 3600_000;
/** Unknown keys make us ask for keys so often at most. */
const keysMs = 30_000;

/** What is known of a provider, for one version of a connection to it. */
export interface Kept {
  /** What it was made for: another version of the connection is another one. */
  key: string;
  metadata: Promise<oidc.ServerMetadata>;
  until: number;
  /** The keys, as openid-client keeps them. */
  keys: ReturnType<typeof oidc.getJwksCache>;
  /** The last answer with keys, or the one that is under way. */
  keysAnswer: { at: number; answer: Promise<IncomingAnswer> } | null;
}

/** What providers say of themselves, kept for a while, and how anything at all is asked of them. */
export class ProviderMetadata {
  readonly #kept = new Map<string, Kept>();
  readonly #egress: Egress;
  readonly #clock: Clock;

  constructor({ egress, clock }: { egress: Egress; clock: Clock }) {
    this.#egress = egress;
    this.#clock = clock;
  }

  /** The metadata, kept for an hour. Many who come at once cause one request; a failure is not kept. */
  of({ connection }: LiveConnection, signal: AbortSignal): Kept {
    const now = this.#clock().getTime();
    const key = `${connection.issuer}|${connection.version}`;
    let kept = this.#kept.get(connection.id);
    if (!kept || kept.key !== key || kept.until <= now) {
      if (this.#kept.size > 10_000) this.#kept.clear();
      const metadata = this.#load(connection.issuer ?? '', signal);
      kept = { key, metadata, until: now + metadataMs, keys: undefined, keysAnswer: null };
      this.#kept.set(connection.id, kept);
      metadata.catch(() => {
        if (this.#kept.get(connection.id)?.metadata === metadata) this.#kept.delete(connection.id);
      });
    }
    return kept;
  }

  /** It is asked for anew the next time. */
  forget(connectionId: string): void {
    this.#kept.delete(connectionId);
  }

  /** The provider's keys, asked for anew where they are older than half a minute. */
  async keys(
    live: LiveConnection,
    signal: AbortSignal,
  ): Promise<{ keys: ReturnType<typeof createLocalJWKSet>; issuer: string }> {
    const kept = this.of(live, signal);
    const { jwks_uri: keysUri = '', issuer } = await kept.metadata;
    const ask = this.fetch(signal, kept, keysUri);
    const answer = await ask(keysUri, {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
      redirect: 'manual',
    });
    return { keys: createLocalJWKSet((await answer.json()) as JSONWebKeySet), issuer };
  }

  async #load(issuer: string, signal: AbortSignal): Promise<oidc.ServerMetadata> {
    const url = this.#egress.check(issuer);
    const found = await oidc.discovery(url, 'discovery', undefined, oidc.None(), {
      [oidc.customFetch]: this.fetch(signal),
      execute: url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    });
    const metadata = found.serverMetadata();
    if (metadata.issuer !== issuer)
      throw new UpstreamProblem('upstream_error', 'The metadata is of another issuer.');
    for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
      const address = metadata[name];
      if (!address) throw new UpstreamProblem('upstream_error', `The metadata lacks ${name}.`);
      // Where people are sent is not ours to reach, but it must be a web address.
      if (name === 'authorization_endpoint') checkWebAddress(name, address, url);
      else this.#egress.check(address);
    }
    return metadata;
  }

  /** openid-client's requests, through the one way out that there is. */
  fetch(signal: AbortSignal, kept?: Kept, keysUri?: string): oidc.CustomFetch {
    return async (url, { method, headers, body }) => {
      const ask = (): Promise<IncomingAnswer> =>
        this.#egress.send(url, {
          method: method === 'POST' ? 'POST' : 'GET',
          headers,
          ...(body !== null && body !== undefined && { body: String(body as URLSearchParams) }),
          timeoutMs: answerMs,
          maxBytes: answerBytes,
          signal,
        });
      if (!kept || url !== keysUri) return responseOf(await ask());
      const now = this.#clock().getTime();
      if (!kept.keysAnswer || kept.keysAnswer.at <= now - keysMs) {
        const asked = { at: now, answer: ask() };
        kept.keysAnswer = asked;
        asked.answer.catch(() => {
          if (kept.keysAnswer === asked) kept.keysAnswer = null;
        });
      }
      return responseOf(await kept.keysAnswer.answer);
    };
  }
}

/** Where people are sent: by https, or as the issuer itself. @throws {UpstreamProblem} */
export function checkWebAddress(name: string, address: string, issuer: URL): void {
  const protocol = URL.canParse(address) ? new URL(address).protocol : '';
  if (protocol !== 'https:' && protocol !== issuer.protocol)
    throw new UpstreamProblem('upstream_error', `${name} is not https.`);
}

function responseOf({ status, headers, body }: IncomingAnswer): Response {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && name !== 'content-length')
      kept.set(name, Array.isArray(value) ? value.join(', ') : value);
  const empty = status === 204 || status === 304;
  return new Response(empty ? null : new Uint8Array(body), { status, headers: kept });
}
