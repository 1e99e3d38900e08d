import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { serveParent } from '../service.ts';

/**
 * A company's identity provider that costs as little as one can: its codes say all there is to say, so
 * that the load makes them itself (`federatedCode`), and nobody has to be sent here.
 */
let server: Server | undefined;
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

serveParent(
  {
    async start(): Promise<{ issuer: string }> {
      const keys = JSON.stringify({
        keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' }],
      });
      server = createServer((request, response) => {
        void (async () => {
          const body = await answer(request, keys);
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(body);
        })();
      });
      await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
      return { issuer: issuer() };
    },
  },
  () => {
    server?.closeAllConnections();
    server?.close();
  },
);

function issuer(): string {
  return `http://localhost:${(server!.address() as AddressInfo).port}`;
}

async function answer(request: IncomingMessage, keys: string): Promise<string> {
  if (request.url === '/jwks') return keys;
  if (request.url !== '/token')
    return JSON.stringify({
      issuer: issuer(),
      authorization_endpoint: `${issuer()}/authorize`,
      token_endpoint: `${issuer()}/token`,
      jwks_uri: `${issuer()}/jwks`,
      id_token_signing_alg_values_supported: ['ES256'],
    });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const { nonce, email } = JSON.parse(
    Buffer.from(form.get('code')!, 'base64url').toString(),
  ) as Record<string, string>;
  const now = Math.floor(Date.now() / 1000);
  const token = randomBytes(16).toString('base64url');
  const idToken = await new SignJWT({
    nonce,
    email,
    given_name: 'Ann',
    family_name: 'Archer',
    country: 'US',
    auth_time: now,
    at_hash: createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url'),
  })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .setIssuer(issuer())
    .setAudience('bench')
    .setSubject(email!)
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(privateKey);
  return JSON.stringify({ access_token: token, token_type: 'Bearer', id_token: idToken });
}
