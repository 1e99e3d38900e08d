import { request } from 'node:http';
import { connect } from 'node:net';
import {
  createLocalJWKSet,
  jwtVerify,
  type JWTPayload,
  type ProtectedHeaderParameters,
} from 'jose';
import type { Agent, Answer } from '#test/support/agent.ts';
import { authorizeUrl } from '#test/support/sign-in.ts';
import type { GivenClient } from '#test/support/world.ts';

export interface VerifiedToken {
  header: ProtectedHeaderParameters;
  claims: JWTPayload & Record<string, unknown>;
}

/** Verifies a token as an application does: with the keys our metadata points to. */
export async function verified(
  program: Agent,
  token: string,
  audience: string,
  options: { currentDate?: Date; typ?: string } = {},
): Promise<VerifiedToken> {
  const { issuer, jwks_uri } = (await program.get('/.well-known/openid-configuration')).json;
  const keys = createLocalJWKSet((await program.get(new URL(jwks_uri as string))).json);
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: issuer as string,
    audience,
    ...options,
  });
  return { header: protectedHeader, claims: payload };
}

/** An application asks without a page. */
export function silent(
  browser: Agent,
  client: GivenClient,
  extra: Record<string, string | null> = {},
): Promise<Answer> {
  return browser.get(authorizeUrl(client, { prompt: 'none', ...extra }));
}

/** What an answer to the application says: the parameters of the redirect. */
export function said(answer: Answer): Record<string, string> {
  const { location } = answer;
  if (!location) throw new Error(`It does not redirect: ${answer.status} ${answer.words}`);
  return Object.fromEntries(location.searchParams);
}

/**
 * Sends bytes that no HTTP library would, and gives back the status and the rest. The status is 0
 * where the server hung up: what is too long is not read to its end.
 */
export function raw(base: string, text: string): Promise<{ status: number; text: string }> {
  const { port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      const answer = Buffer.concat(chunks).toString();
      resolve({ status: Number(answer.split(' ')[1] ?? 0), text: answer });
    });
  });
}

/** A request with an address that must not be tidied up on the way. */
export function verbatim(
  base: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const { port, host } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { host, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A client of another kind, as registered. */
export const spa = {
  metadata: { token_endpoint_auth_method: 'none' },
  redirectUri: 'https://spa.example/cb',
};
export const native = {
  metadata: { token_endpoint_auth_method: 'none', application_type: 'native' },
  redirectUri: 'http://127.0.0.1/callback',
};
